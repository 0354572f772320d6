"""One subnet layer by layer: its operators as a graph, where its time goes, what blocks bring."""

import streamlit as st

from foxnas_core.cards import model_graph
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards, choices
from pages.shared.architecture_picker import pick_architecture
from pages.shared.editor import start_of
from pages.shared.network_graph import show_network
from pages.shared.picked import picked
from pages.shared.text import plain

SENTENCE = (
    "One subnet layer by layer: operators, shapes, parameters, MACs, what each takes on this "
    "machine, and what the regressions say its block brings."
)


def show(study: Study) -> None:
    now = pick_architecture(study)
    given = cards.given_of(study, architecture=now, start=start_of(now, study.space))
    how = _profiling(given)
    if cards.show(model_graph.totals, given, header=False, **how) is None:
        return
    show_network(given, **how)
    cards.show(model_graph.graph, given, **how)
    if how["profiled"]:
        cards.show(model_graph.views, given, precision=how["precision"])
        cards.show(model_graph.account, given, precision=how["precision"])


def _profiling(given: Given) -> dict[str, str | bool]:
    """Draw the choice of the precision and the button; whether its profile was asked for."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    precisions = model_graph.account.choices(given)["precision"]
    precision = picked(
        row.segmented_control, "Precision", precisions, key="precision", required=True
    )
    missing = model_graph.account.needs(given)
    asked = (given.study.folder, given.subnet.id, precision)
    row.button(
        "Profile it on this machine",
        key="profile",
        type="primary",
        disabled=missing is not None,
        on_click=lambda: choices.remember("profiled", asked),
    )
    profiled = missing is None and choices.remembered("profiled") == asked
    if missing:
        st.info(plain(missing))
    elif not profiled:
        st.caption(
            "Runs the subnet in ONNX Runtime some thousand times, with its profiler and without, "
            "on one core: some seconds, longer beside other work."
        )
    return {"precision": precision, "profiled": profiled}
