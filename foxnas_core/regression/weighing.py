"""Rows weighed by relative errors, so that small costs count as much as large ones and outliers
hardly at all.

Iteratively reweighted least squares: weights of 1 / fitted², times Tukey's bisquare of the relative
residuals over their scale, the normalised median of their sizes (Beaton and Tukey, Technometrics
16, 1974; Huber, "Robust Statistics", 1981, section 7.8).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import scipy

LEAST_SQUARES, RELATIVE = "least_squares", "relative"
ESTIMATORS: Mapping[str, str] = {
    LEAST_SQUARES: "Least squares",
    RELATIVE: "Relative errors, outliers weighed down",
}
_ROUNDS = 4
_TUNING = 4.685  # efficiency of .95 where residuals are normal
_NORMAL = 0.6745  # the median size of a standard normal
_LEAST_SCALE = 1e-9
_LEAST_WEIGHT = 1e-4  # that no row goes entirely


@dataclass(frozen=True, eq=False)
class Products:
    """Cross products of weighted rows: X'WX (terms, terms), X'Wy (terms,) and y'Wy; `rows` is how
    many count, outliers hardly at all."""

    gram: np.ndarray
    moment: np.ndarray
    square: float
    rows: float

    @classmethod
    def of(
        cls, x: np.ndarray, y: np.ndarray, weights: np.ndarray, rows: float | None = None
    ) -> "Products":
        weighted = x * weights[:, np.newaxis]
        count = len(y) if rows is None else rows
        return cls(weighted.T @ x, weighted.T @ y, float(weights @ y**2), count)

    def without(self, other: "Products") -> "Products":
        return Products(
            self.gram - other.gram,
            self.moment - other.moment,
            self.square - other.square,
            self.rows - other.rows,
        )

    def solve(self, penalty: np.ndarray | float = 0.0) -> np.ndarray:
        """Estimates (terms,) with `penalty` (terms, terms) added to X'WX."""
        gram = self.gram + penalty
        size = np.sqrt(np.diag(gram))
        return np.linalg.solve(gram / np.outer(size, size), self.moment / size) / size


def weigh(
    x: np.ndarray,
    y: np.ndarray,
    solve: Callable[[Products], tuple[np.ndarray, float]] | None = None,
) -> np.ndarray:
    """The weights (n,) of rows `x` (n, terms) with values `y` (n,) above 0; `solve` gives each
    round's estimates (terms,) and how many parameters they amount to."""
    solve = solve or (lambda products: (products.solve(), x.shape[1]))
    fitted, resistance = y, np.ones(len(y))
    for _ in range(_ROUNDS):
        weights = resistance / fitted**2
        estimates, parameters = solve(Products.of(x, y, weights, float(resistance.sum())))
        fitted = _above_zero(x @ estimates, y)
        z = (y / fitted - 1) / _scale(y / fitted - 1, parameters)
        resistance = np.maximum(bisquare(z), _LEAST_WEIGHT)
    return resistance / fitted**2


def spent(gram: np.ndarray, penalty: np.ndarray | float) -> float:
    """How many degrees of freedom fits of shrunk terms take from their residuals: tr(2H - HH') of
    the hat matrix H, more than they amount to, as shrinking leaves a part of what terms explain
    (Hastie and Tibshirani, "Generalized Additive Models", 1990, section 3.5)."""
    share = np.linalg.solve(gram + penalty, gram)
    return float(2 * np.trace(share) - np.sum(share * share.T))


def told(gram: np.ndarray, penalty: np.ndarray | float) -> np.ndarray:
    """How far rows, not the penalty, decide each term (terms,): the diagonal of
    (X'WX + D)⁻¹ X'WX (Hastie, Tibshirani and Friedman, 2009, section 3.4)."""
    return np.diag(np.linalg.solve(gram + penalty, gram))


def relative_residuals(y: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """By which share values `y` (n,) exceed their predictions (n,)."""
    return y / _above_zero(predicted, y) - 1


def _above_zero(predicted: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Predictions of which there can be shares: none below half the least value."""
    return np.maximum(predicted, y.min() / 2)


def bisquare(z: np.ndarray) -> np.ndarray:
    """Tukey's weights (n,) of residuals (n,) in units of their scale."""
    return np.where(np.abs(z) < _TUNING, (1 - (z / _TUNING) ** 2) ** 2, 0.0)


def spread(residuals: np.ndarray, parameters: float) -> float:
    """How much larger than (X'WX)⁻¹ the covariance of estimates is, from relative residuals (n,).

    s² Σψ² / (n - p) / mean(ψ')² · mean(w) of the bisquare's ψ and ψ', times Huber's correction for
    few rows (1981, section 7.6).
    """
    n = len(residuals)
    scale = _scale(residuals, parameters)
    weights, slopes = _resistance(residuals / scale)
    mean = float(slopes.mean())
    correction = 1 + parameters / n * float(slopes.var()) / mean**2
    square = float(((residuals * weights) ** 2).sum()) / (n - parameters)
    return (correction / mean) ** 2 * square * float(weights.mean())


def looseness(residuals: np.ndarray, parameters: float) -> float:
    """By which factor estimates move more with their rows than fixed weights would let them: as
    mean(w) / mean(ψ') of relative residuals (n,), since rows that move lose weight."""
    weights, slopes = _resistance(residuals / _scale(residuals, parameters))
    return float(weights.mean() / slopes.mean())


def _resistance(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The bisquare's weights (n,), and the slopes (n,) of its ψ, whose mean is some way above 0."""
    inside = (z / _TUNING) ** 2
    slopes = np.where(inside < 1, (1 - inside) * (1 - 5 * inside), 0.0)
    return bisquare(z), slopes + max(0.1 - float(slopes.mean()), 0.0)


def measured_variance(y: np.ndarray, held_out: np.ndarray, df: float, level: float = 0.95) -> float:
    """The variance of a new measurement's relative error, by whose Student interval on `df` degrees
    of freedom a share `level` of values `y` (n,) lie about their predictions `held_out` (n,)."""
    sizes = np.abs(relative_residuals(y, held_out))
    return float((np.quantile(sizes, level) / scipy.special.stdtrit(df, (1 + level) / 2)) ** 2)


def _scale(residuals: np.ndarray, parameters: float) -> float:
    """The scale of residuals (n,) that fits of so many parameters have made small."""
    left = max(1 - parameters / len(residuals), 0.1)
    return max(float(np.median(np.abs(residuals))) / _NORMAL / left**0.5, _LEAST_SCALE)
