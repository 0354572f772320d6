"""The probability that a subnet of a front keeps a budget when it is measured."""

import numpy as np
from scipy.special import stdtr

from foxnas_core.regression import Predictor
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.exact import Front

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
    for a subnet chosen without regard to the data and is too hopeful of a searched one.
    """
    costs = front.costs[points]
    if calibration is not None:
        return np.array([calibration.chance(c, b) for c, b in zip(costs, budgets, strict=True)])
    predictor = front.problem.limits[0].predictor
    assert isinstance(predictor, Predictor), "only a regression knows how sure it is"
    distinct, place = np.unique(points, return_inverse=True)
    architectures = [front.candidate(int(point)).architecture for point in distinct]
    rows = predictor.form.matrix(predictor.space.encode(architectures))
    eta = rows @ predictor.estimates
    std_error = predictor.std_error(rows, predictor.link.rate_pull(eta))
    spread = np.sqrt(std_error**2 + predictor.residual_variance)[place]
    rest = predictor.link.forward(budgets) - predictor.link.forward(costs)
    sure = spread <= _EXACT * np.abs(budgets)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = stdtr(predictor.residual_df, rest / spread)
    return np.where(sure, rest >= -_EXACT * np.abs(budgets), chance)
