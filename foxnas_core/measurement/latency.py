"""Latency at batch 1 on one thread of this machine, in ONNX Runtime, fp32 and int8.

On a shared machine the mean and the median of repeated runs wander by a tenth. What repeats is a
low quantile over many runs, in rounds that visit all subnets in a fresh random order, so that a
slow minute falls on all alike; a reference network before and after each, in fp32 for fp32 and in
int8 for int8, carries away what drift is left. The timing itself is `runner`'s, which other
devices share.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from foxnas_core.measurement.here import machine_here
from foxnas_core.measurement.meter import INT8_IMAGES, Prepared
from foxnas_core.measurement.runner import (
    BRIEF,
    Timing,
    bound_session,
    governor,
    interleaved,
    one_core,
    sensors,
    settled_each,
    timed,
)
from foxnas_core.measurement.runtimes import last_line, wait_silently
from foxnas_core.networks import Network
from foxnas_core.supernet.onnx import session_of
from foxnas_core.table.machine import device_columns
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Batching

FP32, INT8 = device_columns(None)
NOT_BEGUN: Mapping[str, float] = {}
# Visits of the reference in one look at its time when a device's measuring begins.
SETTLING = 9


class LatencyMeter:
    """Latency in ms of each subnet, in fp32 and in int8, with the figures that say how far it can
    be relied on; see `columns_of`.

    `device` names the columns, as in `device_columns`. `baselines` are the reference's times when
    the study was begun (ms), by column, as far as they are known; see `begun`. The measuring thread
    is held to one core meanwhile. `seconds` bounds the runs of a visit, see `runner.timed`.
    `looks` bounds how long the reference may take to settle where its time is not known, see
    `runner.settled`. `waiting` is called before each visit, and what it raises ends the measuring.
    A `lenient` meter is as in `DeviceMeter`.
    """

    def __init__(
        self,
        reference: Prepared,
        calibration: ImageSet,
        *,
        task: Batching,
        seed: int,
        device: str | None = None,
        baselines: Mapping[str, float] = NOT_BEGUN,
        runs: int = 400,
        rounds: int = 5,
        seconds: float | None = None,
        looks: int | None = None,
        waiting: Callable[[], None] = wait_silently,
        lenient: bool = False,
    ) -> None:
        self._calibration, self._task = calibration, task
        self._rng = np.random.default_rng(seed)
        self._runs, self._rounds, self._seconds = runs, rounds, seconds
        self._waiting, self._lenient = waiting, lenient
        self.refused: dict[str, dict[str, str]] = {}
        self.columns = device_columns(device)
        self._references = self._visits(reference, share=BRIEF)
        with one_core() as self._pinned:
            known = all(column in baselines for column in self.columns)
            now = None if known else settled_each(self._references, SETTLING, looks)
        self.baselines = begun(baselines, now or {})

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        models, precisions = {}, {}
        for row, p in enumerate(subnets):
            for column, visit in self._visits(p, self._lenient).items():
                models[f"{row} {column}"], precisions[f"{row} {column}"] = visit, column
        with one_core():
            rows = interleaved(
                models,
                self._references,
                precisions=precisions,
                rounds=self._rounds,
                rng=self._rng,
                sense=sensors,
            )
        return [
            {
                k: v
                for column in self.columns
                if f"{row} {column}" in models
                for k, v in columns_of(
                    column, f"{row} {column}", rows, self.baselines[column]
                ).items()
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
            **bounded(self._seconds),
            "warm_up_runs": warm_up_of(self._runs),
            "pinned": self._pinned,
            "governor": governor(),
            "latency_columns": list(self.columns),
            **told_baselines(self.baselines, self.columns),
            "int8": "static QDQ, per channel, unsigned activations",
            "calibration_images": min(INT8_IMAGES, len(self._calibration)),
        }

    def _visits(
        self, prepared: Prepared, lenient: bool = False, share: float = 1
    ) -> dict[str, Callable[[], Timing]]:
        """What times a network once in each precision, by its column."""
        models = (
            lambda: prepared.onnx,
            lambda: prepared.int8(self._calibration, self._task),
        )
        found = {}
        for column, model in zip(self.columns, models, strict=True):
            try:
                found[column] = self._visit(model(), prepared.subnet, share)
            except Exception as error:
                if not lenient:
                    raise
                own = self.refused.setdefault(column, {})
                own[prepared.architecture.id] = last_line(str(error))
        return found

    def _visit(self, model: bytes, subnet: Network, share: float) -> Callable[[], Timing]:
        image = (
            np.random.default_rng(0).standard_normal((1, *subnet.input_shape)).astype(np.float32)
        )
        run = bound_session(session_of(model), image)

        def visit() -> Timing:
            self._waiting()
            return timed(run, self._runs, warm_up_of(self._runs), self._seconds, share)

        return visit


def begun(baselines: Mapping[str, float], now: Mapping[str, float]) -> dict[str, float]:
    """The reference's time (ms) in each column when the study was begun: as it is known, else as it
    is `now`, by how much the others have drifted since.

    So a study that timed the reference in fp32 alone goes on at the level that it has.
    """
    drifts = [now[column] / known for column, known in baselines.items() if column in now]
    drift = float(np.median(drifts)) if drifts else 1.0
    return {column: level / drift for column, level in now.items()} | dict(baselines)


def told_baselines(baselines: Mapping[str, float], columns: Sequence[str]) -> dict[str, Any]:
    """What a campaign records of the references' times."""
    own = {column: baselines[column] for column in columns}
    return {"reference_baseline_ms": own[columns[0]], "reference_baselines_ms": own}


def bounded(seconds: float | None) -> dict[str, Any]:
    """What a campaign records of how long the runs of a visit may take, where that is bounded."""
    return {} if seconds is None else {"visit_seconds": seconds}


def warm_up_of(runs: int) -> int:
    """How many runs go before `runs` that are timed."""
    return max(10, runs // 10)


def columns_of(
    column: str, model: str, rows: Sequence[Mapping[str, Any]], baseline: float
) -> dict[str, float]:
    """What the table keeps of one model, of the rows of `runner.interleaved`, all models' alike.

    `column`: the median over rounds of the 10th percentile of a visit's runs (ms), each divided by
    the drift, which is the reference's time beside it over `baseline`. `low_…` and `high_…`: the
    least and the greatest of these; `minimum_…`: the least single run, divided likewise;
    `drift_…`: the drift, and `drift_range_…`, by how much the reference's times before and after a
    visit differ, as a share of their mean, both the median over rounds. Where the device tells
    them: `clock_mhz_…` and `clock_range_…` likewise, and `temperature_…`, the highest (°C).
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
