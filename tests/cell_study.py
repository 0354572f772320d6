"""A study of NAS-Bench-201's cells whose truth is known: what each operation brings, by edge."""

from pathlib import Path

import numpy as np

from foxnas_core.families import load_shipped
from foxnas_core.families.nasbench201.space import OPERATIONS
from foxnas_core.study import Study, create_study

SPACE = load_shipped("nasbench201")
# In the order of the operations: accuracy in points, latency in ms, on the first edge; each further
# edge brings a tenth more, and costs the same.
GAINS, COSTS = (0.0, 2.0, 3.0, 5.0, 1.0), (0.0, 0.05, 0.2, 0.6, 0.15)


def true_values(codes: np.ndarray) -> dict[str, np.ndarray]:
    """The accuracy and the latency (rows,) of codes (rows, edges), without noise."""
    weights = 1 + np.arange(codes.shape[1]) / 10
    return {
        "accuracy": 50 + np.array(GAINS)[codes] @ weights,
        "latency_ms": 1 + np.array(COSTS)[codes].sum(axis=1),
    }


def cell_study(folder: Path, *, rows: int = 150, seed: int = 0) -> Study:
    """A study in a new folder, measured with noise of .1 points and .01 ms."""
    assert len(OPERATIONS) == len(GAINS) == len(COSTS)
    study = create_study(folder, SPACE, name="Cells of NAS-Bench-201")
    architectures = SPACE.sample(rows, seed=seed)
    truth = true_values(SPACE.encode(architectures))
    rng = np.random.default_rng(seed)
    accuracy = truth["accuracy"] + rng.normal(0, 0.1, rows)
    latency = truth["latency_ms"] + rng.normal(0, 0.01, rows)
    study.append(
        architectures,
        [
            {"accuracy": float(a), "latency_ms": float(ms)}
            for a, ms in zip(accuracy, latency, strict=True)
        ],
    )
    return study
