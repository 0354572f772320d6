"""How error, order and intervals depend on the number of measured rows, and how many more to
measure.

Subnets are drawn, the form is fitted to their rows and tried on all others. Widths of intervals
follow σ / √(n - p) where rows are drawn alike: (X'X)⁻¹ of n normal rows has the mean
Σ⁻¹ / (n - p - 1) (inverse Wishart), which for n well above p is the usual 1 / √n.
"""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from foxnas_core.diagnostics.fitted import FittedRows
from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric

SIZES = 8
REPEATS = 12
# More rows than this add time, and nothing that could be seen.
MOST_ROWS = 5000
_LARGEST_SHARE = 0.8
# A squared diagonal of the Cholesky factor below this share of the expected: can't tell terms.
_TOLERANCE = 1e-8
# An error this close to the least possible has come to rest.
_FLAT = 1.03


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """`table` has one row a size: rows, repeats, rmse, rmse_sd, tau, tau_sd, width, law.

    Means and standard deviations are over the `repeats` draws that can tell all terms apart.
    `rmse`, in the target's unit, and `tau`, Kendall's, are of rows that the fit did not see;
    `width` is the mean width of the 95 % intervals of the effects on the link's scale, and `law`
    what a / √(rows - parameters) gives for it, a fitted to the widths. `exponent` is
    the power of rows - parameters that the widths follow by themselves (-1/2 by the law; missing
    from fewer than three sizes). `rows` are those of the table, `width` their mean width, and
    `floor` the RMSE that no number of rows can undercut: that of the form with known effects.
    """

    target: Metric
    parameters: int
    rows: int
    used: int
    table: pd.DataFrame
    width: float
    exponent: float
    floor: float

    @property
    def halved_rows(self) -> int:
        """Rows at which intervals are half as wide: √(n' - p) = 2 √(n - p)."""
        return self.parameters + 4 * (self.rows - self.parameters)

    @property
    def more_rows(self) -> int:
        return self.halved_rows - self.rows

    @property
    def sentence(self) -> str:
        found = ""
        if math.isfinite(self.exponent):
            found = f" (over the parts drawn here with the power {self.exponent:.2f})"
        return (
            f"{self.more_rows:,} more rows, {self.halved_rows:,} in all, would halve the "
            f"intervals of effects: their widths fall with the power -0.5 of rows less "
            f"parameters{found}. That costs {self.more_rows / self.rows:.1f} times all the "
            "measuring done so far."
        )

    @property
    def error_sentence(self) -> str:
        last, unit = self.table.iloc[-1], self.target.difference_unit
        unit = f" {unit}" if unit else ""
        rmse, floor = float(last["rmse"]), self.floor
        found = f"With {last['rows']:,.0f} rows the RMSE is {self.target.text(rmse)}{unit}"
        least = f"about {self.target.text(floor)}{unit} is noise and what the form leaves out"
        if rmse < _FLAT * floor:
            return f"{found}, and more rows would hardly lower it: {least}."
        return f"{found}; more rows can lower it, but not below the noise: {least}."


