"""The budget that a search starts from where nobody chose one."""

import numpy as np

from foxnas_core.search.exact import Front
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable

WHY = "the median of what was measured, so that it lies where the data are dense"
"""What the default is, within a sentence."""


def default_budget(front: Front, table: MeasurementTable) -> float:
    """The median of the front's cost over the measured rows, or the nearest that the front has: as
    many subnets were measured below it as above, so that it lies where the data are dense.

    The middle of the front where no row has that cost.
    """
    least, most = float(front.costs[0]), float(front.costs[-1])
    column = front.problem.limits[0].column
    known = np.empty(0)
    if column in [target.column for target in table.targets]:
        known = table.values(column)[usable(table, column)]
    return float(np.clip(np.median(known) if len(known) else (least + most) / 2, least, most))
