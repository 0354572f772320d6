"""How the latencies were measured, and which can be relied on."""

from dataclasses import replace

import streamlit as st

from foxnas_core.cards import measurements
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from foxnas_core.table.metrics import metric_of
from pages.shared import cards
from pages.shared.cost import cost_picker
from pages.shared.picked import picked, show_part

SENTENCE = (
    "How the latencies were measured, which of them can be relied on, and what the rows say "
    "together."
)


def show(study: Study) -> None:
    left, right = st.columns(2)
    with left:
        given = cards.given_of(study, cost=cost_picker(study))
    if campaigns := measurements.campaigns(given):
        given = replace(given, campaign=right.selectbox("Campaign", campaigns, key="campaign"))
    if measurements.whole.needs(given) is None:
        cards.show(measurements.whole, given)
    if given.cost is not None and not metric_of(given.cost).timed:
        st.info("Only what a clock measured is checked, and this study is about no latency.")
        return
    if cards.show(measurements.verdict, given, header=False) is None:
        return
    show_part(
        "quality-shown",
        {
            measurements.checks.title: lambda: cards.show(measurements.checks, given, header=False),
            "Rounds and drift": lambda: show_rounds(given),
            measurements.rows.title: lambda: show_rows(given),
        },
    )


def show_rounds(given: Given) -> None:
    """How far repeated timings agree, and how the machine changed meanwhile."""
    cards.beside(given, (measurements.spread, {}), (measurements.drift, {}))


def show_rows(given: Given) -> None:
    """Row by row, and which rows are of one network."""
    if measurements.equals.needs(given) is None:
        cards.show(measurements.equals, given)
    badge = picked(st.segmented_control, "Rows to list", measurements.BADGES, key="badges")
    cards.show(measurements.rows, given, header=False, badge=badge or "all")
