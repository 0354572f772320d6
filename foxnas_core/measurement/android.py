"""An Android device over adb, timed by LiteRT's own `benchmark_model`, which the user supplies.

adb has no Python on its other end, so each visit of the protocol is one call of that program. It
prints the least run and the 5th percentile, but no 10th: the 5th stands in its place.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.measurement.hosts import DeviceFailed
from foxnas_core.measurement.runner import Timing, interleaved, settled_each
from foxnas_core.measurement.runtimes import last_line

_SERIAL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_FOLDER = re.compile(r"/data/local/tmp/foxnas\.[A-Za-z0-9]+")
_STATISTICS = re.compile(r"count=(\d+) (?:.*?)min=(\d+) .*?p5=(\d+)")
_VISIT_SECONDS = 600.0


class AdbHost:
    """An Android device by its serial, through the adb server of this machine.

    Raises `InvalidInput` for a serial that is none, and `MissingPart` where adbutils or the program
    is missing.
    """

    def __init__(self, serial: str, *, program: Path | None) -> None:
        if not _SERIAL.fullmatch(serial):
            raise InvalidInput(
                f"{serial!r} is no serial; take one of those that 'adb devices' prints."
            )
        if program is None or not program.is_file():
            raise MissingPart(
                "Measuring over adb needs LiteRT's benchmark_model for the device's processor; "
                f"name it with --device-program ({program or 'none given'})."
            )
        try:
            import adbutils
        except ImportError as error:
            raise MissingPart(
                "adbutils is not installed; run '.venv/bin/pip install -r "
                "requirements-android.txt'."
            ) from error
        self._serial, self._program = serial, program
        self._failures = (adbutils.AdbError, OSError)
        self._device = adbutils.AdbClient().device(serial=serial)

    def run(self, folder: Path, job: Mapping[str, Any]) -> dict[str, Any]:
        try:
            remote = self._shell("mktemp -d /data/local/tmp/foxnas.XXXXXXXX").strip()
            if not _FOLDER.fullmatch(remote):
                raise DeviceFailed(
                    f"{self._serial} could not make a folder in /data/local/tmp "
                    f"({last_line(remote)}); free some space there."
                )
            try:
                return self._timed(folder, remote, job)
            finally:
                self._shell(f"rm -rf {remote}")
        except self._failures as error:
            raise DeviceFailed(
                f"adb can't reach {self._serial} ({last_line(str(error))}); check that 'adb "
                "devices' lists it as 'device'."
            ) from error

    def _timed(self, folder: Path, remote: str, job: Mapping[str, Any]) -> dict[str, Any]:
        program = f"{remote}/benchmark_model"
        self._device.sync.push(self._program, program, mode=0o755)
        entries = [*job["references"].values(), *job["models"]]
        visits: list[Callable[[], Timing]] = []
        for number, entry in enumerate(entries):
            model = f"{remote}/{number}.tflite"
            self._device.sync.push(folder / entry["file"], model, mode=0o644)
            visits.append(partial(self._visit, program, model, job))
        references = dict(zip(job["references"], visits, strict=False))
        names = [model["name"] for model in job["models"]]
        found = settled_each(references, job["settle"], job.get("looks"))
        rows = interleaved(
            dict(zip(names, visits[len(references) :], strict=True)),
            references,
            precisions={model["name"]: model["precision"] for model in job["models"]},
            rounds=job["rounds"],
            rng=np.random.default_rng(job["seed"]),
            sense=self._sense,
        )
        circumstances = {
            "device": self._shell("getprop ro.product.model").strip() or self._serial,
            "runtime": "LiteRT benchmark_model",
            "system": f"Android {self._shell('getprop ro.build.version.release').strip()}",
            "level": "5th percentile",
            "pinned": True,
            "governor": self._shell(f"cat {_CLOCK}/scaling_governor 2>/dev/null").strip() or None,
        }
        return {"rows": rows, "settled_ms": found, "circumstances": circumstances}

    def _visit(self, program: str, model: str, job: Mapping[str, Any]) -> Timing:
        # Core 0's cluster is the slow one on most phones, but the one that every phone has.
        command = [
            "taskset", "1", program, f"--graph={model}", f"--num_threads={job['threads']}",
            f"--num_runs={job['runs']}", "--min_secs=0", f"--warmup_runs={job['warm_up_runs']}",
            "--warmup_min_secs=0",
            *([f"--max_secs={job['seconds']}"] if job.get("seconds") else []),
        ]  # fmt: skip
        output = self._shell(f"{shlex.join(command)} 2>&1", timeout=_VISIT_SECONDS)
        return parse_timing(output, self._serial)

    def _sense(self) -> dict[str, float | None]:
        clock = self._shell(f"cat {_CLOCK}/scaling_cur_freq 2>/dev/null").strip()
        zones = self._shell("cat /sys/class/thermal/thermal_zone*/temp 2>/dev/null").split()
        # Zones that are switched off tell nonsense.
        known = [int(z) / 1000 for z in zones if z.isdigit() and 0 < int(z) < 150_000]
        return {
            "clock_mhz": int(clock) / 1000 if clock.isdigit() else None,
            "temperature_c": max(known) if known else None,
        }

    def _shell(self, command: str, timeout: float = 60.0) -> str:
        return self._device.shell(command, timeout=timeout)


_CLOCK = "/sys/devices/system/cpu/cpu0/cpufreq"


def parse_timing(output: str, where: str) -> Timing:
    """What `benchmark_model` printed, its last line of statistics (µs) being that of the timed
    runs; raises `DeviceFailed` where it has none."""
    found = _STATISTICS.findall(output)
    if not found:
        raise DeviceFailed(
            f"benchmark_model on {where} printed no statistics with a 5th percentile "
            f"({last_line(output)}); take one of TensorFlow 2.14 or later, or of LiteRT, built for "
            "the device's processor."
        )
    count, least, fifth = map(int, found[-1])
    if not (least > 0 and fifth > 0):
        raise DeviceFailed(
            f"benchmark_model on {where} counts whole microseconds, too coarse for this model; "
            "measure larger subnets there."
        )
    return Timing(fifth / 1000, least / 1000, count)
