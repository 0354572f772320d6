"""From an architecture to files that run, each checked against the subnet it came from."""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.export.formats import FORMATS, INT8_FLOOR, formats_of
from foxnas_core.figures import live
from foxnas_core.figures.export import checks_table
from foxnas_core.figures.picture import picture_table
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.export import expected_seconds
from foxnas_core.study import Study
from foxnas_core.tasks.dataset import FASHION_MNIST, has_fashion_mnist
from pages.shared import cache, choices
from pages.shared.architecture_picker import pick_architecture
from pages.shared.exports import Exporting, ExportSettings
from pages.shared.frame import errors_as_cards, page
from pages.shared.panel import panel
from pages.shared.text import plain
from pages.shared.theme import vega_chart

if TYPE_CHECKING:
    from foxnas_core.export.exporter import ExportedModel

COLUMNS = 4
EPOCHS = 2  # unless one says otherwise
ABOUT = {
    "architecture.json": "its choices",
    "preprocessing.json": "how images go in",
    "labels.txt": "names of the classes",
    "sample.png": "a held-out image to try",
    "model_card.md": "the card below",
}


def show_chosen(study: Study, architecture: Architecture) -> dict[str, Predictor]:
    """The architecture as a grid, with its predictions, and as a file; returns the predictors."""
    predictors: dict[str, Predictor] = {}
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        st.markdown(f"Subnet **{architecture.id}**")
        grid = picture_table(study.space, architecture)
        spec = live.architecture_spec(grid["row"].nunique())
        vega_chart(grid, spec, key="architecture-chart")
    with right:
        # What is wrong with the measurements was said where the architecture is picked.
        with suppress(FoxnasError):
            predictors = cache.fits_of(study)[0] if len(cache.table_of(study)) else {}
            for predictor in predictors.values():
                target = predictor.target
                row = predictor.predict([architecture]).iloc[0]
                value, low, high = (
                    target.text(row[name])
                    for name in ("value", "prediction_low", "prediction_high")
                )
                if target.column in (study.objective.column, study.cost.column) or target.timed:
                    st.write(
                        f"{plain(target.label)}: **{value} {target.unit}** predicted "
                        f"[{low}, {high}]"
                    )
        st.download_button(
            "Architecture as JSON",
            json.dumps(architecture.to_dict(), indent=2),
            file_name=f"{architecture.id}.json",
            mime="application/json",
            key="architecture-download",
            on_click="ignore",
        )
    return predictors


def lacking(study: Study) -> str | None:
    """What keeps this study from exporting files, in a sentence."""
    if not study.checkpoint_file.exists():
        return (
            "This study has no supernet weights, so there are no files to build; train a supernet "
            "with 'python -m foxnas_core train', or copy yours to supernet.safetensors. The "
            "architecture can be downloaded all the same."
        )
    if not study.images_file.exists():
        return (
            "This study has no images, on which batch norms are recalibrated and files checked; "
            "'python -m foxnas_core train' stores them, or copy its images.npz into the study."
        )
    if find_spec("torch") is None or find_spec("onnxruntime") is None:
        return (
            "torch and onnxruntime, which exporting needs, are not installed; run 'pip install -r "
            "requirements.txt' and start the app again."
        )
    return None


def settings_picker(study: Study) -> ExportSettings:
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
    can_tune = study.trained_on() == FASHION_MNIST and has_fashion_mnist()
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
    if name == FASHION_MNIST:
        return (
            "Fine-tuning needs the training images, which are not on this machine; run 'make data' "
            "and load this page again."
        )
    return (
        "Fine-tuning needs the images that the supernet was trained on "
        f"({plain(name) if name else 'which its file does not name'}); they are named on the "
        "command line: 'python -m foxnas\\_core export … --fine-tune 2 --data FOLDER'."
    )


