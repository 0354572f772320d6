"""Rows that repeat an architecture: what they tell of its error is little of what others err by.

The error of a row is that of its architecture, which the terms leave out and its rows share, and
its own: y = x'b + u + e. Least squares over all rows has the covariance

    (X'X)⁻¹ X'VX (X'X)⁻¹,  X'VX = σ² X'X + τ² Σ (nx)(nx)'

summed over architectures of n rows each. σ² is estimated by how rows of one architecture differ, τ²
by what the residuals have beyond it, on (architectures - terms) degrees of freedom (Moulton,
"Random group effects and the precision of regression estimates", J. Econometrics 32, 1986; Donald
and Lang, "Inference with difference-in-differences and other panel data", Review of Economics and
Statistics 89, 2007). A table that holds every row twice tells as much as one that holds it once.
Where nothing speaks for a shared error, by the test for lack of fit at a level of 25 %, each row
counts (Bancroft and Han, "A note on pooling variances", JASA 78, 1983).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

# Of the test that decides whether rows of one architecture err together.
_LEVEL = 0.25


@dataclass(frozen=True, eq=False)
class Repeats:
    """Which rows are of one architecture: `member` (n,) numbers each row's, in the order of their
    first rows `first` (architectures,); `counts` (architectures,) are the rows of each."""

    member: np.ndarray
    first: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, codes: np.ndarray) -> "Repeats":
        """Those among the rows of `codes` (n, decisions)."""
        member, _ = pd.factorize(np.array([row.tobytes() for row in codes], dtype=object))
        first = np.flatnonzero(np.diff(np.maximum.accumulate(member), prepend=-1))
        return cls(member, first, np.bincount(member))

    @classmethod
    def none(cls, rows: int) -> "Repeats":
        """Where each row is an architecture of its own."""
        return cls(np.arange(rows), np.arange(rows), np.ones(rows, dtype=int))

    def __len__(self) -> int:
        return len(self.counts)

    @property
    def any(self) -> bool:
        return len(self.counts) < len(self.member)

    @property
    def share(self) -> float:
        """Architectures for each row."""
        return len(self.counts) / len(self.member)

    def summed(self, values: np.ndarray) -> np.ndarray:
        """The sum (architectures,) of values (n,) over the rows of each."""
        return np.bincount(self.member, values)

    def leverage(self, q: np.ndarray) -> np.ndarray:
        """That (architectures,) of all rows of each, for orthonormal columns `q` (n, terms)."""
        own = q[self.first]
        return (self.counts * np.einsum("ij,ij->i", own, own)).clip(0, 1)

    def own_square(self, values: np.ndarray) -> float:
        """The sum of squares of values (n,) about the mean of each architecture's."""
        rest = self._about_means(values)
        return float(rest @ rest)

    def _about_means(self, values: np.ndarray) -> np.ndarray:
        return values - (self.summed(values) / self.counts)[self.member]

    def erring(self, q: np.ndarray, response: np.ndarray) -> "Repeats":
        """These, where the rows of one err together beside what the columns `q` (n, terms) tell of
        `response` (n,), else none."""
        (n, p), groups = q.shape, len(self.counts)
        if not self.any or groups <= p:
            return self.none(n)
        residuals = response - q @ (q.T @ response)
        own = self.own_square(residuals)
        lack = max(float(residuals @ residuals) - own, 0.0) / (groups - p)
        own /= n - groups
        together = (
            lack > 0
            if own <= 0
            else scipy.special.fdtrc(groups - p, n - groups, lack / own) < _LEVEL
        )
        return self if together else self.none(n)

    def covariance(self, q: np.ndarray, residuals: np.ndarray) -> tuple[np.ndarray, float]:
        """The covariance (terms, terms) of the estimates in the coordinates of `q` (n, terms), and
        the variance of one row, from the `residuals` (n,) of a fit; where rows are `erring`."""
        [[own]], [[shared]], spread = self.components(q, residuals[np.newaxis])
        return own * np.eye(len(spread)) + shared * spread, float(own + shared)

    def components(
        self, q: np.ndarray, residuals: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Of the `residuals` (k, n) of k fits to the same rows: the covariances (k, k) of their
        rows' own errors, and of those that rows of one architecture share; and Σ (nx)(nx)' (terms,
        terms) in the coordinates of `q`."""
        n, p = q.shape
        rest = np.stack([self._about_means(own) for own in residuals])
        own = rest @ rest.T / (n - len(self.counts))
        sums = q[self.first] * self.counts[:, np.newaxis]
        spread = sums.T @ sums
        shared = (residuals @ residuals.T - own * (n - p)) / (n - float(np.trace(spread)))
        values, vectors = np.linalg.eigh(shared)
        return own, (vectors * values.clip(0)) @ vectors.T, spread
