"""What is exported: which formats, how exact int8 must be, and whether to fine-tune first."""

import streamlit as st

from foxnas_core.cards.export import formats as known
from foxnas_core.export.formats import FORMATS, INT8_FLOOR, formats_of
from foxnas_core.study import Study
from foxnas_core.tasks import dataset
from pages.shared import choices
from pages.shared.cards import draw, given_of
from pages.shared.exports import ExportSettings
from pages.shared.picked import picked
from pages.shared.text import plain

EPOCHS = 2  # unless one says otherwise


def export_picker(study: Study) -> ExportSettings:
    """Draw what to write, and whether to fine-tune first."""
    here = [own.name for own in formats_of(None)[0]]
    kept = choices.remembered("formats")
    formats = picked(
        st.multiselect, "Formats", {name: FORMATS[name].title for name in here}, key="formats",
        value=[name for name in here if kept is None or name in kept],
    )  # fmt: skip
    with st.expander("Which file suits a phone, a board, a server"):
        draw(known.card(given_of(study)), header=False, tabled=False)
    can_tune = study.trained_on() == dataset.FASHION_MNIST and dataset.has_fashion_mnist()
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="large")
    floor = picked(
        row.number_input, "Int8 must agree with fp32 on (%)", key="int8-floor", default=INT8_FLOOR,
        min_value=0.0, max_value=100.0, step=1.0, format="%g", width=240,
        disabled="onnx-int8" not in formats,
        help="Of the held-out images. Below, nothing is written. It bounds the accuracy that int8 "
        "can lose.",
    )  # fmt: skip
    tuned = picked(
        row.toggle, "Fine-tune first", key="fine-tune", disabled=not can_tune,
        value=bool(choices.remembered("fine-tune")) and can_tune,
        help="Trains the inherited weights on for this one subnet: minutes.",
    )  # fmt: skip
    epochs, aware = 0, False
    if tuned:
        epochs = picked(
            row.number_input, "Epochs", key="epochs", default=EPOCHS, min_value=1, max_value=100,
            width=120,
        )  # fmt: skip
        aware = picked(
            row.checkbox, "with int8's rounding", key="quantization-aware", default=False,
            help="Rounds as int8 does while training, so that int8 loses less.",
        )  # fmt: skip
    if not can_tune:
        st.caption(how_to_tune(study))
    return ExportSettings(tuple(formats), int(epochs), bool(aware), float(floor))


def how_to_tune(study: Study) -> str:
    """What fine-tuning lacks here, and how to get it."""
    name = study.trained_on()
    if name == dataset.FASHION_MNIST:
        return (
            "Fine-tuning needs the training images, which are not on this machine; run 'make data' "
            "and load this page again."
        )
    return (
        "Fine-tuning needs the images that the supernet was trained on "
        f"({plain(name) if name else 'which its file does not name'}); they are named on the "
        "command line: 'python -m foxnas\\_core export … --fine-tune 2 --data FOLDER'."
    )
