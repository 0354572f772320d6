"""Two devices beside each other, and a new one calibrated from a few measurements."""

from dataclasses import replace

import streamlit as st

from foxnas_core.cards import calibration, devices, machine
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import choices
from pages.shared.cards import beside, given_of, show
from pages.shared.cost import chosen_cost, named
from pages.shared.frame import errors_as_cards, page
from pages.shared.machine import show_machine
from pages.shared.picked import picked
from pages.shared.text import plain


def picker(study: Study, label: str, columns: list[str], key: str, usual: str) -> str:
    """Draw a picker of a device, and return its column."""
    names = {column: named(study, column) for column in columns}
    return picked(st.selectbox, label, names, key=key, default=usual)


def show_reversals(given: Given) -> None:
    """The rank-reversal map, the pairs that swap most clearly, and one of them looked into."""
    if devices.subnets.needs(given):
        show(devices.subnets, given)
        return
    beside(given, (devices.subnets, {}), (devices.reversal_map, {}))
    show(devices.gaps, given)
    show(devices.pairs, given)
    if not (pairs := devices.pairs_of(given)):
        return
    row = st.container(horizontal=True, vertical_alignment="bottom")
    pair = row.selectbox(
        "A pair to look into", list(pairs), format_func=pairs.get, key="pair", width=340
    )
    if row.button("Open this pair in What-if", key="pair-what-if"):
        start, now = (choices.as_text(end) for end in devices.ends_of(given, pair))
        choices.update(architecture=now, start=start, latency=given.against, budget=None)
        st.switch_page("pages/2_What_if.py")
    if devices.steps.needs(given) is None:
        show(devices.steps, given, header=False, pair=pair)


@st.fragment
@errors_as_cards()
def effects_section(given: Given) -> None:
    """How the coefficients differ; drawn anew alone when its unit is switched."""
    read = {}
    for name, units in devices.difference.options(given).items():
        read[name] = picked(st.segmented_control, "Compare in", units, key=name, required=True)
    if show(devices.difference, given, header=False, **read):
        show(devices.blocks, given, **read)
        show(devices.effects, given, **read)


@st.fragment
@errors_as_cards()
def calibration_section(given: Given) -> None:
    """A device's predictor from another's and a few rows; drawn anew alone when its widgets are
    moved."""
    columns = devices.columns_of(given)
    left, right = st.columns(2)
    with left:
        new = picker(given.study, "New device", columns, "device-new", calibration.new_of(given)[0])
    given = given.into(new)
    others = [column for column in columns if column != new]
    with right:
        source = picker(
            given.study, "Calibrate from", others, "device-source", calibration.new_of(given)[1]
        )
    given = replace(given, against=source)
    least, most, usual = calibration.shown_rows(given)
    rows = most
    if most > least:
        rows = st.slider("Rows measured on the new device", least, most, usual, key="shown-rows")
    if show(calibration.calibrated, given, rows=rows) is None:
        return
    with st.expander("Its coefficients"):
        show(calibration.terms, given, header=False, rows=rows)
    errors = calibration.errors(given)
    error = picked(st.segmented_control, "Error as", errors, key="error", required=True)
    show(calibration.curve, given, error=error, rows=rows)


with page(
    "Devices",
    "The same subnets on two devices: which choices cost more on one than on the other, which "
    "subnets swap their order, and how few measurements a new device needs.",
) as study:
    given = given_of(study, cost=chosen_cost(study))
    if machine.this_machine.needs(given) is None:
        st.header("This machine", divider="grey")
        show(machine.this_machine, given, header=False)
        show_machine(given, settings=True)
    given = given_of(study)
    if devices.one_device(given):
        show(devices.subnets, given)
        if devices.not_measured(given) is None:
            show(calibration.to_measure, given)
        st.stop()
    columns = devices.columns_of(given)
    left, right = st.columns(2)
    with left:
        first = picker(given.study, "Device A", columns, "device-first", columns[0])
    rest = [column for column in columns if column != first]
    chosen = choices.current().latency
    with right:
        fallback = chosen if chosen in rest else rest[0]
        second = picker(given.study, "Device B", rest, "device-second", fallback)
    compared = replace(given, cost=first, against=second)
    st.header("Which subnets swap their order", divider="grey")
    with errors_as_cards():
        show_reversals(compared)
    one, other = map(plain, devices.names_of(compared))
    st.header(f"What costs more on {other} than on {one}", divider="grey")
    effects_section(compared)
    st.header("Calibrate a new device from a few measurements", divider="grey")
    calibration_section(given)
    show(calibration.to_measure, given)
