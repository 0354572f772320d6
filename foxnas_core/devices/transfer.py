"""A predictor for a new device from a few measurements: another device's, shifted and stretched.

The new device's latency is a + b times the source's: the intercept's coefficient becomes
a + b times its own, every other one b times. So the predictor stays a sum over groups, and search
stays exact.

a and b are least squares of the new latency on the source's *measured* latency where all the rows
have it, else on its predicted one. Both were held against unseen subnets of the shipped table, fp32
to int8 and back, 100 draws of 5 to 50 rows: measured values err by 0 to 4 % less, since what a
subnet has beyond its form's terms it has on both devices, and the choice by leave-one-out error
wins nothing more. What the predictor is judged by are always predictions.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from foxnas_core.devices.common import device_of, is_same_measure, machine_words, read_rows
from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor
from foxnas_core.regression.assessment import agreement
from foxnas_core.regression.link import Link
from foxnas_core.table.latency_verdicts import failed_rows, usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of

LEAST_ROWS = 5  # two parameters, and three residuals to judge them by
_PARAMETERS = 2


def transfer(
    source: Predictor, *, table: MeasurementTable, target: str, rows: np.ndarray | None = None
) -> Predictor:
    """Calibrate `source` to the latency column `target` on the table's `rows`.

    `rows` are positions (N,), by default all where `target` is measured. The covariance is by the
    delta method: b² times the source's plus what a and b add, which are taken as independent of
    the source's estimates. The residual variance is that of the N rows on N - 2 degrees of
    freedom. `held_out` holds, for each of the N rows, the prediction calibrated without it, and
    for the target's other rows the prediction; `cv` is the agreement over all of them. Raises
    `InvalidInput` where fewer than five rows have the target, or all the same value, or both
    columns are not one measure.
    """
    _check_columns(source, target)
    values, measured = table.values(target), read_rows(table, target)
    chosen = _enough(rows, measured, target)
    y = values[chosen]
    predicted = source_values(source, table)
    reads = regressor(source, table, chosen, predicted)
    if np.ptp(y) == 0 or np.ptp(reads) == 0:
        what = target if np.ptp(y) == 0 else source.target.column
        raise InvalidInput(
            f"All {len(chosen)} rows have the same {what}, so that nothing tells how the devices "
            "scale; measure subnets that differ."
        )
    a, b = line(reads, y)
    z = predicted[chosen]
    df = len(chosen) - _PARAMETERS
    residuals = y - (a + b * z)
    own = y - (a + b * reads)
    # Of a and b: the usual one of a regression line, from its own residuals.
    design = np.column_stack([np.ones(len(reads)), reads])
    line_covariance = float(own @ own) / df * np.linalg.inv(design.T @ design)
    shift = np.array([float(term.name == "intercept") for term in source.form.terms])
    pushes = np.column_stack([shift, source.estimates])
    held_out = a + b * predicted[measured]
    held_out[np.searchsorted(measured, chosen)] = _left_out(reads, z, y)
    unexplained = float(residuals @ residuals) / float(((y - y.mean()) ** 2).sum())
    return Predictor(
        target=metric_of(target),
        form=replace(source.form, target=metric_of(target)),
        link=Link(),
        ceiling=None,
        rows=len(chosen),
        r2=1 - unexplained,
        r2_adjusted=1 - unexplained * (len(chosen) - 1) / df,
        cv=agreement(values[measured], held_out),
        warnings=_warnings(source, table, target, len(chosen), a, b),
        table_fingerprint=table.fingerprint,
        estimates=a * shift + b * source.estimates,
        covariance=b**2 * source.covariance + pushes @ line_covariance @ pushes.T,
        residual_variance=float(residuals @ residuals) / df,
        held_out=held_out,
        df=df,
        transferred=True,
        left_out=failed_rows(table, target),
    )


def _check_columns(source: Predictor, target: str) -> None:
    """Raises `InvalidInput` where `target` is not another device's column of the same measure."""
    if not (is_same_measure(metric_of(target), source.target) and source.link.is_identity):
        raise InvalidInput(
            f"Only what is measured on devices can be calibrated, and from the same measure on "
            f"another device: not {target} from {source.target.column}."
        )
    if target == source.target.column:
        raise InvalidInput(f"{target} can't be calibrated from itself; choose another device.")


def _enough(rows: np.ndarray | None, measured: np.ndarray, target: str) -> np.ndarray:
    """Those of the rows that are measured, all where none are given; raises `InvalidInput` where
    they are too few."""
    chosen = measured if rows is None else np.intersect1d(rows, measured)
    if len(chosen) < LEAST_ROWS:
        raise InvalidInput(
            f"{len(chosen)} rows have {target}, but calibrating needs at least {LEAST_ROWS}; "
            f"measure {LEAST_ROWS - len(chosen)} more subnets on that device."
        )
    return chosen


