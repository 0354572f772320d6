"""What networks for volumes see across slices, and what two of them make of each case."""

import streamlit as st

from foxnas_core.cards import volumes
from foxnas_core.cards.given import Given
from pages.shared import cards
from pages.shared.picked import picked


def show_reach(given: Given) -> None:
    """How far networks see, and what those of one operation reach."""
    cards.show(volumes.reach, given)
    cards.show(volumes.lines_to_beat, given)


def show_cases(given: Given) -> None:
    """Two networks, which are picked, case by case."""
    names = volumes.paired.options(given).get("one", {})
    if not names:
        cards.show(volumes.paired, given)  # what there is to do first
        return
    row = st.container(horizontal=True)
    usual = volumes.pair_of(given, "", "")
    one = picked(row.selectbox, "Network", names, key="volumes-one", default=usual[0], width=260)
    other = picked(
        row.selectbox, "Against", names, key="volumes-other", default=usual[1], width=260
    )
    cards.show(volumes.paired, given, one=one, other=other)
    _scroll(given, one, other)


@st.fragment
def _scroll(given: Given, one: str, other: str) -> None:
    """One slice of the case that loses most; moving through it draws this alone."""
    numbers = list(volumes.slices_of(given))
    place = picked(
        st.select_slider, "Slice", numbers, key="volumes-slice", default=len(numbers) // 2,
        format_func=lambda number: f"{number + 1}",
    )  # fmt: skip
    cards.show(volumes.slices, given, one=one, other=other, place=place)
