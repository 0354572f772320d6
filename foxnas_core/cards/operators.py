"""One subnet's operators as they are exported: what each computes, holds and takes, and what its
block brings, or would if it were another.

The subnet is the chosen one, else the best within the budget, else the family's reference.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from foxnas_core.cards.analysis import analysis
from foxnas_core.cards.card import Card
from foxnas_core.cards.given import Given
from foxnas_core.cards.model_graph import effects_of, no_times, profile, profiled_choices
from foxnas_core.cards.sharing import shared
from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.explanation.edits import each_effects
from foxnas_core.explanation.rates import rates
from foxnas_core.figures import operators as figures
from foxnas_core.figures.layer_tables import percent_text, shape_text
from foxnas_core.figures.model_graph import price_words
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.editing.bulk import turned
from foxnas_core.space.editing.cells import cells_of
from foxnas_core.space.editing.changes import changes_between, in_words
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import KNOWN, metric_of, rate_unit

if TYPE_CHECKING:
    from foxnas_core.profiling.result import LayerProfile, NetworkGraph

_PAGE = "Model graph"


@shared(
    "supernet.safetensors", "images.npz", table=False, entries=32,
    spinner="Tracing the network …",
)  # fmt: skip
def graph_of(given: Given, architecture: Architecture) -> "NetworkGraph":
    """The graph that it is exported as; raises as `steps.profile.subnet_graph`."""
    from foxnas_core.steps.profile import subnet_graph

    return subnet_graph(given.study, architecture)


def _no_graph(given: Given) -> str | None:
    """Nothing; raises what keeps the graph from being known."""
    graph_of(given, given.subnet)
    return None


def profile_of(given: Given, precision: str, profiled: bool) -> "LayerProfile | None":
    """The times of its operators, where they were asked for and can be had."""
    if not profiled or no_times(given):
        return None
    return profile(given, given.subnet, precision)


def chosen_words(space: SearchSpace, architecture: Architecture) -> dict[str, str]:
    """What was chosen for each slot: "kernel 5, expand 3"."""
    return {
        cell.slot: ", ".join(
            f"{d.role} {architecture[d.name]}" for d in cell.decisions if d.name in architecture
        )
        for cell in cells_of(space)
        if cell.slot
    }


def differing(given: Given) -> tuple[frozenset[str], tuple[str, ...]]:
    """The boxes that the start, which the subnet is edited from, has otherwise or not at all; and
    those that it alone has."""
    if given.start is None or given.start == given.subnet:
        return frozenset(), ()
    now, start = (figures.contents(graph_of(given, one)) for one in (given.subnet, given.start))
    differ = frozenset(name for name, own in now.items() if start.get(name) != own)
    return differ, tuple(name for name in start if name not in now)


@analysis(_PAGE, "operators", "Operator by operator", _no_graph, profiled_choices)
def operators(given: Given, *, precision: str = "fp32", profiled: bool = False) -> Card:
    """All operators in the order in which they are computed."""
    graph = graph_of(given, given.subnet)
    boxes = figures.boxes_of(graph)
    return Card(
        sentence=f"{len(graph.nodes)} operators in {len(boxes)} blocks, as the network is "
        "exported to ONNX: norms are folded into convolutions, and their parameters counted "
        f"there. Its weights are {graph.weights}.",
        table=figures.operators_table(
            graph, profile_of(given, precision, profiled), effects_of(given, precision)[0]
        ),
    )


def place_of(given: Given, chosen: str) -> tuple[str, tuple[int, ...]]:
    """The name and the nodes of what is called `chosen`, by default the first block that is
    decided on; raises `InvalidInput` where there is nothing of that name."""
    graph = graph_of(given, given.subnet)
    boxes = figures.boxes_of(graph)
    if not chosen:
        decided = [box for box in boxes if box.block in given.study.space.slots]
        chosen = figures.BLOCK + (decided or boxes)[0].name
    kind, _, name = chosen.partition(":")
    found = next((box for box in boxes if f"{kind}:" == figures.BLOCK and box.name == name), None)
    if found is not None:
        return found.name, found.nodes
    if f"{kind}:" == figures.NODE and name.isdecimal() and int(name) < len(graph.nodes):
        return graph.names[int(name)], (int(name),)
    raise InvalidInput(f"The graph of {given.subnet.id} has no {chosen!r}; pick one of its blocks.")


def cell_at(given: Given, chosen: str) -> str | None:
    """The cell of the editor that decides on what is called `chosen`; None where nothing does."""
    _, places = place_of(given, chosen)
    nodes = [graph_of(given, given.subnet).nodes[place] for place in places]
    names = {name for node in nodes for name in (node.block, node.part)}
    own = [slot for slot in given.study.space.slots if slot in names]
    return own[0] if len(own) == 1 else None


@analysis(_PAGE, "details", "What is computed there", _no_graph, profiled_choices)
def details(
    given: Given,
    *,
    chosen: str = "",
    precision: str = "fp32",
    profiled: bool = False,
    device: str = "",
) -> Card:
    """A block or one operator: its shapes, attributes, weights and what it takes."""
    graph, found = graph_of(given, given.subnet), profile_of(given, precision, profiled)
    name, places = place_of(given, chosen)
    shares = []
    for by in figures.measures(found):
        values = figures.measured(graph, by, found)
        own, whole = float(values[list(places)].sum()), float(values.sum())
        shares.append(f"{figures.measure_text(own, by)} ({percent_text(own, whole)} of all)")
    nodes = [graph.nodes[place] for place in places]
    slots = {name for node in nodes for name in (node.block, node.part)}
    prices = [
        f"{metric_of(column).label}: {price_words(row, metric_of(column))}."
        for column, table in effects_of(given, precision, device)[0].items()
        for row in table.to_dict("records")
        if slots & set(row["slots"])
    ]
    out = shape_text(nodes[-1].output_shape)
    into = ", ".join(dict.fromkeys(shape_text(graph.shape_of(p)) for p in nodes[0].reads))
    words = chosen_words(given.study.space, given.subnet)
    told = "; ".join(f"{slot}: {words[slot]}" for slot in words if slot in slots)
    return Card(
        title=name,
        sentence=f"{into} to {out}: {', '.join(shares)}." + (f" Chosen is {told}." if told else ""),
        points=tuple(prices),
        table=_told(graph, places, found),
    )


def _told(
    graph: "NetworkGraph", places: tuple[int, ...], found: "LayerProfile | None"
) -> pd.DataFrame:
    """A row for each thing that is known of each operator: operator, what, value."""
    rows: list[tuple[str, str, str]] = []
    for place in places:
        node, name = graph.nodes[place], graph.names[place]
        rows += [(name, "reads", _given_by(graph, source)) for source in node.reads]
        rows.append((name, "gives", shape_text(node.output_shape)))
        if node.parameters:
            rows.append((name, "parameters", KNOWN["parameters"].text(node.parameters)))
        if node.macs:
            rows.append((name, "MACs", KNOWN["macs"].text(node.macs)))
        host = figures.within(graph, place, found)
        if host is not None:
            rows.append((name, "time", f"computed in {graph.names[host]}"))
        elif found is not None and (ms := found.nodes[node.number].ms) is not None:
            rows.append((name, "time", figures.measure_text(ms, figures.TIME)))
        rows += [(name, attribute, value) for attribute, value in node.attributes]
        rows += [
            (
                name, f"weights {shape_text(own.shape)}",
                f"mean {own.mean:.3g}, standard deviation {own.std:.3g}, from {own.least:.3g} to "
                f"{own.greatest:.3g}, {100 * own.zeros:.2g} % zeros",
            )
            for own in node.weights
        ]  # fmt: skip
    return pd.DataFrame(rows, columns=["operator", "what", "value"])


def _given_by(graph: "NetworkGraph", source: int) -> str:
    name = graph.names[source] if source >= 0 else "image"
    return f"{name}, {shape_text(graph.shape_of(source))}"


def _no_effects(given: Given) -> str | None:
    """What keeps changes from being told; raises what keeps the graph from being known."""
    if _no_graph(given) or effects_of(given, "fp32")[0]:
        return None
    return (
        "Of what changing a block would bring nothing can be said, since nothing can be fitted "
        "here; measure subnets with 'python -m foxnas_core measure'."
    )


@analysis(_PAGE, "changes", "What changing it would bring", _no_effects)
def changes(given: Given, *, chosen: str = "", precision: str = "fp32") -> Card:
    """Each other choice of a block: what it is expected to change in the objective and the cost."""
    slot = cell_at(given, chosen)
    if slot is None:
        return Card(sentence="Nothing there is decided on: it is alike in all subnets.")
    columns = tuple(effects_of(given, precision)[0])
    space = given.study.space
    others = list(_others(space, given.subnet, slot))
    table = pd.DataFrame(
        {"change": [in_words(space, changes_between(space, given.subnet, o)) for o in others]}
    )
    effects = {
        column: each_effects(given.predictor(column), given.subnet, others) for column in columns
    }
    for column, found in effects.items():
        name = metric_of(column).label
        table[name] = found["effect"]
        table[f"{name} low"], table[f"{name} high"] = found["low"], found["high"]
    if columns == given.traded:
        (gain, won), (cost, paid) = ((metric_of(c), found) for c, found in effects.items())
        ends = paid["average_low"], paid["average_high"]
        table[rate_unit(gain, cost)] = rates(won["effect"], paid["effect"], *ends, gain, cost)
    return Card(
        sentence=f"Each other choice of {slot} alone: what it would change, this less what is "
        "chosen, with the 95 % interval of this edit of this subnet, when both are measured.",
        table=table,
    )


def _others(space: SearchSpace, architecture: Architecture, slot: str) -> Iterator[Architecture]:
    """All that differ in one choice of the slot, or lack it."""
    for decision in space.in_slot(slot):
        for choice in decision.choices:
            if decision.name in architecture and choice != architecture[decision.name]:
                yield space.architecture({**architecture.to_dict(), decision.name: choice})
    if any(decision.conditions for decision in space.in_slot(slot)):
        try:
            yield turned(space, architecture, slot, on=False)
        except FoxnasError:
            return
