"""A network's operators in numbers and words, one by one and block by block."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from foxnas_core.figures.layer_tables import LAYER, effects_of, shape_text, time_text
from foxnas_core.profiling.result import IMAGE, LayerProfile, NetworkGraph, Node
from foxnas_core.table.metrics import KNOWN

TIME, MACS, PARAMETERS = "time", "MACs", "parameters"
BLOCK, NODE = "block:", "node:"
"""How what can be pointed at is called: a block by its name, a node by its place."""
COLUMNS = {TIME: "latency_ms", MACS: "macs", PARAMETERS: "parameters"}


@dataclass(frozen=True)
class Box:
    """Consecutive nodes of one block, by their places; its name is no other box's."""

    name: str
    block: str
    nodes: tuple[int, ...]


def boxes_of(graph: NetworkGraph) -> tuple[Box, ...]:
    """The blocks in order; one that others interrupt is several boxes, lest edges run back."""
    runs: list[tuple[str, list[int]]] = []
    for place, node in enumerate(graph.nodes):
        if not runs or runs[-1][0] != node.block:
            runs.append((node.block, []))
        runs[-1][1].append(place)
    found: list[Box] = []
    for block, places in runs:
        before = sum(box.block == block for box in found)
        found.append(Box(f"{block} ({before + 1})" if before else block, block, tuple(places)))
    return tuple(found)


def contents(graph: NetworkGraph) -> dict[str, tuple[object, ...]]:
    """What each box computes, by its name: equal where two networks have the same operators there,
    with the same attributes and shapes."""
    return {
        box.name: tuple(
            (node.kind, node.attributes, node.output_shape, node.parameters)
            for node in (graph.nodes[place] for place in box.nodes)
        )
        for box in boxes_of(graph)
    }


def measured(graph: NetworkGraph, by: str, profile: LayerProfile | None) -> np.ndarray:
    """What each node has of a measure (nodes,): ms, MACs or parameters."""
    if by == TIME:
        times = profile.nodes if profile else ()
        return np.array([times[n.number].ms or 0.0 if times else 0.0 for n in graph.nodes])
    return np.array([n.macs if by == MACS else n.parameters for n in graph.nodes], dtype=float)


def measures(profile: LayerProfile | None) -> tuple[str, ...]:
    """What nodes may be coloured by."""
    return (TIME, MACS, PARAMETERS) if profile else (MACS, PARAMETERS)


def operator_words(node: Node) -> str:
    """An operator in a few words: "Conv 5×5 / 2, depthwise"."""
    told = dict(node.attributes)
    words = node.kind
    if "kernel_shape" in told:
        words += f" {told['kernel_shape'].replace(', ', '×')}"
    if (stride := told.get("strides", "1").split(", ")[0]) != "1":
        words += f" / {stride}"
    groups = told.get("group", "1")
    if groups != "1":
        depthwise = node.output_shape and groups == str(node.output_shape[0])
        words += ", depthwise" if depthwise else f", {groups} groups"
    return words


def measure_text(value: float, by: str) -> str:
    """A number of a measure with what it is."""
    return time_text(value) if by == TIME else f"{KNOWN[COLUMNS[by]].text(value)} {by}"


def within(graph: NetworkGraph, place: int, profile: LayerProfile | None) -> int | None:
    """The place of the node whose operator computes this one, where ONNX Runtime fused them."""
    if profile is None or not profile.nodes:
        return None
    number = profile.nodes[graph.nodes[place].number].within
    return next((p for p, node in enumerate(graph.nodes) if node.number == number), None)


def operators_table(
    graph: NetworkGraph,
    profile: LayerProfile | None = None,
    effects: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """One row a node, in order: name, block, layer, operator, reads, input, output, parameters,
    MACs, time (ms), computed in (where it is fused with another), attributes; and, by target, the
    effect of its block with its interval, as in `layer_tables.graph_table`.
    """
    rows = []
    times = measured(graph, TIME, profile)
    for place, node in enumerate(graph.nodes):
        host = within(graph, place, profile)
        timed = profile is not None and profile.nodes[node.number].ms is not None
        row: dict[str, object] = {
            "name": graph.names[place], "block": node.block, LAYER: node.part,
            "operator": node.kind,
            "reads": ", ".join("image" if p == IMAGE else graph.names[p] for p in node.reads),
            "input": ", ".join(shape_text(graph.shape_of(p)) for p in node.reads),
            "output": shape_text(node.output_shape), "parameters": node.parameters,
            "MACs": node.macs, "time (ms)": times[place] if timed else np.nan,
            "computed in": "" if host is None else graph.names[host],
            "attributes": "; ".join(f"{name} {value}" for name, value in node.attributes),
        }  # fmt: skip
        rows.append(row | effects_of({node.block, node.part}, effects or {}))
    return pd.DataFrame(rows)
