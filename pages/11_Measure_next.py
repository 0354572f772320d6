"""The batch of subnets that tells most, what it is expected to tell, and the rounds of search."""

import streamlit as st

from foxnas_core.cards import planning
from foxnas_core.cards.given import Given
from pages.shared.cards import beside, given_of, show
from pages.shared.frame import errors_as_cards, page


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
    if show(planning.gain, given, count=count, seconds=seconds):
        show(planning.blocks, given, count=count)
        with st.expander("Standard errors of every effect and coefficient, now and expected"):
            show(planning.effects, given, header=False, count=count)
            show(planning.coefficients, given, header=False, count=count)
    show(planning.batch, given, count=count)


@errors_as_cards()
def show_rounds(given: Given) -> None:
    """What rounds of search and measurement came to, and how to run more."""
    if planning.no_rounds(given) is None:
        show(planning.rounds, given, header=False)
        beside(given, *((planning.error, {"column": c}) for c in planning.error_columns(given)))
        show(planning.best, given)
        show(planning.fits, given)
    show(planning.more, given, header=False)


with page(
    "Measure next",
    "Which subnets to measure so that the effects become known best in the least time, and what "
    "rounds of searching and measuring have come to.",
) as study:
    given = given_of(study)
    if planning.nothing(given):
        show(planning.batch, given)
        st.stop()
    st.header("The next batch", divider="grey")
    show_batch(given)
    st.header("Rounds of search and measurement", divider="grey")
    show_rounds(given)
