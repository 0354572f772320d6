"""The chosen subnet from input to classifier: what each layer computes, takes and brings."""

from collections.abc import Sequence
from importlib.util import find_spec

import pandas as pd
import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.figures import layer_tables
from foxnas_core.figures import model_graph as figures
from foxnas_core.profiling.result import Layer, LayerProfile
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.measure import PRECISIONS, devices_of
from foxnas_core.study import Study
from foxnas_core.table.metrics import KNOWN
from pages.shared import cache, choices
from pages.shared.architecture_picker import pick_architecture
from pages.shared.frame import page
from pages.shared.panel import panel
from pages.shared.text import plain


def lacking(study: Study) -> str | None:
    """What keeps this study's subnets from being profiled, in a sentence."""
    if not study.checkpoint_file.exists():
        return (
            "There are no times, since this study has no supernet weights to build a model from; "
            "train a supernet with 'python -m foxnas_core train', or copy yours to "
            "supernet.safetensors. Layers, parameters and MACs need no weights."
        )
    if not study.images_file.exists():
        return (
            "There are no times, since this study has no images, on which batch norms and int8 are "
            "calibrated; 'python -m foxnas_core train' stores them, or copy its images.npz into "
            "the study."
        )
    if find_spec("onnxruntime") is None:
        return (
            "There are no times, since onnxruntime is not installed; run 'pip install -r "
            "requirements.txt' and start the app again."
        )
    return None


def profile_picker(study: Study, architecture: Architecture) -> tuple[str, LayerProfile | None]:
    """Draw the choice of the precision and the button; the profile once it is asked for."""
    row = st.container(horizontal=True, vertical_alignment="bottom")
    chosen = choices.remembered("profiled-precision") or "fp32"
    choices.show("precision", chosen)
    precision = row.segmented_control(
        "Precision",
        list(PRECISIONS),
        required=True,
        key="precision",
        on_change=choices.on_change(
            "precision", lambda value: choices.remember("profiled-precision", value)
        ),
    )
    missing = lacking(study)
    asked = (study.folder, architecture.id, precision)
    row.button(
        "Profile it on this machine",
        key="profile",
        type="primary",
        disabled=missing is not None,
        on_click=lambda: choices.remember("profiled", asked),
    )
    if missing:
        st.info(plain(missing))
    elif choices.remembered("profiled") == asked:
        return precision, cache.profile_of(study, architecture, precision)
    else:
        st.caption(
            "Runs the subnet in ONNX Runtime some thousand times, with its profiler and without, "
            "on one core: some seconds, longer beside other work."
        )
    return precision, None


def effects_of(study: Study, architecture: Architecture, precision: str) -> dict[str, pd.DataFrame]:
    """What the regressions say of each block, by target; what can't be fitted is said."""
    found = {}
    for column in (study.objective.column, PRECISIONS[precision]):
        try:
            if len(cache.table_of(study)):
                found[column] = cache.block_prices_of(study, column, architecture)
        except FoxnasError as error:
            st.caption(f"No effects on {plain(column)}: {plain(str(error))}")
    return found


def show_totals(layers: Sequence[Layer], profile: LayerProfile | None) -> None:
    macs, parameters = sum(x.macs for x in layers), sum(x.parameters for x in layers)
    blocks = len(dict.fromkeys(layer.block for layer in layers))
    places = st.columns(4)
    places[0].metric("Layers", len(layers))
    places[0].caption(f"in {blocks} blocks, stem and head among them")
    places[1].metric("Parameters", KNOWN["parameters"].text(parameters))
    places[2].metric("MACs of an image", KNOWN["macs"].text(macs))
    if profile is None:
        return
    places[3].metric(f"Latency, {profile.precision}", layer_tables.time_text(profile.latency_ms))
    places[3].caption(
        f"without the profiler; rounds {layer_tables.time_text(profile.low_ms)} to "
        f"{layer_tables.time_text(profile.high_ms)}"
    )


def show_graph(
    layers: Sequence[Layer], profile: LayerProfile | None, effects: dict[str, pd.DataFrame]
) -> None:
    widths = "their share of the time, and below of the MACs"
    if profile is None:
        widths = "their share of the MACs, and below of the parameters"
    told = [
        f"From input to classifier, left to right: boxes are layers, as wide as {widths}; lines "
        "lead a block from one strip to the other. A convolution with its norm and activation is "
        "one layer.",
    ]
    if profile is not None and any(len(row.layers) > 1 for row in profile.rows):
        told.append(
            "Dark frames hold layers that ONNX Runtime computes in one: they have one time, which "
            "nothing divides."
        )
    if "accuracy" in effects:
        told.append(
            "Above, what the regression says a block's choices bring in accuracy against the block "
            "being off, or, where every subnet has it, against its first choices, with 95 % "
            "intervals."
        )
    panel(
        "From input to classifier",
        " ".join(told),
        layer_tables.graph_table(layers, profile, effects),
        figures.graph_figure(layers, profile, effects),
        key="graph",
    )


def show_account(profile: LayerProfile) -> None:
    circumstances = profile.circumstances
    panel(
        "Where the time is",
        f"Each time is the 10th percentile of a round's runs ({circumstances['profiled_runs']} "
        f"with the profiler, {circumstances['runs']} without), the median of "
        f"{circumstances['rounds']} rounds, on one thread. The "
        "profiler's own work on an operator, known from operators that do next to nothing, is "
        "taken off the layers and shown as a row of its own. Nothing is left out: layers, what is "
        "of no layer and the profiler's work add up to all operators.",
        layer_tables.account_table(profile),
        key="account",
    )
    st.caption(f"{plain(circumstances['device'])}, {plain(circumstances['runtime'])}")


def show_views(
    study: Study, layers: Sequence[Layer], profile: LayerProfile, effects: dict[str, pd.DataFrame]
) -> None:
    """Each block's time by the profiler beside its price by the regression."""
    column = PRECISIONS[profile.precision]
    title = "Two views of a block's time"
    if column not in effects:
        st.header(title)
        st.info(
            f"The profiler's times stand alone: no regression of {plain(column)} can be fitted "
            "here. Measure subnets with 'python -m foxnas\\_core measure'."
        )
        return
    here = profile.circumstances["device"]
    devices = devices_of(cache.table_of(study), column)
    elsewhere = devices != [here]
    told = (
        "The profiler timed this one subnet; the regression knows a block's price from the "
        "latencies of whole subnets with and without it. Shown are blocks that a subnet can be "
        "without; the rest is what every subnet has."
    )
    if elsewhere:
        measured = " and ".join(devices) or "a device that the table does not name"
        told += (
            f" The table was measured on {plain(measured)} and this machine is {plain(here)}, so "
            "shares of each one's whole are drawn."
        )
    table = layer_tables.views_table(layers, profile, effects[column])
    panel(title, told, table, figures.views_figure(table, as_shares=elsewhere), key="views")


with page(
    "Model graph",
    "The chosen subnet layer by layer: shapes, parameters, MACs, what each layer takes on this "
    "machine, and what the regressions say its block brings.",
) as study:
    architecture = pick_architecture(study)
    layers = cache.layers_of(study, architecture)
    precision, profile = profile_picker(study, architecture)
    effects = effects_of(study, architecture, precision)
    show_totals(layers, profile)
    show_graph(layers, profile, effects)
    if profile is not None:
        show_views(study, layers, profile, effects)
        show_account(profile)
