"""How far a column is a sum of what each choice adds, whatever the others are."""

from dataclasses import dataclass

import numpy as np
import scipy

from foxnas_core.errors import InvalidInput
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.sums import adds_up


@dataclass(frozen=True)
class Additivity:
    """Least squares of a column on one term for each choice: `rank` terms can be told apart by the
    `rows`, which leave `residual` (root mean square) and at `most` so much, in the column's unit;
    `share` of the variance is explained, and the column's `mean` is told for comparison; `is_sum`
    says whether it is one, as `adds_up` does."""

    column: str
    rows: int
    rank: int
    residual: float
    most: float
    share: float
    mean: float
    is_sum: bool


def additivity(table: MeasurementTable, column: str) -> Additivity:
    """Of one column; raises as `MeasurementTable.values`, and `InvalidInput` without two rows."""
    rows = np.flatnonzero(usable(table, column))
    values, codes = table.values(column)[rows], table.codes[rows]
    if len(rows) < 2:
        raise InvalidInput(
            f"{column} has {len(rows)} rows, of which nothing adds up; measure more."
        )
    # An inactive decision has no choice, so the first one's column is not left out for it.
    parts = [
        codes[:, [at]] == np.arange(len(decision.choices))
        for at, decision in enumerate(table.space.decisions)
    ]
    design = np.hstack([np.ones((len(rows), 1)), *parts])
    # Of few choices the normal equations are smaller than the rows by far, and whole numbers.
    gram, right = design.T @ design, design.T @ (values - values.mean())
    estimates, _, rank, _ = scipy.linalg.lstsq(gram, right)
    left = values - values.mean() - design @ estimates
    most = float(np.abs(left).max())
    spread = float(((values - values.mean()) ** 2).sum())
    return Additivity(
        column,
        len(rows),
        int(rank),
        float(np.sqrt(np.mean(left**2))),
        most,
        1 - float(left @ left) / spread if spread else 1.0,
        float(values.mean()),
        adds_up(values, rank, most),
    )
