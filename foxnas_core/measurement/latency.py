"""Latency at batch 1 on one thread of this machine, in ONNX Runtime, fp32 and int8.

On a shared machine the mean and the median of repeated runs wander by a tenth. What repeats is a
low quantile over many runs, in rounds that visit all subnets in a fresh random order, so that a
slow minute falls on all alike; a reference network in every round carries away what drift is
left.
"""

import platform
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from foxnas_core.dataset import ImageSet
from foxnas_core.measurement.machine import clock_mhz, governor, one_core
from foxnas_core.measurement.meter import INT8_IMAGES, Prepared
from foxnas_core.supernet.images import Level
from foxnas_core.supernet.onnx import INPUT, OUTPUT, onnx_model, session_of
from foxnas_core.supernet.subnet import Network

FP32, INT8 = "latency_ms", "latency_ms:int8"


class LatencyMeter:
    """Latency in ms of each subnet, in fp32 and in int8.

    For each precision: the median over rounds of the 10th percentile of a round's runs, each
    divided by the drift of the reference in that round; `low_…` and `high_…` the least and the
    greatest of these rounds; `minimum_…` the least single run; `drift_…` the reference's time over
    `baseline` and `drift_range_…` by how much its times within a round differ, as a share of their
    median, both the median over rounds. Where the system tells the core's clock, `clock_mhz_…` and
    `clock_range_…` likewise. `baseline` is the reference's time when the study was begun (ms), or
    None where it begins now. The measuring thread is held to one core meanwhile.
    """

    def __init__(
        self,
        reference: Network,
        calibration: ImageSet,
        *,
        mean: Level,
        std: Level,
        seed: int,
        baseline: float | None = None,
        runs: int = 400,
        rounds: int = 5,
    ) -> None:
        self._calibration, self._mean, self._std = calibration, mean, std
        self._rng = np.random.default_rng(seed)
        self._runs, self._rounds = runs, rounds
        self._reference = _Run(onnx_model(reference), reference)
        with one_core() as self._pinned:
            self.baseline = baseline or self._settle()

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        runs = [
            {FP32: _Run(p.onnx, p.subnet), INT8: _Run(self._quantized(p), p.subnet)}
            for p in subnets
        ]
        jobs = [(row, column) for row in range(len(runs)) for column in (FP32, INT8)]
        times: dict[tuple[int, str], list[np.ndarray]] = {job: [] for job in jobs}
        references, clocks = [], []
        with one_core():
            for _ in range(self._rounds):
                order = self._rng.permutation(len(jobs))
                # The reference is timed before, amid and after the others of the round.
                marks = [self._mark()]
                timed = {}
                for place, index in enumerate(order, start=1):
                    row, column = jobs[index]
                    timed[jobs[index]] = runs[row][column].times(self._runs)
                    if place in (len(order) // 2, len(order)):
                        marks.append(self._mark())
                drift = float(np.median([time for time, _ in marks])) / self.baseline
                for job, taken in timed.items():
                    times[job].append(taken / drift)
                references.append([time / self.baseline for time, _ in marks])
                clocks.append([clock for _, clock in marks if clock is not None])
        steadiness = _steadiness("drift", "drift_range", references)
        if all(clocks):
            steadiness |= _steadiness("clock_mhz", "clock_range", clocks)
        return [
            {k: v for column in (FP32, INT8) for k, v in _columns(column, times[row, column])}
            | {f"{k}_{column}": v for column in (FP32, INT8) for k, v in steadiness.items()}
            for row in range(len(runs))
        ]

    def record(self) -> dict[str, Any]:
        return {
            "device": device_name(),
            "runtime": f"ONNX Runtime {onnxruntime.__version__}",
            "threads": 1,
            "batch": 1,
            "runs": self._runs,
            "rounds": self._rounds,
            "warm_up_runs": _warm_up(self._runs),
            "pinned": self._pinned,
            "governor": governor(),
            "reference_baseline_ms": self.baseline,
            "int8": "static QDQ, per channel, unsigned activations",
            "calibration_images": min(INT8_IMAGES, len(self._calibration)),
        }

    def _quantized(self, prepared: Prepared) -> bytes:
        return prepared.int8(self._calibration, self._mean, self._std)

    def _settle(self) -> float:
        return float(np.median([self._mark()[0] for _ in range(9)]))

    def _mark(self) -> tuple[float, float | None]:
        """The reference's time now (ms), and the clock right after (MHz)."""
        return _tenth(self._reference.times(self._runs)), clock_mhz()


class _Run:
    """One model bound to one input, so that a run costs no copy."""

    def __init__(self, model: bytes, subnet: Network) -> None:
        self._session = session_of(model)
        self._binding = self._session.io_binding()
        shape = (1, subnet.input_channels, subnet.resolution, subnet.resolution)
        image = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
        self._binding.bind_cpu_input(INPUT, image)
        self._binding.bind_output(OUTPUT)

    def times(self, runs: int) -> np.ndarray:
        """Milliseconds of `runs` runs, after some to warm up."""
        run, clock = self._session.run_with_iobinding, time.perf_counter_ns
        for _ in range(_warm_up(runs)):
            run(self._binding)
        taken = np.empty(runs)
        for i in range(runs):
            start = clock()
            run(self._binding)
            taken[i] = clock() - start
        return taken / 1e6


def device_name() -> str:
    """The processor's name as the system gives it."""
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _tenth(times: np.ndarray) -> float:
    return float(np.quantile(times, 0.1))


def _warm_up(runs: int) -> int:
    """How many runs go before `runs` that are timed."""
    return max(10, runs // 10)


def _steadiness(level: str, range_: str, rounds: list[list[float]]) -> dict[str, float]:
    """The level of some readings in each round, and how far they differ within one, as a share of
    it: medians over rounds."""
    levels = [float(np.median(own)) for own in rounds]
    ranges = [float(np.ptp(own)) / middle for own, middle in zip(rounds, levels, strict=True)]
    return {level: float(np.median(levels)), range_: float(np.median(ranges))}


def _columns(column: str, rounds: list[np.ndarray]) -> list[tuple[str, float]]:
    levels = np.array([_tenth(r) for r in rounds])
    middle = float(np.median(levels))
    return [
        (column, middle),
        (f"minimum_{column}", float(min(r.min() for r in rounds))),
        (f"low_{column}", float(levels.min())),
        (f"high_{column}", float(levels.max())),
    ]
