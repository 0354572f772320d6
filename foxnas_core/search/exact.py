"""The exact optimum of a search problem, and its whole front, by merging Pareto fronts.

For each choice of the context, the efficient options of the groups are added up group by group
(a Minkowski sum), and after each group only sums that no other sum beats are kept (Nemhauser and
Ullmann, "Discrete dynamic programming and capital allocation", Management Science 15, 1969).
Rounding keeps order (a <= b gives fl(a + x) <= fl(b + x)), so nothing that is dropped could have
become the best, and the optimum is exact for the sums as computed.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.search.pareto import efficient_options
from foxnas_core.search.problem import Candidate, ContextTable, SearchProblem


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
            self.problem.within(budget).check_feasible()
        return self.candidate(point)


def solve_exact(problem: SearchProblem) -> Candidate:
    """The best architecture within the budget.

    Among equal values the one of least cost, then that of the first context and of the first
    options in the space's own order. Raises `InfeasibleBudget` where none fits,
    `InvalidInput` for more limits than one, which `milp.solve` takes.
    """
    _check_limits(problem)
    problem.check_feasible()
    return problem.candidate(*best_under_one_limit(problem.tables, problem.budget))


def best_under_one_limit(tables: Sequence[ContextTable], budget: float) -> tuple[int, np.ndarray]:
    """Position of the table and options (groups,) of the optimum that `solve_exact` describes,
    which must exist."""
    best: tuple[float, float, int, np.ndarray] | None = None
    for context, table in enumerate(tables):
        scores, costs, options = _merge(table, budget)
        # The last point of a front has the greatest score.
        if len(scores) and (best is None or (scores[-1], -costs[-1]) > (best[0], -best[1])):
            best = (scores[-1], costs[-1], context, options[-1])
    assert best is not None
    return best[2], best[3]


def front(problem: SearchProblem) -> Front:
    """The whole front, whatever the budget; raises `InvalidInput` unless there is one limit."""
    _check_limits(problem)
    if not problem.limits:
        raise InvalidInput("A front needs a limit to trade the objective against; add one.")
    parts = [_merge(table, math.inf) for table in problem.tables]
    scores, costs, options = (
        np.concatenate([part[column] for part in parts]) for column in range(3)
    )
    contexts = np.repeat(np.arange(len(parts)), [len(part[0]) for part in parts])
    kept = efficient_options(scores, costs)
    values, paid = problem.value_of(scores[kept]), problem.cost_of(costs[kept])
    return Front(problem, contexts[kept], options[kept], values, paid)


def _check_limits(problem: SearchProblem) -> None:
    if len(problem.limits) > 1:
        names = ", ".join(limit.column for limit in problem.limits)
        raise InvalidInput(
            f"Fronts are merged under one limit, not {len(problem.limits)} ({names}); use `solve`."
        )


def _merge(table: ContextTable, budget: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores, costs (points,) and options (points, groups) of one context's front."""
    scores = np.array([table.score_constant])
    costs = np.array([table.cost_constant])
    options = np.zeros((1, 0), dtype=np.int32)
    cheapest = [
        float(group_costs[option])
        for group_costs, option in zip(table.costs, table.cheapest, strict=True)
    ]
    for group, efficient in enumerate(table.efficient):
        scores = np.add.outer(scores, table.scores[group][efficient]).ravel()
        costs = np.add.outer(costs, table.costs[group][efficient]).ravel()
        # What a sum costs at the least once the groups to come are added, in this same order.
        least = costs.copy()
        for cost in cheapest[group + 1 :]:
            least += cost
        within = np.flatnonzero(least <= budget)
        kept = within[efficient_options(scores[within], costs[within])]
        parents, chosen = np.divmod(kept, len(efficient))
        scores, costs = scores[kept], costs[kept]
        options = np.column_stack([options[parents], efficient[chosen].astype(np.int32)])
    return scores, costs, options
