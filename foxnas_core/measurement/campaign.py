"""A campaign: many subnets measured in small batches, each batch kept as soon as it is done."""

import hashlib
import json
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from foxnas_core.architecture import Architecture
from foxnas_core.dataset import ImageSet
from foxnas_core.measurement.accuracy import AccuracyMeter
from foxnas_core.measurement.cost import CostMeter
from foxnas_core.measurement.latency import LatencyMeter
from foxnas_core.measurement.meter import Meter, Prepared
from foxnas_core.search_space import SearchSpace
from foxnas_core.supernet.checkpoint import Checkpoint
from foxnas_core.supernet.images import Level
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.supernet.training import batches
from foxnas_core.table import SECONDS


@dataclass(frozen=True)
class Measured:
    """One measured subnet: its architecture and its column values."""

    architecture: Architecture
    values: dict[str, Any]


@dataclass(frozen=True)
class CampaignProgress:
    """Subnets done of all, and the seconds that are left at the rate so far."""

    done: int
    total: int
    seconds_left: float


def prepare(checkpoint: Checkpoint, architecture: Architecture, calibration: ImageSet) -> Prepared:
    """The extracted subnet, its batch norms recalibrated on training images."""
    mean, std = pixel_statistics(checkpoint)
    subnet = checkpoint.extract(architecture)
    recalibrate(subnet, batches(calibration, subnet.resolution, mean, std))
    return Prepared(architecture, subnet)


def reference_architecture(space: SearchSpace) -> Architecture:
    """The network whose time tells the machine's drift: the largest subnet of the space."""
    return space.extreme("largest")


def standard_meters(
    checkpoint: Checkpoint,
    *,
    held_out: ImageSet,
    calibration: ImageSet,
    seed: int,
    baseline: float | None = None,
    energy: bool = False,
    memory: bool = False,
) -> list[Meter]:
    """Accuracy, cost and latency, as the shipped study is measured, with energy and peak memory
    where asked for.

    `baseline` is the reference's time when the study was begun (ms), or None at its beginning.
    """
    from foxnas_core.measurement.energy import EnergyMeter
    from foxnas_core.measurement.memory import MemoryMeter

    mean, std = pixel_statistics(checkpoint)
    reference = prepare(checkpoint, reference_architecture(checkpoint.supernet.space), calibration)
    extra: list[Meter] = []
    if energy:
        extra.append(EnergyMeter(calibration, mean=mean, std=std))
    if memory:
        extra.append(MemoryMeter(calibration, mean=mean, std=std))
    return [
        AccuracyMeter(held_out, calibration, mean=mean, std=std),
        CostMeter(),
        LatencyMeter(
            reference.subnet, calibration, mean=mean, std=std, seed=seed, baseline=baseline
        ),
        *extra,
    ]


def run_campaign(
    checkpoint: Checkpoint,
    architectures: Sequence[Architecture],
    *,
    meters: Sequence[Meter],
    calibration: ImageSet,
    seed: int,
    keep: Callable[[list[Measured], dict[str, Any]], None],
    report: Callable[[CampaignProgress], None] = lambda progress: None,
    batch: int = 12,
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Measure `architectures`, handing each finished batch and the circumstances to `keep`.

    Every row names its campaign, whose circumstances (device, versions, counts, seed) are the
    second argument of `keep`, and has its share of the seconds that its batch took. `origin` says
    how the architectures were chosen; it joins the circumstances, and its values the campaign's
    name. What `keep` has taken survives a kill; the batch under way is measured again.
    """
    circumstances = _circumstances(meters, len(calibration), seed) | dict(origin or {})
    digest = hashlib.sha256(json.dumps(circumstances, sort_keys=True).encode()).hexdigest()[:8]
    campaign = "-".join([*map(str, (origin or {}).values()), digest])
    started = time.monotonic()
    for start in range(0, len(architectures), batch):
        begun = time.monotonic()
        part = [prepare(checkpoint, a, calibration) for a in architectures[start : start + batch]]
        values: list[dict[str, Any]] = [{"campaign": campaign, "seed": seed} for _ in part]
        for meter in meters:
            for row, measured in zip(values, meter.measure(part), strict=True):
                row.update(measured)
        share = (time.monotonic() - begun) / len(part)
        rows = [
            Measured(p.architecture, v | {SECONDS: share})
            for p, v in zip(part, values, strict=True)
        ]
        keep(rows, {campaign: circumstances})
        done = start + len(part)
        rate = (time.monotonic() - started) / done
        report(CampaignProgress(done, len(architectures), rate * (len(architectures) - done)))


def pixel_statistics(checkpoint: Checkpoint) -> tuple[Level, Level]:
    """Pixel mean and standard deviation that the supernet was trained with."""
    return checkpoint.record["pixel_mean"], checkpoint.record["pixel_std"]


def _circumstances(meters: Sequence[Meter], calibration: int, seed: int) -> dict[str, Any]:
    circumstances: dict[str, Any] = {
        "seed": seed,
        "recalibration_images": calibration,
        "python": platform.python_version(),
        "torch": version("torch"),
        "numpy": version("numpy"),
    }
    for meter in meters:
        circumstances |= meter.record()
    return circumstances
