"""Whether measured accuracies tell subnets apart: agreement of halves, and spread in errors."""

from dataclasses import dataclass

import numpy as np

from foxnas_core.table.measurements import MeasurementTable


@dataclass(frozen=True)
class Reliability:
    """How far accuracy is signal.

    `halves` is the correlation, over subnets, of the accuracies on two disjoint halves of the
    held-out images, stepped up to the whole set by the Spearman–Brown formula 2r / (1 + r);
    `spread` the standard deviation of accuracy over subnets, in percent points, and
    `standard_error` the mean standard error of one measurement, in the same unit.
    """

    rows: int
    halves: float
    spread: float
    standard_error: float

    @property
    def sentence(self) -> str:
        return (
            f"Over {self.rows} subnets, accuracies on two disjoint halves of the held-out images "
            f"correlate {self.halves:.3f} (Spearman–Brown corrected), and subnets spread by "
            f"{self.spread / self.standard_error:.1f} standard errors of one measurement."
        )


def reliability_of(table: MeasurementTable) -> Reliability | None:
    """The reliability of a table that scored both halves of the images for at least 3 subnets."""
    needed = ["accuracy", "accuracy_std_error", "accuracy_even", "accuracy_odd"]
    if not set(needed) <= set(table.frame.columns):
        return None
    rows = table.frame[needed].dropna()
    if len(rows) < 3:
        return None
    halves = float(np.corrcoef(rows["accuracy_even"], rows["accuracy_odd"])[0, 1])
    return Reliability(
        rows=len(rows),
        halves=2 * halves / (1 + halves),
        spread=float(rows["accuracy"].std(ddof=1)),
        standard_error=float(rows["accuracy_std_error"].mean()),
    )
