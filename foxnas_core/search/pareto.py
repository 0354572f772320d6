"""Pareto fronts of options: which others beat none, and the hull of what is left."""

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


def efficient_options(scores: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Positions of the Pareto front (more score, less cost), by increasing cost.

    Of equal points the first is taken.
    """
    # One stable sort of nearly sorted sums is several times faster than a sort by two keys.
    order = np.argsort(costs, kind="stable")
    ranked = scores[order]
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(ranked)[:-1]])
    rising = order[ranked > best_before]
    # Among equal costs the last of those that rise is the best.
    return rising[np.append(np.diff(costs[rising]) > 0, True)[: len(rising)]]


def efficient_within(scores: np.ndarray, costs: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Positions, in their order, of the points that are efficient among those of their level,
    whole numbers from 0 on; all (points,)."""
    order = np.lexsort((costs, levels))
    # As ranks, so that the levels are told apart exactly.
    rank = np.unique(scores, return_inverse=True)[1]
    height = (levels * len(scores) + rank)[order]
    best_before = np.concatenate([[-1], np.maximum.accumulate(height)[:-1]])
    rising = order[height > best_before]
    last = (np.diff(costs[rising]) > 0) | (np.diff(levels[rising]) > 0)
    return np.sort(rising[np.append(last, True)[: len(rising)]])


def undominated(scores: np.ndarray, costs: np.ndarray) -> np.ndarray:
    """Positions of the options that no other beats: more score, no more of any cost.

    Of equal ones the first is kept. Scores (options,), costs (options, limits).
    """
    points = np.column_stack([-scores, costs])
    left = np.arange(len(points))
    if len(points) > 1000:
        # The best at some prices beat most of the others, each at little cost.
        width = np.maximum(np.ptp(points, axis=0), 1e-300)
        prices = np.random.default_rng(0).exponential(size=(64, points.shape[1])) / width
        best = points[np.unique([np.argmin(points @ price) for price in prices])]
        beaten = np.zeros(len(points), dtype=bool)
        for one in best:
            beaten |= (one <= points).all(axis=1) & (one < points).any(axis=1)
        left = np.flatnonzero(~beaten)
    # In this order a point is beaten by earlier ones only.
    order = left[np.lexsort((left, *points[left].T[::-1]))]
    kept = np.empty(0, dtype=np.int64)
    for start in range(0, len(order), 256):
        part = order[start : start + 256]
        part = part[~_no_better(points[kept], points[part]).any(axis=1)]
        within = np.tril(_no_better(points[part], points[part]), -1)
        kept = np.concatenate([kept, part[~within.any(axis=1)]])
    return np.sort(kept)


def undominated_by_level(scores: np.ndarray, costs: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """The same as `undominated` for one cost and a level of few distinct values, each (options,):
    level by level, each against the front of those below, which takes one sort a level."""
    front, kept = np.empty(0, dtype=np.int64), [np.empty(0, dtype=np.int64)]
    for level in np.unique(levels):
        both = np.concatenate([front, np.flatnonzero(levels == level)])
        rising = efficient_options(scores[both], costs[both])
        kept.append(both[rising[rising >= len(front)]])
        front = both[rising]
    return np.sort(np.concatenate(kept))


def _no_better(by: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Whether each point (rows) is no less than each of `by` (columns) in anything."""
    beaten = np.ones((len(points), len(by)), dtype=bool)
    for column in range(points.shape[1]):
        beaten &= by[:, column] <= points[:, column, None]
    return beaten


def concave_corners(costs: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Positions of the corners of the least concave majorant of points (n,) by rising cost.

    Points on a straight part are left out (Andrew's monotone chain, Information Processing
    Letters 9, 1979).
    """
    kept: list[int] = []
    for point in range(len(costs)):
        while len(kept) > 1:
            first, middle = kept[-2:]
            # By slopes, so that what is kept has falling prices as computed.
            before = (values[middle] - values[first]) / (costs[middle] - costs[first])
            after = (values[point] - values[middle]) / (costs[point] - costs[middle])
            if before > after:
                break
            kept.pop()
        kept.append(point)
    return np.array(kept, dtype=int)


def slope_at(costs: np.ndarray, values: np.ndarray, budget: float) -> float:
    """The slope, just above `budget`, of the line through corners (n,) by rising cost; 0 beyond
    the last of them."""
    first = max(int(np.searchsorted(costs, budget, side="right")) - 1, 0)
    if first + 1 >= len(costs):
        return 0.0
    return float((values[first + 1] - values[first]) / (costs[first + 1] - costs[first]))


class PairFronts(NamedTuple):
    """The fronts of single groups and of all pairs of them, by increasing cost, end to end.

    Group g's are from `starts[g]` to `starts[g + 1]` in `scores` and `costs` (options,). Pairs
    are in the order of `itertools.combinations`; those of pair p from `pair_starts[p]` to
    `pair_starts[p + 1]` in `pair_scores`, `pair_costs` and `places` (pairs of options,), where
    a place is i * (options of the second group) + j.
    """

    scores: np.ndarray
    costs: np.ndarray
    starts: np.ndarray
    pair_scores: np.ndarray
    pair_costs: np.ndarray
    places: np.ndarray
    pair_starts: np.ndarray

    @classmethod
    def of(cls, scores: Sequence[np.ndarray], costs: Sequence[np.ndarray]) -> "PairFronts":
        """Of each group's front: scores and costs (options of the group,), by increasing cost."""
        empty = np.empty(0)
        pairs = [(empty, empty, empty.astype(np.int64))]
        for g, h in itertools.combinations(range(len(scores)), 2):
            sums = np.add.outer(scores[g], scores[h]).ravel()
            paid = np.add.outer(costs[g], costs[h]).ravel()
            kept = efficient_options(sums, paid)
            pairs.append((sums[kept], paid[kept], kept))
        pair_scores, pair_costs, places = (
            np.concatenate(parts) for parts in zip(*pairs, strict=True)
        )
        return cls(
            np.concatenate(scores),
            np.concatenate(costs),
            np.cumsum([0, *map(len, scores)]),
            pair_scores,
            pair_costs,
            places,
            np.cumsum([len(part) for part, *_ in pairs]),
        )
