"""Networks designed by hand beside searched ones: same recipe, same meter."""

import streamlit as st

from foxnas_core.cards import handmade
from foxnas_core.cards.given import Given
from pages.shared.cards import given_of, show
from pages.shared.frame import errors_as_cards, page


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
    show(handmade.verdict, given, header=False, **picked)
    show(handmade.networks, given, **picked)
    show(handmade.ratios, given, **picked)


with page(
    "Hand-designed",
    "Are searched networks faster than ones designed by hand, at the same accuracy? All were "
    "trained alone by one recipe and measured by one meter, in fp32 and in int8.",
) as study:
    given = given_of(study)
    if handmade.not_begun(given):
        show(handmade.more, given, header=False)
        st.stop()
    if handmade.not_timed(given) is None:
        show_results(given)
    else:
        show(handmade.verdict, given)
        show(handmade.trained, given)
    show(handmade.how, given)
    show(handmade.more, given)
