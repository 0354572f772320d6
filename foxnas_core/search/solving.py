"""The optimum of a search problem, with a proof, or the best found beside a bound."""

from dataclasses import dataclass

from foxnas_core.errors import InvalidInput
from foxnas_core.search.feasibility import check_feasible, undecided
from foxnas_core.search.merging import best_under_one_limit
from foxnas_core.search.milp import TIME_LIMIT, best_of_several, unreduced
from foxnas_core.search.problem import Candidate, SearchProblem


@dataclass(frozen=True)
class Solution:
    """The optimum of a problem, or the best that was found.

    `bound` is what no architecture within the limits is better than, in the objective's unit: the
    candidate's own value where it is `exact`, to the last digit of the sums where what is left
    could be listed, else to `EXACT_WITHIN` of the range of scores.
    """

    candidate: Candidate
    bound: float
    exact: bool


def solve(problem: SearchProblem, time_limit: float = TIME_LIMIT) -> Solution:
    """The best architecture within the limits, by merging fronts where there is one limit at most
    and by `solve_milp` where there are more. Raises as that."""
    if len(problem.limits) > 1:
        return solve_milp(problem, time_limit)
    check_feasible(problem)
    candidate = problem.candidate(*best_under_one_limit(problem.tables, problem.budget))
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
    bound = candidate.value if best.exact else float(problem.value_of(best.bound))
    return Solution(candidate, bound, best.exact)
