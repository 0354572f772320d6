"""The space of DARTS (Liu et al., arXiv 1806.09055): a normal cell and one that reduces, each of
four nodes that add up what two of the nodes before them bring, by one of eight operations.

Nodes 0 and 1 of a cell are what the two cells before it give, nodes 2 to 5 its own. Names: the edge
from node 1 to node 3 of the normal cell is the slot and the decision `normal_1_3`; which two nodes
node 3 reads is the decision `normal_3_inputs`, such as "0,1". A genotype is written
`normal=[('sep_conv_3x3', 0), …], reduce=[…]`, node by node, each operation with the node it reads.
"""

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.families.family import whole_settings
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Condition, Decision
from foxnas_core.space.mixture import Junction, Mixture, MixtureEdge
from foxnas_core.space.search_space import SearchSpace

NONE, SKIP = "none", "skip_connect"
OPERATIONS = (
    NONE, "max_pool_3x3", "avg_pool_3x3", SKIP,
    "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5",
)  # fmt: skip
CELLS = ("normal", "reduce")
GIVEN, NODES, READ = 2, 6, 2
"""Nodes that come from other cells, all nodes, and how many nodes each reads."""
OWN_NODES = range(GIVEN, NODES)
_ONE = re.compile(r"\(\s*['\"]([a-z0-9_]+)['\"]\s*,\s*(\d)\s*\)")
_LIST = re.compile(r"(normal|reduce)\s*=\s*\[([^\]]*)\]")


@dataclass(frozen=True)
class Settings:
    """The network around the cells: `channels` of its first cells and `cells` in all, 16 and 8 as
    searched with (36 and 20 as published); those after a third and two thirds reduce. Images have
    `input_channels` and `resolution` pixels each way, and belong to one of `classes`; by default
    they are CIFAR-10's."""

    channels: int = 16
    cells: int = 8
    classes: int = 10
    input_channels: int = 3
    resolution: int = 32


def space_from_settings(name: str, settings: Mapping[str, Any]) -> SearchSpace:
    """The search space of a settings document, in which every field may be left out; raises
    `InvalidInput` naming the wrong field."""
    how = whole_settings(Settings, name, settings)
    decisions = tuple(d for cell in CELLS for node in OWN_NODES for d in _of_node(cell, node))
    written = json.dumps(asdict(how), sort_keys=True)
    return SearchSpace(name, "darts", decisions, settings_json=written)


def settings_of(space: SearchSpace) -> Settings:
    return Settings(**space.settings)


def input_shape(how: Settings) -> tuple[int, int, int]:
    return (how.input_channels, how.resolution, how.resolution)


def edge_name(cell: str, source: int, node: int) -> str:
    return f"{cell}_{source}_{node}"


def inputs_name(cell: str, node: int) -> str:
    return f"{cell}_{node}_inputs"


def pairs(node: int) -> dict[str, tuple[int, ...]]:
    """The nodes that a node may read, by the choice that says so."""
    found = itertools.combinations(range(node), READ)
    return {",".join(map(str, pair)): pair for pair in found}


def _of_node(cell: str, node: int) -> list[Decision]:
    """A node is a group: what it reads, and by which operations."""
    group, reads = f"{cell}_{node}", pairs(node)
    chosen = inputs_name(cell, node)
    chooses = len(reads) > 1
    found = [Decision(chosen, group, "inputs", tuple(reads))] if chooses else []
    for source in range(node):
        name = edge_name(cell, source, node)
        reading = tuple(choice for choice, pair in reads.items() if source in pair)
        conditions = (Condition(chosen, reading),) if chooses else ()
        found.append(Decision(name, group, "operation", OPERATIONS, name, conditions))
    return found


def _junction(cell: str, node: int) -> Junction:
    options: dict[Value, tuple[str, ...]] = {
        choice: tuple(edge_name(cell, source, node) for source in pair)
        for choice, pair in pairs(node).items()
    }
    return Junction(inputs_name(cell, node), options)


MIXTURE = Mixture(
    tuple(
        MixtureEdge(edge_name(cell, source, node), OPERATIONS, mixed_only=(NONE,))
        for cell in CELLS
        for node in OWN_NODES
        for source in range(node)
    ),
    tuple(_junction(cell, node) for cell in CELLS for node in OWN_NODES if node > READ),
)


def read_by(architecture: Architecture, cell: str, node: int) -> dict[int, str]:
    """The nodes that a node reads, each with its operation."""
    chosen = architecture.get(inputs_name(cell, node), next(iter(pairs(node))))
    return {
        source: str(architecture[edge_name(cell, source, node)])
        for source in pairs(node)[str(chosen)]
    }


def genotype(architecture: Architecture) -> str:
    """An architecture as DARTS writes it."""
    lists = []
    for cell in CELLS:
        reads = [r for n in OWN_NODES for r in read_by(architecture, cell, n).items()]
        lists.append(f"{cell}=[{', '.join(f'({op!r}, {source})' for source, op in reads)}]")
    return ", ".join(lists)


def parse_genotype(space: SearchSpace, text: str) -> Architecture:
    """The architecture of a genotype, with or without `Genotype(…)` and its `concat`s around.

    Raises `InvalidInput` saying what is wrong with it.
    """
    lists = {cell: _ONE.findall(own) for cell, own in _LIST.findall(text[:5000])}
    choices: dict[str, str] = {}
    for cell in CELLS:
        if len(lists.get(cell, ())) != READ * len(OWN_NODES):
            raise InvalidInput(
                f"{text!r:.80} is no genotype; write normal=[('sep_conv_3x3', 0), …], reduce=[…], "
                f"each of {READ * len(OWN_NODES)} operations with the node that it reads."
            )
        for number, (operation, source) in enumerate(lists[cell]):
            node = GIVEN + number // READ
            if operation not in OPERATIONS or int(source) >= node:
                raise InvalidInput(
                    f"Node {node} of the {cell} cell has {operation:.40} of node {source}; "
                    f"allowed: {', '.join(OPERATIONS)} of a node before it."
                )
            choices[edge_name(cell, int(source), node)] = operation
        for node in OWN_NODES:
            one, other = sorted(int(source) for _, source in _of(lists[cell], node))
            if one == other:
                raise InvalidInput(
                    f"Node {node} of the {cell} cell reads node {one} twice; name two nodes."
                )
            choices[inputs_name(cell, node)] = f"{one},{other}"
    return space.architecture({n: v for n, v in choices.items() if n in space.by_name})


def _of(entries: list[tuple[str, str]], node: int) -> list[tuple[str, str]]:
    start = READ * (node - GIVEN)
    return entries[start : start + READ]
