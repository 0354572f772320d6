"""Improving what a search found by exchanges, until none helps.

Each exchange is the best of its kind, and only one that is better and within the limits is made.
"""

import itertools
import math

import numpy as np

from foxnas_core.search.milp import limit_prices
from foxnas_core.search.problem import ContextTable

# Most options of a group that a polish under several limits tries, the best at their prices.
_MOST_TRIED = 200


def polish(table: ContextTable, options: np.ndarray, budget: float) -> np.ndarray:
    """Improve feasible options by exchanging those of up to three groups until none helps.

    Only efficient options are tried: any other has one that is as good and costs no more. Two
    groups' best exchange for what a third leaves of the budget is looked up in the merged front of
    the two.
    """
    fronts = [
        (scores[kept], costs[kept])
        for scores, costs, kept in zip(table.scores, table.costs, table.efficient, strict=True)
    ]
    # First, each option gives way to the efficient one that is as good and costs no more.
    at = [
        int(np.searchsorted(costs, group_costs[option], side="right")) - 1
        for (_, costs), group_costs, option in zip(fronts, table.costs, options, strict=True)
    ]

    def total() -> tuple[float, float]:
        return table.total([kept[i] for kept, i in zip(table.efficient, at, strict=True)])

    def exchange(g: int, h: int) -> bool:
        """The best exchange of two groups, or of one where both are the same."""
        score, cost = total()
        (g_scores, g_costs), (h_scores, h_costs) = fronts[g], fronts[h]
        before = at[g], at[h]
        if g == h:
            at[g] = _last_within(g_costs, budget - cost + g_costs[at[g]])
        else:
            slack = budget - cost + g_costs[at[g]] + h_costs[at[h]] - g_costs
            partner = np.searchsorted(h_costs, slack, side="right") - 1
            sums = np.where(partner >= 0, g_scores + h_scores[partner], -math.inf)
            at[g] = int(np.argmax(sums))
            at[h] = max(int(partner[at[g]]), 0)
        new_score, new_cost = total()
        if new_score > score and new_cost <= budget:
            return True
        at[g], at[h] = before
        return False

    def exchange_three(g: int, h: int, j: int) -> bool:
        score, cost = total()
        scores, costs, pairs = table.pair_front(g, h)
        before = at[g], at[h], at[j]
        mine = sum(float(fronts[k][1][at[k]]) for k in (g, h, j))
        slack = budget - cost + mine - fronts[j][1]
        partner = np.searchsorted(costs, slack, side="right") - 1
        sums = np.where(partner >= 0, fronts[j][0] + scores[partner], -math.inf)
        at[j] = int(np.argmax(sums))
        at[g], at[h] = divmod(int(pairs[max(int(partner[at[j]]), 0)]), len(fronts[h][0]))
        new_score, new_cost = total()
        if new_score > score and new_cost <= budget:
            return True
        at[g], at[h], at[j] = before
        return False

    groups = range(len(fronts))
    twos = list(itertools.combinations(groups, 2)) or [(0, 0)]
    threes = list(itertools.combinations(groups, 3))
    while True:
        if any([exchange(*pair) for pair in twos]):
            continue
        if not any(exchange_three(*three) for three in threes):
            break
    return np.array([int(kept[i]) for kept, i in zip(table.efficient, at, strict=True)])


def polish_within(table: ContextTable, options: np.ndarray, budgets: np.ndarray) -> np.ndarray:
    """As `polish`, under any number of limits: of each group the undominated options that are
    best at the limits' prices are tried, in pairs of groups."""
    prices = limit_prices(table, budgets)
    tried = []
    for scores, costs, kept, option in zip(
        table.scores, table.limit_costs, table.undominated, options, strict=True
    ):
        net = scores[kept] - costs[kept] @ prices
        best = kept[np.argsort(-net, kind="stable")[:_MOST_TRIED]]
        tried.append(np.union1d(best, option))
    at = np.array(options)
    groups = range(len(tried))
    pairs = list(itertools.combinations(groups, 2)) or [(0, 0)]
    improved = True
    while improved:
        improved = False
        for g, h in pairs:
            score, paid = table.totals(at)
            mine, other = tried[g], tried[h] if h != g else at[[g]]
            sums = table.scores[g][mine][:, None] + table.scores[h][other]
            for k, budget in enumerate(budgets):
                costs = table.limit_costs[g][mine, k][:, None] + table.limit_costs[h][other, k]
                here = table.limit_costs[g][at[g], k] + table.limit_costs[h][at[h], k]
                sums[costs > budget - paid[k] + here] = -math.inf
            i, j = np.unravel_index(int(np.argmax(sums)), sums.shape)
            new = at.copy()
            new[h] = other[j]
            new[g] = mine[i]
            new_score, new_paid = table.totals(new)
            if new_score > score and all(np.array(new_paid) <= budgets):
                at, improved = new, True
    return at


def _last_within(costs: np.ndarray, limit: float) -> int:
    return max(int(np.searchsorted(costs, limit, side="right")) - 1, 0)
