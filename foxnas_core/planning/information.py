"""The information matrix of regression rows, kept with its inverse through exchanges of rows.

Rows X (n, terms) of a least-squares fit have the information M = X'X; the estimates' covariance is
σ² M⁻¹. A row x added gives det(M + xx') = det M · (1 + x'M⁻¹x), and M⁻¹ by Sherman and Morrison's
formula ("Adjustment of an inverse matrix", Annals of Mathematical Statistics 21, 1950).
"""

import numpy as np

# A new study's rows tell few terms apart. So little prior information for each term makes the
# determinant comparable, and is lost beside one row (DuMouchel and Jones, "A simple Bayesian
# modification of D-optimal designs", Technometrics 36, 1994).
PRIOR = 1e-3
_INDEPENDENT = 1e-9


class Information:
    """M⁻¹ (`inverse`, terms × terms) and ln det M (`log_det`), updated row by row."""

    def __init__(self, matrix: np.ndarray) -> None:
        """`matrix` (terms, terms) is M, positive definite."""
        self.inverse = np.linalg.inv(matrix)
        self.log_det = float(np.linalg.slogdet(matrix)[1])

    def add(self, row: np.ndarray) -> None:
        self._update(row, 1.0)

    def remove(self, row: np.ndarray) -> None:
        """The inverse of `add`; what is left must be positive definite."""
        self._update(row, -1.0)

    def gains(self, rows: np.ndarray) -> np.ndarray:
        """By how much ln det M grows with each of `rows` (n, terms) alone: (n,)."""
        return np.log1p(np.einsum("ij,ij->i", rows @ self.inverse, rows))

    def _update(self, row: np.ndarray, sign: float) -> None:
        pulled = self.inverse @ row
        growth = 1.0 + sign * float(row @ pulled)
        self.inverse -= sign * np.outer(pulled, pulled) / growth
        self.log_det += float(np.log(growth))


def information_of(rows: np.ndarray) -> tuple[np.ndarray, bool]:
    """X'X of regression rows (n, terms), and whether they tell all terms apart.

    Where they don't, `PRIOR` is added for each term.
    """
    matrix = rows.T @ rows
    values = np.linalg.eigvalsh(matrix)
    known = bool(values[0] > _INDEPENDENT * max(values[-1], 1.0))
    return (matrix if known else matrix + PRIOR * np.eye(len(matrix))), known
