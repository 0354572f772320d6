"""A campaign: many subnets measured in small batches, each batch kept as soon as it is done."""

import hashlib
import json
import math
import platform
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

from foxnas_core.families import family_of
from foxnas_core.measurement.cost import CostMeter
from foxnas_core.measurement.crew import Alone, Crew, Processes
from foxnas_core.measurement.latency import NOT_BEGUN, LatencyMeter
from foxnas_core.measurement.meter import Meter
from foxnas_core.measurement.preparing import prepare, prepare_all
from foxnas_core.measurement.runtimes import wait_silently
from foxnas_core.measurement.score import ScoreMeter
from foxnas_core.progress import Pace, Report, not_told
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.checkpoint import Checkpoint
from foxnas_core.table.measurements import SECONDS
from foxnas_core.tasks.dataset import ImageSet


@dataclass(frozen=True)
class Measured:
    """One measured subnet: its architecture and its column values."""

    architecture: Architecture
    values: dict[str, Any]


def reference_architecture(space: SearchSpace) -> Architecture:
    """The network whose time tells the machine's drift: the family's reference."""
    return family_of(space).reference(space)


def scoring_meters(
    checkpoint: Checkpoint, *, held_out: ImageSet, calibration: ImageSet | None
) -> list[Meter]:
    """Accuracy and cost, which are the same on any machine; in int8 too where it can be
    calibrated."""
    task = checkpoint.task
    return [ScoreMeter(held_out, calibration, task=task), CostMeter()]


def device_meters(
    checkpoint: Checkpoint,
    *,
    calibration: ImageSet,
    seed: int,
    device: str | None = None,
    baselines: Mapping[str, float] = NOT_BEGUN,
    energy: bool = False,
    memory: bool = False,
    looks: int | None = None,
    waiting: Callable[[], None] = wait_silently,
) -> list[Meter]:
    """What is of the machine that calls this: latency, and energy and peak memory where asked for.

    `device` names the columns, as in `device_columns`; `baselines`, `looks` and `waiting` are as in
    `LatencyMeter`.
    """
    from foxnas_core.measurement.energy import EnergyMeter
    from foxnas_core.measurement.memory import MemoryMeter

    task = checkpoint.task
    reference = prepare(checkpoint, reference_architecture(checkpoint.supernet.space), calibration)
    meters: list[Meter] = [
        LatencyMeter(
            reference,
            calibration,
            task=task,
            seed=seed,
            device=device,
            baselines=baselines,
            looks=looks,
            waiting=waiting,
        )
    ]
    if energy:
        meters.append(EnergyMeter(calibration, task=task, device=device))
    if memory:
        meters.append(MemoryMeter(calibration, task=task, device=device))
    return meters


def no_meters(checkpoint: Checkpoint) -> list[Meter]:
    """What is of the machine, where that has no columns for it."""
    return []


def run_campaign(
    checkpoint: Checkpoint,
    architectures: Sequence[Architecture],
    *,
    meters: Sequence[Meter],
    calibration: ImageSet,
    seed: int,
    keep: Callable[[list[Measured], dict[str, Any]], None],
    report: Report = not_told,
    batch: int = 12,
    origin: Mapping[str, Any] | None = None,
    workers: int = 1,
) -> None:
    """Measure `architectures` on this machine, by so many processes; see `run_crew`."""
    prepared = partial(prepare_all, checkpoint, calibration=calibration)
    crew: Crew = Alone(prepared, meters)
    if workers > 1:
        crew = Processes(prepared, meters, count=workers)
        # Smaller batches where there are too few for every process to have its share to the end.
        batch = max(1, min(batch, math.ceil(len(architectures) / (3 * workers))))
    run_crew(
        crew,
        architectures,
        recalibration_images=len(calibration),
        seed=seed,
        keep=keep,
        report=report,
        batch=batch,
        origin=origin,
    )


def run_crew(
    crew: Crew,
    architectures: Sequence[Architecture],
    *,
    recalibration_images: int,
    seed: int,
    keep: Callable[[list[Measured], dict[str, Any]], None],
    report: Report = not_told,
    batch: int = 12,
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Have `crew` measure `architectures`, handing each finished batch and the circumstances to
    `keep`, in this process and one at a time.

    Every row names its campaign, whose circumstances (device, versions, counts, seed) are the
    second argument of `keep`, and has its share of the seconds of work that its batch took.
    `origin` says how the architectures were chosen; it joins the circumstances, and its values the
    campaign's name. What `keep` has taken survives a kill; the batches under way are measured
    again.
    """
    circumstances = _circumstances(crew, recalibration_images, seed) | dict(origin or {})
    digest = hashlib.sha256(json.dumps(circumstances, sort_keys=True).encode()).hexdigest()[:8]
    campaign = "-".join([*map(str, (origin or {}).values()), digest])
    pace, done = Pace(len(architectures), report), 0
    parts = [architectures[i : i + batch] for i in range(0, len(architectures), batch)]
    with closing(crew.measured(parts)) as measured:
        for part in measured:
            own = {"campaign": campaign, "seed": seed}
            share = {SECONDS: part.seconds / len(part.values)}
            rows = [
                Measured(architecture, own | values | share)
                for architecture, values in zip(part.architectures, part.values, strict=True)
            ]
            keep(rows, {campaign: circumstances})
            done += len(rows)
            pace.at(done)


def _circumstances(crew: Crew, recalibration_images: int, seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "recalibration_images": recalibration_images,
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
        **crew.record(),
    }
