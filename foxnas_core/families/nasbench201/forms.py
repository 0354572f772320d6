"""Forms of cells in which an edge counts only where it leads somewhere.

A dead edge changes no output, and some runtimes drop it while others run it: which edges count is
for the data to say. Beside them, how many convolutions the paths through a cell have.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from foxnas_core.families.family import Coding, FamilyForm
from foxnas_core.families.nasbench201.canonical import flows
from foxnas_core.families.nasbench201.space import EDGES, NODES, OPERATIONS
from foxnas_core.space.coding.parts import contrasts
from foxnas_core.space.coding.terms import Lookup, Part, Term, plain_numbers
from foxnas_core.space.search_space import SearchSpace

Counting = Literal["reached", "reaching", "live"]
"""Which edges count: those that the input reaches, those that reach the output, or those that are
both."""

_WHERE: Mapping[Counting, str] = {
    "reached": "where the input reaches it",
    "reaching": "where it reaches the output",
    "live": "where it is live",
}


def counting_codes(codes: np.ndarray, counting: Counting) -> np.ndarray:
    """Codes (rows, edges) of cells in which the edges that don't count are `none`."""
    reached, needed = flows(codes.T > 0)
    counts = np.ones(codes.shape, dtype=bool)
    if counting != "reaching":
        counts &= np.stack(reached, axis=1)
    if counting != "reached":
        counts &= np.stack(needed, axis=1)
    return np.where(counts | (codes < 0), codes, 0)


@dataclass(frozen=True, eq=False)
class OfEdges(Part):
    """A look-up of cells in which the edges that don't count are `none`."""

    inner: Lookup
    edges: tuple[int, ...]  # positions of the decisions, in the order of `EDGES`
    counting: Counting

    @property
    def positions(self) -> set[int]:
        return {*self.edges}

    def columns(self, codes: np.ndarray) -> np.ndarray:
        codes = codes.copy()
        codes[:, self.edges] = counting_codes(codes[:, self.edges], self.counting)
        return self.inner.columns(codes)

    def portable(self) -> dict[str, Any]:
        return {
            "kind": "of_edges",
            "inner": self.inner.portable(),
            "edges": list(self.edges),
            "nodes": [list(edge) for edge in EDGES],
            "counting": self.counting,
        }


@dataclass(frozen=True, eq=False)
class OnPaths(Part):
    """Whether on the path of a cell that has `most` of them, or fewest, edges of certain operations
    are at least so many: one term for each of `bounds`. 0 where no path is live."""

    edges: tuple[int, ...]
    weights: np.ndarray  # (choices + 1,), by code, the last of which -1 picks
    most: bool
    bounds: tuple[int, ...]

    @property
    def positions(self) -> set[int]:
        return {*self.edges}

    def columns(self, codes: np.ndarray) -> np.ndarray:
        own = codes[:, self.edges]
        # By node, over its paths from the input; none where there is none.
        none = -np.inf if self.most else np.inf
        found = [np.zeros(len(own)), *(np.full(len(own), none) for _ in range(1, NODES))]
        pick = np.maximum if self.most else np.minimum
        for (source, target), code in zip(EDGES, own.T, strict=True):
            by_edge = np.where(code > 0, found[source] + self.weights[code], none)
            found[target] = pick(found[target], by_edge)
        longest = np.where(np.isfinite(found[-1]), found[-1], 0)
        return (longest[:, np.newaxis] >= self.bounds).astype(float)

    def portable(self) -> dict[str, Any]:
        return {
            "kind": "on_paths",
            "edges": list(self.edges),
            "nodes": [list(edge) for edge in EDGES],
            "weights": plain_numbers(self.weights),
            "most": self.most,
            "bounds": list(self.bounds),
        }


def edge_parts(space: SearchSpace, group: str, counting: Counting) -> list[Part]:
    """Contrasts of each edge's operations where it counts, and whether the cell is connected."""
    edges, parts = _positions(space, group), list[Part]()
    for decision in space.in_group(group):
        inner = contrasts(space, group, decision)
        terms = tuple(
            replace(
                t,
                name=f"{t.name}_{counting}",
                decision="",
                label=f"{t.label}, {_WHERE[counting]}",
                contrast=f"{t.contrast}_{counting}",
            )
            for t in inner.terms
        )
        parts.append(OfEdges(terms, replace(inner, terms=terms), edges, counting))
    # Some live edge ends in the output, or there is none.
    last = tuple(edges[n] for n, (_, target) in enumerate(EDGES) if target == NODES - 1)
    sizes = tuple(len(space.decisions[position].choices) for position in last)
    table = np.ones(tuple(size + 1 for size in sizes))
    table[:2, :2, :2] = 0
    terms = (
        Term(f"{group}_connected", group, "", "", f"{group}: the output depends on the input"),
    )
    flag = Lookup(terms, (last,), sizes, table.reshape(-1, 1))
    return [*parts, OfEdges(terms, flag, edges, "live")]


def path_parts(space: SearchSpace, group: str) -> list[Part]:
    """Live edges, and how many convolutions lie on the paths from the input to the output."""
    asked = (
        ("depth", "conv", True, (1, 2, 3), "longest path: at least {} convolution{}"),
        ("shortcut", "conv", False, (1,), "shortest path: at least {} convolution{}"),
        ("reach", "conv_3x3", True, (1, 2), "some path: at least {} 3×3 convolution{}"),
    )  # fmt: skip
    parts = edge_parts(space, group, "live")
    for name, operation, most, bounds, label in asked:
        weights = np.array([operation in own for own in OPERATIONS] + [False], dtype=float)
        terms = tuple(
            Term(f"{group}_{name}>={n}", group, "", "",
                 f"{group}: {label.format(n, 's' if n > 1 else '')}")
            for n in bounds
        )  # fmt: skip
        parts.append(OnPaths(terms, _positions(space, group), weights, most, bounds))
    return parts


def _positions(space: SearchSpace, group: str) -> tuple[int, ...]:
    return tuple(space.decisions.index(decision) for decision in space.in_group(group))


FORMS = {
    "live": FamilyForm("Live edges", lambda space, group, _: edge_parts(space, group, "live")),
    "reached": FamilyForm(
        "Edges that the input reaches", lambda space, group, _: edge_parts(space, group, "reached")
    ),
    "reaching": FamilyForm(
        "Edges that reach the output", lambda space, group, _: edge_parts(space, group, "reaching")
    ),
    "live_paths": FamilyForm(
        "Live edges and paths", lambda space, group, _: path_parts(space, group)
    ),
}
_LIVE = Coding(
    "only edges on a path from the input to the output count",
    "this runtime runs only what lies between the input and the output",
)
CODINGS = {
    "": Coding(
        "every edge counts, wherever it leads", "this runtime runs every edge, dead ones too"
    ),
    "reached": Coding(
        "only edges that the input reaches count",
        "this runtime runs what never reaches the output too, where it has an input",
    ),
    "reaching": Coding(
        "only edges that reach the output count",
        "this runtime drops what never reaches the output",
    ),
    "live": _LIVE,
    "live_paths": _LIVE,
}
