"""How well latencies repeat: the same subnets in two campaigns, the second beside busy load.

    python -m benchmarks.repeatability [--count 20] [--load 1]

Each campaign is a process of its own, as two days' measuring would be, and the second is held to
the first one's baseline. Of |second / first - 1| over subnets the median and the 95th percentile
are printed, as measured (divided by the drift of the reference) and as the clock said, and again
for the subnets of which no check failed in either campaign. Target: a median within 5 %.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.common import DEMO
from foxnas_core.progress import not_told
from foxnas_core.steps.measure import measure_subnets
from foxnas_core.study import open_study
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable

COLUMNS = {"fp32": "latency_ms", "int8": "latency_ms:int8"}


def begin(folder: Path) -> None:
    """A study of the demo's networks without rows, and with few images: latencies read none."""
    for name in ("study.json", "space.json", "supernet.safetensors"):
        shutil.copy(DEMO / name, folder)
    few = (images.take(slice(0, 500)) for images in open_study(DEMO).images())
    open_study(folder).save_images(*few)


def campaign(folder: Path, count: int, seed: int) -> None:
    """Measure the first `count` subnets, whether they were measured before or not."""
    study = open_study(folder)
    measure_subnets(study, study.space.sample(count, seed=77), seed=seed, report=not_told)


def compared(first: MeasurementTable, second: MeasurementTable) -> pd.DataFrame:
    """One row a precision and a way of reading: subnets, median and p95 of |ratio - 1| in %."""
    found = []
    for name, column in COLUMNS.items():
        values = [table.values(column) for table in (first, second)]
        drifts = [table.frame[f"drift_{column}"].to_numpy(float) for table in (first, second)]
        raw = [value * drift for value, drift in zip(values, drifts, strict=True)]
        sound = usable(first, column) & usable(second, column)
        every = np.ones(len(first), dtype=bool)
        for what, (one, other), kept in (
            ("as the clock said", raw, every),
            ("drift divided out", values, every),
            ("drift divided out, no check failed", values, sound),
        ):
            off = 100 * np.abs(other / one - 1)[kept]
            middle, late = np.quantile(off, [0.5, 0.95]) if len(off) else (np.nan, np.nan)
            found.append([name, what, len(off), middle, late])
    columns = ["precision", "reading", "subnets", "median %", "p95 %"]
    return pd.DataFrame(found, columns=columns)


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """So many processes that count meanwhile."""
    started = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)
    ]
    try:
        yield
    finally:
        for process in started:
            process.kill()
            process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--load", type=int, default=1, help="busy processes beside the second")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        return campaign(options.one, options.count, options.seed)
    with tempfile.TemporaryDirectory() as temporary:
        begin(Path(temporary))
        for seed, load in ((1, 0), (2, options.load)):
            command = [sys.executable, "-m", "benchmarks.repeatability", "--one", temporary]
            command += ["--seed", str(seed), "--count", str(options.count)]
            with busy(load):
                subprocess.run(command, check=True)
        table = open_study(Path(temporary)).table()
    tables = [table.rows((table.frame["seed"] == seed).to_numpy()) for seed in (1, 2)]
    print(compared(*tables).to_string(index=False, float_format="{:.2f}".format))
    for number, own in enumerate(tables, start=1):
        for name, column in COLUMNS.items():
            drift = own.frame[f"drift_{column}"].median()
            failed = int((~usable(own, column)).sum())
            print(f"campaign {number}, {name}: drift {drift:.2f}, {failed} rows failed a check")


if __name__ == "__main__":
    main()
