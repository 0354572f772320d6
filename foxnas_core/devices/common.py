"""What the comparisons of devices share: a device's name, and the rows that two have in common."""

from dataclasses import replace

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor, fit
from foxnas_core.table import MeasurementTable
from foxnas_core.target import Target


def is_latency(column: str) -> bool:
    return column.partition(":")[0] == "latency_ms"


def latency_columns(table: MeasurementTable) -> list[str]:
    """The table's devices: its latency columns, in its order."""
    return [target.column for target in table.targets if is_latency(target.column)]


def device_of(target: Target) -> str:
    """The device's name; the column without one is that of the unquantized network."""
    return target.column.partition(":")[2] or "fp32"


def measured_rows(table: MeasurementTable, *columns: str) -> np.ndarray:
    """Positions of the rows where all of `columns` are measured; raises as `table.values`."""
    return np.flatnonzero(np.all([np.isfinite(table.values(c)) for c in columns], axis=0))


def rows_of(table: MeasurementTable, rows: np.ndarray) -> MeasurementTable:
    """The table of the rows at these positions alone."""
    frame = table.frame.iloc[rows].reset_index(drop=True)
    return replace(table, frame=frame, codes=table.codes[rows])


def fit_pair(
    table: MeasurementTable, first: str, second: str, form: str = "auto"
) -> tuple[Predictor, Predictor]:
    """Both devices' predictors, of one form, fitted on the rows where both are measured.

    Raises `InvalidInput` where one device is named twice, and as `regression.fit`.
    """
    if first == second:
        raise InvalidInput(f"Both devices are {first!r}; choose two different latency columns.")
    both = rows_of(table, measured_rows(table, first, second))
    if not len(both):
        raise InvalidInput(
            f"No subnet has both {first} and {second}; measure subnets of one device's rows on "
            "the other too."
        )
    one = fit(both, first, form, "none")
    return one, fit(both, second, one.form.name, "none")
