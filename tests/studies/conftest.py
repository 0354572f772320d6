"""Studies of other objectives and costs than accuracy and latency, by a law and seeded noise."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import Study, create_study, open_study
from foxnas_core.study.goals import Goals
from foxnas_core.supernet.checkpoint import save_checkpoint
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

ROWS = 60
# What each study's file names; what it names not is told by its table.
GOALS = {
    "dice": Goals("dice", "macs"),
    "domains": Goals("accuracy:ood"),
    "energy": Goals(),
    "language": Goals("cross_entropy", "macs"),
    "battery": Goals("energy_mj", "latency_ms"),
}
FOUND = {
    "dice": ("dice", "macs"),
    "domains": ("accuracy:ood", "latency_ms"),
    "energy": ("accuracy", "energy_mj"),
    "language": ("cross_entropy", "macs"),
    "battery": ("energy_mj", "latency_ms"),
}


def work_of(architecture: Architecture) -> float:
    """Kernels times widths of the blocks that there are, by pixels."""
    values = architecture.to_dict()
    blocks = [name.removesuffix("_kernel") for name in values if name.endswith("_kernel")]
    work = sum(values[f"{b}_kernel"] * values[f"{b}_expand"] for b in blocks)
    return float(values["resolution"] ** 2 * (10 + work))


def laws(name: str, work: np.ndarray, noise: np.ndarray) -> Mapping[str, np.ndarray]:
    """The columns (rows,) of a study, of the work and standard normal `noise` (3, rows)."""
    size = work / 7000
    share = 1 - 0.45 * np.exp(-2 * size) + 0.004 * noise[0]
    slow = 1 + 0.02 * noise[2]
    return {
        "dice": {
            "dice": 0.95 * share,
            "dice_std_error": np.full(len(size), 0.004),
            "macs": 10 * work,
        },
        "domains": {
            "accuracy:iid": 95 * share,
            "accuracy:ood": 80 * share - 4 * size + 0.3 * noise[1],
            "latency_ms": (0.1 + 0.4 * size) * slow,
        },
        "energy": {"accuracy": 95 * share, "energy_mj": (2 + 9 * size) * slow},
        # Objectives of which less is better: the larger the network, the less of the first, and the
        # slower, as a processor that is turned down is, of the second.
        "language": {"cross_entropy": 3 - 2.5 * share, "macs": 10 * work},
        "battery": {
            "energy_mj": (11 - 9 * size) * slow,
            "latency_ms": (0.1 + 0.4 * size) * (1 + 0.02 * noise[1]),
        },
    }[name]


def lawful_table(name: str, space: SearchSpace) -> MeasurementTable:
    architectures = space.sample(ROWS, seed=3)
    work = np.array([work_of(a) for a in architectures])
    noise = np.random.default_rng(5).normal(size=(3, ROWS))
    choices = pd.DataFrame([a.to_dict() for a in architectures])
    return table_from_frame(space, choices.assign(**laws(name, work, noise)))


@pytest.fixture(scope="session")
def made(tmp_path_factory, tiny_space: SearchSpace, tiny_checkpoint, tiny_dataset) -> Path:
    """The folder of all, one for all tests, so that each fit is made once; one
    has weights and images too."""
    folder = tmp_path_factory.mktemp("others")
    for name, goals in GOALS.items():
        table = lawful_table(name, tiny_space)
        create_study(folder / name, tiny_space, name=name.capitalize(), table=table, goals=goals)
    study = open_study(folder / "energy")
    save_checkpoint(study.checkpoint_file, tiny_checkpoint.supernet, tiny_checkpoint.record)
    study.save_images(tiny_dataset.training.take(slice(0, 100)), tiny_dataset.held_out)
    return folder


@pytest.fixture(params=GOALS)
def other(request, made: Path, monkeypatch) -> Study:
    """One of the studies, in the folder that pages look into."""
    monkeypatch.setenv("FOXNAS_STUDIES", str(made))
    return open_study(made / request.param)
