"""Networks designed by hand beside searched ones: same recipe, same meter."""

import streamlit as st

from foxnas_core.cards import handmade
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.frame import errors_as_cards

SENTENCE = (
    "Are searched networks faster than ones designed by hand, at the same accuracy? All were "
    "trained alone by one recipe and measured by one meter, in fp32 and in int8."
)


@st.fragment
@errors_as_cards()
def show_results(given: Given) -> None:
    """Drawn anew alone when its widgets are moved."""
    left, right = st.columns(2)
    with left:
        precision = st.segmented_control(
            "Precision", handmade.PRECISIONS, default=handmade.INT8,
            format_func=handmade.PRECISIONS.get, key="precision", required=True,
        )  # fmt: skip
    with right:
        way = st.segmented_control(
            "Searched networks", handmade.WAYS, default=handmade.ALONE,
            format_func=handmade.WAYS.get, key="way", required=True,
        )  # fmt: skip
    picked = {"precision": precision, "way": way}
    cards.show(handmade.verdict, given, header=False, **picked)
    cards.show(handmade.networks, given, **picked)
    cards.show(handmade.ratios, given, **picked)


def show(study: Study) -> None:
    given = cards.given_of(study)
    if handmade.not_begun(given):
        cards.show(handmade.more, given, header=False)
        return
    if handmade.not_timed(given) is None:
        show_results(given)
    else:
        cards.show(handmade.verdict, given)
        cards.show(handmade.trained, given)
    cards.show(handmade.how, given)
    cards.show(handmade.more, given)
