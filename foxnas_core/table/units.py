"""Numbers of one column in two units: percentages among fractions, milliseconds among microseconds.

They are found by the data alone: some rows lie apart from all others, by about the factor between
two units, no choice tells them from the others, and divided by it they are what subnets alike have.
"""

from dataclasses import dataclass

import numpy as np

from foxnas_core.families import family_of
from foxnas_core.table.equals import has_keys
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric

_PREFIXES = (1e3, 1e6)
_LEAST_OTHERS = 5
_NEIGHBOURS = 5
# Rows of either kind that are compared at most.
_MOST = 400
# A choice that so many of them share, and no other row, may be what sets them apart.
_EXPLAINED = 3
# Added to how far rows alike differ from each other, as a share.
_ROUGH = 0.02


@dataclass(frozen=True, eq=False)
class Mixed:
    """`rows` (n,), positions in the table, whose numbers are about `factor` times what those of
    rows alike are, with the ends of theirs and of all the others'."""

    rows: np.ndarray
    factor: float
    range_of_odd: tuple[float, float]
    range_of_others: tuple[float, float]


def mixed_units(table: MeasurementTable, metric: Metric) -> Mixed | None:
    """The rows of a column that are in another unit than the others, the fewer of the two kinds;
    None where there is one unit."""
    # Also those that fail a check of how they were measured, as a number in another unit may.
    every = table.values(metric.column)
    rows = np.flatnonzero(np.isfinite(every) & (every > 0))
    values = every[rows]
    if len(rows) <= _LEAST_OTHERS:
        return None
    logs = np.log(values)
    order = np.argsort(logs, kind="stable")
    steps = np.diff(logs[order])
    cut = int(steps.argmax())
    below, above = order[: cut + 1], order[cut + 1 :]
    odd, others, sign = (below, above, -1.0) if len(below) <= len(above) else (above, below, 1.0)
    if len(others) < _LEAST_OTHERS:
        return None
    for size in _sizes(metric, float(values[below].max())):
        if steps[cut] < np.log(size) / 3:
            continue
        shifted = logs.copy()
        shifted[odd] -= sign * np.log(size)
        if _like(shifted, odd, others, table.codes[rows], np.log(size)) and not _equal(
            table, rows[odd]
        ):
            return Mixed(
                np.sort(rows[odd]),
                float(size**sign),
                (float(values[odd].min()), float(values[odd].max())),
                (float(values[others].min()), float(values[others].max())),
            )
    return None


def _sizes(metric: Metric, greatest_below: float) -> tuple[float, ...]:
    """The factors between units that its numbers may be in."""
    if np.isinf(metric.bounds[1]):
        return _PREFIXES if metric.bounds[0] > 0 else ()
    if metric.bounds[1] == 100 and metric.units and greatest_below <= 1:
        return (100.0,)
    return ()


def _like(
    logs: np.ndarray, odd: np.ndarray, others: np.ndarray, codes: np.ndarray, size: float
) -> bool:
    """Whether the odd rows, brought to the unit of the others by `size` on their scale, are what
    rows alike have."""
    low, high = logs[others].min(), logs[others].max()
    margin = 0.25 * (high - low) + 0.05
    inside = (logs[odd] >= low - margin) & (logs[odd] <= high + margin)
    if inside.mean() < 0.9 or _explained(codes, odd, others):
        return False
    rng = np.random.default_rng(0)
    odd = odd if len(odd) <= _MOST else rng.choice(odd, _MOST, replace=False)
    others = others if len(others) <= _MOST else rng.choice(others, _MOST, replace=False)
    usual = np.abs(_off(logs, codes, others, others))
    scale = 1.4826 * float(np.median(usual)) + _ROUGH
    off = np.abs(_off(logs, codes, odd, others))
    # Where rows alike differ by much, any of them may be as far off.
    steady = scale <= size / 10
    return bool(steady and np.median(off) <= 3 * scale and (off <= 6 * scale).mean() >= 0.8)


def _explained(codes: np.ndarray, odd: np.ndarray, others: np.ndarray) -> bool:
    """Whether some decision's choices tell the odd rows from all others."""
    return len(odd) >= _EXPLAINED and any(
        not set(np.unique(own[odd])) & set(np.unique(own[others])) for own in codes.T
    )


def _equal(table: MeasurementTable, rows: np.ndarray) -> bool:
    """Whether rows of several architectures are of equal networks, such as cells that compute
    nothing, which may be what sets them apart."""
    if not has_keys(table.space) or len(set(table.frame["id"].iloc[rows])) < _EXPLAINED:
        return False
    return len({*family_of(table.space).keys(table.space, table.codes[rows])}) == 1


def _off(logs: np.ndarray, codes: np.ndarray, some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far each of `some` rows lies from the median of the rows among `others` that differ from
    it in the fewest decisions."""
    distance = (codes[some][:, np.newaxis] != codes[others][np.newaxis]).sum(axis=2).astype(float)
    distance[some[:, np.newaxis] == others[np.newaxis]] = np.inf
    nearest = np.argsort(distance, axis=1, kind="stable")[:, : min(_NEIGHBOURS, len(others) - 1)]
    return logs[some] - np.median(logs[others][nearest], axis=1)
