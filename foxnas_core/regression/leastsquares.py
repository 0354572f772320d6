"""Least squares on all folds but one, for many responses at once, from one factorisation.

With X = QR, the fit without the rows of a fold f solves (I - Q_f'Q_f) a = Q'y - Q_f'y_f in the
coordinates of Q, and predicts Q_f a there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from foxnas_core.regression.repeats import Repeats

FOLDS = 10
# Standard errors by which a squared error must be larger to count as larger.
CLEARLY = 2.0
_TOLERANCE = 1e-10
_ALONG = 1e-6
_LEAST_REST = 1e-9  # of a row that settles a term alone


@dataclass(frozen=True, eq=False)
class Fold:
    """The rows `held` (rows,) of one fold, `kept` the others, and `inverse` of I - Q_f'Q_f.

    `alone` (rows,) says which of `held` lie along a `direction` (terms, directions), in the
    coordinates of Q, that the others don't: what a choice does that no other row has, say.
    """

    held: np.ndarray
    kept: np.ndarray
    own: np.ndarray
    inverse: np.ndarray
    direction: np.ndarray
    alone: np.ndarray


@dataclass(frozen=True, eq=False)
class FoldedRows:
    """Regression rows X (n, terms) as QR, dealt into folds: `fold` (n,) numbers each row's.

    Weighted rows are multiplied by `root` (n,), the roots of their weights.
    """

    q: np.ndarray
    r: np.ndarray
    fold: np.ndarray
    repeats: Repeats
    root: np.ndarray

    @classmethod
    def of(
        cls,
        x: np.ndarray,
        fold: np.ndarray | None = None,
        repeats: Repeats | None = None,
        weights: np.ndarray | None = None,
        penalty: np.ndarray | None = None,
    ) -> "FoldedRows":
        """Without `fold` all rows are in one; without `repeats` no two err together. With a
        `penalty` D (terms, terms) R'R is X'WX + D, for which all that is said here holds."""
        rows = np.zeros(len(x), dtype=int) if fold is None else fold
        root = np.ones(len(x)) if weights is None else np.sqrt(weights)
        weighted = x * root[:, np.newaxis]
        q, r = np.linalg.qr(stacked(weighted, penalty))
        return cls(q[: len(x)], r, rows, repeats or Repeats.none(len(x)), root)

    def erring(self, repeats: Repeats, response: np.ndarray) -> "FoldedRows":
        """The same, with those `repeats` that err together beside what X tells of `response`."""
        return replace(self, repeats=repeats.erring(self.q, response))

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        return tuple(self._folds())

    def _folds(self) -> Iterator[Fold]:
        for number in np.unique(self.fold):
            held = self.fold == number
            own = self.q[held]
            left = np.eye(self.q.shape[1]) - own.T @ own
            values, vectors = np.linalg.eigh(left)
            told = values > _TOLERANCE * values[-1]
            inverse = (vectors[:, told] / values[told]) @ vectors[:, told].T
            direction = vectors[:, ~told]
            alone = (np.abs(own @ direction) > _ALONG).any(axis=1)
            yield Fold(np.flatnonzero(held), np.flatnonzero(~held), own, inverse, direction, alone)

    @cached_property
    def alone(self) -> np.ndarray:
        """The rows (n,) that the fit without their fold can't predict: it has seen nothing of what
        tells them from others."""
        found = np.zeros(len(self.q), dtype=bool)
        for fold in self.folds:
            found[fold.held] = fold.alone
        return found

    def predict(self, response: np.ndarray) -> np.ndarray:
        """Each row's prediction by the fit without its fold, NaN for those `alone`; `response` (n,)
        or (n, k)."""
        root = self.root.reshape(-1, *[1] * (response.ndim - 1))
        response = response * root
        predicted = np.empty_like(response, dtype=float)
        projected = self.q.T @ response
        for fold in self.folds:
            solution = fold.inverse @ (projected - fold.own.T @ response[fold.held])
            predicted[fold.held] = fold.own @ solution
        predicted[self.alone] = np.nan
        return predicted / root


def stacked(x: np.ndarray, penalty: np.ndarray | None) -> np.ndarray:
    """Rows `x` (n, terms) above those of a ridge D, `penalty` (terms, terms), so that both have the
    cross products X'X + D."""
    if penalty is None:
        return x
    values, vectors = np.linalg.eigh(penalty)
    return np.vstack([x, np.sqrt(values.clip(0))[:, np.newaxis] * vectors.T])


def deal_folds(members: np.ndarray, seed: int, folds: int = FOLDS) -> np.ndarray:
    """The fold (n,) of each row: rows of one member (n,), of one network, stay together, so that
    none is predicted from its own repeats."""
    distinct, member = np.unique(members, return_inverse=True)
    dealt = np.arange(len(distinct)) % folds
    np.random.default_rng(seed).shuffle(dealt)
    return dealt[member]


def clearly_above(errors: np.ndarray, least: np.ndarray, members: np.ndarray | None = None) -> bool:
    """Whether squared errors (rows,) exceed other ones of the same rows by more than `CLEARLY`
    standard errors of the mean difference, of what both predict.

    Rows of one of `members` (rows,), numbered from 0, err together; without, each by itself.
    """
    both = np.isfinite(errors) & np.isfinite(least)
    if not both.any():
        return False
    excess = (errors - least)[both]
    rest = excess - excess.mean()
    if members is not None:
        rest = np.bincount(members[both], rest)
    return bool(excess.mean() > CLEARLY * np.sqrt(rest @ rest) / len(excess))


def leverage(q: np.ndarray) -> np.ndarray:
    """The diagonal (n,) of the hat matrix QQ' of orthonormal columns `q` (n, terms)."""
    return np.einsum("ij,ij->i", q, q).clip(0, 1)


def wild_samples(
    q: np.ndarray, response: np.ndarray, count: int, rng: np.random.Generator, repeats: Repeats
) -> np.ndarray:
    """Responses (n, count) that are the fit of `response` (n,) plus its residuals, widened for
    their leverage, with random signs (Wu, "Jackknife, bootstrap and other resampling methods in
    regression analysis", Annals of Statistics 14, 1986), one for all rows of an architecture."""
    fitted = q @ (q.T @ response)
    rest = np.maximum(1 - repeats.leverage(q), _LEAST_REST)
    residuals = (response - fitted) / np.sqrt(rest)[repeats.member]
    signs = rng.choice([-1.0, 1.0], size=(len(repeats), count))
    return fitted[:, np.newaxis] + residuals[:, np.newaxis] * signs[repeats.member]
