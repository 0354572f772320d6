"""The study as one HTML file that needs no server: what was chosen, why, and a what-if."""

from contextlib import suppress
from datetime import UTC, datetime

import streamlit as st

from foxnas_core.cards.subject import PARTS, ReportRequest
from foxnas_core.errors import FoxnasError
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.called import called
from foxnas_core.study import Study
from pages.shared import cache, cards, choices
from pages.shared.bar import architecture_bar
from pages.shared.cost import budget_of, chosen_cost
from pages.shared.frame import errors_as_cards
from pages.shared.picked import picked
from pages.shared.starting_points import start_of

SENTENCE = (
    "The study in one HTML file that needs no server: coefficients, diagnostics, the front, the "
    "chosen subnet block by block, a decision record, and a what-if that works in the file."
)
WORDS = 5000


def pick(study: Study) -> tuple[Architecture | None, str | None, float | None]:
    """The subnet to report on, the latency's column and the budget, those that there are."""
    latency = chosen_cost(study)
    if latency is None:
        st.caption(
            f"This study has no {study.cost.word}, so there is no budget: the report is on the "
            "best subnet by prediction, or on the one that a link brings here."
        )
        return choices.chosen_architecture(study.space), None, None
    with errors_as_cards():
        latency, architecture = architecture_bar(study)
        if study.objective.column not in cache.table_of(study).frame:
            return architecture, latency, None
        return architecture, latency, budget_of(study, cache.front_of(study, latency))
    # What is wrong was said above; the report has what there is.
    return choices.chosen_architecture(study.space), latency, None


def guard_of(study: Study, latency: str | None) -> float | None:
    """The chosen guard, where optima were measured to guard by; the pickers go without, too."""
    with suppress(FoxnasError):
        if latency is not None and cache.calibrations_of(study, latency):
            return choices.current().guard
    return None


def asked(study: Study) -> ReportRequest:
    """Draw what goes in, and return it as a request."""
    architecture, latency, budget = pick(study)
    if architecture is not None:
        st.write(f"The report is on subnet **{called(architecture.id)}**.")
    # Kept by study, for the way to another page and back.
    words = f"rationale-{study.folder.name}"
    rationale = picked(
        st.text_area,
        "Your reasons, in your own words",
        key="rationale",
        value=choices.remembered(words) or "",
        act=lambda text: choices.remember(words, text),
        max_chars=WORDS,
        placeholder="Why this subnet, for whom, what was weighed against it.",
    )
    st.markdown("Beside summary, subnet, front and decision record, it has")
    row = st.container(horizontal=True)
    parts = tuple(
        name for name, label in PARTS.items() if row.checkbox(label, value=True, key=f"part-{name}")
    )
    return ReportRequest(
        cost=latency,
        budget=budget,
        guard=guard_of(study, latency),
        architecture=architecture,
        start=architecture and start_of(architecture, study.space),
        rationale=rationale,
        parts=parts,
        intervals=choices.current().intervals,
        made=datetime.now(UTC).date().isoformat(),
    )


def show_report(study: Study, request: ReportRequest) -> None:
    """Build the report, or take it from the cache, and offer it."""
    report = cache.report_of(study, request)
    cards.draw(report.summary, header=False)
    st.download_button(
        "Download the report (HTML)",
        report.html,
        file_name=f"{study.folder.name}-{report.subnet or 'report'}.html",
        mime="text/html",
        key="report-download",
        on_click="ignore",
        type="primary",
    )
    st.caption(
        f"One file of {len(report.html) / 1e6:.1f} MB: it opens in any browser, loads nothing "
        "and sends nothing, and prints on A4."
    )


def needs(study: Study) -> str | None:
    if len(cache.table_of(study)):
        return None
    return (
        "This study has no measured subnets, so there is nothing to report; measure some with "
        "'python -m foxnas_core measure' or import a table."
    )


def show(study: Study) -> None:
    request = asked(study)
    st.button(
        "Write the report",
        key="write",
        type="primary",
        on_click=lambda: choices.remember("reported", (study.folder, request)),
    )
    if choices.remembered("reported") == (study.folder, request):
        show_report(study, request)
