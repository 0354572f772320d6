"""The batch of subnets that tells most, and what it is expected to tell."""

import streamlit as st

from foxnas_core.cards import planning
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.frame import errors_as_cards

SENTENCE = "Which subnets to measure so that the effects become known best in the least time."


@st.fragment
@errors_as_cards()
def show_batch(given: Given) -> None:
    """The batch, and what it is expected to do to the intervals; drawn anew alone when its widgets
    are moved."""
    left, middle, right = st.columns(3)
    columns = planning.columns_of(given)
    column = left.selectbox(
        "Learn the effects on", list(columns), format_func=columns.get, key="design-target"
    )
    count = middle.select_slider(
        "Subnets to measure", planning.SIZES, value=planning.USUAL, key="design-count"
    )
    usual, known = planning.recorded_seconds(given)
    seconds = right.number_input(
        "Seconds a subnet takes",
        min_value=0.01,
        max_value=1e6,
        value=usual,
        format="%.2f",
        key="design-seconds",
        help="The median of this study's campaigns."
        if known
        else "This study's campaigns did not record it; put in what yours take.",
    )
    given = given.into(column)
    if cards.show(planning.gain, given, count=count, seconds=seconds):
        cards.show(planning.blocks, given, count=count)
        with st.expander("Standard errors of every effect and coefficient, now and expected"):
            cards.show(planning.effects, given, header=False, count=count)
            cards.show(planning.coefficients, given, header=False, count=count)
    cards.show(planning.batch, given, count=count)


def needs(study: Study) -> str | None:
    return planning.batch.lacks(cards.given_of(study))


def show(study: Study) -> None:
    show_batch(cards.given_of(study))
