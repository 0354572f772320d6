"""How many measurements of a new device suffice: error against the number of rows shown."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from foxnas_core.devices.common import device_of, read_rows
from foxnas_core.devices.transfer import LEAST_ROWS, line, regressor, source_values
from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import Form, build_form, forms_of
from foxnas_core.regression.weighing import LEAST_SQUARES
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric, metric_of

COUNTS = (5, 8, 10, 15, 20, 30, 50, 100)
FURTHER = (70, 150, 200, 300, 400)  # a fit from scratch needs more than a calibration
LEAST_UNSEEN = 5
SCALED, SCRATCH = "scaled", "from scratch"
_TOLERANCE = 1e-6  # of a pivot, columns being of length 1 over all rows

_Draws = list[list[np.ndarray]]  # rows shown and rows not shown
_Guesses = list[np.ndarray | None]


class Errors(NamedTuple):
    """Error on subnets that were not shown: RMSE (in the measure's unit), mean absolute percentage
    error (%), and Kendall's τ-b."""

    rmse: float
    mape: float
    tau: float


@dataclass(frozen=True, eq=False)
class TransferCurve:
    """Error on the rows not shown, against the number of rows shown.

    - `table`: one row a method and count: method (`SCALED` or `SCRATCH`), rows, repeats, and for
      each of rmse, mape and tau its mean over repeats and `…_low`, `…_high`, its 5 % and 95 %
      quantiles.
    - `floor`: the cross-validated error of a fit on all `rows` rows of the target, or None where
      they are too few for one.
    """

    source: Metric
    target: Metric
    rows: int
    table: pd.DataFrame = field(repr=False)
    floor: Errors | None

    def sentence(self, count: int) -> str:
        """The error at the counted number of rows nearest to `count`, and what it would take
        without a source."""
        scaled, unit = self.table[self.table["method"] == SCALED], self.target.unit
        row = scaled.iloc[int(np.abs(scaled["rows"].to_numpy() - count).argmin())]
        text = (
            f"With {row['rows']} rows the scaled predictor of {device_of(self.source)} errs by "
            f"{row['rmse']:.2g} {unit} ({row['mape']:.1f} %) on {device_of(self.target)}"
        )
        scratch = self.table[self.table["method"] == SCRATCH]
        enough = scratch[scratch["rmse"] <= row["rmse"]]
        if len(enough):
            text += f"; a fit from scratch needs about {enough['rows'].min()} rows for the same"
        elif len(scratch):
            most = scratch.iloc[-1]
            text += (
                f"; a fit from scratch is not as good with {most['rows']} rows yet "
                f"({most['rmse']:.2g} {unit})"
            )
        else:
            text += f"; {self.rows} rows are too few for a fit from scratch"
        if self.floor is None:
            return f"{text}."
        return f"{text}. A fit on all {self.rows} rows errs by {self.floor.rmse:.2g} {unit}."


def transfer_curve(
    source: Predictor,
    *,
    table: MeasurementTable,
    target: str,
    counts: Sequence[int] = COUNTS,
    repeats: int = 50,
    seed: int = 0,
) -> TransferCurve:
    """Show `counts` random rows of `target`, `repeats` times each, and predict the others.

    The scaled source is that of `transfer`; the source's own predictions are held-out ones
    throughout. The fit from scratch is least squares of whichever form errs least on average at
    that count, of those whose terms the rows can tell apart: a generous rival. It is tried at
    `FURTHER` counts too. Raises `InvalidInput` where the table has fewer rows of
    the target than the least count and five to judge by.
    """
    values = table.values(target)
    measured = read_rows(table, target)
    usable = [c for c in sorted(set(counts)) if LEAST_ROWS <= c <= len(measured) - LEAST_UNSEEN]
    if not usable:
        raise InvalidInput(
            f"{len(measured)} rows have {target}; a curve of the error needs {LEAST_ROWS} to show "
            f"and {LEAST_UNSEEN} to judge by, so measure "
            f"{LEAST_ROWS + LEAST_UNSEEN - len(measured)} more subnets on that device."
        )
    y, predicted = values[measured], source_values(source, table)
    z, reads = predicted[measured], regressor(source, table, measured, predicted)
    further = [c for c in FURTHER if max(usable) >= max(counts) and c <= len(measured) // 2]
    # Orthonormal columns, so that their normal equations lose no digits.
    bases = [np.linalg.qr(form.matrix(table.codes[measured]))[0] for form in _forms(source, table)]
    found: list[dict[str, object]] = []
    rng = np.random.default_rng(seed)
    for count in sorted({*usable, *further}):
        draws = [np.split(rng.permutation(len(y)), [count]) for _ in range(repeats)]
        if count in usable:
            guesses = [_scaled(reads, z, y, *draw) for draw in draws]
            found += _summary(SCALED, count, y, draws, guesses)
        tried = [
            [_from_scratch(q, y, *draw) for draw in draws] for q in bases if count > q.shape[1]
        ]
        # Where half of the draws can't be fitted, neither could a user's.
        tried = [g for g in tried if sum(guess is not None for guess in g) > repeats / 2]
        if tried:
            best = min(tried, key=lambda guesses: _mean_rmse(y, draws, guesses))
            found += _summary(SCRATCH, count, y, draws, best)
    return TransferCurve(
        source.target,
        metric_of(target),
        len(measured),
        pd.DataFrame(found),
        _floor(source, table, target, y),
    )


def errors_of(y: np.ndarray, predicted: np.ndarray) -> Errors:
    """How far predictions (n,) are from values (n,)."""
    from scipy.stats import kendalltau

    # Equal architectures are predicted equally but for rounding, which must not break their tie.
    tau = float(kendalltau(y, np.round(predicted / (np.ptp(y) or 1.0), 9)).statistic)
    residuals = y - predicted
    return Errors(
        float(np.sqrt(np.mean(residuals**2))),
        float(100 * np.mean(np.abs(residuals) / y)),
        tau if np.isfinite(tau) else 0.0,
    )


def _scaled(
    reads: np.ndarray, z: np.ndarray, y: np.ndarray, shown: np.ndarray, unseen: np.ndarray
) -> np.ndarray | None:
    if np.ptp(reads[shown]) == 0:
        return None
    a, b = line(reads[shown], y[shown])
    return a + b * z[unseen]


def _from_scratch(
    q: np.ndarray, y: np.ndarray, shown: np.ndarray, unseen: np.ndarray
) -> np.ndarray | None:
    """None where the rows shown can't tell all terms apart."""
    own = q[shown]
    try:
        root = np.linalg.cholesky(own.T @ own)
    except np.linalg.LinAlgError:
        return None
    if np.diag(root).min() < _TOLERANCE:
        return None
    return q[unseen] @ np.linalg.solve(root.T, np.linalg.solve(root, own.T @ y[shown]))


def _mean_rmse(y: np.ndarray, draws: _Draws, guesses: _Guesses) -> float:
    pairs = zip(draws, guesses, strict=True)
    return float(
        np.mean([np.sqrt(np.mean((y[u] - g) ** 2)) for (_, u), g in pairs if g is not None])
    )


def _forms(source: Predictor, table: MeasurementTable) -> list[Form]:
    """Every form that the space can have and least squares can fit."""
    forms = []
    for name in forms_of(source.space, ordered=table.ordered):
        with suppress(InvalidInput):
            forms.append(build_form(name, source.space, source.target.column))
    return [form for form in forms if not form.shrunk]


def _summary(
    method: str, count: int, y: np.ndarray, draws: _Draws, guesses: _Guesses
) -> list[dict[str, object]]:
    """One row of the curve's table; none where no draw could be fitted."""
    pairs = zip(draws, guesses, strict=True)
    errors = [errors_of(y[unseen], guess) for (_, unseen), guess in pairs if guess is not None]
    if not errors:
        return []
    row: dict[str, object] = {"method": method, "rows": count, "repeats": len(errors)}
    for name in Errors._fields:
        values = np.array([getattr(e, name) for e in errors])
        low, high = np.quantile(values, [0.05, 0.95])
        row |= {name: float(values.mean()), f"{name}_low": float(low), f"{name}_high": float(high)}
    return [row]


def _floor(source: Predictor, table: MeasurementTable, target: str, y: np.ndarray) -> Errors | None:
    try:
        form = "auto" if source.form.shrunk else source.form.name
        full = fit(table, target, form, "none", LEAST_SQUARES)
    except InvalidInput:
        return None
    return errors_of(y, full.held_out)
