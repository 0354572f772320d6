"""From an architecture to files that run, each checked against the subnet it came from."""

from collections.abc import Sequence
from contextlib import suppress

import streamlit as st

from foxnas_core.cards.expected import expected
from foxnas_core.cards.export import formats, no_untrained
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError
from foxnas_core.search.expectation import Expectation
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.called import called
from foxnas_core.steps.export import MEASURE_SECONDS, expected_seconds
from foxnas_core.study import Study
from pages.shared import cache, choices
from pages.shared.architecture_picker import download_architecture, pick_architecture
from pages.shared.cards import given_of
from pages.shared.export_form import export_picker
from pages.shared.exported import download_untrained, show_export
from pages.shared.exports import Exporting, ExportSettings
from pages.shared.frame import errors_as_cards
from pages.shared.limits import terms_of
from pages.shared.picture import show_architecture
from pages.shared.running import show_progress
from pages.shared.starting_points import start_of
from pages.shared.text import plain

SENTENCE = (
    "Write the chosen subnet as files that run elsewhere, each checked, with a short script that "
    "runs it, its preprocessing, labels, and a model card that has the measured values beside the "
    "predicted."
)


def show_chosen(given: Given, architecture: Architecture) -> Sequence[Expectation]:
    """The architecture as a grid, with what it is expected to measure, which is returned, and as a
    file."""
    left, right = st.columns([1.25, 1], gap="large")
    with left:
        st.markdown(f"Subnet **{called(architecture.id)}**")
        show_architecture(given.study.space, architecture, key="architecture-chart")
    with right:
        found: Sequence[Expectation] = ()
        with suppress(FoxnasError):
            found = expected(given, architecture) if len(given.table) else ()
        for own in found:
            if own.target.column in given.main or own.target.timed:
                value = own.target.value_text(own.value)
                behind = f"; {own.predicted_text}" if own.optima else ""
                st.write(
                    f"{plain(own.target.label)}: **{value}** "
                    f"{'expected' if own.optima else 'predicted'} "
                    f"({own.interval_text}){behind}"
                )
        download_architecture(architecture)
    return found


def show_work(
    study: Study,
    architecture: Architecture,
    found: Sequence[Expectation],
    settings: ExportSettings,
) -> None:
    """The button that builds, or how far that is; below it what was built last."""
    stamp = cache.export_stamp(study)
    with errors_as_cards():
        if choices.asked("export") and settings.formats:
            cache.works().start(Exporting(study, architecture, found, settings, stamp))
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
        "Extracts the subnet, recalibrates its batch norms, writes the files and runs them again: "
        f"about {about} for a small supernet, more for a large one, and about "
        f"{MEASURE_SECONDS:.0f} seconds on top where the table has no latency of it, which is "
        "measured first. It goes on when you leave this page."
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


def show(study: Study) -> None:
    architecture, terms = pick_architecture(study), {}
    # What is wrong with the measurements was said there.
    with suppress(FoxnasError):
        terms = terms_of(study)
    start = start_of(architecture, study.space)
    given = given_of(study, architecture=architecture, start=start, **terms)
    found = show_chosen(given, architecture)
    missing = formats.needs(given)
    if missing:
        st.info(plain(missing))
        if not study.checkpoint_file.exists() and no_untrained(given) is None:
            download_untrained(study, architecture)
    else:
        show_work(study, architecture, found, export_picker(study))
