"""What was measured of architectures, each once: their readings, and the best within limits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.latency_verdicts import without_failed
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import STD_ERROR, Metric, metric_of

NORMAL = 1.96


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

    def ends(self, target: Metric) -> str:
        """Both ends of its interval, after a comma: ", 90.80 to 91.60"; "" where not known."""
        if self.low is None or self.high is None:
            return ""
        return f", {target.text(self.low)} to {target.text(self.high)}"

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
    noise = float(np.sqrt(np.mean(noise_of(table, column)[rows] ** 2)))
    error = noise / np.sqrt(count)
    low = high = None
    if metric_of(column).timed:
        ends = [frame.get(f"{side}_{column}") for side in ("low", "high")]
        if all(end is not None and end[rows].notna().any() for end in ends):
            low, high = float(ends[0][rows].min()), float(ends[1][rows].max())  # type: ignore[index]
    elif np.isfinite(error):
        low, high = value - NORMAL * error, value + NORMAL * error
    return Reading(value, low, high, float(error), noise)


def noise_of(table: MeasurementTable, column: str) -> np.ndarray:
    """The standard error (rows,) of each row's value: as recorded, else the pooled spread of the
    column's repeated rows, NaN without either."""
    recorded = table.frame.get(f"{column}{STD_ERROR}")
    noise = np.full(len(table), np.nan) if recorded is None else recorded.to_numpy(float)
    spread = pooled_spread(table.values(column), table.frame["id"])
    return np.where(np.isfinite(noise), noise, spread)


def pooled_spread(values: np.ndarray, of: pd.Series) -> float:
    """The pooled standard deviation of values (rows,) of the same thing; NaN where none are."""
    if of.is_unique:
        return np.nan
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
    found = means_of(sound, tuple(dict.fromkeys((objective, *bounds))))
    codes, values = found.codes, found.values
    better = metric_of(objective).sign * values[objective]
    kept, costs = np.isfinite(better), []
    for column, bound in bounds.items():
        sign = -metric_of(column).sign
        costs.append(sign * values[column])
        kept &= costs[-1] <= sign * bound
    kept &= keeping(table.space, codes, allowed or {})
    within = np.flatnonzero(kept)
    if not len(within):
        return None
    best = within[np.lexsort((*(c[within] for c in reversed(costs)), -better[within]))[0]]
    [architecture] = table.space.decode(codes[best : best + 1])
    return Incumbent(architecture, readings_of([sound], architecture), len(within))


def keeping(
    space: SearchSpace, codes: np.ndarray, allowed: Mapping[str, Sequence[Value]]
) -> np.ndarray:
    """Which codes (rows, decisions) have the choices that a decision may take where it is active:
    (rows,)."""
    kept = np.ones(len(codes), dtype=bool)
    for position, decision in enumerate(space.decisions):
        if decision.name in allowed:
            taken = [choice in allowed[decision.name] for choice in decision.choices]
            kept &= np.array([*taken, True])[codes[:, position]]
    return kept


@dataclass(frozen=True, eq=False)
class Means:
    """The means over the rows of each architecture, whose codes are `codes` (n, decisions): by
    column `values` (n,), NaN where not measured, and their standard `errors` (n,), NaN where not
    known."""

    codes: np.ndarray
    values: Mapping[str, np.ndarray]
    errors: Mapping[str, np.ndarray]


def means_of(table: MeasurementTable, columns: Sequence[str]) -> Means:
    """Those of some columns, each architecture once; raises as `MeasurementTable.values`."""
    member, ids = pd.factorize(table.frame["id"])
    first = np.flatnonzero(~table.frame["id"].duplicated().to_numpy())
    means, errors = {}, {}
    for column in columns:
        values = table.values(column)
        known = np.isfinite(values)

        def total(of: np.ndarray, known: np.ndarray = known) -> np.ndarray:
            return np.bincount(member[known], of[known], minlength=len(ids))

        with np.errstate(invalid="ignore"):
            count = total(np.ones(len(values)))
            means[column] = total(values) / count
            errors[column] = np.sqrt(total(noise_of(table, column) ** 2)) / count
    return Means(table.codes[first], means, errors)
