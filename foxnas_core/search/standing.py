"""What a search found beside what was measured already."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from foxnas_core.regression import Predictor
from foxnas_core.search.guard import chance_again
from foxnas_core.search.limits import AdditivePredictor
from foxnas_core.search.lookup import WholeTable, whole_of
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric, metric_of
from foxnas_core.table.readings import Incumbent, Reading, Readings, incumbent, readings_of

# Predictions that differ by less, relative to their size, are sums in another order.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Standing:
    """What was measured of a candidate, and of its best rival.

    - `readings`: what was measured of the candidate itself, by column.
    - `incumbent`: the best measured architecture within the limits, None where none keeps them.
    - `expected`, `rival`: what both are expected to measure of the `objective`, in its unit.
    - `rival_keeps`: the probability that the incumbent keeps the limits when measured again, see
      `guard.chance_again`.
    - `beyond`: by column, the best value that was measured at all, where the candidate was not
      measured and is predicted better.
    - `whole`: the table, where it holds every architecture and so the answer is its own.
    - `broken`: the columns of which the candidate itself measured beyond a limit.
    """

    candidate: Candidate
    objective: Metric
    readings: Readings
    incumbent: Incumbent | None
    expected: float
    rival: float
    beyond: Mapping[str, float]
    whole: WholeTable | None = None
    broken: tuple[str, ...] = ()
    rival_keeps: float | None = None

    @property
    def measured_first(self) -> bool:
        """Whether the incumbent, another one, is expected to measure better."""
        if self.whole or self.incumbent is None:
            return False
        if self.incumbent.architecture == self.candidate.architecture:
            return False
        return self.objective.sign * (self.rival - self.expected) > 0

    @property
    def answer(self) -> Architecture:
        """What the answer begins with."""
        if self.measured_first and self.incumbent is not None:
            return self.incumbent.architecture
        return self.candidate.architecture

    @property
    def known(self) -> Readings:
        """What was measured of the answer where it is a measured one, and nothing of another."""
        if self.measured_first and self.incumbent is not None:
            return self.incumbent.readings
        return self.readings if self.whole else {}


def standing(
    problem: SearchProblem,
    candidate: Candidate,
    table: MeasurementTable,
    optima: MeasurementTable,
    *,
    bounds: Mapping[str, float] | None = None,
    as_searched: float | None = None,
) -> Standing:
    """How a candidate of a problem stands to what is measured, in the `table` or, of itself, among
    the `optima`.

    Measured values are held to `bounds`, by column, by default to the problem's own. The candidate
    is expected at what it measured, else `as_searched`, what optima so predicted measure, else as
    predicted.
    """
    objective = problem.objective
    target = objective.target
    if bounds is None:
        bounds = {limit.column: limit.bound for limit in problem.limits}
    best = incumbent(table, target.column, bounds, problem.allowed)
    own = readings_of([table, optima], candidate.architecture)
    expected = candidate.value if as_searched is None else as_searched
    if target.column in own:
        expected = shrunk(objective, candidate.architecture, own[target.column])
    rival, keeps = math.nan, None
    if best is not None:
        rival = shrunk(objective, best.architecture, best.readings[target.column])
        keeps = chance_again(problem.limits, bounds, best.readings)
    beyond = {}
    values = (candidate.value, *candidate.costs)
    for predictor, value in zip(problem.predictors, values, strict=True):
        column, sign = predictor.target.column, predictor.target.sign
        known = np.concatenate([_usable(one, column) for one in (table, optima)])
        if column in own or not len(known):
            continue
        most = sign * float((sign * known).max())
        if sign * (value - most) > _ROUNDING * (1 + abs(most)):
            beyond[column] = most
    broken = tuple(
        column
        for column, bound in bounds.items()
        if column in own and metric_of(column).sign * (own[column].value - bound) < 0
    )
    whole = whole_of(problem)
    return Standing(candidate, target, own, best, expected, rival, beyond, whole, broken, keeps)


def _usable(table: MeasurementTable, column: str) -> np.ndarray:
    if column not in [target.column for target in table.targets]:
        return np.empty(0)
    return table.values(column)[usable(table, column)]


def shrunk(predictor: AdditivePredictor, architecture: Architecture, reading: Reading) -> float:
    """What an architecture is expected to measure when measured again, in the target's unit.

    The best of many noisy readings is so by luck as well, unless each is first drawn to its
    prediction by the share of what they differ by that is noise: with τ² = max(0, r² − s²), r the
    cross-validated error of the prediction, s the standard error of one row and e that of the mean,
    prediction + τ² / (τ² + e²) · (reading − prediction) (Fay and Herriot, JASA 74, 1979). Where no
    error is known, or nothing was fitted, the reading as it is.
    """
    if not (isinstance(predictor, Predictor) and reading.error > 0):
        return reading.value
    signal = max(0.0, predictor.cv.rmse**2 - reading.noise**2)
    predicted = float(predictor.predict([architecture])["value"].iloc[0])
    return predicted + signal / (signal + reading.error**2) * (reading.value - predicted)