def learning_curve(
    predictor: Predictor,
    table: MeasurementTable,
    *,
    sizes: int = SIZES,
    repeats: int = REPEATS,
    seed: int = 0,
) -> LearningCurve:
    """Fit the predictor's form to growing numbers of drawn architectures.

    All rows of an architecture are on one side. The link, where there is one, stays as fitted
    to all rows. From tables above `MOST_ROWS` rows that many are drawn. Raises `InvalidInput`
    where the rows can't be divided so that the form can be fitted to a part, or as
    `FittedRows.of`.
    """
    rows = FittedRows.of(predictor, table)
    rng = np.random.default_rng(seed)
    kept = np.arange(len(rows))
    if len(rows) > MOST_ROWS:
        kept = np.sort(rng.choice(len(rows), MOST_ROWS, replace=False))
    n, p = len(kept), rows.predictor.parameters
    largest = int(_LARGEST_SHARE * n)
    if largest < p + 2:
        raise InvalidInput(
            f"A learning curve of {p} parameters needs {math.ceil((p + 2) / _LARGEST_SHARE)} rows, "
            f"but {n} have {predictor.target.column}; measure more subnets or take a smaller form."
        )
    start = min(max(p + 2, int(1.5 * p)), max(p + 2, largest // 2))
    wanted = np.unique(np.geomspace(start, largest, sizes).round().astype(int))
    draws = _Draws.of(rows, kept)
    found = [
        {"size": size, **measured}
        for _ in range(repeats)
        for size, measured in draws.fits(wanted, rng)
    ]
    if not found:
        raise InvalidInput(
            f"Parts of these {n} rows can't tell all {p} terms of the form "
            f"{predictor.form.name!r} apart, so there is no learning curve; measure more subnets "
            "or take a smaller form."
        )
    curve = _summary(pd.DataFrame(found))
    freedom = curve["rows"].to_numpy() - p
    width = curve["width"].to_numpy()
    scale = float(np.exp(np.mean(np.log(width * np.sqrt(freedom)))))
    exponent = float("nan")
    if len(curve) > 2:
        exponent = float(np.polyfit(np.log(freedom), np.log(width), 1)[0])
    off = rows.measured - predictor.link.inverse(rows.fitted)
    return LearningCurve(
        target=predictor.target,
        parameters=p,
        rows=len(rows),
        used=n,
        table=curve.assign(law=scale / np.sqrt(freedom)),
        width=_mean_width(np.linalg.inv(rows.r), rows, rows.variance, predictor.residual_df),
        exponent=exponent,
        floor=float(np.sqrt(off @ off / (len(rows) - p))),
    )


@dataclass(frozen=True, eq=False)
class _Draws:
    """Rows to draw from, in an orthonormal basis of all their columns: there the rows of a part
    are nearly orthogonal, so that the normal equations lose no digits."""

    rows: FittedRows
    q: np.ndarray
    inverse: np.ndarray  # r⁻¹: from coordinates in q to estimates
    response: np.ndarray
    measured: np.ndarray
    scale: np.ndarray
    member: np.ndarray  # the number of each row's architecture

    @classmethod
    def of(cls, rows: FittedRows, kept: np.ndarray) -> "_Draws":
        member = np.unique(rows.members[kept], return_inverse=True)[1]
        return cls(
            rows,
            rows.q[kept],
            np.linalg.inv(rows.r),
            rows.response[kept],
            rows.measured[kept],
            rows.scale[kept],
            member,
        )

    def fits(
        self, sizes: np.ndarray, rng: np.random.Generator
    ) -> list[tuple[int, dict[str, float]]]:
        """One random order of architectures, fitted at each size where that can be done."""
        place = rng.permutation(self.member.max() + 1)[self.member]
        order = np.argsort(place, kind="stable")
        ends = np.flatnonzero(np.diff(place[order])) + 1  # whole architectures up to here
        found = []
        for size in sizes:
            end = ends[min(np.searchsorted(ends, size), len(ends) - 1)] if len(ends) else 0
            measured = self._fit(order[:end], order[end:])
            if measured is not None:
                found.append((int(size), measured))
        return found

    def _fit(self, part: np.ndarray, rest: np.ndarray) -> dict[str, float] | None:
        from scipy.linalg import solve_triangular
        from scipy.stats import kendalltau

        q, n, p = self.q[part], len(part), self.q.shape[1]
        if n <= p or len(rest) < 2:
            return None
        try:
            factor = np.linalg.cholesky(q.T @ q)
        except np.linalg.LinAlgError:
            return None
        if (np.diag(factor) ** 2).min() < _TOLERANCE * n / len(self.rows):
            return None
        half = solve_triangular(factor, q.T @ self.response[part], lower=True)
        solution = solve_triangular(factor.T, half)
        residuals = self.response[part] - q @ solution
        variance = float(residuals @ residuals) / (n - p)
        link = self.rows.predictor.link
        predicted = link.inverse(self.q[rest] @ solution / self.scale[rest])
        truth = self.measured[rest]
        # Rounded, so that equal architectures stay tied.
        tau = kendalltau(truth, np.round(predicted / (np.ptp(truth) or 1.0), 9)).statistic
        root = self.inverse @ solve_triangular(factor, np.eye(p), lower=True).T
        return {
            "rows": n,
            "rmse": float(np.sqrt(np.mean((truth - predicted) ** 2))),
            "tau": float(tau),
            "width": _mean_width(root, self.rows, variance, n - p),
        }


def _mean_width(root: np.ndarray, rows: FittedRows, variance: float, df: int) -> float:
    """Mean 95 % interval of the effects but the intercept, where (X'X)⁻¹ is root root'."""
    shown = rows.predictor.form.shown @ root
    std_errors = np.sqrt(variance * np.einsum("ij,ij->i", shown, shown))
    effects = std_errors[1:] if len(std_errors) > 1 else std_errors
    return float(2 * stdtrit(df, 0.975) * effects.mean())


def _summary(found: pd.DataFrame) -> pd.DataFrame:
    groups = found.groupby("size")
    return pd.DataFrame(
        {
            "rows": groups["rows"].mean(),
            "repeats": groups.size(),
            "rmse": groups["rmse"].mean(),
            "rmse_sd": groups["rmse"].std(ddof=1),
            "tau": groups["tau"].mean(),
            "tau_sd": groups["tau"].std(ddof=1),
            "width": groups["width"].mean(),
        }
    ).reset_index(drop=True)
