"""Rows weighed by relative errors, so that small costs count as much as large ones and outliers
hardly at all; and steps that only add, shrunk.

Iteratively reweighted least squares: weights of 1 / fitted², times Tukey's bisquare of the relative
residuals over their scale, the normalised median of their sizes (Beaton and Tukey, Technometrics
16, 1974; Huber, "Robust Statistics", 1981, section 7.8). A form whose terms only add has
coefficients of at least 0 (Lawson and Hanson, "Solving Least Squares Problems", 1974, chapter 23)
and a ridge on standardised columns (Hoerl and Kennard, Technometrics 12, 1970), whose share is
chosen by the error on held-out rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from foxnas_core.regression.features import Form

LEAST_SQUARES, RELATIVE = "least_squares", "relative"
ESTIMATORS: Mapping[str, str] = {
    LEAST_SQUARES: "Least squares",
    RELATIVE: "Relative errors, outliers weighed down",
}
SHARES = (0.005, 0.015, 0.05)  # of a column's square sum, added to it by the ridge
_ROUNDS = 4
_TUNING = 4.685  # efficiency of .95 where residuals are normal
_NORMAL = 0.6745  # the median size of a standard normal
_TINY = 1e-11  # the ridge of what the context alone decides
_LEAST_SCALE = 1e-9
_LEAST_WEIGHT = 1e-4  # that no row goes entirely


@dataclass(frozen=True, eq=False)
class Products:
    """Cross products of weighted rows: X'WX (terms, terms) and X'Wy (terms,)."""

    gram: np.ndarray
    moment: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> "Products":
        weighted = x * weights[:, np.newaxis]
        return cls(weighted.T @ x, weighted.T @ y)

    def without(self, other: "Products") -> "Products":
        return Products(self.gram - other.gram, self.moment - other.moment)

    def solve(self, form: Form, share: float) -> np.ndarray:
        """Estimates (terms,) of a form, shrunk by `share` and none but the context's below 0 where
        its terms only add."""
        if not form.adds_only:
            size = np.sqrt(np.diag(self.gram))
            return np.linalg.solve(self.gram / np.outer(size, size), self.moment / size) / size
        return self._adding(form, share)

    def _adding(self, form: Form, share: float) -> np.ndarray:
        from scipy.linalg import solve_triangular
        from scipy.optimize import nnls

        size = _size(self.gram)
        gram = self.gram / np.outer(size, size) + np.diag(ridge_of(form, share) + _TINY)
        root = np.linalg.cholesky(gram)
        response = solve_triangular(root, self.moment / size, lower=True)
        # The intercept is of any sign. The rows of the root have the solution of all rows.
        columns = np.column_stack([root.T, -root[0]])
        found = nnls(columns, response, maxiter=30 * len(size))[0]
        return np.concatenate([found[:1] - found[-1:], found[1:-1]]) / size

    def penalty(self, form: Form, share: float) -> np.ndarray:
        """What the ridge adds to the diagonal (terms,) of X'WX."""
        return (ridge_of(form, share) + _TINY) * _size(self.gram) ** 2


def _size(gram: np.ndarray) -> np.ndarray:
    own = np.diag(gram)
    return np.sqrt(np.where(own > 0, own, 1.0))


def ridge_of(form: Form, share: float) -> np.ndarray:
    """The ridge (terms,) in shares of a column's square sum: none on what the context alone
    decides."""
    return np.array([share if term.group else 0.0 for term in form.terms])


def weigh(form: Form, x: np.ndarray, y: np.ndarray, share: float = SHARES[1]) -> np.ndarray:
    """The weights (n,) of rows `x` (n, terms) with values `y` (n,) above 0."""
    fitted, resistance = y, np.ones(len(y))
    for _ in range(_ROUNDS):
        estimates = Products.of(x, y, resistance / fitted**2).solve(form, share)
        fitted = _above_zero(x @ estimates, y)
        taken = int(np.count_nonzero(estimates))
        z = (y / fitted - 1) / _scale(y / fitted - 1, taken)
        resistance = np.maximum(bisquare(z), _LEAST_WEIGHT)
    return resistance / fitted**2


def effective(gram: np.ndarray, penalty: np.ndarray, taken: np.ndarray) -> float:
    """How many parameters the shrunk terms that `taken` (terms,) marks amount to: the trace of
    X'WX (X'WX + D)⁻¹ (Hastie, Tibshirani and Friedman, 2009, section 3.4)."""
    own = gram[np.ix_(taken, taken)]
    return float(np.trace(np.linalg.solve(own + np.diag(penalty[taken]), own)))


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
    return float((np.quantile(sizes, level) / stdtrit(df, (1 + level) / 2)) ** 2)


def _scale(residuals: np.ndarray, parameters: float) -> float:
    """The scale of residuals (n,) that fits of so many parameters have made small."""
    left = max(1 - parameters / len(residuals), 0.1)
    return max(float(np.median(np.abs(residuals))) / _NORMAL / left**0.5, _LEAST_SCALE)
