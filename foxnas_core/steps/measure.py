"""Measuring subnets into a study's tables, here, on a cluster or on another device."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.measurement.devices import Device, device_of
from foxnas_core.measurement.here import machine_here
from foxnas_core.progress import Report
from foxnas_core.space.architecture import Architecture
from foxnas_core.steps.columns import AUTO, columns_of
from foxnas_core.study import Study, file_hash
from foxnas_core.table.machine import Machine, baselines_of, device_name_of, recorded_machine
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import is_metric, metric_of
from foxnas_core.tasks.dataset import ImageSet

if TYPE_CHECKING:
    from foxnas_core.measurement.campaign import Measured
    from foxnas_core.measurement.cluster import Timers
    from foxnas_core.supernet.checkpoint import Checkpoint


PRECISIONS: Mapping[str, str] = {"fp32": "latency_ms", "int8": "latency_ms:int8"}
"""The precisions that a subnet is measured in here, each with its latency column."""
BATCH = 12
"""Subnets that are measured together."""
CALIBRATION_IMAGES = 2000
"""Training images by which norms are recalibrated, and which a study keeps if not all."""


def measure_subnets(
    study: Study,
    architectures: Sequence[Architecture],
    *,
    seed: int,
    report: Report,
    optima: Mapping[str, Mapping[str, Any]] | None = None,
    origin: Mapping[str, Any] | None = None,
    device: str | None = None,
    targets: Sequence[str] = (),
    energy: bool = False,
    memory: bool = False,
    workers: int = 1,
    ray: str | None = None,
    images: int | None = None,
    timed: bool = True,
) -> "list[Measured]":
    """Measure subnets and append each finished batch to the study's table.

    With `optima`, which holds further values by id, they go to the table of optima. `origin` says
    how they were chosen, see `run_crew`. What a device tells goes to the columns that `device` and
    `targets` say, see `columns_of`; `energy` and `memory` are measured where asked for and it tells
    them. `workers` processes share the work, of this machine or, with `ray`, of the cluster at that
    address. The first `images` held-out ones are scored, by default all; where subnets are not
    `timed`, it is in fp32 alone, and `measure_on_device` adds latencies later. Raises `MissingPart`
    where the study has no weights or images, `InvalidInput` for what can't be shared, and as
    `columns_of` and `Cluster`.
    """
    checkpoint, calibration, held_out = parts_of(study)
    held_out = held_out.take(slice(0, images))
    if not architectures:
        return []

    from foxnas_core.measurement import campaign

    if workers > 1 or ray is not None:
        _check_shared(checkpoint, energy and ray is None)
    timers = partial(
        _timers, study, timed=timed, calibration=calibration, seed=seed, device=device,
        targets=targets, energy=energy, memory=memory,
    )  # fmt: skip
    measured: list[Measured] = []
    scoring = campaign.scoring_meters(
        checkpoint, held_out=held_out, calibration=calibration if timed else None
    )
    how: dict[str, Any] = {
        "seed": seed,
        "keep": _keeping(study, measured, optima),
        "report": report,
        "origin": origin,
    }
    if ray is None:
        with study.in_use():
            meters = [*scoring, *timers(machine_here())(checkpoint)]
            campaign.run_campaign(
                checkpoint,
                architectures,
                meters=meters,
                calibration=calibration,
                workers=workers,
                **how,
            )
        return measured

    from foxnas_core.measurement.cluster import Cluster

    with (
        study.in_use(),
        Cluster(checkpoint, calibration, scoring, timers, address=ray, count=workers) as crew,
    ):
        campaign.run_crew(crew, architectures, recalibration_images=len(calibration), **how)
    return measured


def _timers(
    study: Study,
    machine: Machine,
    *,
    timed: bool,
    calibration: ImageSet,
    seed: int,
    device: str | None,
    targets: Sequence[str],
    energy: bool,
    memory: bool,
) -> "Timers":
    """What a machine times subnets with: meters of its own columns, none where it has none, or
    nothing is to be `timed`."""
    from foxnas_core.measurement import campaign

    columns = (timed and columns_of(study, machine, device=device, targets=targets)) or None
    if columns is None:
        return campaign.no_meters
    return partial(
        campaign.device_meters,
        calibration=calibration,
        seed=seed,
        device=device_name_of(columns[0]),
        baselines=baselines_of(study.table(), columns),
        energy=energy,
        memory=memory,
    )


def _keeping(
    study: Study, measured: "list[Measured]", optima: Mapping[str, Mapping[str, Any]] | None
) -> "Callable[[list[Measured], dict[str, Any]], None]":
    """What appends a batch to the study's table, or that of optima, and to `measured`."""
    parents = {"checkpoint": file_hash(study.checkpoint_file)}

    def keep(rows: "list[Measured]", circumstances: dict[str, Any]) -> None:
        further = optima or {}
        study.append(
            [row.architecture for row in rows],
            [cells_of(row) | dict(further.get(row.architecture.id, {})) for row in rows],
            {name: parents | values for name, values in circumstances.items()},
            optima=optima is not None,
        )
        measured.extend(rows)

    return keep


