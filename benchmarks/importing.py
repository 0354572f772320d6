"""How quickly a large table of one's own is loaded and fitted: `python -m benchmarks.importing`.

Rows are random architectures of a shipped space with an accuracy and a latency that every choice
moves. Each layout is read from a file, checked and given ids; then both targets are fitted. Times
depend on the machine and on what else it does, so read them beside each other.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.families import load_shipped
from foxnas_core.regression import fit
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import create_study
from foxnas_core.table.importing import read_file
from foxnas_core.table.measurements import MeasurementTable, table_from_frame


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--space", default="foxnas-cpu", help="a shipped space")
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args(arguments)
    space = load_shipped(options.space)
    made = make_table(space, options.rows)
    print(
        f"{options.rows:,} rows of {space.name}, {len(space.decisions)} decisions (s)", flush=True
    )
    # The first fit brings its packages along, which is no matter of rows.
    fit(made_small := make_table(space, 5000), "accuracy")
    fit(made_small, "latency_ms")
    with tempfile.TemporaryDirectory() as temporary:
        paths = write_layouts(made, Path(temporary))
        tables = {
            path.name: timed(
                f"load {path.name}", lambda path=path: read_file(path).table(space), path
            )
            for path in paths
        }
        assert {table.fingerprint for table in tables.values()} == {made.fingerprint}
        timed(
            "write a new study",
            lambda: create_study(Path(temporary) / "new", space, name="New", table=made),
        )
    for target in ("accuracy", "latency_ms"):
        timed(f"fit {target}", lambda target=target: fit(made, target))


def make_table(space: SearchSpace, rows: int, *, seed: int = 0) -> MeasurementTable:
    codes = space.random_codes(rows, seed=seed)
    rng = np.random.default_rng(seed)
    total = (codes + 1) @ (1 + np.arange(codes.shape[1]) / 10)
    frame = pd.DataFrame(
        {
            decision.name: pd.Series(
                [decision.choices[c] if c >= 0 else None for c in own.tolist()], dtype=object
            )
            for decision, own in zip(space.decisions, codes.T, strict=True)
        }
    ).assign(
        accuracy=50 + 30 * total / total.max() + rng.normal(0, 0.2, rows),
        latency_ms=10 + total + rng.normal(0, 0.2, rows),
    )
    return table_from_frame(space, frame)


def write_layouts(table: MeasurementTable, folder: Path) -> list[Path]:
    """The table as one column a decision, and as one JSON architecture a row."""
    columns = [*table.space.by_name, "accuracy", "latency_ms"]
    table.frame[columns].to_csv(folder / "columns.csv", index=False)
    table.frame[columns].to_parquet(folder / "columns.parquet", index=False)
    targets = table.frame[["accuracy", "latency_ms"]]
    choices = [architecture.to_dict() for architecture in table.architectures()]
    objects = [
        {"architecture": own, **values}
        for own, values in zip(choices, targets.to_dict("records"), strict=True)
    ]
    (folder / "objects.jsonl").write_text("\n".join(map(json.dumps, objects)))
    (folder / "objects.json").write_text(json.dumps(objects))
    cells = targets.assign(architecture=[json.dumps(own) for own in choices])
    cells.to_csv(folder / "cells.csv", index=False)
    names = ("columns.csv", "columns.parquet", "objects.jsonl", "objects.json", "cells.csv")
    return [folder / name for name in names]


def timed(what: str, act: Callable[[], Any], file: Path | None = None) -> Any:
    begin = time.perf_counter()
    result = act()
    seconds = time.perf_counter() - begin
    size = f"{file.stat().st_size / 1e6:7.1f} MB" if file else ""
    print(f"  {what:24}{seconds:6.2f} {size}".rstrip(), flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