def _warnings(
    source: Predictor, table: MeasurementTable, target: str, rows: int, a: float, b: float
) -> tuple[str, ...]:
    """What to know of a calibration a + b times the source's latency, from so many rows."""
    names = device_of(metric_of(target)), device_of(source.target)
    word, unit = metric_of(source.target.head).word, source.target.unit
    machine = ", ".join(machine_words(table, source.target.column))
    whose = f" ({machine})" if machine else ""
    warnings = [
        f"The {word} on {names[0]} is calibrated from {rows} rows: {a:.3g} {unit} + "
        f"{b:.3g} × the predicted {word} on {names[1]}{whose}. Every choice's effect is that of "
        f"{names[1]}, scaled; measure more subnets on {names[0]} to learn its own."
    ]
    if b <= 0:
        warnings.append(
            f"The {word} on {names[0]} does not rise with that on {names[1]} in these rows, so "
            "this calibration is of no use; check the measurements or take another source."
        )
    return tuple(warnings)


def line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Intercept and slope of least squares of y (n,) on x (n,)."""
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    return float(y.mean() - slope * x.mean()), slope


def source_values(source: Predictor, table: MeasurementTable) -> np.ndarray:
    """The source's predictions (rows,) for all rows of `table`: held-out ones for the subnets that
    it was fitted on, where `table` is the one it was fitted on."""
    predicted = source.form.matrix(table.codes) @ source.estimates
    column = source.target.column
    if source.table_fingerprint == table.fingerprint:
        measured = usable(table, column)
        if measured.sum() == len(source.held_out):
            # What no other row tells was not predicted unseen, but by the fit.
            told = np.isfinite(source.held_out)
            predicted[np.flatnonzero(measured)[told]] = source.held_out[told]
            # Rows of a new device may stand apart from the source's rows of the same subnets.
            known = _shared(table, np.where(measured, predicted, np.nan))
            predicted = np.where(np.isfinite(known), known, predicted)
    return predicted


def regressor(
    source: Predictor, table: MeasurementTable, rows: np.ndarray, predicted: np.ndarray
) -> np.ndarray:
    """What the new latency of `rows` is regressed on: the source's measured values where all of
    these subnets have one, else its predictions."""
    column = source.target.column
    if column in [target.column for target in table.targets]:
        sound = np.where(usable(table, column), table.values(column), np.nan)
        values = _shared(table, sound)[rows]
        if np.isfinite(values).all():
            return values
    return predicted[rows]


def _shared(table: MeasurementTable, values: np.ndarray) -> np.ndarray:
    """Values (rows,), NaN filled with the mean over the other rows of the same subnet."""
    means = pd.Series(values).groupby(table.frame["id"].to_numpy()).transform("mean").to_numpy()
    return np.where(np.isfinite(values), values, means)


def spread_rows(latency: np.ndarray, count: int) -> np.ndarray:
    """`count` positions, sorted, of values (n,) evenly spread over their ranks; NaN is left out.

    The middle of each of `count` equal shares is taken: a measurement that went wrong often is the
    longest of all, and would draw the line to itself.
    """
    known = np.flatnonzero(np.isfinite(latency))
    order = known[np.argsort(latency[known], kind="stable")]
    count = min(count, len(order))
    at = ((np.arange(count) + 0.5) * len(order) / max(count, 1)).astype(int)
    return np.sort(order[at])


def drawn_rows(latency: np.ndarray, known: np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """Positions, sorted, of values (n,) that fill `count` equal shares of their ranks.

    One value is drawn by the seed in each share that holds none of the `known` ones (n,). So what
    is drawn of a seed stays drawn when some of it is known, and a larger count adds to it. NaN is
    left out.
    """
    finite = np.flatnonzero(np.isfinite(latency))
    order = finite[np.argsort(latency[finite], kind="stable")]
    count = min(count, len(order))
    ends = np.arange(count + 1) * len(order) // max(count, 1)
    shares = [order[low:high] for low, high in pairwise(ends)]
    at = np.random.default_rng(seed).random(count)
    drawn = [
        own[int(place * len(own))]
        for own, place in zip(shares, at, strict=True)
        if not known[own].any()
    ]
    return np.sort(np.array(drawn, dtype=int))


def median_error(predictor: Predictor, table: MeasurementTable) -> float:
    """The median of how far predictions of rows that were left out err on those that `predictor`
    was fitted or calibrated on, as a share of what they measured; of rows that others tell."""
    column = predictor.target.column
    measured = table.values(column)[read_rows(table, column)]
    return float(np.nanmedian(np.abs(predictor.held_out - measured) / measured))


def _left_out(reads: np.ndarray, z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Each row's prediction (n,) from its `z` by the line through all the other rows."""
    n = len(y) - 1
    # Centred first: the sums of squares below would cancel.
    r, v = reads - reads.mean(), y - y.mean()
    mean_r, mean_v = (r.sum() - r) / n, (v.sum() - v) / n
    square = (r @ r - r**2) - n * mean_r**2
    # Where the others are all alike, their mean is the prediction.
    slope = np.divide(
        (r @ v - r * v) - n * mean_r * mean_v,
        square,
        out=np.zeros_like(square),
        where=square > 1e-12 * (r @ r),
    )
    return y.mean() + mean_v + slope * (z - reads.mean() - mean_r)
