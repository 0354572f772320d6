"""Which subnets swap their order between two devices, and why."""

import streamlit as st

from foxnas_core.cards import devices
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards, choices
from pages.shared.device_pair import pair
from pages.shared.picked import picked, show_part
from pages.shared.views import go

SENTENCE = "Which of two subnets is faster hangs on the device: pairs that swap their order."


def needs(study: Study) -> str | None:
    return devices.one_device(cards.given_of(study))


def show(study: Study) -> None:
    given = pair(cards.given_of(study))
    if devices.subnets.needs(given):
        cards.show(devices.subnets, given)
        return
    parts = {"How many": lambda: _how_many(given), "Which pairs": lambda: _pairs(given)}
    show_part("reversals", parts)


def _how_many(given: Given) -> None:
    """How many pairs swap, and how far apart subnets have to be that they don't."""
    cards.beside(given, (devices.subnets, {}), (devices.reversal_map, {}))
    cards.show(devices.gaps, given)


def _pairs(given: Given) -> None:
    """The clearest pairs, and what makes the devices disagree about one of them."""
    cards.show(devices.pairs, given)
    if not (pairs := devices.pairs_of(given)):
        return
    row = st.container(horizontal=True, vertical_alignment="bottom")
    chosen = picked(row.selectbox, "A pair to look into", pairs, key="pair", width=340)
    if row.button("Open this pair in What-if", key="pair-what-if"):
        start, now = (choices.as_text(end) for end in devices.ends_of(given, chosen))
        choices.update(architecture=now, start=start, latency=given.against, budget=None)
        go("What-if")
    if devices.steps.needs(given) is None:
        cards.show(devices.steps, given, header=False, pair=chosen)
