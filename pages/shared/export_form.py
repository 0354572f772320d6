"""What is exported: which formats, how exact int8 must be, and whether to fine-tune first."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from foxnas_core.export.formats import FORMATS, INT8_FLOOR, formats_of
from foxnas_core.study import Study
from foxnas_core.tasks import dataset
from pages.shared import choices
from pages.shared.exports import ExportSettings
from pages.shared.text import plain

EPOCHS = 2  # unless one says otherwise


def export_picker(study: Study) -> ExportSettings:
    """Draw what to write, and whether to fine-tune first."""
    here = [own.name for own in formats_of(None)[0]]

    def remembered() -> ExportSettings:
        return choices.remembered("export") or ExportSettings(tuple(FORMATS), 0, False, INT8_FLOOR)

    kept = remembered()

    def keep(key: str, change: Callable[[Any], dict[str, Any]]) -> Callable[[], None]:
        return choices.on_change(
            key, lambda value: choices.remember("export", replace(remembered(), **change(value)))
        )

    formats = st.multiselect(
        "Formats",
        here,
        default=[name for name in here if name in kept.formats],
        format_func=lambda name: FORMATS[name].title,
        key="formats",
        on_change=keep("formats", lambda names: {"formats": tuple(names)}),
    )
    absent = [own for name, own in FORMATS.items() if name not in here]
    if absent:
        st.caption(
            "Not installed here: "
            + "; ".join(f"{own.title} ('make runtime-{own.runtime.name}')" for own in absent)
            + ". Each goes into an environment of its own; then load this page again."
        )
    can_tune = study.trained_on() == dataset.FASHION_MNIST and dataset.has_fashion_mnist()
    row = st.container(horizontal=True, vertical_alignment="bottom", gap="large")
    floor = row.number_input(
        "Int8 must agree with fp32 on (%)",
        0.0, 100.0, value=kept.int8_floor, step=1.0, format="%g", key="int8-floor", width=240,
        disabled="onnx-int8" not in formats,
        help="Of the held-out images. Below, nothing is written. It bounds the accuracy that int8 "
        "can lose.",
        on_change=keep("int8-floor", lambda value: {"int8_floor": value}),
    )  # fmt: skip
    tuned = row.toggle(
        "Fine-tune first",
        value=kept.epochs > 0 and can_tune,
        key="fine-tune",
        disabled=not can_tune,
        help="Trains the inherited weights on for this one subnet: minutes.",
        on_change=keep("fine-tune", lambda on: {"epochs": EPOCHS if on else 0}),
    )
    epochs, aware = 0, False
    if tuned:
        epochs = row.number_input(
            "Epochs", 1, 100, value=kept.epochs or EPOCHS, key="epochs", width=120,
            on_change=keep("epochs", lambda value: {"epochs": value}),
        )  # fmt: skip
        aware = row.checkbox(
            "with int8's rounding",
            value=kept.quantization_aware,
            key="quantization-aware",
            help="Rounds as int8 does while training, so that int8 loses less.",
            on_change=keep("quantization-aware", lambda value: {"quantization_aware": value}),
        )
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
