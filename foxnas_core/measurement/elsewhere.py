"""Latency in another runtime or on another device, as one more meter."""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from foxnas_core.measurement import runner
from foxnas_core.measurement.environments import Runtime
from foxnas_core.measurement.here import THREADS
from foxnas_core.measurement.hosts import Host
from foxnas_core.measurement.kept_models import KeptModels
from foxnas_core.measurement.latency import (
    NOT_BEGUN,
    SETTLING,
    begun,
    bounded,
    columns_of,
    told_baselines,
    warm_up_of,
)
from foxnas_core.measurement.meter import INT8_IMAGES, Prepared
from foxnas_core.measurement.runtimes import PRECISIONS, last_line, write_models
from foxnas_core.table.machine import device_columns
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Batching

_REFERENCE = "reference"


class DeviceMeter:
    """Latency in ms, `latency_ms:NAME` in fp32 and `latency_ms:NAME-int8`, as a host times it.

    Subnets are written as files of `runtime` and timed by the protocol of `runner` where `host`
    says; columns as in `latency.columns_of`. The host is asked once when the meter is made, so that
    what is missing there is told at once. `baselines` are the references' times when measuring on
    this device began (ms), by column, as far as they are known; see `latency.begun`. `seconds`
    bounds the runs of a visit, see `runner.timed`. A subnet that can't be converted or that the
    runtime can't load ends the measuring; a `lenient` meter goes on without its column and has the
    reason in `refused`, by column and id. Converted models are kept in `kept`.

    Raises `MissingPart` where the runtime isn't installed, `ConversionFailed` and `DeviceFailed`.
    """

    def __init__(
        self,
        name: str,
        runtime: Runtime,
        host: Host,
        *,
        reference: Prepared,
        calibration: ImageSet,
        task: Batching,
        seed: int,
        baselines: Mapping[str, float] = NOT_BEGUN,
        runs: int = 400,
        rounds: int = 5,
        seconds: float | None = None,
        lenient: bool = False,
        kept: KeptModels | None = None,
    ) -> None:
        self.columns = device_columns(name)
        self._runtime, self._host = runtime, host
        self._calibration, self._task = calibration, task
        self._rng = np.random.default_rng(seed)
        self._runs, self._rounds, self._seconds = runs, rounds, seconds
        self._lenient, self._kept = lenient, kept
        self.refused: dict[str, dict[str, str]] = {}
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            entries = self._write({_REFERENCE: reference}, folder)
            self._references = {entry["precision"]: entry for entry in entries}
            self._files = {e["file"]: (folder / e["file"]).read_bytes() for e in entries}
            known = all(column in baselines for column in self.columns)
            result = self._host.run(folder, self._job([], 0 if known else SETTLING))
        self._circumstances = result["circumstances"]
        settled = {} if known else result["settled_ms"]
        pairs = zip(self.columns, PRECISIONS, strict=True)
        now = {column: float(settled[name]) for column, name in pairs if name in settled}
        self.baselines = begun(baselines, now)

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        named = {str(row): prepared for row, prepared in enumerate(subnets)}
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            not_made: dict[str, str] = {}
            models = self._write(named, folder, not_made if self._lenient else None)
            for file, content in self._files.items():
                (folder / file).write_bytes(content)
            result = self._host.run(folder, self._job(models, 0))
        rows, refused = result["rows"], not_made | result.get("refused", {})
        values: list[dict[str, float]] = [{} for _ in subnets]
        for row, prepared in enumerate(subnets):
            for column, precision in zip(self.columns, PRECISIONS, strict=True):
                model = f"{row}-{precision}"
                if model in refused:
                    own = self.refused.setdefault(column, {})
                    own[prepared.architecture.id] = last_line(str(refused[model]))
                else:
                    values[row] |= columns_of(column, model, rows, self.baselines[column])
        return values

    def record(self) -> dict[str, Any]:
        return self._circumstances | {
            "latency_columns": list(self.columns),
            "threads": THREADS,
            "batch": 1,
            "runs": self._runs,
            "warm_up_runs": warm_up_of(self._runs),
            "rounds": self._rounds,
            **bounded(self._seconds),
            **told_baselines(self.baselines, self.columns),
            "int8": self._runtime.int8,
            "calibration_images": min(INT8_IMAGES, len(self._calibration)),
        }

    def _job(self, models: list[dict[str, Any]], settle: int) -> dict[str, Any]:
        return {
            "runtime": self._runtime.name,
            "models": models,
            "references": self._references,
            "runs": self._runs,
            "warm_up_runs": warm_up_of(self._runs),
            "rounds": self._rounds,
            "seed": int(self._rng.integers(2**32)),
            "threads": THREADS,
            "settle": settle,
            "looks": runner.MOST_LOOKS,
            "seconds": self._seconds,
            "lenient": self._lenient,
        }

    def _write(
        self, named: dict[str, Prepared], folder: Path, refused: dict[str, str] | None = None
    ) -> list[dict[str, Any]]:
        return write_models(
            self._runtime,
            named,
            calibration=self._calibration,
            task=self._task,
            folder=folder,
            kept=self._kept,
            refused=refused,
        )
