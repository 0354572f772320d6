"""The exact optimum of a search problem, and its whole front, by merging Pareto fronts.

For each choice of the context the groups' efficient options are merged (see `merging`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.search.feasibility import check_feasible
from foxnas_core.search.limits import noun_of
from foxnas_core.search.merging import (
    Merged,
    TooManySums,
    merge,
)
from foxnas_core.search.pareto import efficient_options, undominated
from foxnas_core.search.problem import Candidate, SearchProblem

# Sums that are compared with each other after a group, which takes some tenths of a second.
MOST_COMPARED = 100_000
# Sums of the last group, of which only those of the front are kept.
MOST_SUMS = 10_000_000


@dataclass(frozen=True, eq=False)
class Front:
    """The best predicted value for every cost, by increasing cost, or for every floor, by
    decreasing floor.

    `contexts` are positions in `SearchProblem.tables`, shape (points,); `options` the option of
    each group, (points, groups); `values` and `costs` as predicted, (points,).
    """

    problem: SearchProblem
    contexts: np.ndarray
    options: np.ndarray
    values: np.ndarray
    costs: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row a point: the columns of the limit's and of the objective's target."""
        return pd.DataFrame(
            {
                self.problem.limits[0].predictor.target.column: self.costs,
                self.problem.objective.target.column: self.values,
            }
        )

    def candidate(self, point: int) -> Candidate:
        return self.problem.candidate(int(self.contexts[point]), self.options[point])

    def within(self, budget: float) -> Candidate:
        """The optimum of any budget, as `solving.solve` finds it.

        Raises `InfeasibleBudget` where none fits.
        """
        sign = self.problem.limits[0].sign
        point = int(np.searchsorted(sign * self.costs, sign * budget, side="right")) - 1
        if point < 0:
            check_feasible(self.problem.within(budget))
        return self.candidate(point)


def front(problem: SearchProblem) -> Front:
    """The best value for every bound of the first limit, whatever its own, with all others held.

    Under further limits a sum is dropped only where another is no worse in the score and under
    every limit. What is left grows quickly, so the merging stops where it would take more than a
    moment; `solving.solve` then still finds the optimum of one budget.

    Raises `InvalidInput` where there is no limit or too many sums would have to be compared, and
    `InfeasibleBudget` where nothing keeps the further limits.
    """
    if not problem.limits:
        raise InvalidInput("A front needs a limit to trade the objective against; add one.")
    _, *further = problem.budgets.tolist()
    if not further:
        return front_of(problem, problem.tables.front())
    try:
        parts = {
            i: merge(table, table.undominated, [math.inf, *further], _undominated, most=MOST_SUMS)
            for i, table in enumerate(problem.tables)
        }
    except TooManySums:
        held = " and ".join(noun_of(limit.predictor.target) for limit in problem.limits[1:])
        raise InvalidInput(
            f"The front of space {problem.space.name!r} with {held} limited as well has too many "
            "points to be found in a moment; take limits off, or search under one budget."
        ) from None
    if not any(len(part.scores) for part in parts.values()):
        check_feasible(SearchProblem(problem.objective, problem.limits[1:], problem.allowed))
    return front_of(problem, parts)


def _undominated(scores: np.ndarray, costs: Sequence[np.ndarray]) -> np.ndarray:
    if len(scores) > MOST_COMPARED:
        raise TooManySums
    return undominated(scores, np.stack(costs, axis=1))


def front_of(problem: SearchProblem, parts: Mapping[int, Merged]) -> Front:
    """The front of what was merged in each context, by its position."""
    scores = np.concatenate([part.scores for part in parts.values()])
    costs = np.concatenate([part.costs[0] for part in parts.values()])
    options = np.concatenate([part.options for part in parts.values()])
    contexts = np.repeat(list(parts), [len(part.scores) for part in parts.values()])
    kept = efficient_options(scores, costs)
    values, paid = problem.value_of(scores[kept]), problem.cost_of(costs[kept])
    return Front(problem, contexts[kept], options[kept], values, paid)
