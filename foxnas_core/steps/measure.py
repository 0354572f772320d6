"""Measuring subnets into a study's tables, here, on a cluster or on another device."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.progress import Report
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study, file_hash
from foxnas_core.table.machine import baseline_of
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.tasks.dataset import ImageSet

if TYPE_CHECKING:
    from foxnas_core.measurement.campaign import Measured
    from foxnas_core.supernet.checkpoint import Checkpoint


PRECISIONS: Mapping[str, str] = {"fp32": "latency_ms", "int8": "latency_ms:int8"}
"""The precisions that a subnet is measured in here, each with its latency column."""
BATCH = 12
"""Subnets that are measured together."""


def measure_subnets(
    study: Study,
    architectures: Sequence[Architecture],
    *,
    seed: int,
    report: Report,
    optima: Mapping[str, Mapping[str, Any]] | None = None,
    origin: Mapping[str, Any] | None = None,
    energy: bool = False,
    memory: bool = False,
    workers: int = 1,
    ray: str | None = None,
) -> "list[Measured]":
    """Measure subnets and append each finished batch to the study's table.

    With `optima`, which holds further values by id, they go to the table of optima. `origin` says
    how they were chosen, see `run_crew`. `energy` and `memory` are measured where asked for and
    the device tells them. `workers` processes share the work, of this machine or, with `ray`, of
    the cluster at that address. Raises `MissingPart` where the study has no weights or images,
    `InvalidInput` for what can't be shared, and as `Cluster`.
    """
    checkpoint, calibration, held_out = parts_of(study)

    from foxnas_core.measurement import campaign

    if workers > 1 or ray is not None:
        _check_shared(checkpoint, energy and ray is None)
    parents = {"checkpoint": file_hash(study.checkpoint_file)}
    measured: list[Measured] = []

    def keep(rows: "list[Measured]", circumstances: dict[str, Any]) -> None:
        further = optima or {}
        study.append(
            [row.architecture for row in rows],
            [row.values | dict(further.get(row.architecture.id, {})) for row in rows],
            {name: parents | values for name, values in circumstances.items()},
            optima=optima is not None,
        )
        measured.extend(rows)

    device: dict[str, Any] = {
        "calibration": calibration,
        "seed": seed,
        "baseline": baseline_of(study.table(), "latency_ms"),
        "energy": energy,
        "memory": memory,
    }
    scoring = campaign.scoring_meters(checkpoint, held_out=held_out, calibration=calibration)
    how: dict[str, Any] = {"seed": seed, "keep": keep, "report": report, "origin": origin}
    if ray is None:
        with study.in_use():
            meters = [*scoring, *campaign.device_meters(checkpoint, **device)]
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
        Cluster(
            checkpoint,
            calibration,
            scoring,
            partial(campaign.device_meters, **device),
            address=ray,
            count=workers,
        ) as crew,
    ):
        campaign.run_crew(crew, architectures, recalibration_images=len(calibration), **how)
    return measured


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

    `spec` and `name` are as in `measurement.devices.device_of`, `python` and `program` as in
    `meter_of`; `subnets` are those to measure, by default all, and `count` is how many at most.
    Each finished batch is kept, so a killed campaign goes on where it was. Raises `MissingPart`
    where the study has no rows, weights or images, and as `meter_of`.
    """
    from foxnas_core.measurement.devices import device_of, meter_of

    device = device_of(spec, name)
    table = study.table()
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

    from foxnas_core.measurement.campaign import run_campaign

    parents = {"checkpoint": file_hash(study.checkpoint_file)}
    measured: list[Measured] = []

    def keep(rows: "list[Measured]", circumstances: dict[str, Any]) -> None:
        cells = pd.DataFrame([_device_cells(row, device.columns) for row in rows])

        def change(table: MeasurementTable) -> MeasurementTable:
            campaigns = {n: parents | values for n, values in circumstances.items()}
            known = {**table.record.get("campaigns", {}), **campaigns}
            return table.with_cells(cells, record={**table.record, "campaigns": known})

        study.amend(change)
        measured.extend(rows)

    with study.in_use():
        run_campaign(
            checkpoint,
            lacking,
            meters=[
                meter_of(
                    device,
                    checkpoint,
                    calibration=calibration,
                    seed=seed,
                    baseline=baseline_of(table, device.columns[0]),
                    python=python,
                    program=program,
                )
            ],
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


def _device_cells(row: "Measured", columns: Sequence[str]) -> dict[str, Any]:
    """What a device adds to a row: its columns, and for each the campaign it was measured in,
    since the row's own `campaign` is that of its accuracy."""
    own = {k: v for k, v in row.values.items() if any(k.endswith(column) for column in columns)}
    campaigns = {f"campaign_{column}": row.values["campaign"] for column in columns}
    return {"id": row.architecture.id, **own, **campaigns}


def parts_of(study: Study) -> "tuple[Checkpoint, ImageSet, ImageSet]":
    """The supernet, the images to calibrate on and the held-out ones; holds torch to one thread,
    as measuring and training one subnet want it.

    Raises `MissingPart` where the study lacks one of them.
    """
    checkpoint = study.load_checkpoint()
    calibration, held_out = study.images()

    import torch

    torch.set_num_threads(1)
    return checkpoint, calibration, held_out
