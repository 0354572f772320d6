"""A new device calibrated from a few measurements, and which to make."""

from dataclasses import replace

import streamlit as st

from foxnas_core.cards import calibration, devices
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.device_pair import device_picker
from pages.shared.frame import errors_as_cards
from pages.shared.picked import picked

SENTENCE = "How few measurements a new device needs, and which subnets to measure on yours."


def needs(study: Study) -> str | None:
    return devices.not_measured(cards.given_of(study))


def show(study: Study) -> None:
    given = cards.given_of(study)
    if devices.one_device(given) is None:
        st.header("Calibrate a new device from a few measurements", divider="grey")
        _calibrated(given)
    cards.show(calibration.to_measure, given)


@st.fragment
@errors_as_cards()
def _calibrated(given: Given) -> None:
    """A device's predictor from another's and a few rows; drawn anew alone when its widgets are
    moved."""
    columns = devices.columns_of(given)
    usual = calibration.new_of(given)[0]
    left, right = st.columns(2)
    with left:
        new = device_picker(given.study, "New device", columns, "device-new", usual)
    given = given.into(new)
    others = [column for column in columns if column != new]
    usual = calibration.new_of(given)[1]
    with right:
        source = device_picker(given.study, "Calibrate from", others, "device-source", usual)
    given = replace(given, against=source)
    least, most, usual_rows = calibration.shown_rows(given)
    rows = most
    if most > least:
        rows = st.slider(
            "Rows measured on the new device", least, most, usual_rows, key="shown-rows"
        )
    if cards.show(calibration.calibrated, given, rows=rows) is None:
        return
    with st.expander("Its coefficients"):
        cards.show(calibration.terms, given, header=False, rows=rows)
    errors = calibration.errors(given)
    error = picked(st.segmented_control, "Error as", errors, key="error", required=True)
    cards.show(calibration.curve, given, error=error, rows=rows)
