"""The mean of predictions, with the derivatives that the delta method needs."""

import numpy as np

from foxnas_core.regression import Predictor


def mean_prediction(predictor: Predictor, rows: np.ndarray) -> tuple[float, np.ndarray, float]:
    """The mean, in the target's unit, of the predictions of regression rows (n, terms), and its
    derivatives by the estimates (terms,) and by the link's rate."""
    link = predictor.link
    eta = rows @ predictor.estimates
    slope = link.slope(eta)
    by_rate = float(np.mean(slope * link.rate_pull(eta)))
    return float(np.mean(link.inverse(eta))), slope @ rows / len(rows), by_rate
