"""Whether the errors are as normal as prediction intervals take them to be."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import scipy

LEVEL = 0.95
ALPHA = 0.01


@dataclass(frozen=True, eq=False)
class Normality:
    """`points` has one row a measured row, by residual: row, id, theoretical, studentised, low,
    high.

    `theoretical` are the quantiles of Student's t on n - p - 1 degrees of freedom at
    (i - 1/2) / n; `low` and `high` bound 95 % of the i-th smallest of n such values, each point
    for itself: the i-th of n uniform values follows Beta(i, n + 1 - i). `statistic` and `p` are
    Anderson and Darling's of the internally studentised residuals; `skewness` and
    `excess_kurtosis` theirs, 0 for normal errors.
    """

    points: pd.DataFrame
    statistic: float
    p: float
    skewness: float
    excess_kurtosis: float

    @property
    def outside(self) -> float:
        """The share of points outside the band: about 5 % where errors are normal."""
        out = (self.points["studentised"] < self.points["low"]) | (
            self.points["studentised"] > self.points["high"]
        )
        return float(out.mean())

    @property
    def sentence(self) -> str:
        test = f"Anderson–Darling {self.statistic:.2f}, {p_text(self.p)}"
        shares = f"{100 * self.outside:.0f} % of points lie outside the band"
        if self.p >= ALPHA:
            return f"Nothing speaks against normal errors ({test}); {shares}, 5 % would by chance."
        tails = "heavier" if self.excess_kurtosis > 0 else "lighter"
        return (
            f"The errors are not normal ({test}, below {ALPHA}): {tails} tails than normal "
            f"(excess kurtosis {self.excess_kurtosis:.1f}), skewness {self.skewness:.1f}; {shares} "
            "instead of 5 %. Intervals of effects bear it with many rows, prediction intervals "
            "of single subnets do not: check them against the cross-validated points."
        )


def normality(residuals: pd.DataFrame, residual_df: int) -> Normality:
    """How normal the errors of a `residual_table` are, on n - p degrees of freedom."""
    own = residuals[["row", "id", "studentised"]].dropna().sort_values("studentised", kind="stable")
    n = len(own)
    i = np.arange(1, n + 1)
    tail = (1 - LEVEL) / 2
    df = max(residual_df - 1, 1)
    points = own.assign(
        theoretical=scipy.special.stdtrit(df, (i - 0.5) / n),
        low=scipy.special.stdtrit(df, scipy.special.betaincinv(i, n + 1 - i, tail)),
        high=scipy.special.stdtrit(df, scipy.special.betaincinv(i, n + 1 - i, 1 - tail)),
    )[["row", "id", "theoretical", "studentised", "low", "high"]]
    standardised = residuals["standardised"].dropna().to_numpy()
    centred = standardised - standardised.mean()
    spread = np.sqrt(np.mean(centred**2))
    statistic = _anderson_darling(centred / standardised.std(ddof=1))
    return Normality(
        points.reset_index(drop=True),
        statistic,
        _anderson_darling_p(statistic, len(standardised)),
        skewness=float(np.mean(centred**3) / spread**3),
        excess_kurtosis=float(np.mean(centred**4) / spread**4 - 3),
    )


def _anderson_darling(scaled: np.ndarray) -> float:
    """A² = -n - Σ (2i - 1)(ln Φ(zᵢ) + ln Φ(-zₙ₊₁₋ᵢ)) / n of values of mean 0 and variance 1; the
    logarithms are taken in one step, since Φ of a far outlier is 0 or 1."""
    z = np.sort(scaled)
    n = len(z)
    weights = 2 * np.arange(1, n + 1) - 1
    return float(-n - weights @ (scipy.special.log_ndtr(z) + scipy.special.log_ndtr(-z[::-1])) / n)


def _anderson_darling_p(statistic: float, rows: int) -> float:
    """With mean and variance estimated (Stephens in D'Agostino and Stephens, "Goodness-of-fit
    techniques", 1986, table 4.9)."""
    a = statistic * (1 + 0.75 / rows + 2.25 / rows**2)
    if a < 0.2:
        return float(-np.expm1(-13.436 + 101.14 * a - 223.73 * a**2))
    if a < 0.34:
        return float(-np.expm1(-8.318 + 42.796 * a - 59.938 * a**2))
    if a < 0.6:
        return float(np.exp(0.9177 - 4.279 * a - 1.38 * a**2))
    # The parabola turns up again far beyond any p of interest.
    return float(np.exp(1.2937 - 5.709 * min(a, 13) + 0.0186 * min(a, 13) ** 2))


def p_text(p: float) -> str:
    """A p-value as it is read: two significant digits, or below .001."""
    return f"p = {p:.2g}" if p >= 0.001 else "p < 0.001"
