"""What searches of a study find; where no objective is named, it is the study's."""

from contextlib import suppress
from typing import TYPE_CHECKING

from foxnas_core.cards.sharing import shared
from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable

if TYPE_CHECKING:
    from foxnas_core.regression import Predictor
    from foxnas_core.search.calibration import SearchCalibration
    from foxnas_core.search.exact import Front
    from foxnas_core.search.lookup import WholeTable
    from foxnas_core.search.problem import SearchProblem
    from foxnas_core.search.result import SearchResult
    from foxnas_core.search.solving import Solution
    from foxnas_core.search.stability import ResampledFronts
    from foxnas_core.search.ties import TiedSet

# Columns and the numbers that they are held to; decisions and the choices that they may take.
Limits = tuple[tuple[str, float], ...]
Allowed = tuple[tuple[str, tuple[Value, ...]], ...]
KEPT_SEARCHES = 50


class Finds:
    """The part of `Given` that follows from its study's searches."""

    study: Study

    @property
    def table(self) -> MeasurementTable:
        raise NotImplementedError

    def optima(self) -> MeasurementTable:
        raise NotImplementedError

    def predictor(self, column: str) -> "Predictor":
        raise NotImplementedError

    @shared(spinner="Finding the exact optimum for every budget …")
    def front_of(
        self,
        cost: str,
        allowed: Allowed = (),
        limits: Limits = (),
        objective: str | None = None,
        fitted: bool = False,
    ) -> "Front":
        """The best of the objective for every cost, under `limits` and with the choices `allowed`,
        as in `unbound_of`; raises as that and `search.exact.front`."""
        from foxnas_core.search.exact import front

        objective = objective or self.study.objective.column
        return front(self.unbound_of(objective, cost, limits, allowed, fitted))

    @shared()
    def unbound_of(
        self,
        objective: str,
        first: str,
        limits: Limits = (),
        allowed: Allowed = (),
        fitted: bool = False,
    ) -> "SearchProblem":
        """The search for the best of a column, the number of whose first limit is set by
        `SearchProblem.within`, which shares what is compiled: of what a table measured that holds
        every architecture, unless what is `fitted` is asked for, else of predictions.

        Raises as `predictor`, and `InvalidInput` where nothing with these choices has a value.
        """
        from foxnas_core.search.lookup import check_known
        from foxnas_core.steps.search import search_problem

        if allowed:
            problem = self.unbound_of(objective, first, limits, (), fitted)
            problem = problem.restricted_to(dict(allowed))
            check_known(problem)
            return problem
        bounds = {first: 0.0, **dict(limits)}
        whole = None if fitted else self.whole_table((objective, *bounds))
        predictors = whole.predictors() if whole else {
            column: self.predictor(column) for column in (objective, *bounds)
        }  # fmt: skip
        return search_problem(predictors, bounds, objective=objective)

    @shared(fits=False)
    def whole_table(self, columns: tuple[str, ...]) -> "WholeTable | None":
        """The table where it holds every architecture, as in `search.lookup`."""
        from foxnas_core.search.lookup import whole_table

        return whole_table(self.table, columns)

    def problem_of(
        self, objective: str, limits: Limits, allowed: Allowed = (), fitted: bool = False
    ) -> "SearchProblem":
        """The search for the best of a column under limits on others, as in `unbound_of`."""
        (first, bound), *others = limits
        return self.unbound_of(objective, first, tuple(others), allowed, fitted).within(bound)

    @shared(entries=64, spinner="Finding the optimum under the limits …")
    def solution_of(self, objective: str, limits: Limits, allowed: Allowed = ()) -> "Solution":
        """The optimum of `problem_of`; raises as `solving.solve`."""
        from foxnas_core.search.solving import solve

        return solve(self.problem_of(objective, limits, allowed))

    @shared("optima.parquet")
    def calibrations_of(
        self, cost: str, objective: str | None = None
    ) -> "dict[str, SearchCalibration]":
        """What measured optima tell of the objective and of one cost; raises as
        `steps.calibrate`."""
        from foxnas_core.steps.calibrate import calibrations

        columns = (objective or self.study.objective.column, cost)
        whole = self.whole_table(columns)
        if whole is not None:
            raise MissingPart(whole.sentence)
        predictors = [self.predictor(column) for column in columns]
        return calibrations(self.table, self.optima(), predictors)

    @shared("optima.parquet", table=False)
    def goals_of_optima(self) -> "tuple[tuple[str, str], ...]":
        """The objectives and costs that optima were measured for; raises as `Study.optima`."""
        from foxnas_core.steps.calibrate import goals_of

        return tuple(dict.fromkeys(goals_of(self.study.optima())))

    @shared(entries=4)
    def resampled_of(
        self, cost: str, allowed: Allowed = (), objective: str | None = None
    ) -> "ResampledFronts":
        """The fronts of coefficients drawn anew; raises as `resampled_fronts`."""
        from foxnas_core.search.stability import resampled_fronts

        return resampled_fronts(self.front_of(cost, allowed, (), objective, fitted=True))

    @shared()
    def tied_of(
        self,
        cost: str,
        budget: float,
        others: tuple[Architecture, ...] = (),
        allowed: Allowed = (),
        limits: Limits = (),
        objective: str | None = None,
    ) -> "TiedSet":
        """What cannot be told from the optimum of a budget; raises as `tied_set`."""
        from foxnas_core.search.ties import tied_set

        front = self.front_of(cost, allowed, limits, objective, fitted=True)
        return tied_set(front, budget, others=others)

    @shared("searches", table=False, entries=4)
    def searches(self) -> "dict[str, SearchResult]":
        """The newest of the study's kept searches by id, damaged ones left out."""
        from foxnas_core.search.result import SEARCHES

        found = {}
        for search_id in self.study.ids(SEARCHES)[:KEPT_SEARCHES]:
            with suppress(FoxnasError, FileNotFoundError):
                file = (self.study.folder / SEARCHES.file / f"{search_id}.json").stat()
                found[search_id] = self.search(search_id, (file.st_ino, file.st_mtime_ns))
        return found

    # With every search that is kept there is another list, so each is kept apart from it.
    @shared(table=False, entries=2 * KEPT_SEARCHES)
    def search(self, search_id: str, stamp: tuple[int, int]) -> "SearchResult":
        """One of them, as it is in the file of this stamp; raises as `Study.kept`."""
        from foxnas_core.search.result import SEARCHES

        return self.study.kept(SEARCHES, search_id)
