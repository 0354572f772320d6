"""One subnet from input to classifier: what each layer computes, takes on this machine and brings.

It is the chosen one, else the best within the budget, else the family's reference.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING

import pandas as pd

from foxnas_core.cards.analysis import Options, analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.sharing import shared
from foxnas_core.errors import FoxnasError
from foxnas_core.families import family_of
from foxnas_core.figures import layer_tables
from foxnas_core.figures import model_graph as figures
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.measure import PRECISIONS
from foxnas_core.table.machine import machines_of, recorded_machine
from foxnas_core.table.metrics import KNOWN, metric_of
from foxnas_core.table.sums import tells

if TYPE_CHECKING:
    from foxnas_core.profiling.result import Layer, LayerProfile


@shared(entries=64)
def block_prices_of(given: Given, column: str, architecture: Architecture) -> pd.DataFrame:
    """What each block of an architecture adds to a target; raises as `Given.predictor`."""
    from foxnas_core.explanation.block_effects import block_prices

    return block_prices(given.predictor(column), architecture=architecture)


@shared("supernet.safetensors", "images.npz", table=False, entries=32)
def layers_of(given: Given, architecture: Architecture) -> "tuple[Layer, ...]":
    """Its layers; raises as `steps.profile.subnet_layers`."""
    from foxnas_core.steps.profile import subnet_layers

    return subnet_layers(given.study, architecture)


@shared(
    "supernet.safetensors", "images.npz", table=False, alone=True,
    spinner="Profiling the subnet, alone on one core …",
)  # fmt: skip
def profile(given: Given, architecture: Architecture, precision: str) -> "LayerProfile":
    """What each of its layers takes on this machine; raises as `steps.profile.profile_subnet`."""
    from foxnas_core.steps.profile import profile_subnet

    return profile_subnet(given.study, architecture, precision)[1]


def no_times(given: Given) -> str | None:
    """What keeps this study's subnets from being profiled."""
    study = given.study
    if study.checkpoint_file.exists() and not study.images_file.exists():
        why = study.no_images("on which batch norms and int8 are calibrated")
        return f"There are no times. {why}"
    if not study.checkpoint_file.exists() and not family_of(study.space).network:
        return (
            "There are no times, since this study has no supernet weights to build a model from; "
            "train a supernet with 'python -m foxnas_core train', or copy yours to "
            "supernet.safetensors."
        )
    if find_spec("onnxruntime") is None:
        return (
            "There are no times, since onnxruntime is not installed; run 'pip install -r "
            "requirements.txt' and start anew."
        )
    return None


def _no_layers(given: Given) -> str | None:
    """Nothing; raises what keeps the layers from being known."""
    layers_of(given, given.subnet)
    return None


def _precisions(given: Given) -> Options:
    return {"precision": {precision: precision for precision in PRECISIONS}}


def profiled_choices(given: Given) -> Options:
    timed = {False: "Without times"}
    if not no_times(given):
        timed[True] = "With times on this machine"
    return {"profiled": timed, **_precisions(given)}


