"""Whether what was measured tells subnets apart: agreement of halves, and spread in errors."""

from dataclasses import dataclass

import numpy as np

from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric


@dataclass(frozen=True)
class Reliability:
    """How far a quality is signal.

    `halves` is the correlation, over subnets, of its values on two disjoint halves of the
    held-out images, stepped up to the whole set by the Spearman–Brown formula 2r / (1 + r);
    `spread` the standard deviation over subnets, in the target's unit, and `standard_error` the
    mean standard error of one measurement, in the same unit.
    """

    target: Metric
    rows: int
    halves: float
    spread: float
    standard_error: float

    @property
    def sentence(self) -> str:
        return (
            f"Over {self.rows} subnets, {self.target.word} on two disjoint halves of the held-out "
            f"images correlates {self.halves:.3f} (Spearman–Brown corrected), and subnets spread "
            f"by {self.spread / self.standard_error:.1f} standard errors of one measurement."
        )


def reliability_of(table: MeasurementTable, target: Metric) -> Reliability | None:
    """That of a quality of which a table scored both halves of the images for at least 3 subnets;
    None for any other."""
    _, colon, suffix = target.column.partition(":")
    half = [f"{target.head}_{name}{colon}{suffix}" for name in ("even", "odd")]
    needed = [target.column, target.std_error_column, *half]
    if not set(needed) <= set(table.frame.columns):
        return None
    rows = table.frame[needed].dropna()
    if len(rows) < 3:
        return None
    halves = float(np.corrcoef(rows[half[0]], rows[half[1]])[0, 1])
    return Reliability(
        target=target,
        rows=len(rows),
        halves=2 * halves / (1 + halves),
        spread=float(rows[target.column].std(ddof=1)),
        standard_error=float(rows[target.std_error_column].mean()),
    )
