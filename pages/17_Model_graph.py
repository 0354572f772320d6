"""The chosen subnet from input to classifier: what each layer computes, takes and brings."""

import streamlit as st

from foxnas_core.cards import model_graph
from foxnas_core.cards.given import Given
from pages.shared import choices
from pages.shared.architecture_picker import pick_architecture
from pages.shared.cards import given_of, show
from pages.shared.frame import page
from pages.shared.network_graph import show_network
from pages.shared.picked import picked
from pages.shared.text import plain


def profiling(given: Given) -> dict[str, str | bool]:
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


with page(
    "Model graph",
    "The chosen subnet layer by layer: shapes, parameters, MACs, what each layer takes on this "
    "machine, and what the regressions say its block brings.",
) as study:
    architecture = pick_architecture(study)
    given = given_of(study, architecture=architecture)
    how = profiling(given)
    if show(model_graph.totals, given, header=False, **how) is None:
        st.stop()
    show_network(given, **how)
    show(model_graph.graph, given, **how)
    if how["profiled"]:
        show(model_graph.views, given, precision=how["precision"])
        show(model_graph.account, given, precision=how["precision"])
