"""Whose a column of latency, energy or memory is: the machine that measured it, and in what."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, count
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.table.measurements import (
    MeasurementTable,
    campaign_names,
    campaigns_of,
    once_a_table,
)
from foxnas_core.table.metrics import is_metric, metric_of

LATENCY = "latency_ms"
_VERSIONED = re.compile(r"(?P<runtime>.*\S)\s+v?(?P<version>\d\S*)")
_MARKS = re.compile(r"\((R|TM|C)\)", re.IGNORECASE)
# What `measurement.devices` takes for a name, with room for a number behind.
_MOST_LETTERS = 56
_MOST_SHOWN = 100


@dataclass(frozen=True)
class Machine:
    """A processor, and the runtime that networks were timed in on it; what nobody recorded is
    empty, or None.

    `processor` is what the system calls it, a phone's or a board's model likewise; a virtual
    machine may hide which one of a series it is. `version` is the runtime's, `precision` that of
    the column.
    """

    processor: str = ""
    runtime: str = ""
    version: str = ""
    threads: int | None = None
    precision: str = "fp32"

    @property
    def known(self) -> bool:
        return bool(self.processor)

    @property
    def name(self) -> str:
        """What it is called in a sentence: "AMD EPYC, ONNX Runtime 1.32, 1 thread, fp32"."""
        if not self.known:
            return "a machine that the table does not name"
        threads = f"{self.threads} thread{'s' if self.threads != 1 else ''}"
        runtime = f"{self.runtime} {'.'.join(self.release)}".strip()
        told = [self.short, runtime, threads if self.threads else "", self.precision]
        return ", ".join(filter(None, told))

    @property
    def short(self) -> str:
        """The processor's name without the marks of its maker."""
        return " ".join(_MARKS.sub(" ", self.processor).split())

    @property
    def release(self) -> tuple[str, ...]:
        """The version's first two numbers; a further one mends faults."""
        return tuple(filter(None, self.version.split(".")[:2]))

    def same_as(self, other: "Machine") -> bool:
        """Whether latencies of both may stand in one column.

        The processor's model, the runtime, its release (the first two numbers of its version) and
        the threads must be the same, as far as both are recorded; who does not name a processor is
        the same as nobody. A new release brings other kernels and fusions, which change some
        operators and not others, so no reference network carries it away. Precisions have columns
        of their own and are not compared; nor are clock, memory and system, whose part in it the
        drift of the reference tells.
        """
        pairs = zip(self._compared, other._compared, strict=True)
        alike = all(own == its for own, its in pairs if own and its)
        return self.known and other.known and alike

    @property
    def _compared(self) -> tuple[object, ...]:
        return self.short.casefold(), self.runtime.casefold(), self.release, self.threads


def recorded_machine(circumstances: object, precision: str = "fp32") -> Machine:
    """The machine that the circumstances of a campaign name, whatever they lack."""
    told = circumstances if isinstance(circumstances, Mapping) else {}
    processor, called = (_text(told.get(name)) for name in ("device", "runtime"))
    threads, match = told.get("threads"), _VERSIONED.fullmatch(called)
    return Machine(
        processor,
        match["runtime"] if match else called,
        match["version"] if match else "",
        threads if isinstance(threads, int) else None,
        precision,
    )


def _text(told: object) -> str:
    return told[:_MOST_SHOWN].strip() if isinstance(told, str) else ""


def device_columns(name: str | None, head: str = LATENCY) -> tuple[str, str]:
    """The columns of a device in fp32 and int8, of a metric that is of devices; `name` is None for
    the study's first one."""
    return (f"{head}:{name}", f"{head}:{name}-int8") if name else (head, f"{head}:int8")


def device_name_of(column: str) -> str | None:
    """The name of a column's device; None where it is the study's first one."""
    suffix = column.partition(":")[2]
    return None if suffix == "int8" else suffix.removesuffix("-int8") or None


@once_a_table
def machines_of(table: MeasurementTable, column: str) -> tuple[Machine, ...]:
    """The machines that a column was measured on, in the order of the rows; one that is not known
    stands for rows that were imported, or whose campaign does not tell. More than one is a column
    that was mixed. None where nothing of it was measured, or it is of no device."""
    return tuple(rows_by_machine(table, column))