def effects_of(
    given: Given, precision: str, device: str = ""
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """What the regressions say of each block, the objective's first, then that of the cost that is
    profiled, or else of the study's, and last that of a second `device`, a column; and a sentence
    for each that can't be fitted."""
    objective, cost = given.traded
    timed = PRECISIONS[precision]
    found: dict[str, pd.DataFrame] = {}
    refused: list[str] = []
    try:
        table = given.table
    except FoxnasError as error:
        return found, [f"No effects: {error}"]
    columns = [objective, timed if timed in table.frame else cost, *filter(None, [device])]
    for column in dict.fromkeys(columns) if tells(table) else ():
        try:
            found[column] = block_prices_of(given, column, given.subnet)
        except FoxnasError as error:
            refused.append(f"No effects on {column}: {error}")
    return found, refused


@analysis("Model graph", "totals", "The whole subnet", _no_layers, profiled_choices)
def totals(given: Given, *, precision: str = "fp32", profiled: bool = False) -> Card:
    """How much it computes, and how long that takes."""
    layers = layers_of(given, given.subnet)
    found = profile(given, given.subnet, precision) if profiled else None
    blocks = len(dict.fromkeys(layer.block for layer in layers))
    facts = {
        "Layers": f"{len(layers)}",
        "Parameters": KNOWN["parameters"].text(sum(layer.parameters for layer in layers)),
        "MACs of an image": KNOWN["macs"].text(sum(layer.macs for layer in layers)),
    }
    told = f"{len(layers)} layers in {blocks} blocks, stem and head among them"
    if found is not None:
        whole, low, high = map(
            layer_tables.time_text, (found.latency_ms, found.low_ms, found.high_ms)
        )
        facts[f"Latency, {precision}"] = whole
        told += f"; the latency is that without the profiler, of rounds from {low} to {high}"
        if not given.study.checkpoint_file.exists():
            told += ", with random weights, which a time hardly depends on"
    return Card(sentence=f"{told}.", facts=facts)


@analysis("Model graph", "graph", "From input to classifier", _no_layers, profiled_choices)
def graph(given: Given, *, precision: str = "fp32", profiled: bool = False) -> Card:
    """Its layers as boxes, by what they take."""
    layers = layers_of(given, given.subnet)
    found = profile(given, given.subnet, precision) if profiled else None
    effects, refused = effects_of(given, precision)
    objective = metric_of(given.traded[0])
    widths = "time, and below of the MACs" if found else "MACs, and below of the parameters"
    told = (
        "From input to classifier, left to right: boxes are layers, as wide as their share of the "
        f"{widths}; lines lead a block from one strip to the other. A convolution with its norm "
        "and activation is one layer."
    )
    if found and any(len(row.layers) > 1 for row in found.rows):
        told += (
            " Dark frames hold layers that ONNX Runtime computes in one: they have one time, which "
            "nothing divides."
        )
    if objective.column in effects:
        told += (
            f" Above, what the regression says a block's choices bring in {objective.word} against "
            "the block being off, or, where every subnet has it, against its first choices, with "
            "95 % intervals."
        )
    return Card(
        sentence=told,
        table=layer_tables.graph_table(layers, found, effects),
        draw=lambda: figures.graph_figure(layers, found, effects, objective),
        notes=tuple(refused),
    )


@analysis("Model graph", "views", "Two views of a block's time", no_times, _precisions)
def views(given: Given, *, precision: str = "fp32") -> Card:
    """Each block's time by the profiler beside its price by the regression."""
    layers, found = layers_of(given, given.subnet), profile(given, given.subnet, precision)
    column, (effects, _) = PRECISIONS[precision], effects_of(given, precision)
    if column not in effects:
        return Card(
            sentence=f"The profiler's times stand alone: no regression of {column} can be fitted "
            "here. Measure subnets with 'python -m foxnas_core measure'.",
            tone="info",
        )
    here, timed = recorded_machine(found.circumstances, precision), machines_of(given.table, column)
    elsewhere = not all(machine.same_as(here) for machine in timed)
    told = (
        "The profiler timed this one subnet; the regression knows a block's price from the "
        "latencies of whole subnets with and without it. Shown are blocks that a subnet can be "
        "without; the rest is what every subnet has."
    )
    if elsewhere:
        measured = " and ".join(machine.name for machine in timed)
        told += (
            f" The table was measured on {measured} and this machine is {here.name}, so shares of "
            "each one's whole are drawn."
        )
    table = layer_tables.views_table(layers, found, effects[column])
    return Card(
        sentence=told,
        table=table,
        draw=lambda: figures.views_figure(table, as_shares=elsewhere),
    )


@analysis("Model graph", "account", "Where the time is", no_times, _precisions)
def account(given: Given, *, precision: str = "fp32") -> Card:
    """All of the latency, layers and the rest."""
    found = profile(given, given.subnet, precision)
    how = found.circumstances
    return Card(
        sentence=f"Each time is the 10th percentile of a round's runs ({how['profiled_runs']} with "
        f"the profiler, {how['runs']} without), the median of {how['rounds']} rounds, on one "
        "thread. The profiler's own work on an operator, known from operators that do next to "
        "nothing, is taken off the layers and shown as a row of its own. Nothing is left out: "
        "layers, what is of no layer and the profiler's work add up to all operators.",
        table=layer_tables.account_table(found),
        notes=(f"{how['device']}, {how['runtime']}.",),
    )
