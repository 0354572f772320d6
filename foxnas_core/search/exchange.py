"""The exchanges of a polish under one limit, compiled. Imported only where a search runs."""

import numpy as np

from foxnas_core.search.chain import compiled


@compiled
def exchange(
    at, budget, score_constant, cost_constant,
    scores, costs, starts, pair_scores, pair_costs, places, pair_starts,
):  # fmt: skip
    """Improve `at` (groups,), a feasible position in each group's front, in place; the arrays are
    those of `PairFronts`.

    Two groups, or three where no two help, take their best positions for what the others leave
    of the budget. A change stands only where the sums as computed say so.
    """
    groups = len(at)
    before = at.copy()
    improved = True
    while improved:
        improved = False
        score, cost = _total(at, score_constant, cost_constant, scores, costs, starts)
        if groups == 1:
            _best_of_one(at, budget - cost, costs, starts)
        for g in range(groups):
            for h in range(g + 1, groups):
                _best_of_two(at, budget - cost, g, h, scores, costs, starts)
                changed, score, cost = _judged(
                    at, before, budget, score, cost, score_constant, cost_constant,
                    scores, costs, starts,
                )  # fmt: skip
                improved |= changed
        if groups == 1:
            _judged(
                at, before, budget, score, cost, score_constant, cost_constant,
                scores, costs, starts,
            )  # fmt: skip
        if improved:
            continue
        pair = 0
        for g in range(groups):
            for h in range(g + 1, groups):
                first, last = pair_starts[pair], pair_starts[pair + 1]
                for j in range(h + 1, groups):
                    _best_of_three(
                        at, budget - cost, g, h, j, scores, costs, starts,
                        pair_scores[first:last], pair_costs[first:last], places[first:last],
                    )  # fmt: skip
                    changed, score, cost = _judged(
                        at, before, budget, score, cost, score_constant, cost_constant,
                        scores, costs, starts,
                    )  # fmt: skip
                    improved |= changed
                pair += 1


@compiled
def _total(at, score_constant, cost_constant, scores, costs, starts):
    """Summed in the order of `ContextTable.totals`."""
    score, cost = score_constant, cost_constant
    for group in range(len(at)):
        score += scores[starts[group] + at[group]]
        cost += costs[starts[group] + at[group]]
    return score, cost


@compiled
def _judged(at, before, budget, score, cost, score_constant, cost_constant, scores, costs, starts):
    """Whether `at` is better than `before` and feasible, and the score and cost that stand; the
    worse one of the two is overwritten."""
    new_score, new_cost = _total(at, score_constant, cost_constant, scores, costs, starts)
    if new_score > score and new_cost <= budget:
        before[:] = at
        return True, new_score, new_cost
    at[:] = before
    return False, score, cost


@compiled
def _best_of_one(at, slack, costs, starts):
    paid = costs[starts[0] + at[0]]
    at[0] = max(np.searchsorted(costs[: starts[1]], slack + paid, side="right") - 1, 0)


@compiled
def _best_of_two(at, slack, g, h, scores, costs, starts):
    """Both costs rise, so the partner moves down as the first of the two moves up."""
    left = slack + costs[starts[g] + at[g]] + costs[starts[h] + at[h]]
    partner, best = starts[h + 1] - starts[h] - 1, -np.inf
    for i in range(starts[g + 1] - starts[g]):
        room = left - costs[starts[g] + i]
        while partner >= 0 and costs[starts[h] + partner] > room:
            partner -= 1
        if partner < 0:
            break
        sum_ = scores[starts[g] + i] + scores[starts[h] + partner]
        if sum_ > best:
            best, at[g], at[h] = sum_, i, partner


@compiled
def _best_of_three(at, slack, g, h, j, scores, costs, starts, pair_scores, pair_costs, places):
    left = slack
    for group in (g, h, j):
        left += costs[starts[group] + at[group]]
    partner, best, place = len(pair_costs) - 1, -np.inf, 0
    for i in range(starts[j + 1] - starts[j]):
        room = left - costs[starts[j] + i]
        while partner >= 0 and pair_costs[partner] > room:
            partner -= 1
        if partner < 0:
            break
        sum_ = scores[starts[j] + i] + pair_scores[partner]
        if sum_ > best:
            best, at[j], place = sum_, i, places[partner]
    if best > -np.inf:
        width = starts[h + 1] - starts[h]
        at[g], at[h] = place // width, place % width