def show_work(
    study: Study,
    architecture: Architecture,
    predictors: dict[str, Predictor],
    settings: ExportSettings,
) -> None:
    """The button that builds, or how far that is; below it what was built last."""
    folder, stamp = str(study.folder), cache.export_stamp(study)
    with errors_as_cards():
        if choices.asked("export") and settings.formats:
            cache.exports().add(lambda: Exporting(study, architecture, predictors, settings, stamp))
    run = cache.exports().of(folder, architecture, stamp)
    if run is not None and not run.ended:
        show_progress(run)
        return
    st.button(
        "Build and check the files",
        key="build",
        type="primary",
        on_click=choices.ask("export"),
        disabled=not settings.formats,
    )
    if not settings.formats:
        st.caption("Choose a format to write.")
        return
    seconds = expected_seconds(settings.formats, settings.epochs)
    about = f"{seconds / 60:.0f} minutes" if seconds > 90 else f"{seconds:.0f} seconds"
    st.caption(
        "Extracts the subnet, recalibrates its batch norms, measures its latency if the table has "
        f"none of it, writes the files and runs them again: about {about} for a small supernet, "
        "more for a large one. It goes on when you leave this page."
    )
    if run is None:
        return
    if run.state == "failed":
        st.error(plain(run.note))
    elif run.result is None:
        st.caption("Stopped; nothing of it is kept.")
    else:
        show_export(run.result)


def show_progress(run: Exporting) -> None:
    """How far an export is: drawn again while it runs, and the page once it has ended."""

    @st.fragment(run_every=0.5)
    @errors_as_cards()
    def draw() -> None:
        # Looked up anew, so that the registry knows that someone watches.
        cache.exports().get(run.id, run.study)
        progress = run.progress
        if run.state == "stopping":
            st.progress(progress.share if progress else 0.0, "Stopping after this step …")
        elif progress is None:
            st.progress(0.0, "Starting, or waiting for another export to end …")
        else:
            st.progress(progress.share, plain(progress.sentence()))
        if run.ended:
            st.rerun()

    with st.container(key="exporting"):
        draw()
        st.button("Stop", key="build-stop", on_click=run.stop)


def show_export(exported: "ExportedModel") -> None:
    """What was built: its checks, its files and its card."""
    # Brings torch along, so it waits until something is exported.
    from foxnas_core.export.exporter import zip_export

    st.download_button(
        "Download all files (ZIP)",
        lambda: zip_export(exported),
        file_name=f"{exported.architecture_id}.zip",
        mime="application/zip",
        key="file-zip",
        on_click="ignore",
        type="primary",
    )
    panel(
        "Checks",
        "Each model file was read back and run on real held-out images by its own runtime, and its "
        "answers compared with those of the subnet it came from; those of int8 with the fp32 file.",
        checks_table(exported.checks),
        key="checks",
    )
    st.header("Files")
    about = ABOUT | {own.file: own.title for own in FORMATS.values()}
    for own in FORMATS.values():
        runs = [other.file for other in FORMATS.values() if other.runner == own.runner]
        about[own.runner.script] = f"runs {' and '.join(runs)}"
    names = list(exported.files)
    for start in range(0, len(names), COLUMNS):
        row = names[start : start + COLUMNS]
        for place, name in zip(st.columns(COLUMNS), row, strict=False):
            place.download_button(
                name,
                exported.files[name],
                file_name=f"{exported.architecture_id}-{name}",
                key=f"file-{name}",
                on_click="ignore",
                width="stretch",
            )
            size = len(exported.files[name]) / 1000
            place.caption(f"{about.get(name, 'file')}, {size:,.1f} kB")
    st.header("Model card")
    with st.container(border=True, key="model-card"):
        # A study's own words must not make the browser fetch pictures from elsewhere.
        card = exported.files["model_card.md"].decode().replace("![", r"!\[")
        # Its title stands below the page's.
        st.markdown(re.sub("^#", "###", card, flags=re.MULTILINE))


with page(
    "Export",
    "Write the chosen subnet as files that run elsewhere, each checked, with a short script that "
    "runs it, its preprocessing, labels, and a model card that has the measured values beside the "
    "predicted.",
) as study:
    architecture = pick_architecture(study)
    predictors = show_chosen(study, architecture)
    missing = lacking(study)
    if missing:
        st.info(plain(missing))
    else:
        show_work(study, architecture, predictors, settings_picker(study))
