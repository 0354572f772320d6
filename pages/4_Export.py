"""From an architecture to files that run, each checked against the subnet it came from."""

import json
import re
from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from foxnas_core.cards.export import checks_card, formats
from foxnas_core.errors import FoxnasError
from foxnas_core.export.formats import FORMATS
from foxnas_core.figures import live
from foxnas_core.figures.picture import picture_table
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.export import expected_seconds
from foxnas_core.study import Study
from pages.shared import cache, choices
from pages.shared.architecture_picker import pick_architecture
from pages.shared.cards import draw, given_of
from pages.shared.export_form import export_picker
from pages.shared.exports import Exporting, ExportSettings
from pages.shared.frame import errors_as_cards, page
from pages.shared.running import show_progress
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
                        f"{plain(target.label)}: **{f'{value} {target.unit}'.strip()}** predicted "
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


def show_work(
    study: Study,
    architecture: Architecture,
    predictors: dict[str, Predictor],
    settings: ExportSettings,
) -> None:
    """The button that builds, or how far that is; below it what was built last."""
    stamp = cache.export_stamp(study)
    with errors_as_cards():
        if choices.asked("export") and settings.formats:
            cache.works().start(Exporting(study, architecture, predictors, settings, stamp))
    run = cache.works().latest(Exporting, str(study.folder), (architecture, stamp))
    if run is not None and not run.ended:
        show_progress(run, lambda: told(run))
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
        show_export(study, run.result)


def told(run: Exporting) -> tuple[float, str]:
    """How far an export is."""
    progress = run.progress
    if run.stopping:
        return progress.share if progress else 0.0, "Stopping after this step …"
    if progress is None:
        return 0.0, "Starting, or waiting for another export to end …"
    return progress.share, plain(progress.sentence())


def show_export(study: Study, exported: "ExportedModel") -> None:
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
    draw(checks_card(exported), study)
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
    missing = formats.needs(given_of(study))
    if missing:
        st.info(plain(missing))
    else:
        show_work(study, architecture, predictors, export_picker(study))
