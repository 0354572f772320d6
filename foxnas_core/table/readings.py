"""What was measured of architectures, each once: their readings, and the best within limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.table.latency_verdicts import without_failed
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import STD_ERROR, metric_of

_NORMAL = 1.96


@dataclass(frozen=True)
class Reading:
    """What the rows of one architecture have in one column, in its unit.

    - `value`: their mean; `low`, `high`: of a latency the range of its rounds, else the mean's 95 %
      interval, normal; None where nothing tells them.
    - `error`: the standard error of the mean and `noise` that of one row: as recorded with the
      rows, else by the pooled spread of the column's repeated rows; NaN where neither is there.
    """

    value: float
    low: float | None = None
    high: float | None = None
    error: float = field(default=np.nan, compare=False)
    noise: float = field(default=np.nan, compare=False)

    def to_dict(self) -> dict[str, float | None]:
        return {"value": self.value, "low": self.low, "high": self.high}


Readings = Mapping[str, Reading]


def readings_of(tables: Sequence[MeasurementTable], architecture: Architecture) -> Readings:
    """What the first of the tables that has a column measured of an architecture, by column;
    latencies that failed a check are left out."""
    found: dict[str, Reading] = {}
    for table in map(without_failed, tables):
        own = (table.frame["id"] == architecture.id).to_numpy()
        for column in (target.column for target in table.targets) if own.any() else ():
            if column not in found and table.frame[column][own].notna().any():
                found[column] = _reading(table, column, own)
    return found


def _reading(table: MeasurementTable, column: str, own: np.ndarray) -> Reading:
    frame, values = table.frame, table.values(column)
    rows = own & np.isfinite(values)
    value, count = float(values[rows].mean()), int(rows.sum())
    recorded = frame.get(f"{column}{STD_ERROR}")
    noise = np.nan
    if recorded is not None:
        noise = float(np.sqrt(np.mean(recorded.to_numpy(float)[rows] ** 2)))
    if not np.isfinite(noise):
        noise = pooled_spread(values, frame["id"])
    error = noise / np.sqrt(count)
    low = high = None
    if metric_of(column).timed:
        ends = [frame.get(f"{side}_{column}") for side in ("low", "high")]
        if all(end is not None and end[rows].notna().any() for end in ends):
            low, high = float(ends[0][rows].min()), float(ends[1][rows].max())  # type: ignore[index]
    elif np.isfinite(error):
        low, high = value - _NORMAL * error, value + _NORMAL * error
    return Reading(value, low, high, float(error), noise)


def pooled_spread(values: np.ndarray, of: pd.Series) -> float:
    """The pooled standard deviation of values (rows,) of the same thing; NaN where none are."""
    measured = np.isfinite(values)
    own = pd.Series(values[measured]).groupby(of.to_numpy()[measured])
    free = int(measured.sum()) - own.ngroups
    squares = float((own.var(ddof=0) * own.size()).sum())
    return float(np.sqrt(squares / free)) if free else np.nan


@dataclass(frozen=True, eq=False)
class Incumbent:
    """The best measured architecture within limits, with all that was measured of it; `rivals`
    counts the measured ones that keep the limits, itself included."""

    architecture: Architecture
    readings: Readings
    rivals: int


def incumbent(
    table: MeasurementTable,
    objective: str,
    bounds: Mapping[str, float],
    allowed: Mapping[str, Sequence[Value]] | None = None,
) -> Incumbent | None:
    """The architecture of the best measured `objective` whose measured values keep `bounds`, by
    column the most, or where more is better the least; the cheapest of equals. None where none
    does.

    Rows of one architecture count as their mean, latencies that failed a check as none. `allowed`
    holds choices that a decision may take where it is active.
    """
    sound = without_failed(table)
    first, values = _means(sound, tuple(dict.fromkeys((objective, *bounds))))
    better = metric_of(objective).sign * values[objective]
    kept, costs = np.isfinite(better), []
    for column, bound in bounds.items():
        sign = -metric_of(column).sign
        costs.append(sign * values[column])
        kept &= costs[-1] <= sign * bound
    codes = table.codes[first]
    for position, decision in enumerate(table.space.decisions):
        if decision.name in (allowed or {}):
            choices = [c in (allowed or {})[decision.name] for c in decision.choices]
            kept &= np.array([*choices, True])[codes[:, position]]
    within = np.flatnonzero(kept)
    if not len(within):
        return None
    best = within[np.lexsort((*(c[within] for c in reversed(costs)), -better[within]))[0]]
    [architecture] = table.space.decode(codes[best : best + 1])
    return Incumbent(architecture, readings_of([sound], architecture), len(within))


def _means(
    table: MeasurementTable, columns: Sequence[str]
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The first row of each architecture (n,), and the means (n,) of columns over its rows."""
    codes, ids = pd.factorize(table.frame["id"])
    first = np.flatnonzero(~table.frame["id"].duplicated().to_numpy())
    means = {}
    for column in columns:
        values = table.values(column)
        known = np.isfinite(values)
        count = np.bincount(codes[known], minlength=len(ids))
        total = np.bincount(codes[known], values[known], minlength=len(ids))
        with np.errstate(invalid="ignore"):
            means[column] = total / count
    return first, means
