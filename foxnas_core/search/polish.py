"""Improving what a search found by exchanges, until none helps.

Each exchange is the best of its kind, and only one that is better and within the limits is made.
"""

import itertools
import math

import numpy as np

from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.exchange import compiled_exchange, exchange
from foxnas_core.search.relaxation import limit_prices

# Most options of a group that a polish under several limits tries, the best at their prices.
_MOST_TRIED = 200


def polish(
    table: ContextTable, options: np.ndarray, budget: float, *, compiled: bool = True
) -> np.ndarray:
    """Improve feasible options by exchanging those of up to three groups until none helps.

    Only efficient options are tried: any other has one that is as good and costs no more. Two
    groups' best exchange for what a third leaves of the budget is looked up in the merged front of
    the two. Compiled or not, the answer is the same.
    """
    # First, each option gives way to the efficient one that is as good and costs no more.
    at = np.array(
        [
            int(np.searchsorted(costs[kept], costs[option], side="right")) - 1
            for kept, costs, option in zip(table.efficient, table.costs, options, strict=True)
        ]
    )
    (compiled_exchange() if compiled else exchange)(
        at, budget, table.score_constant, table.cost_constant, table.pair_fronts
    )
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