def rows_by_machine(table: MeasurementTable, column: str) -> dict[Machine, np.ndarray]:
    """Positions of the rows that each machine measured a column of, as in `machines_of`."""
    if not is_metric(column) or metric_of(column).suffix != "DEVICE":
        return {}
    precision = "int8" if _is_int8(column) else "fp32"
    found: dict[Machine, list[np.ndarray]] = {}
    for own, rows in _circumstances(table, column):
        found.setdefault(recorded_machine(own, precision), []).append(rows)
    return {machine: np.sort(np.concatenate(parts)) for machine, parts in found.items()}


def machine_of(table: MeasurementTable, column: str) -> Machine | None:
    """The machine that a column is of, the first that is known where several are in it; None where
    none is."""
    return next((machine for machine in machines_of(table, column) if machine.known), None)


def device_names(table: MeasurementTable) -> dict[str, str | None]:
    """The name of each device column's machine, None where that is not known."""
    columns = [t.column for t in table.targets if t.suffix == "DEVICE" and table.known(t.column)]
    machines = {column: machine_of(table, column) for column in columns}
    return {column: None if own is None else own.name for column, own in machines.items()}


def devices_sentence(table: MeasurementTable) -> str:
    """Which columns are of which machine; empty where none is of a device."""
    columns: dict[str, list[str]] = {}
    for column in device_names(table):
        machine = machine_of(table, column) or Machine()
        columns.setdefault(replace(machine, precision="").name, []).append(column)
    told = [
        f"{' and '.join(own)} {'is' if len(own) == 1 else 'are'} of {name}"
        for name, own in columns.items()
    ]
    return "; ".join(told) + "." if told else ""


def own_columns(table: MeasurementTable, machine: Machine) -> tuple[str, str] | None:
    """The latency columns in fp32 and int8 that a machine has measured; None without any."""
    names = [None, *(device_name_of(t.column) for t in table.targets if t.head == LATENCY)]
    for columns in map(device_columns, dict.fromkeys(names)):
        found = machine_of(table, columns[0]) or machine_of(table, columns[1])
        if found is not None and found.same_as(machine):
            return columns
    return None


def free_name(table: MeasurementTable, machine: Machine) -> str:
    """A name for a machine's columns, made of its processor and runtime, that no column of the
    table has."""
    taken = {device_name_of(target.column) for target in table.targets}
    plain = _slug(f"{machine.short} {machine.runtime}") or "device"
    release = _slug(f"{plain} {'.'.join(machine.release)}")
    numbered = (f"{plain}-{number}" for number in count(2))
    return next(name for name in chain((plain, release), numbered) if name not in taken)


def _slug(words: str) -> str:
    letters = re.sub(r"[^a-z0-9.]+", "-", words.casefold())[:_MOST_LETTERS].strip("-.")
    return re.sub("-?int8$", "", letters)


def baselines_of(table: MeasurementTable, columns: Sequence[str]) -> dict[str, float]:
    """The reference network's time (ms) in the first campaign of each latency column, in the
    column's own precision, which later campaigns are held to; none where there is no campaign yet,
    and for int8 where older ones timed the reference in fp32 alone."""
    found = {column: _baseline(table, column) for column in columns}
    return {column: known for column, known in found.items() if known is not None}


def _baseline(table: MeasurementTable, column: str) -> float | None:
    for own, _ in _circumstances(table, column):
        told = own.get("reference_baselines_ms")
        fp32 = None if _is_int8(column) else own.get("reference_baseline_ms")
        baseline = told.get(column, fp32) if isinstance(told, Mapping) else fp32
        if isinstance(baseline, (int, float)):
            return float(baseline)
    return None


def _circumstances(
    table: MeasurementTable, column: str
) -> list[tuple[Mapping[str, Any], np.ndarray]]:
    """What was recorded of the campaigns that measured a column of a device, with the positions of
    their rows, whose order they are in; empty of rows that are of none."""
    if not table.known(column):
        return []
    campaigns, rows = campaigns_of(table), np.flatnonzero(table.frame[column].notna())
    numbers, names = pd.factorize(campaign_names(table, column)[rows], use_na_sentinel=False)
    # A row's own campaign may have measured other columns of it alone.
    latency = LATENCY + column[len(metric_of(column).head) :]
    found = []
    for number, name in enumerate(names):
        told = campaigns.get(name)
        own = told if isinstance(told, Mapping) else {}
        columns = own.get("latency_columns", device_columns(None))
        measured = isinstance(columns, Sequence) and latency in columns
        found.append((own if measured else {}, rows[numbers == number]))
    return found


def _is_int8(column: str) -> bool:
    return column.endswith((":int8", "-int8"))
