"""Energy of one inference, from the processor's own counter (RAPL), where one can read it.

Zeus reads the counter (You et al., "Zeus: Understanding and Optimizing GPU Energy Consumption of
DNN Training", NSDI 2023; ml.energy/zeus). It is no requirement of this product; install it with
`pip install zeus==0.16.0`. The counter is the whole package's: what else runs there is counted in,
so measure on a machine that does nothing else.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from foxnas_core.measurement.meter import Prepared
from foxnas_core.measurement.precisions import models_of, one_image
from foxnas_core.measurement.runner import one_core
from foxnas_core.supernet.onnx import INPUT, session_of
from foxnas_core.table.machine import device_columns
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Batching

_INSTALL = (
    "not available: the package zeus reads the processor's energy counter; install it with 'pip "
    "install zeus==0.16.0'"
)
_NO_COUNTER = "not available on this device: it has no energy counter that this user may read"
_WARM_UP_RUNS = 10
# The counter is renewed about every millisecond, so that a second is read to a thousandth.
_SECONDS = 1.0


class EnergyMeter:
    """`energy_mj` and `energy_mj:int8`, or the columns of a `device`: the package's energy over a
    second of runs, divided by their number (mJ). No column where there is no counter, which the
    record then says."""

    def __init__(
        self,
        calibration: ImageSet,
        *,
        task: Batching,
        device: str | None = None,
        counter: Callable[[], float] | None = None,
        seconds: float = _SECONDS,
    ) -> None:
        self._calibration, self._task = calibration, task
        self._columns = device_columns(device, "energy_mj")
        self._counter, self._why = (counter, "") if counter else package_counter()
        self._seconds = seconds

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        return [self._of(prepared) for prepared in subnets]

    def record(self) -> dict[str, Any]:
        if self._counter is None:
            return {"energy": self._why}
        return {"energy": "the processor package's counter (RAPL)", "energy_seconds": self._seconds}

    def _of(self, prepared: Prepared) -> dict[str, float]:
        if self._counter is None:
            return {}
        image, found = {INPUT: one_image(prepared)}, {}
        models = models_of(prepared, self._calibration, task=self._task)
        for column, model in zip(self._columns, models, strict=True):
            run, runs = session_of(model).run, 0
            with one_core():
                for _ in range(_WARM_UP_RUNS):
                    run(None, image)
                end, before = time.monotonic() + self._seconds, self._counter()
                while not runs or time.monotonic() < end:
                    run(None, image)
                    runs += 1
                used = self._counter() - before
            found[column] = used / runs
        return found


def package_counter() -> tuple[Callable[[], float] | None, str]:
    """What reads the energy (mJ) that all processor packages have used so far; None, and why,
    where nothing does."""
    try:
        from zeus.device.cpu import get_cpus
        from zeus.exception import ZeusBaseError
    except ImportError:
        return None, _INSTALL
    try:
        packages = get_cpus().cpus

        def read() -> float:
            return sum(package.get_total_energy_consumption().cpu_mj for package in packages)

        read()
    except (ZeusBaseError, OSError):
        return None, _NO_COUNTER
    return (read, "") if packages else (None, _NO_COUNTER)