def cells_of(row: "Measured") -> dict[str, Any]:
    """What the table keeps of a row that was measured as a whole: where a device's columns are
    named after it, their campaign beside them, as in `device_cells`."""
    named = [
        column
        for column in row.values
        if is_metric(column) and metric_of(column).suffix == "DEVICE" and device_name_of(column)
    ]
    return row.values | {f"campaign_{column}": row.values["campaign"] for column in named}


def _check_shared(checkpoint: "Checkpoint", energy: bool) -> None:
    """Raises `InvalidInput` for what several processes can't measure."""
    if checkpoint.supernet.foreign:
        raise InvalidInput(
            "A supernet of your own code stays in one process; leave --workers and --ray out."
        )
    if energy:
        raise InvalidInput(
            "--energy counts whatever the processor does, other processes included; leave "
            "--workers out."
        )


def measure_on_device(
    study: Study,
    spec: str,
    *,
    name: str | None = None,
    count: int | None = None,
    subnets: Sequence[Architecture] | None = None,
    seed: int,
    report: Report,
    python: str = "python3",
    program: Path | None = None,
) -> "list[Measured]":
    """Add a device's latencies to rows that are measured already but lack them.

    `spec` and `name` are as in `device_for`, `python` and `program` as in `meter_of`; `subnets` are
    those to measure, by default all, and `count` is how many at most. Each finished batch is kept,
    so a killed campaign goes on where it was. Raises `MissingPart` where the study has no rows,
    weights or images, `OtherMachine` where the columns are of another machine, and as `meter_of`.
    """
    from foxnas_core.measurement.device_meters import meter_of

    device, table = device_for(study, spec, name), study.table()
    if not len(table):
        raise MissingPart(
            f"Study {study.name!r} has no measured subnets that a device's latency could be added "
            "to; measure some first, without --device."
        )
    lacking = table.lacking(device.columns[0])
    if subnets is not None:
        lacking = [architecture for architecture in lacking if architecture in set(subnets)]
    lacking = lacking[:count]
    if not lacking:
        return []
    checkpoint, calibration, _ = parts_of(study)

    from foxnas_core.measurement.campaign import prepare, reference_architecture, run_campaign

    parents = {"checkpoint": file_hash(study.checkpoint_file)}
    measured: list[Measured] = []

    def keep(rows: "list[Measured]", circumstances: dict[str, Any]) -> None:
        cells = pd.DataFrame([device_cells(row, device.columns) for row in rows])

        def change(table: MeasurementTable) -> MeasurementTable:
            campaigns = {n: parents | values for n, values in circumstances.items()}
            known = {**table.record.get("campaigns", {}), **campaigns}
            return table.with_cells(cells, record={**table.record, "campaigns": known})

        study.amend(change)
        measured.extend(rows)

    with study.in_use():
        meter = meter_of(
            device,
            lambda: prepare(checkpoint, reference_architecture(study.space), calibration),
            calibration=calibration,
            task=checkpoint.task,
            seed=seed,
            baselines=baselines_of(table, device.columns),
            python=python,
            program=program,
        )
        # Only a device that is elsewhere knows itself.
        columns_of(study, recorded_machine(meter.record()), device=device.name, spec=spec)
        run_campaign(
            checkpoint,
            lacking,
            meters=[meter],
            calibration=calibration,
            seed=seed,
            keep=keep,
            report=report,
            # What converts is slow, so that much would be lost with a large batch; of few subnets
            # somebody may want to see how far they are.
            batch=4 if device.runtime.converts or len(lacking) <= 2 * BATCH else BATCH,
            origin={"origin": "device"},
        )
    return measured


def device_for(study: Study, spec: str, name: str | None = None) -> Device:
    """The device of a specification, as `device_of` has it, but that a runtime
    of this machine has the columns that `columns_of` says.

    Raises `InvalidInput` as `device_of`, and `OtherMachine`.
    """
    device = device_of(spec, None if name == AUTO else name)
    if device.scheme != "local":
        return device
    here = machine_here(device.runtime.name)
    columns = columns_of(study, here, device=name, spec=spec, usual=device.columns)
    return replace(device, name=device_name_of(columns[0])) if columns else device


def device_cells(row: "Measured", columns: Sequence[str]) -> dict[str, Any]:
    """What a device adds to a row: its columns, and for each the campaign it was measured in,
    since the row's own `campaign` is that of its accuracy."""
    own = {k: v for k, v in row.values.items() if any(k.endswith(column) for column in columns)}
    campaigns = {f"campaign_{column}": row.values["campaign"] for column in columns}
    return {"id": row.architecture.id, **own, **campaigns}


def parts_of(study: Study) -> "tuple[Checkpoint, ImageSet, ImageSet]":
    """The supernet, the images to calibrate on, of which there are at most 2,000, and the held-out
    ones; holds torch to one thread,
    as measuring and training one subnet want it.

    Raises `MissingPart` where the study lacks one of them.
    """
    checkpoint = study.load_checkpoint()
    calibration, held_out = study.images()

    import torch

    torch.set_num_threads(1)
    return checkpoint, calibration.take(slice(0, CALIBRATION_IMAGES)), held_out
