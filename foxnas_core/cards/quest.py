"""What is searched for: the best objective within a budget, or the least cost at a floor, under
further limits and with the choices that decisions may take."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from foxnas_core.cards.finds import Limits
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError
from foxnas_core.search.limits import Side

if TYPE_CHECKING:
    from foxnas_core.search.calibration import SearchCalibration
    from foxnas_core.search.exact import Front
    from foxnas_core.search.problem import SearchProblem
    from foxnas_core.search.solving import Solution
    from foxnas_core.table.metrics import Metric


@dataclass(frozen=True)
class Quest:
    """A search as it was chosen; what it finds raises as `Given.front_of`.

    `bound` is the chosen budget or floor, by default the middle of the front, `searched` the one to
    search under, so that it is kept when measured.
    """

    given: Given

    @property
    def least_cost(self) -> bool:
        return self.given.floor is not None

    @property
    def objective(self) -> str:
        """The column that is looked for."""
        return self.given.traded[self.least_cost]

    @property
    def limited(self) -> str:
        """The column that the bound is on."""
        return self.given.traded[not self.least_cost]

    @cached_property
    def front(self) -> "Front":
        """That of objective and cost, without the further limits."""
        given = self.given
        return given.front_of(given.traded[1], given.allowed, (), given.objective)

    @cached_property
    def bound(self) -> float:
        chosen = self.given.floor if self.least_cost else self.given.budget
        return float(self.front.costs[[0, -1]].mean()) if chosen is None else chosen

    @cached_property
    def calibration(self) -> "tuple[SearchCalibration | None, str]":
        """What measured optima tell of what the bound is on, or why they don't."""
        try:
            return self.given.calibrations_of(*self.given.traded[::-1])[self.limited], ""
        except FoxnasError as error:
            return None, str(error)

    @property
    def searched(self) -> float:
        found, guard = self.calibration[0], self.given.guard
        return self.bound if found is None or guard is None else found.guarded(self.bound, guard)

    @property
    def limits(self) -> Limits:
        """Every limit as it is searched under."""
        return (self.limited, self.searched), *self.given.limits

    @cached_property
    def problem(self) -> "SearchProblem":
        return self.given.problem_of(self.objective, self.limits, self.given.allowed)

    @property
    def reachable(self) -> "SearchProblem":
        """The search, or the nearest to it whose first limit can be kept."""
        if self.least_cost:
            keep = min if self.front.problem.objective.target.sign > 0 else max
            return self.problem.within(keep(self.searched, float(self.front.values[-1])))
        return self.problem.within(max(self.searched, float(self.front.costs[0])))

    @property
    def asked(self) -> "list[tuple[Metric, float, Side]]":
        """Every limit as it was chosen."""
        bounds = (self.bound, *(bound for _, bound in self.given.limits))
        return [
            (limit.predictor.target, bound, limit.side)
            for limit, bound in zip(self.problem.limits, bounds, strict=True)
        ]

    def solution(self) -> "Solution":
        """The optimum; raises as `solving.solve`."""
        return self.given.solution_of(self.objective, self.limits, self.given.allowed)
