"""What a report is about: a study, its fits, and the subnet that was chosen in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from foxnas_core.cards.given import Fitted, Given
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.regression import Predictor
from foxnas_core.regression.inference import KINDS
from foxnas_core.search.default_budget import default_budget
from foxnas_core.search.exact import Front
from foxnas_core.search.guard import OFF, guarded_bound, share_of
from foxnas_core.search.lookup import whole_table
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.solving import solve
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.calibrate import calibrations
from foxnas_core.steps.search import cost_front
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable

if TYPE_CHECKING:
    from foxnas_core.search.calibration import SearchCalibration

# What a report may leave out, and what it is called where that is chosen.
PARTS: Mapping[str, str] = {
    "what-if": "What-if",
    "coefficients": "Coefficients",
    "explanations": "Explanations",
    "diagnostics": "Diagnostics",
    "measurements": "Measurements, trust and int8",
}
LONGEST_RATIONALE = 20_000


@dataclass(frozen=True)
class ReportRequest:
    """What a report is asked for.

    `objective` and `cost` are columns, by default the study's. `budget`, in the cost's unit, is by
    default what the chosen subnet keeps, or the `default_budget`; `guard` the probability with
    which the measured cost shall keep it, by default the usual one where optima were measured, 0
    for none. `architecture` is the chosen subnet, by default the best within the budget, and
    `start` what it was edited from. `intervals` is one of the kinds of inference, `made` the date,
    and `rationale` is in the user's own words.
    """

    objective: str | None = None
    cost: str | None = None
    budget: float | None = None
    guard: float | None = None
    architecture: Architecture | None = None
    start: Architecture | None = None
    rationale: str = ""
    parts: tuple[str, ...] = tuple(PARTS)
    intervals: str = "ordinary"
    made: str = ""

    def __post_init__(self) -> None:
        unknown = [part for part in self.parts if part not in PARTS]
        if unknown:
            raise InvalidInput(
                f"{unknown[0]!r} is no part of a report; choose from {', '.join(PARTS)}."
            )
        if self.intervals not in KINDS:
            raise InvalidInput(
                f"{self.intervals!r} is no kind of interval; choose {', '.join(KINDS)}."
            )
        if len(self.rationale) > LONGEST_RATIONALE:
            raise InvalidInput(
                f"The rationale has {len(self.rationale):,} characters; say it in "
                f"{LONGEST_RATIONALE:,}."
            )


@dataclass(frozen=True, eq=False)
class Subject:
    """A study with what its report speaks of.

    - `predictors` by column; `refused` says what could not be fitted, a sentence each.
    - `front` trades the `objective` against the `cost`, columns; None where the table lacks one of
      them, and then so is `budget`. `searched` is the budget searched under, which a guard makes
      smaller.
    - `optimum` is the best of the budget, or the best of all without one, None where there
      is none; `chosen` the subnet that the report is on.
    """

    study: Study
    table: MeasurementTable
    request: ReportRequest
    predictors: Mapping[str, Predictor]
    refused: tuple[str, ...]
    objective: str
    cost: str
    front: Front | None
    budget: float | None
    searched: float | None
    optimum: Candidate | None
    chosen: Architecture | None

    @cached_property
    def given(self) -> Given:
        """The same, as analyses take it."""
        return Fitted(
            self.study,
            self.objective,
            self.cost,
            intervals=self.request.intervals,
            architecture=self.chosen,
            start=self.request.start,
            guard=self.request.guard,
            predictors=self.predictors,
        )

    @cached_property
    def main(self) -> tuple[Predictor, ...]:
        """The predictors of the objective and of the cost, those that there are."""
        return tuple(
            self.predictors[column]
            for column in (self.objective, self.cost)
            if column in self.predictors
        )

    @cached_property
    def others(self) -> tuple[Predictor, ...]:
        """All other predictors."""
        own = {predictor.target.column for predictor in self.main}
        return tuple(p for column, p in self.predictors.items() if column not in own)

    @property
    def guard(self) -> float | None:
        """The probability with which the measured cost keeps the budget, where that is smaller for
        it."""
        return share_of(self.request.guard) if self.searched != self.budget else None

    @property
    def is_optimum(self) -> bool:
        """Whether the chosen subnet is the optimum of the budget."""
        return self.optimum is not None and self.chosen == self.optimum.architecture


def subject_of(
    study: Study,
    request: ReportRequest,
    predictors: Mapping[str, Predictor],
    refused: Sequence[str] = (),
) -> Subject:
    """Find the front, the budget and the chosen subnet.

    Raises `MissingPart` where nothing was measured, or no optima that a guard needs,
    `InvalidInput` where the request names a column that the table lacks, or an architecture of
    another space, `InfeasibleBudget` where no subnet keeps the budget.
    """
    table = study.table()
    if not len(table):
        raise MissingPart(
            f"Study {study.name!r} has no measured subnets, so there is nothing to report; measure "
            "some with 'python -m foxnas_core measure' or import a table."
        )
    for asked in (request.objective, request.cost):
        if asked is not None:
            table.values(asked)
    objective = request.objective or study.objective.column
    cost = request.cost or study.cost.column
    chosen = request.architecture
    if chosen is not None and not study.space.is_member(chosen):
        raise InvalidInput(
            f"The architecture {chosen.id} is none of space {study.space.name!r}; name one of it."
        )
    best, paid = predictors.get(objective), predictors.get(cost)
    front, budget, searched, optimum = None, None, None, None
    found: Mapping[str, SearchCalibration] = {}
    if best is not None and paid is not None:
        whole = whole_table(table, (objective, cost))
        looked_up = whole.predictors() if whole else {}
        front = cost_front(looked_up.get(objective, best), looked_up.get(cost, paid))
        try:
            found = {} if whole else calibrations(table, study.optima(), [best, paid])
        except MissingPart:
            if request.guard:
                raise
        budget, searched = _budgets(front, table, request, found.get(cost))
        optimum = front.within(searched)
    elif best is not None:
        optimum = solve(SearchProblem(best)).candidate
    if chosen is None and optimum is not None:
        chosen = optimum.architecture
    return Subject(
        study, table, request, predictors, tuple(refused), objective, cost, front, budget, searched,
        optimum, chosen,
    )  # fmt: skip


def _budgets(
    front: Front,
    table: MeasurementTable,
    request: ReportRequest,
    told: "SearchCalibration | None",
) -> tuple[float, float]:
    """The budget, by default what the chosen subnet keeps, but no less than the least of the front
    does, and without one the `default_budget`; and the one to search under for it."""
    share = share_of(request.guard) if told else OFF
    if request.budget is None and request.architecture is not None:
        cost = front.problem.limits[0].predictor
        taken = float(cost.predict([request.architecture])["value"].iloc[0])
        # The same sum in another order may differ in its last digit.
        searched = max(taken + 1e-12 * abs(taken), float(front.costs[0]))
        return told.kept_by(searched, share) if told and share else searched, searched
    budget = default_budget(front, table) if request.budget is None else request.budget
    return budget, guarded_bound(front.problem, budget, request.guard, told, {})


def measured_of(subject: Subject, architecture: Architecture, column: str) -> list[float]:
    """What was measured of one subnet, in the table and among the optima."""
    values: list[float] = []
    for table in (subject.table, subject.study.optima()):
        if column in table.frame:
            own = (table.frame["id"] == architecture.id).to_numpy()
            found = table.frame.loc[own, column].to_numpy(dtype=float)
            values += found[np.isfinite(found)].tolist()
    return values
