"""What measured optima tell about optima to come.

A search picks what its predictors overrate: the interval of an architecture chosen without regard
to the data does not hold for a searched one (the optimizer's curse; Smith and Winkler, "The
optimizer's curse", Management Science 52, 2006). Optima of budgets drawn at random, measured and
kept out of the fit, show by how much: the next optimum's residual is predicted from theirs.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor
from foxnas_core.search.exact import Front
from foxnas_core.search.problem import Candidate
from foxnas_core.table.latency_verdicts import failed_rows, usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric

LEAST = 5
ADVISED = 20


@dataclass(frozen=True, eq=False)
class SearchCalibration:
    """How measured optima differ from their predictions, for one target.

    `residuals` (optima,) are measured less predicted on the scale of the predictor's link, or
    their ratio less 1 where the target `is_relative`. `table` has one row an optimum: id,
    predicted, measured, residual.
    """

    predictor: Predictor
    residuals: np.ndarray
    table: pd.DataFrame

    @property
    def count(self) -> int:
        return len(self.residuals)

    @property
    def shift(self) -> float:
        """The mean residual."""
        return float(self.residuals.mean())

    @property
    def spread(self) -> float:
        """The standard deviation of a new optimum's residual about the mean of these."""
        return float(self.residuals.std(ddof=1) * math.sqrt(1 + 1 / self.count))

    def interval(self, value: float, level: float = 0.95) -> tuple[float, float, float]:
        """What a searched architecture of predicted `value` will measure: center, low, high.

        shift ± t s √(1 + 1/m) for m optima of spread s, in the target's unit.
        """
        half = float(scipy.special.stdtrit(self.count - 1, (1 + level) / 2)) * self.spread
        offsets = np.array([self.shift, self.shift - half, self.shift + half])
        if self._relative:
            values = value * (1 + offsets)
        else:
            link = self.predictor.link
            values = link.inverse(link.forward(value) + offsets)
        center, low, high = self.predictor.target.within(values).tolist()
        return center, low, high

    def guarded(self, budget: float, probability: float) -> float:
        """The bound to search under so that the optimum measures within `budget` with this
        probability: a budget over the quantile of measured to predicted, or lowered, or, where more
        is better, a floor raised, by the quantile of predicted less measured.

        A floor that no measurement can reach, by the link's ceiling, is returned as it is.
        """
        quantile = float(scipy.special.stdtrit(self.count - 1, probability))
        if self._relative:
            return budget / max(1 + self.shift + quantile * self.spread, 1e-9)
        link = self.predictor.link
        eta = float(link.forward(budget))
        if math.isnan(eta):
            return budget
        room = self.predictor.target.sign * quantile * self.spread
        return float(link.inverse(eta - self.shift + room))

    def kept_by(self, predicted: float, probability: float) -> float:
        """The bound that an optimum of this prediction keeps with this probability: the inverse of
        `guarded`."""
        quantile = float(scipy.special.stdtrit(self.count - 1, probability))
        if self._relative:
            return predicted * max(1 + self.shift + quantile * self.spread, 1e-9)
        link, room = self.predictor.link, self.predictor.target.sign * quantile * self.spread
        return float(link.inverse(link.forward(predicted) + self.shift - room))

    def chance(self, predicted: float, budget: float) -> float:
        """The probability that an optimum of this prediction measures within the budget, or, where
        more is better, at it or above."""
        if self._relative:
            if predicted <= 0:
                return float(budget >= 0)
            room = budget / predicted - 1 - self.shift
        else:
            link, sign = self.predictor.link, self.predictor.target.sign
            room = sign * (float(link.forward(predicted) - link.forward(budget)) + self.shift)
            if math.isnan(room):
                return 0.0  # a floor at the ceiling or above
        if self.spread == 0:
            return float(room >= 0)
        return float(scipy.special.stdtr(self.count - 1, room / self.spread))

    @property
    def _relative(self) -> bool:
        return is_relative(self.predictor.target)


def is_relative(target: Metric) -> bool:
    """Whether predictions err by a share of themselves: of what shall be little, and is no less
    than 0."""
    return target.direction == "min" and target.bounds[0] >= 0


def calibrate(
    predictor: Predictor, optima: MeasurementTable, fitted: MeasurementTable
) -> SearchCalibration:
    """The calibration of a predictor by measured optima, those in the table `fitted` left out.

    Raises `InvalidInput` where fewer than `LEAST` are left.
    """
    column = predictor.target.column
    measured = predictor.target in optima.targets
    values = optima.values(column) if measured else np.full(len(optima), np.nan)
    chosen = ~optima.frame["id"].isin(fitted.frame["id"]).to_numpy()
    chosen &= usable(optima, column) if measured else False
    every = predictor.predict_codes(optima.codes)["value"].to_numpy()
    if is_relative(predictor.target):
        chosen &= every > 0  # of nothing there is no share
    if chosen.sum() < LEAST:
        left_out = failed_rows(optima, column) if measured else 0
        raise InvalidInput(
            f"{chosen.sum()} measured optima are too few to tell what searched subnets measure"
            + (f" ({left_out} more failed a check of how they were measured)" if left_out else "")
            + f"; at least {LEAST} are needed and {ADVISED} advised."
        )
    values, predicted = values[chosen], every[chosen]
    if is_relative(predictor.target):
        residuals = values / predicted - 1
    else:
        link = predictor.link
        # A measurement at the ceiling or above has no place on its scale.
        below = values
        if not link.is_identity:
            below = np.minimum(values, link.ceiling - 1e-6 * (link.ceiling - link.center))
        residuals = link.forward(below) - link.forward(predicted)
    table = pd.DataFrame(
        {
            "id": optima.frame["id"].to_numpy()[chosen],
            "predicted": predicted,
            "measured": values,
            "residual": values - predicted,
        }
    )
    return SearchCalibration(predictor, residuals, table)


def random_optima(front: Front, count: int, *, seed: int) -> list[Candidate]:
    """Distinct optima of a front, each as likely as another, so that there are most where answers
    differ by least cost; fewer where it has no more."""
    found: dict[str, Candidate] = {}
    for budget in np.random.default_rng(seed).permutation(front.costs).tolist():
        candidate = front.within(budget)
        found.setdefault(candidate.architecture.id, candidate)
        if len(found) == count:
            break
    return list(found.values())
