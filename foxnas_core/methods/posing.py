"""A question as it is put to regressions: held so tight that measurements keep what was asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from foxnas_core.methods.method import Question
from foxnas_core.regression.counting import with_counted
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.expectation import Expectation, expectation
from foxnas_core.search.guard import guarded, share_of
from foxnas_core.search.limits import AdditivePredictor
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.strategies.goal import Evaluation, SearchGoal, evaluation_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.calibrate import told_by_optima
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.search import search_problem
from foxnas_core.study import Study
from foxnas_core.table.metrics import metric_of


@dataclass(frozen=True, eq=False)
class Posed:
    """A question put to what predicts: `wanted` under the limits as they were asked, `problem`
    under those that measurements keep so surely as the guard says; `told` is what measured optima
    tell, by column, those of `goals`, the objective and what it is traded against."""

    wanted: SearchProblem
    problem: SearchProblem
    told: Mapping[str, SearchCalibration] = field(default_factory=dict)
    goals: tuple[str, ...] = ()
    share: float | None = None

    @property
    def guard(self) -> float | None:
        """How surely measurements keep the limits, None where nothing makes those tighter."""
        is_told = any(limit.column in self.told for limit in self.wanted.limits)
        return share_of(self.share) or None if is_told else None

    def expected(self, found: Candidate) -> list[Expectation]:
        """What an answer is expected to measure of the objective and of every limit."""
        return [expectation(p, found.architecture, self.told) for p in self.problem.predictors]

    def held(self, found: Candidate) -> list[dict[str, Any]]:
        """Of the objective and of every limit: what was asked, what was searched under instead, and
        what the answer is expected to measure where optima tell."""
        rows: list[dict[str, Any]] = [{"limit": None}]
        for asked, own in zip(self.wanted.limits, self.problem.limits, strict=True):
            row: dict[str, Any] = {"limit": f"{asked.side.replace('_', ' ')} {asked.bound:.6g}"}
            rows.append(row | ({"searched": own.bound} if self.guard else {}))
        for row, told in zip(rows, self.expected(found), strict=True):
            if told.optima:
                ends = {"expected_low": told.low, "expected_high": told.high}
                row |= {"expected": told.value, **ends}
        return rows


def posed(study: Study, question: Question) -> Posed:
    """The question put to regressions of the table's columns.

    Raises as `fit_all`, `MissingPart` where a guard is asked for but no optima were measured, and
    `InfeasibleBudget` where nothing keeps the limits so surely.
    """
    table = with_counted(study.table())
    fitted = fit_all(table, targets=question.columns, kept=kept_fits(study))
    wanted = problem_of(fitted, question)
    if not question.limits:
        return Posed(wanted, wanted)
    goals, needed = _goals(question), bool(question.guard)
    told = told_by_optima(
        table, study.optima(), fitted, *goals, limited=question.limits, needed=needed
    )
    tight = wanted
    if told:
        tight = guarded(wanted, question.guard, told, strict=question.guard is not None)
    return Posed(wanted, tight, told, goals, question.guard)


@dataclass(frozen=True, eq=False)
class Limits:
    """What subnets may cost: `bounds` by column, as tight as measurements keep them, and what
    predicts their costs."""

    goal: SearchGoal
    evaluate: Evaluation
    bounds: Mapping[str, float]

    @classmethod
    def of(cls, study: Study, question: Question) -> "Limits | None":
        """None where nothing is limited; raises as `posed`."""
        if not question.limits:
            return None
        problem = posed(study, question).problem
        bounds = {limit.column: float(limit.bound) for limit in problem.limits}
        return cls(SearchGoal.of(problem), evaluation_of(problem), bounds)

    def costs(self, architectures: Sequence[Architecture]) -> np.ndarray:
        """Predicted costs (rows, limits)."""
        return self.evaluate(architectures)[1]

    def over(self, codes: np.ndarray) -> np.ndarray:
        return self.goal.excess(self.costs(self.goal.space.decode(codes)))


def problem_of(predictors: Mapping[str, AdditivePredictor], question: Question) -> SearchProblem:
    """The question put to what predicts its columns, or looks them up; raises as
    `search_problem`."""
    return search_problem(
        predictors, question.limits, objective=question.objective, allowed=question.allowed
    )


def _goals(question: Question) -> tuple[str, str]:
    """The quality that is looked for or held, and the cost that it is traded against."""
    found, limits = question.objective, list(question.limits)
    first = next((column for column in limits if metric_of(column).direction == "max"), limits[0])
    if metric_of(found).direction == "max":
        return found, limits[0]
    return first, found
