"""The exact front of a first limit with further limits held, where it is within reach.

As in `exact`, groups are merged, but a sum is dropped only where another is no
worse in the score and under every limit, or where no options to come would bring it within the
further ones. What is left grows quickly with the number of limits and groups, so the merging stops
where it would take more than a moment; `solving.solve` then still finds the optimum of one budget.
"""

import math
from collections.abc import Sequence

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.search.exact import Front, front, front_of
from foxnas_core.search.feasibility import check_feasible
from foxnas_core.search.limits import noun_of
from foxnas_core.search.merging import TooManySums, merge
from foxnas_core.search.pareto import undominated
from foxnas_core.search.problem import SearchProblem

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
    try:
        parts = {
            i: merge(table, table.undominated, budgets.tolist(), _undominated, most=MOST_SUMS)
            for i, table in enumerate(problem.tables)
        }
    except TooManySums:
        raise _out_of_reach(problem) from None
    if not any(len(part.scores) for part in parts.values()):
        check_feasible(SearchProblem(problem.objective, problem.limits[1:], problem.allowed))
    return front_of(problem, parts)


def _undominated(scores: np.ndarray, costs: Sequence[np.ndarray]) -> np.ndarray:
    if len(scores) > MOST_COMPARED:
        raise TooManySums
    return undominated(scores, np.stack(costs, axis=1))


def _out_of_reach(problem: SearchProblem) -> InvalidInput:
    held = " and ".join(noun_of(limit.predictor.target) for limit in problem.limits[1:])
    return InvalidInput(
        f"The front of space {problem.space.name!r} with {held} limited as well has too many "
        "points to be found in a moment; take limits off, or search under one budget."
    )
