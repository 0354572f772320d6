"""Standard errors of smooth functions of a fit, by the delta method."""

import numpy as np

from foxnas_core.regression import Predictor


def delta_errors(
    predictor: Predictor, by_estimates: np.ndarray, by_rate: np.ndarray | None = None
) -> np.ndarray:
    """Standard errors (n,) of values whose derivatives are `by_estimates` (n, terms) and, by the
    link's rate at fixed estimates, `by_rate` (n,).

    The covariance holds how the estimates move with the rate; a value that passes through the
    link moves with the rate directly as well: Var = g'Σg + Var(rate)·h(2 g'pull + h).
    """
    variance = np.einsum("ij,ij->i", by_estimates @ predictor.covariance, by_estimates)
    if predictor.ceiling is not None and by_rate is not None:
        pull = by_estimates @ predictor.ceiling.pull
        variance = variance + predictor.ceiling.rate_variance * by_rate * (2 * pull + by_rate)
    return np.sqrt(variance.clip(0))


def mean_prediction(predictor: Predictor, rows: np.ndarray) -> tuple[float, np.ndarray, float]:
    """The mean, in the target's unit, of the predictions of regression rows (n, terms), and its
    derivatives by the estimates (terms,) and by the link's rate."""
    link = predictor.link
    eta = rows @ predictor.estimates
    slope = link.slope(eta)
    by_rate = float(np.mean(slope * link.rate_pull(eta)))
    return float(np.mean(link.inverse(eta))), slope @ rows / len(rows), by_rate
