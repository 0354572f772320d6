"""All devices of the table beside each other."""

from dataclasses import replace

import streamlit as st

from foxnas_core.cards import benchmark, device_choices, device_columns, devices, every_device
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.device_pair import device_picker
from pages.shared.frame import errors_as_cards
from pages.shared.picked import picked

SENTENCE = (
    "Every device of the table at once: whether they order networks alike, and what a network "
    "costs that was chosen for another one."
)
ORDER, BEST, OPERATIONS, TABLE = "order", "best", "operations", "table"
_PARTS = {
    ORDER: "Order",
    BEST: "Best networks",
    OPERATIONS: "What choices cost",
    TABLE: "Sums, copies, regression",
}


def needs(study: Study) -> str | None:
    return devices.not_measured(cards.given_of(study))


def show(study: Study) -> None:
    given = cards.given_of(study)
    part = picked(
        st.segmented_control, "Look at", _PARTS, key="devices-part", required=True,
        label_visibility="collapsed",
    )  # fmt: skip
    {ORDER: _order, BEST: _best, OPERATIONS: _operations, TABLE: _table}[part](given)


def _order(given: Given) -> None:
    cards.beside(given, (every_device.ranks, {}), (every_device.fronts, {}))


@st.fragment
@errors_as_cards()
def _best(given: Given) -> None:
    """Drawn anew alone when its slider is moved."""
    options = every_device.moved.options(given)
    if not options:
        cards.show(every_device.moved, given)
        return
    left, right = st.columns(2)
    with left:
        share = st.slider(
            "Budget: so many percent of the networks keep it", 5, 95, 50, 5, key="moved-share"
        )
    with right:
        loss = picked(
            st.segmented_control, "What it loses", options["loss"], key="moved-loss", required=True
        )
    cards.show(every_device.moved, given, share=share / 100, loss=loss)


@st.fragment
@errors_as_cards()
def _operations(given: Given) -> None:
    """Drawn anew alone when its widgets are moved."""
    chosen = {}
    for place, (name, told) in zip(
        st.columns(2), device_choices.operations.options(given).items(), strict=False
    ):
        if len(told) > 1:
            with place:
                chosen[name] = picked(
                    st.segmented_control, name.capitalize(), told, key=f"operations-{name}",
                    required=True,
                )  # fmt: skip
    cards.show(device_choices.operations, given, **chosen)


def _table(given: Given) -> None:
    cards.show(device_columns.sums, given)
    if benchmark.no_blocks(given) is None:
        cards.show(benchmark.blocks, given)
    cards.show(device_columns.copies, given)
    _regression(given)


@st.fragment
@errors_as_cards()
def _regression(given: Given) -> None:
    """Drawn anew alone when another device is picked."""
    columns = devices.columns_of(given)
    if device_columns.whole.needs(given) is None and len(columns) > 1:
        column = device_picker(given.study, "Device", columns, "whole-device", columns[0])
        given = replace(given, cost=column)
    cards.show(device_columns.whole, given)
