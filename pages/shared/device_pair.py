"""The devices that are looked at, by their pickers."""

from dataclasses import replace

import streamlit as st

from foxnas_core.cards import devices
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import choices
from pages.shared.cost import named
from pages.shared.picked import picked


def device_picker(study: Study, label: str, columns: list[str], key: str, usual: str) -> str:
    """Draw a picker of a device, and return its column."""
    names = {column: named(study, column) for column in columns}
    return picked(st.selectbox, label, names, key=key, default=usual)


def pair(given: Given) -> Given:
    """Draw the pickers of two devices; the study as it is looked at with these."""
    columns = devices.columns_of(given)
    left, right = st.columns(2)
    with left:
        first = device_picker(given.study, "Device A", columns, "device-first", columns[0])
    rest = [column for column in columns if column != first]
    chosen = choices.current().latency
    with right:
        fallback = chosen if chosen in rest else rest[0]
        second = device_picker(given.study, "Device B", rest, "device-second", fallback)
    return replace(given, cost=first, against=second)
