"""The cells of NAS-Bench-201 (Dong and Yang, arXiv 2001.00326): four nodes, six edges, and on each
edge one of five operations.

Node 0 is a cell's input, node 3 its output; a node is the sum of what its edges bring. Names: the
edge from node 1 to node 3 is the slot and the decision `edge_1_3`. A cell is written
`|op~0|+|op~0|op~1|+|op~0|op~1|op~2|`: node by node, each operation with the node that it reads.
"""

import itertools
import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.families.family import whole_settings
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.decisions import Decision
from foxnas_core.space.mixture import Mixture, MixtureEdge
from foxnas_core.space.search_space import SearchSpace

NONE, SKIP, POOL = "none", "skip_connect", "avg_pool_3x3"
OPERATIONS = (NONE, SKIP, "nor_conv_1x1", "nor_conv_3x3", POOL)
NODES = 4
# Of the network around the cell.
STAGES = 3
# In the order in which a cell is written.
EDGES = tuple((source, target) for target in range(1, NODES) for source in range(target))
# By how many classes they have; of 16 pixels each way the last, of 32 the others.
DATASETS = {10: "cifar10", 100: "cifar100", 120: "ImageNet16-120"}
CELLS = len(OPERATIONS) ** len(EDGES)
_ONE = re.compile(r"([a-z0-9_]+)~(\d)")


@dataclass(frozen=True)
class Settings:
    """The network around the cell: `channels` of its first stage and `cells` a stage, 16 and 5 as
    published; there are three stages, each of twice the channels at half the pixels. Images have
    `input_channels` and `resolution` pixels each way, and belong to one of `classes`; by default
    they are CIFAR-10's."""

    channels: int = 16
    cells: int = 5
    classes: int = 10
    input_channels: int = 3
    resolution: int = 32


def space_from_settings(name: str, settings: Mapping[str, Any]) -> SearchSpace:
    """The search space of a settings document, in which every field may be left out; raises
    `InvalidInput` naming the wrong field."""
    how = whole_settings(Settings, name, settings)
    decisions = tuple(
        Decision(edge_name(*edge), "cell", "operation", OPERATIONS, edge_name(*edge))
        for edge in EDGES
    )
    # A document of before a field was known is of the same space.
    always, usual = ("channels", "cells"), asdict(Settings())
    told = {n: v for n, v in asdict(how).items() if n in always or v != usual[n]}
    written = json.dumps(told, sort_keys=True)
    return SearchSpace(name, "nasbench201", decisions, settings_json=written)


def settings_of(space: SearchSpace) -> Settings:
    return Settings(**space.settings)


def input_shape(how: Settings) -> tuple[int, int, int]:
    return (how.input_channels, how.resolution, how.resolution)


def edge_name(source: int, target: int) -> str:
    return f"edge_{source}_{target}"


MIXTURE = Mixture(tuple(MixtureEdge(edge_name(*edge), OPERATIONS) for edge in EDGES))


def operations_of(architecture: Architecture) -> tuple[str, ...]:
    """The operation of each edge, in the order of `EDGES`."""
    return tuple(str(architecture[edge_name(*edge)]) for edge in EDGES)


def cell_of(space: SearchSpace, operations: Sequence[str]) -> Architecture:
    """The architecture with these operations on `EDGES`."""
    named = zip(EDGES, operations, strict=True)
    return space.architecture({edge_name(*edge): operation for edge, operation in named})


def cell_string(operations: Sequence[str]) -> str:
    """A cell as the benchmark writes it."""
    parts: dict[int, str] = {}
    for (source, target), operation in zip(EDGES, operations, strict=True):
        parts[target] = f"{parts.get(target, '|')}{operation}~{source}|"
    return "+".join(parts.values())


def parse_cell(text: str) -> tuple[str, ...]:
    """The operations of a cell that is written out, or given by its number in the benchmark.

    Raises `InvalidInput` saying what is wrong with it.
    """
    text = text.strip()
    if text.isascii() and text.isdigit():
        if len(text) > 9 or int(text) >= CELLS:
            raise InvalidInput(
                f"There is no cell number {text:.20}; the benchmark counts them from 0 to "
                f"{CELLS - 1:,}."
            )
        return numbered_cells()[int(text)]
    nodes = [part.strip().strip("|").split("|") for part in text.split("+")]
    found = [[_ONE.fullmatch(entry.strip()) for entry in node] for node in nodes]
    sources = [[int(one[2]) if one else -1 for one in node] for node in found]
    if sources != [list(range(target)) for target in range(1, NODES)]:
        example = cell_string(["op"] * len(EDGES))
        raise InvalidInput(f"{text!r:.80} is no cell; write {example}, or a cell's number.")
    operations = tuple(one[1] for node in found for one in node if one)
    for edge, operation in zip(EDGES, operations, strict=True):
        if operation not in OPERATIONS:
            raise InvalidInput(
                f"Edge {edge[0]} to {edge[1]} of a cell is {operation!r:.40}; allowed: "
                f"{', '.join(OPERATIONS)}."
            )
    return operations


@cache
def numbered_cells() -> tuple[tuple[str, ...], ...]:
    """Every cell's operations, in the order of the benchmark's published files.

    Its authors shuffled the product of the operations by Python's generator with seed 88.
    """
    cells = list(itertools.product(OPERATIONS, repeat=len(EDGES)))
    random.Random(88).shuffle(cells)
    return tuple(cells)


@cache
def _numbers() -> dict[tuple[str, ...], int]:
    return {cell: number for number, cell in enumerate(numbered_cells())}


def cell_number(operations: Sequence[str]) -> int:
    """A cell's edge in the benchmark's published files, from 0."""
    return _numbers()[tuple(operations)]
