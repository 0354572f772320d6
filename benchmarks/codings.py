"""Which coding of cells suits each published column of NAS-Bench-201, and how well it predicts the
cells that were not read: `python -m benchmarks.codings FILE`, the file with a row a cell."""

import argparse
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from foxnas_core.families import load_shipped
from foxnas_core.families.nasbench201.forms import counting_codes
from foxnas_core.families.nasbench201.space import cell_of, numbered_cells
from foxnas_core.regression import fit
from foxnas_core.table.measurements import table_from_frame

ROWS = 400
COLUMNS: Mapping[str, str] = {
    "accuracy": "test_acc_cifar10",
    "accuracy:cifar100": "test_acc_cifar100",
    "latency_ms:raspi4": "lat_raspi4",
    "latency_ms:pixel3": "lat_pixel3",
    "latency_ms:fpga": "lat_fpga",
    "latency_ms:1080ti": "lat_1080ti_1",
    "latency_ms:gold_6226": "lat_gold_6226",
}


class Read(NamedTuple):
    """What was picked on so few rows, and how it predicts all other cells: R², that of connected
    cells alone, and Spearman's correlation over these."""

    column: str
    form: str
    link: str
    parameters: int
    r2: float
    connected_r2: float
    spearman: float


def read_codings(cells: pd.DataFrame, *, seed: int) -> Iterator[Read]:
    """One a column of the published table `cells`, in its order."""
    space = load_shipped("nasbench201")
    architectures = [cell_of(space, cell) for cell in numbered_cells()]
    codes = space.encode(architectures)
    rows = np.sort(np.random.default_rng(seed).choice(len(cells), ROWS, replace=False))
    choices = pd.DataFrame([architectures[n].to_dict() for n in rows])
    known = {column: cells[own].to_numpy()[rows] for column, own in COLUMNS.items()}
    table = table_from_frame(space, choices.assign(**known))
    others = np.setdiff1d(np.arange(len(cells)), rows)
    connected = counting_codes(codes[others], "live").any(axis=1)
    for column, own in COLUMNS.items():
        predictor = fit(table, column)
        truth = cells[own].to_numpy()[others]
        found = predictor.predict_codes(codes[others])["value"].to_numpy()
        yield Read(
            column,
            predictor.form.name,
            "none" if predictor.link.is_identity else "saturating",
            predictor.parameters,
            _r2(truth, found),
            _r2(truth[connected], found[connected]),
            float(spearmanr(truth[connected], found[connected]).statistic),
        )


def _r2(truth: np.ndarray, found: np.ndarray) -> float:
    return 1 - float(((truth - found) ** 2).sum() / ((truth - truth.mean()) ** 2).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", help="parquet: a row a cell, in the order of their numbers")
    parser.add_argument("--seeds", type=int, default=1)
    given = parser.parse_args()
    cells = pd.read_parquet(given.file)
    rows = [r._asdict() for seed in range(given.seeds) for r in read_codings(cells, seed=seed)]
    print(pd.DataFrame(rows).round(3).to_string(index=False))


if __name__ == "__main__":
    main()
