"""Merging Pareto fronts: the sums over groups that no other sum beats.

The options of the groups are added up group by group (a Minkowski sum), and after each group only
sums are kept that some group to come may still make the best (Nemhauser and Ullmann, "Discrete
dynamic programming and capital allocation", Management Science 15, 1969). What beats what is told
by the caller. Rounding keeps order (a <= b gives fl(a + x) <= fl(b + x)), so nothing that is
dropped could have become the best, and what is left is exact for the sums as computed.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.pareto import efficient_options

# Positions, among sums of these scores (sums,) and costs (one array of (sums,) a limit), of those
# to go on with.
Keep = Callable[[np.ndarray, Sequence[np.ndarray]], np.ndarray]


class TooManySums(Exception):
    """A merge was given up, as it would have taken too long."""


class Merged(NamedTuple):
    """Scores (points,), costs (one array of (points,) a limit) and options (points, groups) of
    what is left of one context."""

    scores: np.ndarray
    costs: list[np.ndarray]
    options: np.ndarray


def efficient(scores: np.ndarray, costs: Sequence[np.ndarray]) -> np.ndarray:
    """What no other beats under the first limit, whatever the further ones, by rising cost."""
    return efficient_options(scores, costs[0])


def merge(
    table: ContextTable,
    listed: Sequence[np.ndarray],
    budgets: Sequence[float],
    keep: Keep,
    keep_last: Keep = efficient,
    most: float = math.inf,
) -> Merged:
    """Add up the groups' options, of which those at the positions `listed` are read.

    `keep` says what a sum must not be beaten in while groups are to come, `keep_last` of whole
    architectures. A sum whose costs can't be within `budgets` whatever is to come is dropped. Where
    there is no limit, one that costs nothing takes its place. Raises `TooManySums` where a group
    would make more than `most`.
    """
    own_costs = [
        part[kept].T if table.cost_constants else np.zeros((1, len(kept)))
        for part, kept in zip(table.limit_costs, listed, strict=True)
    ]
    least_costs = [part.min(axis=1).tolist() for part in own_costs]
    scores = np.array([table.score_constant])
    costs = [np.array([constant]) for constant in table.cost_constants or (0.0,)]
    options = np.zeros((1, 0), dtype=np.int32)
    for group, kept_options in enumerate(listed):
        if len(scores) * len(kept_options) > most:
            raise TooManySums
        scores = np.add.outer(scores, table.scores[group][kept_options]).ravel()
        costs = [np.add.outer(*pair).ravel() for pair in zip(costs, own_costs[group], strict=True)]
        within = _within(costs, budgets, least_costs[group + 1 :])
        kept = (keep if group < len(listed) - 1 else keep_last)(
            scores[within], [c[within] for c in costs]
        )
        if not isinstance(within, slice):
            kept = within[kept]
        parents, chosen = np.divmod(kept, len(kept_options))
        scores, costs = scores[kept], [c[kept] for c in costs]
        options = np.column_stack([options[parents], kept_options[chosen].astype(np.int32)])
    return Merged(scores, costs, options)


def _within(
    costs: Sequence[np.ndarray], budgets: Sequence[float], to_come: Sequence[Sequence[float]]
) -> np.ndarray | slice:
    """Positions of the sums that the groups to come may bring within the budgets."""
    fits: np.ndarray | bool = True
    for k, budget in enumerate(budgets):
        if budget == math.inf:
            continue
        # What a sum costs at the least once the groups to come are added, in this same order.
        least = costs[k].copy()
        for group in to_come:
            least += group[k]
        fits = fits & (least <= budget)
    return slice(None) if fits is True else np.flatnonzero(fits)


def merge_efficient(table: ContextTable, budget: float) -> Merged:
    """The front of one context under the first limit, up to a budget."""
    return merge(table, table.efficient, [budget], efficient)


def best_under_one_limit(tables: Sequence[ContextTable], budget: float) -> tuple[int, np.ndarray]:
    """Position of the table and options (groups,) of the optimum, which must exist: among
    equal values that of least cost, then of the first context and of the first options."""
    best: tuple[float, float, int, np.ndarray] | None = None
    for context, table in enumerate(tables):
        scores, [costs, *_], options = merge_efficient(table, budget)
        # The last point of a front has the greatest score.
        if len(scores) and (best is None or (scores[-1], -costs[-1]) > (best[0], -best[1])):
            best = (scores[-1], costs[-1], context, options[-1])
    assert best is not None
    return best[2], best[3]
