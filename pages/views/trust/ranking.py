"""Whether the supernet ranks subnets as training each of them alone does."""

from collections.abc import Mapping

import streamlit as st

from foxnas_core.cards import trust
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.cards import beside, given_of
from pages.shared.frame import errors_as_cards
from pages.shared.picked import picked, show_part

SENTENCE = (
    "Does the supernet rank subnets as training each alone does? Every measurement and search "
    "rests on the accuracy that a subnet inherits; here some were trained by themselves."
)


@st.fragment
@errors_as_cards()
def show_pairs(given: Given) -> None:
    """Drawn anew alone when its widgets are moved."""
    how = {}
    for place, (name, label, ways) in zip(
        st.columns(2),
        (
            ("trained", "Compare with subnets", trust.TRAINED),
            ("inherited", "Inherited accuracy", trust.INHERITED),
        ),
        strict=True,
    ):
        how[name] = picked(place.segmented_control, label, ways, key=name, required=True)
    way = {"trained": how["trained"]}
    show_part(
        "ranking-shown",
        {
            "Orders": lambda: beside(given, (trust.pairs, how), (trust.agreement, way)),
            "What training adds": lambda: beside(given, (trust.offset, way), (trust.offsets, way)),
            "Reversals": lambda: show_reversals(given, way),
        },
    )


def show_reversals(given: Given, way: Mapping[str, str]) -> None:
    """Pairs of subnets whose order training turns."""
    cards.show(trust.reversals, given, **way)


def show(study: Study) -> None:
    given = given_of(study)
    if trust.pairs.needs(given):
        cards.show(trust.more, given)
        return
    cards.show(trust.verdict, given, header=False, tabled=False)  # the table is that of the orders
    if trust.report_of(given).advice():
        with st.expander(trust.advice.title):
            cards.show(trust.advice, given, header=False)
    show_pairs(given)
    cards.show(trust.more, given)
