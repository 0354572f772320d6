"""Predictions that stay in view while an architecture is edited."""

from dataclasses import replace

import streamlit as st

from foxnas_core.cards import what_if
from foxnas_core.cards.given import Given
from foxnas_core.space.architecture import Architecture

# Pixels of a prediction, and between two.
WIDTH, GAP = 160, 16
# Each takes little room; on a phone they are moved sideways.
_COMPACT = """<style>
.st-key-predictions [data-testid="stMetric"] > div {
  display: flex; flex-wrap: wrap; align-items: baseline; column-gap: 0.4rem}
.st-key-predictions [data-testid="stMetricLabel"] {flex-basis: 100%}
.st-key-predictions [data-testid="stMetricLabel"] p {font-size: 0.8rem; line-height: 1.15}
.st-key-predictions [data-testid="stMetricLabel"] * {white-space: normal !important}
.st-key-predictions [data-testid="stCaptionContainer"],
.st-key-predictions [data-testid="stCaptionContainer"] p {margin-bottom: 0}
.st-key-prediction-line {row-gap: 0.4rem}
.st-key-predictions [data-testid="stMetricValue"] {font-size: 1.3rem; line-height: 1.2}
.st-key-predictions [data-testid="stMetricDelta"] {font-size: 0.8rem}
@media (max-width: 640px) {
  .st-key-prediction-line {flex-wrap: nowrap; overflow-x: auto}
  .st-key-prediction-line > * {flex-shrink: 0; max-width: 10rem}
}
</style>"""


def show_predictions(given: Given, reference: Architecture) -> None:
    """Draw each with its interval and its change against the reference."""
    is_edited = given.subnet != reference
    st.html(_COMPACT)
    line = st.container(horizontal=True, gap="small", key="prediction-line")
    for own in what_if.headlines(replace(given, start=reference)):
        target = own.target
        # Room for the plain prediction behind the headline, on one line.
        place = line.container(width=2 * WIDTH + GAP if own.longer else WIDTH, gap=None)
        place.metric(
            target.named,
            target.text(own.value),
            delta=target.text(own.change, signed=True) if is_edited else None,
            delta_color="normal" if target.direction == "max" else "inverse",
        )
        place.caption(own.told)
