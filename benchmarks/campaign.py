"""How many rows a minute a campaign measures: `python -m benchmarks.campaign`.

A copy of the study's weights and images, without its rows, is measured by one process and by
several, in turn. Beside rows a minute stand the processor seconds of a row, over all processes:
where other work keeps the cores busy, rows a minute tell of it as well, but a row's work stays,
and "at best" is what that work allows where every process has a core to itself.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from benchmarks.common import DEMO, ran

PARTS = ("study.json", "space.json", "supernet.safetensors", "images.npz")


def measure(study: Path, count: int, workers: int) -> dict[str, float]:
    """One campaign from nothing, less a short one: what is left is without the start of
    processes and the first reading of images."""
    short = min(12, count // 2)
    times = [_run(study, rows, workers) for rows in (short, count)]
    wall, work = (long - less for long, less in zip(times[1], times[0], strict=True))
    rows = count - short
    return {
        "rows a minute": 60 * rows / wall,
        "processor seconds a row": work / rows,
        "rows a minute at best": 60 * rows / work * workers,
        "cores had": work / wall,
    }


def _run(source: Path, count: int, workers: int) -> tuple[float, float]:
    """Wall and processor seconds of a campaign."""
    with tempfile.TemporaryDirectory() as temporary:
        for name in PARTS:
            shutil.copy(source / name, temporary)
        command = ["-m", "foxnas_core", "measure", "--study", temporary]
        done = ran([*command, "--count", str(count), "--workers", str(workers), "--json"])
    assert json.loads(done.printed)["rows"] == count
    return done.wall, done.work


def compare(study: Path, count: int, workers: Sequence[int], repeats: int) -> pd.DataFrame:
    """The median of `repeats` rounds that visit every number of processes in turn."""
    found = [{"workers": n, **measure(study, count, n)} for _ in range(repeats) for n in workers]
    table = pd.DataFrame(found).groupby("workers").median()
    table["times the first"] = table["rows a minute"] / table["rows a minute"].iloc[0]
    return table.round(2)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", type=Path, default=DEMO)
    parser.add_argument("--count", type=int, default=60, help="rows of a campaign")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args(arguments)
    print(f"{options.count} rows of {options.study}, {os.cpu_count()} cores")
    print(compare(options.study, options.count, options.workers, options.repeats).to_string())


if __name__ == "__main__":
    sys.exit(main())
