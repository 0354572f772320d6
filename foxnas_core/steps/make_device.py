"""Making this machine a device of a study: its latencies of some subnets that another machine has
measured already, by which that one's predictors are calibrated to it."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.devices.common import latency_columns, read_rows
from foxnas_core.devices.transfer import LEAST_ROWS, drawn_rows, median_error
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.measurement.here import machine_here
from foxnas_core.progress import Progress, Report, not_told
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.columns import USUAL
from foxnas_core.steps.fit import fit_all
from foxnas_core.steps.kept_fits import kept_fits
from foxnas_core.steps.measure import measure_on_device
from foxnas_core.study import Study
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.machine import (
    Machine,
    device_columns,
    device_name_of,
    free_name,
    machine_of,
    own_columns,
)
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of

RUNTIME = "onnxruntime"


@dataclass(frozen=True)
class Standing:
    """Whose a latency column is, beside the machine that this runs on.

    `machine` is one that is not known where the table does not tell; `own` is this machine's column
    in the same precision, where it has one.
    """

    column: str
    machine: Machine
    here: Machine
    own: str | None

    @property
    def is_here(self) -> bool:
        return self.machine.same_as(self.here)

    def sentence(self) -> str:
        """Whose the latencies are, and whether this is the same machine."""
        of = f"{metric_of(self.column).label} is of {self.machine.name}"
        if self.is_here:
            return f"{of}, which is this machine."
        here = replace(self.here, precision=self.machine.precision).name
        if not self.machine.known:
            return f"{of}, and this is {here}: nothing tells whether it holds here."
        return f"{of}, and this is {here}: it does not hold here."


@dataclass(frozen=True, eq=False)
class MadeDevice:
    """This machine as a device of a study: by latency column, that in fp32 first, how many rows a
    fit reads, its predictor, and the median of the errors on rows left out, as a share of what
    these measured."""

    machine: Machine
    rows: Mapping[str, int]
    predictors: Mapping[str, Predictor]
    errors: Mapping[str, float]


def standing(table: MeasurementTable, column: str) -> Standing:
    """Whose a latency column is, beside the machine that this runs on."""
    here, own = machine_here(), None
    machine = machine_of(table, column) or Machine()
    if (columns := own_columns(table, here)) is not None:
        own = columns[column in device_columns(device_name_of(column))[1:]]
    return Standing(column, machine, here, own if own and table.known(own) else None)


def make_device(
    study: Study,
    *,
    count: int = USUAL,
    seed: int = 0,
    report: Report = not_told,
    alone: AbstractContextManager[Any] | None = None,
) -> MadeDevice:
    """Measure latencies of this machine, in ONNX Runtime, until `count` subnets have them, and
    calibrate by them.

    The subnets fill equal shares of the ranks of another machine's latency, see `drawn_rows`. They
    go to columns that no other machine's rows share, batch by batch, so a run that was killed, or
    that `report` ended, goes on where it was. `alone` is held while anything is timed. Raises
    `InvalidInput` where the study's latencies are of this machine already, or a calibration reads
    more than `count` rows, `MissingPart` where there is nothing to calibrate from, and as
    `measure_on_device`.
    """
    if count < LEAST_ROWS:
        raise InvalidInput(f"A calibration needs at least {LEAST_ROWS} subnets, not {count}.")
    table = study.table()
    columns = columns_here(table)
    planned, before = planned_subnets(study, table, columns, count=count, seed=seed)
    told = Progress(before, before + len(planned), stage="Measuring subnets")
    report(replace(told, stage="Preparing the reference network"))
    if planned:
        with alone or nullcontext():
            measure_on_device(
                study,
                RUNTIME,
                name=device_name_of(columns[0]),
                subnets=planned,
                seed=seed,
                report=lambda now: report(
                    replace(told, done=before + now.done, seconds_left=now.seconds_left)
                ),
            )
    return made_device(study, study.table(), columns)


def columns_here(table: MeasurementTable) -> tuple[str, str]:
    """The latency columns of this machine in fp32 and int8, whether the table has them or not.

    Raises `InvalidInput` where those are the study's first ones, from which others are calibrated,
    and `MissingPart` where the table has no latency of another machine.
    """
    here = machine_here()
    columns = own_columns(table, here) or device_columns(free_name(table, here))
    if not any(map(table.known, latency_columns(table))):
        raise MissingPart(
            "This study has no latency yet from which this machine's could be calibrated; measure "
            "subnets here with 'python -m foxnas_core measure'."
        )
    if columns == device_columns(None):
        raise InvalidInput(
            f"The study's latencies are of {here.short}, which is this machine, so it is a device "
            "of the study already; measure more subnets with 'python -m foxnas_core measure'."
        )
    return columns


def made_columns(table: MeasurementTable) -> tuple[str, str] | None:
    """The latency columns of this machine in fp32 and int8, where enough of both was measured to
    calibrate by; None where not."""
    columns = own_columns(table, machine_here())
    return columns if columns and all(table.known(c) >= LEAST_ROWS for c in columns) else None


def timed_columns(table: MeasurementTable) -> tuple[str, str]:
    """The latency columns that are tested on this machine: its own where it is a device of the
    study, else the study's first ones."""
    return made_columns(table) or device_columns(None)


def planned_subnets(
    study: Study, table: MeasurementTable, columns: tuple[str, str], *, count: int, seed: int
) -> tuple[list[Architecture], int]:
    """The subnets to measure so that `count`, or all there are, have this machine's `columns`, and
    how many have them already."""
    sources = [c for c in latency_columns(table) if c not in columns]
    source = max(sources, key=lambda c: (c == study.cost.column, len(read_rows(table, c))))
    ids = table.frame["id"].to_numpy()

    def subnets_of(rows: np.ndarray) -> np.ndarray:
        return np.isin(ids, ids[rows])

    own = [c for c in columns if table.known(c)]
    known = np.full(len(table), len(own) == len(columns))
    failed = np.zeros(len(table), dtype=bool)
    for column in own:
        known &= subnets_of(usable(table, column))
        failed |= subnets_of(np.isfinite(table.values(column)))
    # What failed a check stays in the table, and another subnet of its share is measured.
    candidates = usable(table, source) & ~(failed & ~known)
    candidates &= ~pd.Series(ids).where(candidates).duplicated().to_numpy()
    latency = np.where(candidates, table.values(source), np.nan)
    drawn = drawn_rows(latency, known, count, seed=seed)
    planned = table.space.decode(table.codes[drawn])
    return planned, min(count, int(candidates.sum())) - len(planned)


def made_device(study: Study, table: MeasurementTable, columns: tuple[str, str]) -> MadeDevice:
    """What a table tells of this machine's columns; raises as `fit_all`."""
    predictors = fit_all(table, targets=columns, kept=kept_fits(study))
    return MadeDevice(
        machine=machine_here(),
        rows={column: own.rows for column, own in predictors.items()},
        predictors=predictors,
        errors={column: median_error(own, table) for column, own in predictors.items()},
    )
