"""The exact front of a first limit with further limits held, where it is within reach.

As in `exact`, options are added up group by group, but a sum is dropped only where another is no
worse in the score and under every limit, or where no options to come would bring it within the
further ones. What is left grows quickly with the number of limits and groups, so the merging stops
where it would take more than a moment; `milp.solve` then still finds the optimum of one budget.
"""

import math
from collections.abc import Sequence

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.search.exact import Front, front
from foxnas_core.search.problem import (
    ContextTable,
    SearchProblem,
    efficient_options,
    noun_of,
    undominated,
)

# Sums that are compared with each other after a group, which takes some tenths of a second.
MOST_COMPARED = 100_000
# Sums of the last group, of which only those of the front are kept.
MOST_SUMS = 10_000_000


def limited_front(problem: SearchProblem) -> Front:
    """The best value for every bound of the first limit, with all others held.

    Raises `InfeasibleBudget` where nothing keeps those, and `InvalidInput` where there is no limit
    or too many sums would have to be compared.
    """
    if len(problem.limits) < 2:
        return front(problem)
    budgets = problem.budgets
    budgets[0] = math.inf
    parts = [_merge(table.reduced, table.undominated, budgets, problem) for table in problem.tables]
    scores, costs, options = (
        np.concatenate([part[column] for part in parts]) for column in range(3)
    )
    if not len(scores):
        SearchProblem(problem.objective, problem.limits[1:], problem.allowed).check_feasible()
    contexts = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    kept = efficient_options(scores, costs)
    values, paid = problem.value_of(scores[kept]), problem.cost_of(costs[kept])
    return Front(problem, contexts[kept], options[kept], values, paid)


def _merge(
    table: ContextTable, listed: Sequence[np.ndarray], budgets: np.ndarray, problem: SearchProblem
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, first costs (points,) and options (points, groups), as positions in `listed`'s
    tables, of one context's front within the budgets."""
    scores = np.array([table.score_constant])
    costs = np.array([table.cost_constants])
    options = np.zeros((1, 0), dtype=np.int32)
    last = len(table.scores) - 1
    for group, kept_options in enumerate(listed):
        own_scores, own_costs = table.scores[group], table.limit_costs[group]
        if len(scores) * len(own_scores) > MOST_SUMS:
            raise _out_of_reach(problem)
        scores = np.add.outer(scores, own_scores).ravel()
        costs = (costs[:, np.newaxis] + own_costs).reshape(-1, costs.shape[1])
        # What a sum costs at the least once the groups to come are added, in this same order.
        least = costs.copy()
        for later in table.limit_costs[group + 1 :]:
            least += later.min(axis=0)
        within = np.flatnonzero((least <= budgets).all(axis=1))
        if group == last:
            kept = within[efficient_options(scores[within], costs[within, 0])]
        elif len(within) > MOST_COMPARED:
            raise _out_of_reach(problem)
        else:
            kept = within[undominated(scores[within], costs[within])]
        parents, chosen = np.divmod(kept, len(own_scores))
        scores, costs = scores[kept], costs[kept]
        options = np.column_stack([options[parents], kept_options[chosen].astype(np.int32)])
    return scores, costs[:, 0], options


def _out_of_reach(problem: SearchProblem) -> InvalidInput:
    held = " and ".join(noun_of(limit.predictor.target) for limit in problem.limits[1:])
    return InvalidInput(
        f"The front of space {problem.space.name!r} with {held} limited as well has too many "
        "points to be found in a moment; take limits off, or search under one budget."
    )
