"""Where the boxes of a directed graph stand, and how its edges run, from top to bottom.

Layers by longest paths, edges that pass several by places of their own in each (Sugiyama, Tagawa
and Toda, IEEE Trans. SMC 11, 1981), orders by barycentres, and in each layer the least squares
places that keep boxes apart, which is an isotonic regression.
"""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

Edge = tuple[int, int]

# Sweeps over all layers: of the order, and of the places in it.
_ORDERINGS, _PLACINGS = 4, 8
# What an edge that passes a layer weighs beside a box, and how wide a place it has.
_LIGHT, _LANE = 1e-4, 10.0


@dataclass(frozen=True, eq=False)
class Placed:
    """Boxes by their centres (n, 2), and edges as the points (k, 2) that they go through, of rising
    y; x grows to the right and y downward, both from 0 to `width` and `height`."""

    centres: np.ndarray
    routes: tuple[np.ndarray, ...]
    width: float
    height: float


def layered(
    sizes: np.ndarray,
    edges: Sequence[Edge],
    *,
    gap: tuple[float, float] = (24.0, 34.0),
    last: Collection[int] = (),
) -> Placed:
    """Place boxes of `sizes` (n, 2) so that none overlap and each edge runs downward.

    Edges go from a box to one of a higher number; `last` are boxes without edges from them that
    belong into the lowest layer. `gap` keeps boxes apart, in x and in y. Raises `ValueError` for an
    edge that doesn't go to a higher number.
    """
    if any(source >= target for source, target in edges):
        raise ValueError("Edges go from a box to one of a higher number.")
    layers = _layers(len(sizes), edges, last)
    grid = _Grid(sizes, edges, layers)
    for _ in range(_ORDERINGS):
        grid.order()
    x = grid.places(gap[0])
    heights = (
        np.array([max(grid.sizes[own, 1]) for own in grid.rows]) if len(sizes) else np.zeros(0)
    )
    tops = np.concatenate([[0.0], np.cumsum(heights + gap[1])])[: len(heights)]
    y = tops[grid.layer] + heights[grid.layer] / 2 if len(sizes) else np.zeros(0)
    half = grid.sizes[:, 0] / 2
    x = x - (x - half).min(initial=np.inf if len(x) else 0.0)
    routes = []
    for (source, target), passed in zip(edges, grid.passed, strict=True):
        points = [(x[source], y[source] + sizes[source, 1] / 2)]
        for place in passed:
            top = tops[grid.layer[place]]
            points += [(x[place], top), (x[place], top + heights[grid.layer[place]])]
        points.append((x[target], y[target] - sizes[target, 1] / 2))
        routes.append(np.array(points))
    ends = (x + half).max(initial=0.0), (tops + heights).max(initial=0.0)
    centres = np.column_stack([x, y])[: len(sizes)]
    return Placed(centres, tuple(routes), float(ends[0]), float(ends[1]))


def _layers(count: int, edges: Sequence[Edge], last: Collection[int]) -> np.ndarray:
    """The layer of each box: below all that it reads, and what reads nothing right above its
    reader."""
    found = np.zeros(count, dtype=int)
    for source, target in sorted(edges, key=lambda edge: edge[1]):
        found[target] = max(found[target], found[source] + 1)
    read = {target for _, target in edges}
    for place in set(range(count)) - read:
        below = [found[target] for source, target in edges if source == place]
        if below:
            found[place] = min(below) - 1
    found[list(last)] = found.max(initial=0)
    return found


class _Grid:
    """Boxes and, after them, the places where an edge passes a layer."""

    def __init__(self, sizes: np.ndarray, edges: Sequence[Edge], layers: np.ndarray) -> None:
        self.boxes = len(sizes)
        layer = layers.tolist()
        self.passed: list[list[int]] = []
        self._near: list[list[tuple[int, float]]] = [[] for _ in layer]
        self._links: list[tuple[int, int]] = []
        for source, target in edges:
            own = list(range(len(layer), len(layer) + layers[target] - layers[source] - 1))
            layer += range(layers[source] + 1, layers[target])
            self.passed.append(own)
            way = [source, *own, target]
            self._links += itertools.pairwise(way)
            weight = 1.0 / (len(own) + 1)
            self._near[source].append((target, weight))
            self._near[target].append((source, weight))
        self.layer = np.array(layer, dtype=int)
        passing = len(layer) - self.boxes
        self.sizes = np.vstack([np.reshape(sizes, (-1, 2)), np.tile([_LANE, 0.0], (passing, 1))])
        count = int(self.layer.max(initial=-1)) + 1
        self.rows = [np.flatnonzero(self.layer == number).tolist() for number in range(count)]
        self._above: list[list[int]] = [[] for _ in layer]
        self._below: list[list[int]] = [[] for _ in layer]
        for upper, lower in self._links:
            self._above[lower].append(upper)
            self._below[upper].append(lower)

    def order(self) -> None:
        """Sort each layer by where its neighbours above stand, then below."""
        for rows, near in ((self.rows[1:], self._above), (self.rows[-2::-1], self._below)):
            where = self._ranks()
            for row in rows:
                middle = {
                    p: np.mean([where[q] for q in near[p]]) if near[p] else where[p] for p in row
                }
                # Of equals, edges that pass go outside.
                row.sort(key=lambda p: (round(middle[p], 6), p >= self.boxes))
                where |= {p: rank / max(1, len(row) - 1) for rank, p in enumerate(row)}

    def _ranks(self) -> dict[int, float]:
        return {p: rank / max(1, len(row) - 1) for row in self.rows for rank, p in enumerate(row)}

    def places(self, gap: float) -> np.ndarray:
        """The x of each centre: boxes as near to what they are joined with as their order lets
        them, edges that pass as straight as what they pass lets them."""
        x = np.zeros(len(self.layer))
        offsets = [self._offsets(row, gap) for row in self.rows]
        weights = np.where(np.arange(len(x)) < self.boxes, 1.0, _LIGHT)
        for turn in range(_PLACINGS):
            wanted = x.copy()
            for place, near in enumerate(self._near):
                if near:
                    total = sum(weight for _, weight in near)
                    wanted[place] = sum(x[other] * weight for other, weight in near) / total
            for passed in filter(None, self.passed if turn else ()):
                side = np.mean([x[place] - self._middle(place, x) for place in passed])
                wanted[passed] = x[passed].max() if side >= 0 else x[passed].min()
            for row, offset in zip(self.rows, offsets, strict=True):
                if len(row) == 1:
                    x[row] = wanted[row]
                    continue
                found = isotonic_regression(wanted[row] - offset, weights=weights[row])
                x[row] = found.x + offset
        return x

    def _offsets(self, row: Sequence[int], gap: float) -> np.ndarray:
        """The least distances from a layer's first centre."""
        widths = self.sizes[row, 0]
        return np.concatenate([[0.0], np.cumsum((widths[:-1] + widths[1:]) / 2 + gap)])

    def _middle(self, place: int, x: np.ndarray) -> float:
        return float(np.mean([x[p] for p in self.rows[self.layer[place]] if p < self.boxes]))
