"""Latency at batch 1 on one thread of this machine, in ONNX Runtime, fp32 and int8.

On a shared machine the mean and the median of repeated runs wander by a tenth. What repeats is a
low quantile over many runs, in rounds that visit all subnets in a fresh random order, so that a
slow minute falls on all alike; a reference network in every round carries away what drift is
left. The timing itself is `runner`'s, which other devices share.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from foxnas_core.measurement.here import machine_here
from foxnas_core.measurement.meter import INT8_IMAGES, Prepared
from foxnas_core.measurement.runner import (
    Timing,
    bound_session,
    governor,
    interleaved,
    one_core,
    sensors,
    settled,
    timed,
)
from foxnas_core.networks import Network
from foxnas_core.supernet.onnx import onnx_model, session_of
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Task

FP32, INT8 = "latency_ms", "latency_ms:int8"
# Visits of the reference in one look at its time when a device's measuring begins.
SETTLING = 9


class LatencyMeter:
    """Latency in ms of each subnet, in fp32 and in int8, with the figures that say how far it can
    be relied on; see `columns_of`.

    `baseline` is the reference's time when the study was begun (ms), or None where it begins now.
    The measuring thread is held to one core meanwhile.
    """

    columns = (FP32, INT8)

    def __init__(
        self,
        reference: Network,
        calibration: ImageSet,
        *,
        task: Task,
        seed: int,
        baseline: float | None = None,
        runs: int = 400,
        rounds: int = 5,
    ) -> None:
        self._calibration, self._task = calibration, task
        self._rng = np.random.default_rng(seed)
        self._runs, self._rounds = runs, rounds
        self._reference = self._visit(onnx_model(reference), reference)
        with one_core() as self._pinned:
            self.baseline = baseline or settled(self._reference, SETTLING)

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        models = {}
        for row, p in enumerate(subnets):
            models[f"{row} {FP32}"] = self._visit(p.onnx, p.subnet)
            int8 = p.int8(self._calibration, self._task)
            models[f"{row} {INT8}"] = self._visit(int8, p.subnet)
        with one_core():
            rows = interleaved(
                models, self._reference, rounds=self._rounds, rng=self._rng, sense=sensors
            )
        return [
            {
                k: v
                for column in self.columns
                for k, v in columns_of(column, f"{row} {column}", rows, self.baseline).items()
            }
            for row in range(len(subnets))
        ]

    def record(self) -> dict[str, Any]:
        here = machine_here()
        return {
            "device": here.processor,
            "runtime": f"{here.runtime} {here.version}",
            "threads": here.threads,
            "batch": 1,
            "runs": self._runs,
            "rounds": self._rounds,
            "warm_up_runs": warm_up_of(self._runs),
            "pinned": self._pinned,
            "governor": governor(),
            "reference_baseline_ms": self.baseline,
            "int8": "static QDQ, per channel, unsigned activations",
            "calibration_images": min(INT8_IMAGES, len(self._calibration)),
        }

    def _visit(self, model: bytes, subnet: Network) -> Callable[[], Timing]:
        image = (
            np.random.default_rng(0).standard_normal((1, *subnet.input_shape)).astype(np.float32)
        )
        run = bound_session(session_of(model), image)
        return lambda: timed(run, self._runs, warm_up_of(self._runs))


def warm_up_of(runs: int) -> int:
    """How many runs go before `runs` that are timed."""
    return max(10, runs // 10)


def columns_of(
    column: str, model: str, rows: Sequence[Mapping[str, Any]], baseline: float
) -> dict[str, float]:
    """What the table keeps of one model, of the rows of `runner.interleaved`, all models' alike.

    `column`: the median over rounds of the 10th percentile of a round's runs (ms), each divided by
    the round's drift, which is the reference's time over `baseline`. `low_…` and `high_…`: the
    least and the greatest of these; `minimum_…`: the least single run, divided likewise;
    `drift_…`: the drift, and `drift_range_…`, by how much the reference's times within a round
    differ, as a share of their median, both the median over rounds. Where the device tells them:
    `clock_mhz_…` and `clock_range_…` likewise, and `temperature_…`, the highest (°C).
    """
    own = [row for row in rows if row["model"] == model]
    drifts = np.array([row["reference_ms"] for row in own]) / baseline
    levels = np.array([row["tenth_ms"] for row in own]) / drifts
    least = np.array([row["minimum_ms"] for row in own]) / drifts
    ranges = [
        (row["reference_high_ms"] - row["reference_low_ms"]) / row["reference_ms"] for row in own
    ]
    values = {
        column: float(np.median(levels)),
        f"minimum_{column}": float(least.min()),
        f"low_{column}": float(levels.min()),
        f"high_{column}": float(levels.max()),
        f"drift_{column}": float(np.median(drifts)),
        f"drift_range_{column}": float(np.median(ranges)),
    }
    clocks: dict[int, list[float]] = {}
    for row in rows:
        if row["clock_mhz"] is not None:
            clocks.setdefault(row["round"], []).append(row["clock_mhz"])
    if clocks:
        middles = [float(np.median(read)) for read in clocks.values()]
        spans = [float(np.ptp(read)) / m for read, m in zip(clocks.values(), middles, strict=True)]
        values[f"clock_mhz_{column}"] = float(np.median(middles))
        values[f"clock_range_{column}"] = float(np.median(spans))
    warmest = [row["temperature_c"] for row in own if row["temperature_c"] is not None]
    if warmest:
        values[f"temperature_{column}"] = max(warmest)
    return values
