"""Networks designed by hand beside searched ones: same recipe, same meter."""

import streamlit as st

from foxnas_core.cards import handmade
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.frame import errors_as_cards
from pages.shared.picked import picked

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
        precision = picked(
            st.segmented_control, "Precision", handmade.PRECISIONS, key="precision",
            default=handmade.INT8, required=True,
        )  # fmt: skip
    with right:
        way = picked(
            st.segmented_control, "Searched networks", handmade.WAYS, key="way",
            default=handmade.ALONE, required=True,
        )  # fmt: skip
    how = {"precision": precision, "way": way}
    cards.show(handmade.verdict, given, header=False, **how)
    cards.show(handmade.networks, given, **how)
    cards.show(handmade.ratios, given, **how)


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
