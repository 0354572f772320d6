"""Whether the form leaves something out, and whether errors are as large everywhere."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import chdtrc, fdtrc

from foxnas_core.diagnostics.fitted import FittedRows
from foxnas_core.diagnostics.normality import p_text

ALPHA = 0.01
_TOLERANCE = 1e-10


@dataclass(frozen=True)
class Outcome:
    """A statistic with its degrees of freedom: two of F, one of chi-squared; `p` is missing
    where the rows leave none."""

    name: str
    statistic: float
    df: tuple[int, ...]
    p: float

    @property
    def rejects(self) -> bool:
        return self.p < ALPHA

    @property
    def text(self) -> str:
        """The result as it is quoted: F(2, 604) = 3.21, p = 0.041."""
        symbol = "F" if len(self.df) == 2 else "χ²"
        return f"{symbol}({', '.join(map(str, self.df))}) = {self.statistic:.3g}, {p_text(self.p)}"


@dataclass(frozen=True)
class Specification:
    """RESET and two tests of equal error variance: White's in the prediction alone, and Breusch
    and Pagan's in all terms."""

    reset: Outcome
    white: Outcome
    breusch_pagan: Outcome

    @property
    def tests(self) -> tuple[Outcome, ...]:
        return self.reset, self.white, self.breusch_pagan

    @property
    def table(self) -> pd.DataFrame:
        """One row a test: test, statistic, df, p, limit."""
        return pd.DataFrame(
            [
                {
                    "test": test.name, "statistic": test.statistic,
                    "df": ", ".join(map(str, test.df)), "p": test.p, "limit": ALPHA,
                }
                for test in self.tests
            ]
        )  # fmt: skip

    @property
    def reset_sentence(self) -> str:
        if self.reset.rejects:
            return (
                f"RESET: {self.reset.text}, below {ALPHA}: squares and cubes of the predictions "
                "explain what the form leaves, so effects do not quite add up on this scale."
            )
        return (
            f"RESET: {self.reset.text}: squares and cubes of the predictions explain no more, so "
            "nothing speaks against effects that add up."
        )

    @property
    def variance_sentence(self) -> str:
        tests = f"White {self.white.text}; Breusch–Pagan {self.breusch_pagan.text}"
        if self.white.rejects or self.breusch_pagan.rejects:
            return f"Errors are not equally large everywhere ({tests}; limit {ALPHA}): use HC3 \
intervals."
        return f"Nothing speaks against errors that are equally large everywhere ({tests})."


def specification(rows: FittedRows) -> Specification:
    """What speaks against the form of a fit, and against equal error variance."""
    spread = rows.fitted - rows.fitted.mean()
    scaled = spread / np.sqrt(np.mean(spread**2))
    powers = np.column_stack([scaled**2, scaled**3])
    prediction = np.linalg.qr(np.column_stack([np.ones(len(rows)), scaled, scaled**2]))[0]
    terms = np.linalg.qr(rows.x / rows.scale[:, np.newaxis])[0]
    return Specification(
        _reset(rows, powers),
        _breusch_pagan("White, in the prediction and its square", rows.residuals, prediction),
        _breusch_pagan("Breusch–Pagan, in all terms", rows.residuals, terms),
    )


def _reset(rows: FittedRows, powers: np.ndarray) -> Outcome:
    """Ramsey's RESET (JRSS B 31, 1969): the F test of ŷ² and ŷ³ beside the form's terms.

    Powers of the scaled prediction span the same with the form's terms, which hold the constant
    and the prediction itself.
    """
    name = "RESET, squares and cubes of the prediction"
    left = powers - rows.q @ (rows.q.T @ powers)
    left -= rows.q @ (rows.q.T @ left)
    # Where predictions take two or three values only, powers add fewer columns than two.
    u, singular, _ = np.linalg.svd(left, full_matrices=False)
    u = u[:, singular > _TOLERANCE * np.linalg.norm(powers)]
    explained = u.T @ rows.residuals
    gain, rest = float(explained @ explained), float(rows.residuals @ rows.residuals)
    df = len(rows) - rows.x.shape[1] - u.shape[1]
    if not u.shape[1] or df <= 0:
        return Outcome(name, float("nan"), (u.shape[1], max(df, 0)), float("nan"))
    statistic = (gain / u.shape[1]) / ((rest - gain) / df)
    return Outcome(name, statistic, (u.shape[1], df), float(fdtrc(u.shape[1], df, statistic)))


def _breusch_pagan(name: str, residuals: np.ndarray, q: np.ndarray) -> Outcome:
    """Koenker's form (J. Econometrics 17, 1981): n R² of e² on the columns `q` (n, k + 1),
    orthonormal and with the constant among what they span, is chi-squared on k."""
    squares = residuals**2
    centred = squares - squares.mean()
    fitted = q.T @ centred
    statistic = len(squares) * float(fitted @ fitted) / float(centred @ centred)
    df = q.shape[1] - 1
    return Outcome(name, statistic, (df,), float(chdtrc(df, statistic)))
