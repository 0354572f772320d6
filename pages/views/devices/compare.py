"""Two devices beside each other: how the effects of blocks and choices differ."""

import streamlit as st

from foxnas_core.cards import devices
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.device_pair import pair
from pages.shared.frame import errors_as_cards
from pages.shared.picked import picked, show_part
from pages.shared.text import plain

SENTENCE = "The same subnets on two devices: which choices cost more on one than on the other."


def needs(study: Study) -> str | None:
    return devices.one_device(cards.given_of(study))


def show(study: Study) -> None:
    compared = pair(cards.given_of(study))
    one, other = map(plain, devices.names_of(compared))
    st.header(f"What costs more on {other} than on {one}", divider="grey")
    _effects(compared)


@st.fragment
@errors_as_cards()
def _effects(given: Given) -> None:
    """Drawn anew alone when the unit is switched."""
    read = {}
    for name, units in devices.difference.options(given).items():
        read[name] = picked(st.segmented_control, "Compare in", units, key=name, required=True)
    if cards.show(devices.difference, given, header=False, **read):
        show_part(
            "compared",
            {
                "Blocks": lambda: cards.show(devices.blocks, given, **read),
                "Every choice": lambda: cards.show(devices.effects, given, **read),
            },
        )
