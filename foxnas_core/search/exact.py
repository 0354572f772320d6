"""The exact optimum of a search problem, and its whole front, by merging Pareto fronts.

For each choice of the context the groups' efficient options are merged (see `merging`).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.search.feasibility import check_feasible
from foxnas_core.search.merging import Merged, best_under_one_limit, merge_efficient
from foxnas_core.search.pareto import efficient_options
from foxnas_core.search.problem import Candidate, SearchProblem


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
        """The optimum of any budget, as `solve_exact` finds it.

        Raises `InfeasibleBudget` where none fits.
        """
        sign = self.problem.limits[0].sign
        point = int(np.searchsorted(sign * self.costs, sign * budget, side="right")) - 1
        if point < 0:
            check_feasible(self.problem.within(budget))
        return self.candidate(point)


def solve_exact(problem: SearchProblem) -> Candidate:
    """The best architecture within the budget.

    Among equal values the one of least cost, then that of the first context and of the first
    options in the space's own order. Raises `InfeasibleBudget` where none fits,
    `InvalidInput` for more limits than one, which `solving.solve` takes.
    """
    _check_limits(problem)
    check_feasible(problem)
    return problem.candidate(*best_under_one_limit(problem.tables, problem.budget))


def front(problem: SearchProblem) -> Front:
    """The whole front, whatever the budget; raises `InvalidInput` unless there is one limit."""
    _check_limits(problem)
    if not problem.limits:
        raise InvalidInput("A front needs a limit to trade the objective against; add one.")
    return front_of(
        problem, {i: merge_efficient(t, math.inf) for i, t in enumerate(problem.tables)}
    )


def front_of(problem: SearchProblem, parts: Mapping[int, Merged]) -> Front:
    """The front of what was merged in each context, by its position."""
    scores = np.concatenate([part.scores for part in parts.values()])
    costs = np.concatenate([part.costs[0] for part in parts.values()])
    options = np.concatenate([part.options for part in parts.values()])
    contexts = np.repeat(list(parts), [len(part.scores) for part in parts.values()])
    kept = efficient_options(scores, costs)
    values, paid = problem.value_of(scores[kept]), problem.cost_of(costs[kept])
    return Front(problem, contexts[kept], options[kept], values, paid)


def _check_limits(problem: SearchProblem) -> None:
    if len(problem.limits) > 1:
        names = ", ".join(limit.column for limit in problem.limits)
        raise InvalidInput(
            f"Fronts are merged under one limit, not {len(problem.limits)} ({names}); use `solve`."
        )
