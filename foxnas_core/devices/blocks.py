"""How far whole networks are from the sums of their blocks, each measured by itself.

A sum counts with each block what a call of the runtime takes, a whole network has that once: the
same for all networks, a constant. A runtime that fuses across blocks, or keeps what one hands to
the next in its cache, saves a share: a factor. So what was measured is told as
constant + factor × sum, by least squares of relative errors.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.table.additive import additive_table
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import COUNTABLE

LEAST_NETWORKS = 5
NEAR = 0.05
"""How near a sum must be to what was measured, as a share of it."""
_MOST = 0.9  # so many networks of a column must be so near
_RESAMPLES = 2000

Verdict = Literal["additive", "additive but for a constant", "not additive"]


class Bounded(NamedTuple):
    """A number with its 95 % percentile bootstrap interval over networks."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SumsOfBlocks:
    """Of `networks` in one column: the median `ratio` of what was measured to the sum; the share
    `near` the sum, and `near_line`, near the line `constant` + `factor` × sum that the other
    networks tell; what a `call` of the runtime takes by that constant, and the `least` that any
    block takes, which can't be less than a call; constants in the column's unit."""

    column: str
    networks: int
    ratio: Bounded
    near: float
    constant: Bounded
    factor: Bounded
    near_line: float
    call: float
    least: float

    @property
    def verdict(self) -> Verdict:
        if self.near >= _MOST:
            return "additive"
        return "additive but for a constant" if self.near_line >= _MOST else "not additive"


def sums_of_blocks(
    column: str,
    measured: np.ndarray,
    sums: np.ndarray,
    *,
    blocks: float,
    least: float,
    seed: int = 0,
) -> SumsOfBlocks:
    """Judge `sums` (networks,) by what was `measured` (networks,) of networks of so many `blocks`
    in the mean; the cheapest block takes the `least`.

    Raises `InvalidInput` for fewer networks than `LEAST_NETWORKS`, or of one sum.
    """
    if len(sums) < LEAST_NETWORKS or not np.ptp(sums) > 0:
        raise InvalidInput(
            f"{column} was measured of {len(sums)} networks whose sums differ; {LEAST_NETWORKS} at "
            "least say how far sums are off."
        )
    rows = np.arange(len(sums))
    drawn = np.random.default_rng(seed).choice(rows, (_RESAMPLES, len(rows)))
    # A resample of one network alone, again and again, has no slope.
    drawn = drawn[np.ptp(sums[drawn], axis=1) > 0]
    constants, factors = _line(measured[drawn], sums[drawn])
    constant, factor = _line(measured, sums)
    ratios = measured / sums
    others = np.array([np.delete(rows, row) for row in rows])
    own_constants, own_factors = _line(measured[others], sums[others])
    left = own_constants + own_factors * sums
    return SumsOfBlocks(
        column,
        len(sums),
        _bounded(float(np.median(ratios)), np.median(ratios[drawn], axis=1)),
        _share_near(sums, measured),
        _bounded(float(constant), constants),
        _bounded(float(factor), factors),
        _share_near(left, measured),
        max(0.0, -float(constant) / (blocks - 1)) if blocks > 1 else 0.0,
        least,
    )


def judged_blocks(
    table: MeasurementTable, blocks: MeasurementTable, *, seed: int = 0
) -> dict[str, SumsOfBlocks]:
    """By column, how far the sums of a table of `blocks` are off for the whole networks in `table`;
    columns that have too few of these, or lack a block, are left out."""
    additive = additive_table(table.space, blocks)
    filled = [sum(p.block(a) is not None for p in additive.places) for a in table.architectures()]
    found = {}
    for column, costs in additive.costs.items():
        if column in COUNTABLE or not table.known(column):
            continue
        sums, measured = additive.sums(table.codes, column), table.values(column)
        kept = np.isfinite(sums)
        kept &= usable(table, column) if usable(table, column).any() else np.isfinite(measured)
        with suppress(InvalidInput):
            found[column] = sums_of_blocks(
                column,
                measured[kept],
                sums[kept],
                blocks=float(np.mean(filled)),
                least=min(costs.values()),
                seed=seed,
            )
    return found


def _line(measured: np.ndarray, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Constants and factors (…) of rows (…, networks), by least squares of measured / sum on
    1 / sum."""
    inverse, ratios = 1 / sums, measured / sums
    away = inverse - inverse.mean(axis=-1, keepdims=True)
    constants = (away * ratios).sum(axis=-1) / (away**2).sum(axis=-1)
    return constants, ratios.mean(axis=-1) - constants * inverse.mean(axis=-1)


def _share_near(told: np.ndarray, measured: np.ndarray) -> float:
    return float(np.mean(np.abs(told / measured - 1) <= NEAR))


def _bounded(value: float, resampled: np.ndarray) -> Bounded:
    return Bounded(value, *(float(end) for end in np.quantile(resampled, [0.025, 0.975])))
