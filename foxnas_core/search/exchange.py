"""The exchanges of a polish under one limit: as plain Python, and the same source compiled."""

from collections.abc import Callable
from functools import cache

import numpy as np

from foxnas_core.search.compiling import compiled_together


def _total(at, score_constant, cost_constant, fronts):
    """Summed in the order of `ContextTable.totals`."""
    score, cost = score_constant, cost_constant
    for group in range(len(at)):
        score += fronts.scores[fronts.starts[group] + at[group]]
        cost += fronts.costs[fronts.starts[group] + at[group]]
    return score, cost


def _judged(at, before, budget, score, cost, score_constant, cost_constant, fronts):
    """Whether `at` is better than `before` and feasible, and the score and cost that stand; the
    worse one of the two is overwritten."""
    new_score, new_cost = _total(at, score_constant, cost_constant, fronts)
    if new_score > score and new_cost <= budget:
        before[:] = at
        return True, new_score, new_cost
    at[:] = before
    return False, score, cost


def _best_pair(own_scores, own_costs, other_scores, other_costs, left):
    """The positions in two fronts of the greatest sum of scores whose costs are at most `left`; the
    second is -1 where there is none."""
    partner = np.searchsorted(other_costs, left - own_costs, side="right") - 1
    sums = np.where(partner >= 0, own_scores + other_scores[np.maximum(partner, 0)], -np.inf)
    first = np.argmax(sums)
    return first, partner[first]


def exchange(at, budget, score_constant, cost_constant, fronts):
    """Improve `at` (groups,), a feasible position in each group's front, in place, with the
    `PairFronts` of a table.

    Two groups, or three where no two help, take their best positions for what the others leave
    of the budget. A change stands only where the sums as computed say so.
    """
    groups, before = len(at), at.copy()
    scores, costs, starts = fronts.scores, fronts.costs, fronts.starts
    improved = True
    while improved:
        improved = False
        score, cost = _total(at, score_constant, cost_constant, fronts)
        if groups == 1:
            left = budget - cost + costs[at[0]]
            at[0] = max(np.searchsorted(costs, left, side="right") - 1, 0)
            _judged(at, before, budget, score, cost, score_constant, cost_constant, fronts)
        for g in range(groups):
            for h in range(g + 1, groups):
                left = budget - cost + costs[starts[g] + at[g]] + costs[starts[h] + at[h]]
                one, other = slice(starts[g], starts[g + 1]), slice(starts[h], starts[h + 1])
                i, j = _best_pair(scores[one], costs[one], scores[other], costs[other], left)
                if j >= 0:
                    at[g], at[h] = i, j
                changed, score, cost = _judged(
                    at, before, budget, score, cost, score_constant, cost_constant, fronts
                )
                improved |= changed
        if improved:
            continue
        pair = 0
        for g in range(groups):
            for h in range(g + 1, groups):
                both = slice(fronts.pair_starts[pair], fronts.pair_starts[pair + 1])
                pair_scores, pair_costs = fronts.pair_scores[both], fronts.pair_costs[both]
                width = starts[h + 1] - starts[h]
                pair += 1
                for k in range(h + 1, groups):
                    left = budget - cost + costs[starts[g] + at[g]] + costs[starts[h] + at[h]]
                    left += costs[starts[k] + at[k]]
                    one = slice(starts[k], starts[k + 1])
                    i, j = _best_pair(scores[one], costs[one], pair_scores, pair_costs, left)
                    if j >= 0:
                        place = fronts.places[both][j]
                        at[g], at[h], at[k] = place // width, place % width, i
                    changed, score, cost = _judged(
                        at, before, budget, score, cost, score_constant, cost_constant, fronts
                    )
                    improved |= changed


@cache
def compiled_exchange() -> Callable[..., None]:
    """`exchange`, compiled."""
    return compiled_together((_total, _judged, _best_pair, exchange), {})
