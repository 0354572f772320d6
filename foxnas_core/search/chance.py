"""The probability that measurements bear out a prediction: that a subnet keeps a limit, or that one
is better than another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from foxnas_core.regression import Predictor
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.exact import Front
from foxnas_core.search.limits import Limit
from foxnas_core.search.lookup import LookedUp
from foxnas_core.space.architecture import Architecture

# Below this share of the budget a spread is none: counts (parameters) are predicted exactly.
_EXACT = 1e-9


def chance_within(
    front: Front,
    budgets: np.ndarray,
    points: np.ndarray,
    calibration: SearchCalibration | None = None,
) -> np.ndarray:
    """The probability (n,) that `points` (n,) of the front measure within `budgets` (n,).

    By the calibration where there is one: what other optima measured. Else by the regression's
    prediction distribution, Student's t with the standard error of a new measurement, which holds
    for a subnet chosen without regard to the data and is too hopeful of a searched one. What was
    looked up in a table is normal with the standard error of two measurements, or certain where no
    error is known.
    """
    costs = front.costs[points]
    if calibration is not None:
        return np.array([calibration.chance(c, b) for c, b in zip(costs, budgets, strict=True)])
    limit = front.problem.limits[0]
    predictor = limit.predictor
    distinct, place = np.unique(points, return_inverse=True)
    architectures = [front.candidate(int(point)).architecture for point in distinct]
    if isinstance(predictor, LookedUp):
        values, errors = predictor.told(predictor.space.encode(architectures))
        return _by_readings(limit.sign * (budgets - values[place]), errors[place])
    assert isinstance(predictor, Predictor), "only a regression knows how sure it is"
    _, spread = predictor.measuring(predictor.space.encode(architectures))
    rest = predictor.link.forward(budgets) - predictor.link.forward(costs)
    return _chance(predictor, rest, spread[place], _EXACT * np.abs(budgets))


def chance_kept(
    limit: Limit, architecture: Architecture, calibration: SearchCalibration | None = None
) -> float:
    """The probability that an architecture measures within a limit, as in `chance_within`."""
    predictor = limit.predictor
    if isinstance(predictor, LookedUp):
        [value], error = predictor.told(predictor.space.encode([architecture]))
        return float(_by_readings(np.array([limit.sign * (limit.bound - value)]), error)[0])
    assert isinstance(predictor, Predictor), "only a regression knows how sure it is"
    if calibration is not None:
        value = float(predictor.predict([architecture])["value"].iloc[0])
        return calibration.chance(value, limit.bound)
    eta, spread = predictor.measuring(predictor.space.encode([architecture]))
    rest = limit.budget - limit.cost_of(eta)
    return float(_chance(predictor, rest, spread, _EXACT * np.abs(eta))[0])


@dataclass(frozen=True, eq=False)
class Gains:
    """By how much each of several architectures is predicted better than a `ratio` times what
    another one has, (n,) in the target's unit, and the standard errors (n,) of that where both are
    measured; `blur` (n,) is what is none.

    The differences are Student's t about their prediction; their variance is that of the difference
    of both means, by the delta method through the link, and of the scatter of measured differences
    (`Predictor.difference_variance`).
    """

    predictor: Predictor
    gain: np.ndarray
    spread: np.ndarray
    blur: np.ndarray

    @classmethod
    def over(
        cls,
        predictor: Predictor,
        before: Architecture,
        afters: Sequence[Architecture],
        ratio: float = 1.0,
    ) -> "Gains":
        link = predictor.link
        codes = predictor.space.encode([before, *afters])
        rows = predictor.form.matrix(codes)
        eta = rows @ predictor.estimates
        slope = link.slope(eta)
        scaled, by_rate = slope[:, np.newaxis] * rows, slope * link.rate_pull(eta)
        std_error = predictor.std_error(
            scaled[1:] - ratio * scaled[:1], by_rate[1:] - ratio * by_rate[:1]
        )
        own = np.repeat(codes[:1], len(afters), axis=0)
        scatter = predictor.difference_variance(own, codes[1:], ratio)
        values = link.inverse(eta)
        gain = predictor.target.sign * (values[1:] - ratio * values[:1])
        return cls(predictor, gain, np.sqrt(std_error**2 + scatter), _EXACT * np.abs(values[1:]))

    def chances(self, amount: float) -> np.ndarray:
        """The probabilities (n,) that they measure better by `amount` at least."""
        return _chance(self.predictor, self.gain - amount, self.spread, self.blur)

    def margins(self, surely: float) -> np.ndarray:
        """How much better than an amount each (n,) is to be predicted, to keep it so surely."""
        own = np.where(self.spread <= self.blur, 0.0, self.spread)
        return own * float(scipy.special.stdtrit(self.predictor.residual_df, surely))


def _by_readings(room: np.ndarray, errors: np.ndarray) -> np.ndarray:
    """The probability (n,) that another measurement leaves room, the errors (n,) being known or
    NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = scipy.special.ndtr(room / (np.sqrt(2) * errors))
    return np.where(errors > 0, chance, room >= 0)


def _chance(
    predictor: Predictor, rest: np.ndarray, spread: np.ndarray, blur: np.ndarray
) -> np.ndarray:
    """The probability (n,) that what is left is not taken up by errors of such a spread; errors
    below `blur` are none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = scipy.special.stdtr(predictor.residual_df, rest / spread)
    return np.where(spread <= blur, rest >= -blur, chance)
