"""How many measurements of a new device suffice: error against the number of rows shown."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from foxnas_core.devices.common import device_of
from foxnas_core.devices.transfer import LEAST_ROWS, line, regressor, source_values
from foxnas_core.errors import InvalidInput
from foxnas_core.features import FORMS, ORDER_FREE, Form, build_form
from foxnas_core.regression import Predictor, fit
from foxnas_core.table import MeasurementTable
from foxnas_core.target import Target, target_of

COUNTS = (5, 8, 10, 15, 20, 30, 50, 100)
FURTHER = (70, 150, 200, 300, 400)  # a fit from scratch needs more than a calibration
LEAST_UNSEEN = 5
SCALED, SCRATCH = "scaled", "from scratch"


class Errors(NamedTuple):
    """Error on subnets that were not shown: RMSE (ms), mean absolute percentage error (%), and
    Kendall's τ-b."""

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

    source: Target
    target: Target
    rows: int
    table: pd.DataFrame = field(repr=False)
    floor: Errors | None

    def sentence(self, count: int) -> str:
        """The error at the counted number of rows nearest to `count`, and what it would take
        without a source."""
        scaled = self.table[self.table["method"] == SCALED]
        row = scaled.iloc[int(np.abs(scaled["rows"].to_numpy() - count).argmin())]
        text = (
            f"With {row['rows']} rows the scaled predictor of {device_of(self.source)} errs by "
            f"{row['rmse']:.2g} ms ({row['mape']:.1f} %) on {device_of(self.target)}"
        )
        scratch = self.table[self.table["method"] == SCRATCH]
        enough = scratch[scratch["rmse"] <= row["rmse"]]
        if len(enough):
            text += f"; a fit from scratch needs about {enough['rows'].min()} rows for the same"
        elif len(scratch):
            most = scratch.iloc[-1]
            text += (
                f"; a fit from scratch is not as good with {most['rows']} rows yet "
                f"({most['rmse']:.2g} ms)"
            )
        else:
            text += f"; {self.rows} rows are too few for a fit from scratch"
        if self.floor is None:
            return f"{text}."
        return f"{text}. A fit on all {self.rows} rows errs by {self.floor.rmse:.2g} ms."


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
    measured = np.flatnonzero(np.isfinite(values))
    usable = [c for c in sorted(set(counts)) if LEAST_ROWS <= c <= len(measured) - LEAST_UNSEEN]
    if not usable:
        raise InvalidInput(
            f"{len(measured)} rows have {target}; a curve of the error needs {LEAST_ROWS} to show "
            f"and {LEAST_UNSEEN} to judge by, so measure "
            f"{LEAST_ROWS + LEAST_UNSEEN - len(measured)} more subnets on this device."
        )
    y, predicted = values[measured], source_values(source, table)
    z, reads = predicted[measured], regressor(source, table, measured, predicted)
    further = [c for c in FURTHER if max(usable) >= max(counts) and c <= len(measured) // 2]
    scratch = {form.name: form.matrix(table.codes[measured]) for form in _forms(source, table)}
    found: list[tuple[str, int, list[Errors]]] = []
    rng = np.random.default_rng(seed)
    for count in sorted({*usable, *further}):
        draws = [rng.permutation(len(y)) for _ in range(repeats)]

        def judged(
            predict: Callable[[np.ndarray, np.ndarray], np.ndarray | None],
            draws: list[np.ndarray] = draws,
            count: int = count,
        ) -> list[Errors]:
            errors = []
            for draw in draws:
                shown, unseen = draw[:count], draw[count:]
                guess = predict(shown, unseen)
                if guess is not None:
                    errors.append(errors_of(y[unseen], guess))
            return errors

        if count in usable:
            found.append((SCALED, count, judged(lambda s, u: _scaled(reads, z, y, s, u))))
        tried = [
            judged(lambda s, u, x=x: _from_scratch(x, y, s, u))  # type: ignore[misc]
            for x in scratch.values()
            if count > x.shape[1]
        ]
        # Where half of the draws can't be fitted, neither could a user's.
        tried = [errors for errors in tried if len(errors) > repeats / 2]
        if tried:
            best = min(tried, key=lambda errors: float(np.mean([e.rmse for e in errors])))
            found.append((SCRATCH, count, best))
    return TransferCurve(
        source.target,
        target_of(target),
        len(measured),
        pd.DataFrame([_summary(*row) for row in found]),
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
    x: np.ndarray, y: np.ndarray, shown: np.ndarray, unseen: np.ndarray
) -> np.ndarray | None:
    estimates, _, rank, _ = np.linalg.lstsq(x[shown], y[shown])
    return x[unseen] @ estimates if rank == x.shape[1] else None


def _forms(source: Predictor, table: MeasurementTable) -> list[Form]:
    """Every form that the space can have."""
    forms = []
    for name in FORMS:
        if table.ordered or name in ORDER_FREE:
            with suppress(InvalidInput):
                forms.append(build_form(name, source.space, source.target.column))
    return forms


def _summary(method: str, count: int, errors: list[Errors]) -> dict[str, object]:
    row: dict[str, object] = {"method": method, "rows": count, "repeats": len(errors)}
    for name in Errors._fields:
        values = np.array([getattr(e, name) for e in errors])
        low, high = np.quantile(values, [0.05, 0.95])
        row |= {name: float(values.mean()), f"{name}_low": float(low), f"{name}_high": float(high)}
    return row


def _floor(source: Predictor, table: MeasurementTable, target: str, y: np.ndarray) -> Errors | None:
    try:
        full = fit(table, target, source.form.name, "none")
    except InvalidInput:
        return None
    return errors_of(y, full.held_out)
