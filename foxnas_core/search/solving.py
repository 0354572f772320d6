"""The optimum of a search problem, with a proof, or the best found beside a bound."""

import math
from dataclasses import dataclass

import numpy as np

from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.search.feasibility import check_feasible, undecided
from foxnas_core.search.levels import MOST_NODES, best_by_levels
from foxnas_core.search.milp import TIME_LIMIT, best_of_several, unreduced
from foxnas_core.search.problem import Candidate, SearchProblem

# Scores that differ by less, relative to their size, are sums in another order.
_ROUNDING = 1e-8


@dataclass(frozen=True)
class Solution:
    """The optimum of a problem, or the best that was found.

    `bound` is what no architecture within the limits is better than, in the objective's unit: the
    candidate's own value where it is `exact`, to the last digit of the sums where what is left
    could be listed, else to `EXACT_WITHIN` of the range of scores. Infinite where nothing bounds
    what can only be evaluated.
    """

    candidate: Candidate
    bound: float
    exact: bool

    @property
    def proven(self) -> tuple[Candidate | None, float | None]:
        """What `Annealer.result` takes of it: the optimum, or else a bound if there is any."""
        if self.exact:
            return self.candidate, None
        return None, self.bound if math.isfinite(self.bound) else None


def solve(problem: SearchProblem, time_limit: float = TIME_LIMIT) -> Solution:
    """The best architecture within the limits, by merging fronts where there is one limit at most
    (in cells by their bounds, see `best_cells`), by `solve_milp` where there are more, and by
    `solve_by_levels` where coupled groups can't be listed. Raises as those."""
    if not problem.is_listed:
        return solve_by_levels(problem)
    if len(problem.limits) > 1:
        return solve_milp(problem, time_limit)
    check_feasible(problem)
    candidate = problem.candidate(*problem.tables.best(problem.budget))
    return Solution(candidate, candidate.value, True)


def solve_milp(problem: SearchProblem, time_limit: float = TIME_LIMIT) -> Solution:
    """The best architecture within any number of limits.

    Among equal values the one of least costs, in the order of limits, then that of the first
    context. Raises `InfeasibleBudget` where none fits, `InvalidInput` where the time limit
    (seconds) ends before one was found.
    """
    tables = problem.tables
    best = best_of_several([table.reduced for table in tables], problem.budgets, time_limit)
    if best.options is None:
        check_feasible(problem)
        raise InvalidInput(undecided(problem, time_limit))
    candidate = problem.candidate(best.position, unreduced(tables[best.position], best.options))
    bound = candidate.value if best.exact else _proven(problem, best.bound)
    return Solution(candidate, bound, best.exact)


def solve_by_levels(problem: SearchProblem, most: int = MOST_NODES) -> Solution:
    """The best architecture by branch and bound over the groups, see `levels`, with at most so many
    nodes after each; what is proven beside it holds in any case.

    Raises `InfeasibleBudget` where none fits, and `InvalidInput` where none was found but some may.
    """
    found = best_by_levels(problem, most)
    if found.codes is None:
        if found.bound == -math.inf:
            raise _unmet(problem, most)
        raise InvalidInput(
            f"Whether an architecture of space {problem.space.name!r} keeps all limits could not "
            f"be settled with {most:,} partial ones at a time; relax one of them."
        )
    candidate = Candidate(
        problem.space.decode(found.codes[np.newaxis])[0],
        float(problem.value_of(found.score)),
        tuple(float(x.value_of(c)) for x, c in zip(problem.limits, found.costs, strict=True)),
    )
    if found.bound <= found.score + _ROUNDING * (1 + abs(found.score)):
        return Solution(candidate, candidate.value, True)
    return Solution(candidate, _proven(problem, found.bound), False)


def _proven(problem: SearchProblem, bound: float) -> float:
    """The bound on scores in the objective's unit; what its target can be proves nothing."""
    return problem.sign * bound if math.isinf(bound) else float(problem.value_of(bound))


def _unmet(problem: SearchProblem, most: int) -> FoxnasError:
    """That nothing keeps the limits, and of one limit the nearest number that can be reached."""
    limit, *others = problem.limits
    best_side = "at_least" if limit.predictor.target.direction == "max" else "at_most"
    if not others and limit.side == best_side:
        nearest = best_by_levels(SearchProblem(limit.predictor, (), problem.allowed), most)
        if nearest.codes is not None and nearest.bound <= nearest.score + _ROUNDING:
            return problem.infeasible(limit, -nearest.score)
    return InvalidInput(
        f"No architecture of space {problem.space.name!r} keeps "
        f"{' and '.join(own.text for own in problem.limits)}; relax one of them."
    )
