"""How well latencies repeat: the same subnets in two campaigns, the second beside busy load.

    python -m benchmarks.repeatability [--count 20] [--load 1]

Each campaign is a process of its own, as two days' measuring would be, and the second is held to
the first one's baseline. Of |second / first - 1| over subnets the median and the 95th percentile
are printed, as measured (divided by the drift of the reference) and as the clock said, and again
for the subnets of which no check failed in either campaign. Target: a median within 5 %.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd

from foxnas_core.steps.plan import not_yet_measured
from foxnas_core.study import open_study
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

STUDY = Path(__file__).parents[1] / "data" / "demo"
COLUMNS = {"fp32": "latency_ms", "int8": "latency_ms:int8"}
SEED = 77


def campaign(count: int, seed: int, baseline: float | None) -> dict[str, object]:
    """Measure `count` subnets that the study has not measured: rows and circumstances."""
    import torch

    from foxnas_core.measurement.campaign import prepare, reference_architecture, run_campaign
    from foxnas_core.measurement.latency import LatencyMeter

    torch.set_num_threads(1)
    study = open_study(STUDY)
    checkpoint, (calibration, _) = study.load_checkpoint(), study.images()
    calibration = calibration.take(slice(0, 500))  # latency does not depend on the statistics
    record = checkpoint.record
    meter = LatencyMeter(
        prepare(checkpoint, reference_architecture(study.space), calibration).subnet,
        calibration,
        mean=record["pixel_mean"],
        std=record["pixel_std"],
        seed=seed,
        baseline=baseline,
    )
    rows: list[dict[str, object]] = []
    circumstances: dict[str, object] = {}

    def keep(part, named) -> None:  # type: ignore[no-untyped-def]
        rows.extend(r.architecture.to_dict() | r.values for r in part)
        circumstances.update(named)

    run_campaign(
        checkpoint, not_yet_measured(study, 2000, SEED)[:count], meters=[meter],
        calibration=calibration, seed=seed, keep=keep,
    )  # fmt: skip
    return {"rows": rows, "campaigns": circumstances, "baseline": meter.baseline}


def table_of(document: dict) -> MeasurementTable:
    return table_from_frame(
        open_study(STUDY).space,
        pd.DataFrame(document["rows"]),
        record={"campaigns": document["campaigns"]},
    )


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
    parser.add_argument("--baseline", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measured = campaign(options.count, options.seed, options.baseline)
        options.one.write_text(json.dumps(measured))
        return
    documents: list[dict] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed, load in ((1, 0), (2, options.load)):
            out = Path(folder) / f"{seed}.json"
            command = [sys.executable, "-m", "benchmarks.repeatability", "--one", str(out)]
            command += ["--seed", str(seed), "--count", str(options.count)]
            if documents:
                command += ["--baseline", str(documents[0]["baseline"])]
            with busy(load):
                subprocess.run(command, check=True)
            documents.append(json.loads(out.read_text()))
    tables = [table_of(document) for document in documents]
    print(compared(*tables).to_string(index=False, float_format="{:.2f}".format))
    for number, table in enumerate(tables, start=1):
        for name, column in COLUMNS.items():
            drift = table.frame[f"drift_{column}"].median()
            failed = int((~usable(table, column)).sum())
            print(f"campaign {number}, {name}: drift {drift:.2f}, {failed} rows failed a check")


if __name__ == "__main__":
    main()
