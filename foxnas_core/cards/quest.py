"""What is searched for: the best objective within a budget, or the least cost at a floor, under
further limits and with the choices that decisions may take."""

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from foxnas_core.cards.finds import Limits
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError
from foxnas_core.search.guard import OFF, share_of
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

    `bound` is the chosen budget or floor, by default the `default_budget`, `searched` the one to
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
        from foxnas_core.search.default_budget import default_budget

        chosen = self.given.floor if self.least_cost else self.given.budget
        return default_budget(self.front, self.given.table) if chosen is None else chosen

    @cached_property
    def calibrations(self) -> "dict[str, SearchCalibration]":
        """What measured optima tell of the objective and the cost, by column; nothing without."""
        with suppress(FoxnasError):
            return self.given.calibrations_of(*self.given.traded[::-1])
        return {}

    @cached_property
    def told(self) -> "dict[str, SearchCalibration]":
        """What measured optima tell of the limits."""
        return self.given.told_by_optima((self.limited, *dict(self.given.limits)))

    @cached_property
    def wanted(self) -> "SearchProblem":
        """The search under the limits as they were chosen."""
        limits = ((self.limited, self.bound), *self.given.limits)
        return self.given.problem_of(self.objective, limits, self.given.allowed)

    @cached_property
    def problem(self) -> "SearchProblem":
        """The search that is run: under limits that are kept when measured."""
        return self.given.guarded(self.objective, self.limited, self.bound)

    @property
    def searched(self) -> float:
        return float(self.problem.limits[0].bound)

    @property
    def limits(self) -> Limits:
        """Every limit as it is searched under."""
        return tuple((limit.column, float(limit.bound)) for limit in self.problem.limits)

    @property
    def is_guarded(self) -> bool:
        """Whether measured optima make a limit tighter than it was chosen."""
        return bool(share_of(self.given.guard) and self.told)

    @property
    def unguarded(self) -> "Quest":
        """The same search without a guard."""
        return Quest(replace(self.given, guard=OFF))

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
