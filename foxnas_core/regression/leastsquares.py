"""Least squares on all folds but one, for many responses at once, from one factorisation.

With X = QR, the fit without the rows of a fold f solves (I - Q_f'Q_f) a = Q'y - Q_f'y_f in the
coordinates of Q, and predicts Q_f a there.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

FOLDS = 10
# Standard errors by which a squared error must be larger to count as larger.
CLEARLY = 2.0
_TOLERANCE = 1e-10
_LEAST_REST = 1e-9  # of a row that settles a term alone


@dataclass(frozen=True, eq=False)
class Fold:
    """The rows `held` (rows,) of one fold, `kept` the others, and `inverse` of I - Q_f'Q_f."""

    held: np.ndarray
    kept: np.ndarray
    own: np.ndarray
    inverse: np.ndarray


@dataclass(frozen=True, eq=False)
class FoldedRows:
    """Regression rows X (n, terms) as QR, dealt into folds: `fold` (n,) numbers each row's."""

    q: np.ndarray
    r: np.ndarray
    fold: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray, fold: np.ndarray) -> "FoldedRows":
        return cls(*np.linalg.qr(x), fold)

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        return tuple(self._folds())

    def _folds(self) -> Iterator[Fold]:
        for number in np.unique(self.fold):
            held = self.fold == number
            own = self.q[held]
            left = np.eye(self.q.shape[1]) - own.T @ own
            # Where the others can't tell two columns apart, the smallest solution is taken.
            inverse = np.linalg.pinv(left, rcond=_TOLERANCE, hermitian=True)
            yield Fold(np.flatnonzero(held), np.flatnonzero(~held), own, inverse)

    def predict(self, response: np.ndarray) -> np.ndarray:
        """Each row's prediction by the fit without its fold; `response` (n,) or (n, k)."""
        predicted = np.empty_like(response, dtype=float)
        projected = self.q.T @ response
        for fold in self.folds:
            solution = fold.inverse @ (projected - fold.own.T @ response[fold.held])
            predicted[fold.held] = fold.own @ solution
        return predicted


def deal_folds(members: np.ndarray, seed: int, folds: int = FOLDS) -> np.ndarray:
    """The fold (n,) of each row: rows of one member (n,), of one network, stay together, so that
    none is predicted from its own repeats."""
    distinct, member = np.unique(members, return_inverse=True)
    dealt = np.arange(len(distinct)) % folds
    np.random.default_rng(seed).shuffle(dealt)
    return dealt[member]


def clearly_above(errors: np.ndarray, least: np.ndarray) -> bool:
    """Whether squared errors (rows,) exceed other ones of the same rows by more than `CLEARLY`
    standard errors of the mean difference."""
    excess = errors - least
    return bool(excess.mean() > CLEARLY * excess.std() / np.sqrt(len(excess)))


def leverage(q: np.ndarray) -> np.ndarray:
    """The diagonal (n,) of the hat matrix QQ' of orthonormal columns `q` (n, terms)."""
    return np.einsum("ij,ij->i", q, q).clip(0, 1)


def wild_samples(
    q: np.ndarray, response: np.ndarray, count: int, rng: np.random.Generator
) -> np.ndarray:
    """Responses (n, count) that are the fit of `response` (n,) plus its residuals, widened for
    their leverage, with random signs (Wu, "Jackknife, bootstrap and other resampling methods in
    regression analysis", Annals of Statistics 14, 1986)."""
    fitted = q @ (q.T @ response)
    residuals = (response - fitted) / np.sqrt(np.maximum(1 - leverage(q), _LEAST_REST))
    signs = rng.choice([-1.0, 1.0], size=(len(response), count))
    return fitted[:, np.newaxis] + residuals[:, np.newaxis] * signs
