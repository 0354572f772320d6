"""What the comparisons of devices share: a device's name, and the rows that two have in common."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import build_form
from foxnas_core.regression.weighing import LEAST_SQUARES
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.latency_verdicts import usable, without_failed
from foxnas_core.table.machine import machine_of
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric, metric_of, suffix_words


def latency_columns(table: MeasurementTable) -> list[str]:
    """The table's devices: its latency columns, in its order."""
    return [target.column for target in table.targets if target.timed]


def device_columns(table: MeasurementTable, cost: Metric) -> list[str]:
    """The columns of one measure on several devices: of `cost` where it has several, else of the
    measure that has most of them."""
    found: dict[str, list[str]] = {}
    for target in table.targets:
        if target.suffix == "DEVICE":
            found.setdefault(target.head, []).append(target.column)
    best = max(found, key=lambda h: (len(found[h]) > 1, h == cost.head, len(found[h])), default="")
    return found.get(best, [])


def device_of(target: Metric) -> str:
    """The device's name; the column without one is that of the unquantized network."""
    return suffix_words(target.column.partition(":")[2]) or "fp32"


def titled(table: MeasurementTable, column: str) -> str:
    """What a column is called where it is picked: of a device by its own words, and by the machine
    and runtime it was measured on, as far as that is known and the words don't say it: "fp32, Intel
    Xeon Processor, ONNX Runtime"."""
    target = metric_of(column)
    if target.suffix != "DEVICE":
        return target.label
    return ", ".join([device_of(target), *machine_words(table, column)])


def machine_words(table: MeasurementTable, column: str) -> list[str]:
    """The processor and the runtime of a device's column, as far as they are known and its own
    words don't say them."""
    machine, own = machine_of(table, column), _letters(device_of(metric_of(column)))
    told = [machine.short, machine.runtime] if machine else []
    return [words for words in told if _letters(words) not in own]


def _letters(words: str) -> str:
    return "".join(filter(str.isalnum, words.casefold()))


def on_device(target: Metric, what: str = "") -> str:
    """How an axis of a device's numbers is titled: "Predicted latency on pi (ms)"."""
    unit, word = f" ({target.unit})" if target.unit else "", metric_of(target.head).word
    said = f"{what} {word}" if what else word.capitalize()
    return f"{said} on {device_of(target)}{unit}"


def is_same_measure(one: Metric, other: Metric) -> bool:
    """Whether both are one measure on two devices."""
    return one.suffix == "DEVICE" and one.head == other.head


def measured_rows(table: MeasurementTable, *columns: str) -> np.ndarray:
    """Positions of the rows where all of `columns` are measured; raises as `table.values`."""
    return np.flatnonzero(np.all([np.isfinite(table.values(c)) for c in columns], axis=0))


def read_rows(table: MeasurementTable, column: str) -> np.ndarray:
    """Positions of the rows that a fit of `column` reads; raises as `table.values`."""
    return np.flatnonzero(usable(table, column))


def by_subnet(table: MeasurementTable) -> MeasurementTable:
    """The table with one row a subnet: numbers of rows of one id are averaged.

    A new device's measurements are appended as rows of their own, which say nothing of the others.
    """
    frame = table.frame
    if frame["id"].is_unique:
        return table
    first = ~frame.duplicated("id").to_numpy()
    numbers = [str(c) for c in frame.select_dtypes("number") if c not in table.space.by_name]
    means = frame.groupby("id", sort=False)[numbers].mean()
    kept = frame[first].reset_index(drop=True)
    kept = kept.assign(**{name: means[name].to_numpy() for name in numbers})
    return replace(table, frame=kept, codes=table.codes[first])


def measured_on_both(table: MeasurementTable, first: str, second: str) -> MeasurementTable:
    """The rows where both devices are measured or, where subnets have their measurements in rows
    apart, one row for each subnet that both measured; raises as `table.values`."""
    rows, subnets = measured_rows(table, first, second), by_subnet(table)
    joined = measured_rows(subnets, first, second)
    if table.frame["id"].iloc[rows].nunique() < len(joined):
        table, rows = subnets, joined
    if len(rows) == len(table):
        return table
    frame = table.frame.iloc[rows].reset_index(drop=True)
    return replace(table, frame=frame, codes=table.codes[rows])


def fitted_on_both(table: MeasurementTable, first: str, second: str) -> MeasurementTable:
    """As `measured_on_both`, of the measurements that fits read."""
    return measured_on_both(without_failed(table), first, second)


def architectures_of(table: MeasurementTable, ids: Iterable[str]) -> list[Architecture]:
    """The architectures of ids that the table has."""
    position = {name: row for row, name in enumerate(table.frame["id"])}
    return table.space.decode(table.codes[[position[name] for name in ids]])


def fit_pair(
    table: MeasurementTable, first: str, second: str, form: str = "auto"
) -> tuple[Predictor, Predictor]:
    """Both devices' predictors, of one form, fitted on the subnets that both measured.

    Raises `InvalidInput` where one device is named twice, and as `regression.fit`.
    """
    if first == second:
        raise InvalidInput(f"Both devices are {first!r}; choose two different latency columns.")
    both = fitted_on_both(table, first, second)
    if not len(both):
        raise InvalidInput(
            f"No subnet has both {first} and {second}; measure subnets of one device's rows on "
            "the other too."
        )
    one = fit(both, first, form, "none", LEAST_SQUARES)
    same = build_form(one.form.name, table.space, second, one.form.pairs, one.form.held)
    return one, fit(both, second, same, "none", LEAST_SQUARES)
