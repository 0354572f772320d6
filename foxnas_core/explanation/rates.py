"""What a unit of cost buys of the objective, where one is traded for the other."""

import numpy as np
from numpy.typing import ArrayLike

from foxnas_core.table.metrics import Metric


def rates(
    gained: ArrayLike, paid: ArrayLike, low: ArrayLike, high: ArrayLike, gain: Metric, cost: Metric
) -> np.ndarray:
    """The objective's change per unit of the cost's (n,), above 0: what is won for each that is
    paid, or lost for each that is saved. Missing where both become better or both worse, so that
    nothing is traded, and where the interval of the cost's change, `low` to `high`, spans 0."""
    better, saved = gain.sign * np.asarray(gained, float), cost.sign * np.asarray(paid, float)
    clear = np.asarray(low, float) * np.asarray(high, float) > 0
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.abs(better / saved)
    return np.where(clear & (better * saved < 0), found, np.nan)
