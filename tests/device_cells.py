"""Cells of NAS-Bench-201 on three devices whose truth is known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from cell_study import SPACE, true_values

from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study, create_study

# ms of each operation on every edge: on "board" convolutions cost, on "server" pooling does.
BOARD, SERVER = (0.0, 0.1, 0.4, 1.2, 0.2), (0.0, 0.3, 0.5, 0.6, 2.0)


def device_values(cells: Sequence[Architecture]) -> dict[str, np.ndarray]:
    """The accuracy, the latency on both devices and the energy on one, a copy, of cells (n,)."""
    codes = SPACE.encode(cells)
    board, server = (1 + np.array(costs)[codes].sum(axis=1) for costs in (BOARD, SERVER))
    # Two convolutions in a row are fused there.
    server -= 0.3 * ((codes[:, 0] == 3) & (codes[:, 4] == 3))
    return {
        "accuracy": true_values(codes)["accuracy"], "latency_ms:board": board,
        "latency_ms:server": server, "energy_mj:board": 7 * board,
    }  # fmt: skip


def device_study(folder: Path, *, rows: int = 150) -> Study:
    """A study in a new folder, whose objective is the accuracy."""
    study = create_study(folder, SPACE, name="Cells on devices")
    cells = SPACE.sample(rows, seed=0)
    values = device_values(cells)
    study.append(
        cells,
        [{c: float(own[row]) for c, own in values.items()} for row in range(rows)],
    )
    return study
