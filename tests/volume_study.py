"""A study of networks for volumes whose truth is known: what depth brings in each cell."""

from pathlib import Path

import numpy as np
from volumes import volumetric_space, volumetric_supernet

from foxnas_core.study import Study, create_study
from foxnas_core.supernet.checkpoint import save_checkpoint
from foxnas_core.tasks.dataset import ImageSet

SPACE = volumetric_space()
# By choice, 2D, P3D, 3D: Dice, ms and KiB, twice as much in cell 2 as elsewhere.
GAINS, COSTS = np.array([0.0, 0.02, 0.03]), np.array([0.0, 0.1, 0.4])
PEAKS = np.array([0.0, 100.0, 300.0])
RECORD = {
    "task": "segmentation", "pixel_mean": 0.4, "pixel_std": 0.2, "mirrored": True, "patch": None,
    "classes": ["background", "ball"], "dataset": "balls", "licence": "made here",
    "update": "darts", "images": 8, "steps": 4,
    "recipe": {"learning_rate": 0.02, "batch": 2, "seed": 0},
}  # fmt: skip


def balls(count: int, seed: int) -> ImageSet:
    """Volumes whose bright voxels are the structure."""
    rng = np.random.default_rng(seed)
    labels = (rng.random((count, *SPACE.settings["input_shape"])) < 0.3).astype(np.int64)
    return ImageSet(
        (40 + 150 * labels + rng.integers(0, 30, labels.shape)).astype(np.uint8), labels
    )


def volume_study(folder: Path, *, seed: int = 0) -> Study:
    """With random weights, the course of a training that leaves cell 3 undecided, and a row of each
    of its 27 networks."""
    supernet = volumetric_supernet(SPACE)
    study = create_study(folder, SPACE, name="Balls")
    epochs = [
        {"epoch": epoch, "cell1": [0.2, 0.2, 0.6], "cell2": [0.3, 0.1, 0.6],
         "cell3": [0.34, 0.33, 0.33]}
        for epoch in (1, 2)
    ]  # fmt: skip
    save_checkpoint(study.checkpoint_file, supernet, RECORD | {"epochs": epochs})
    study.save_images(balls(8, 1), balls(6, 2))
    architectures = SPACE.sample(27, seed=seed)
    codes, weights = SPACE.encode(architectures), np.array([1, 2, 1])
    noise = np.random.default_rng(seed).normal(0, 1, (2, len(codes)))
    dice = 0.7 + GAINS[codes] @ weights + 0.001 * noise[0]
    latency = 2 + COSTS[codes] @ weights + 0.01 * noise[1]
    peaks = 1000 + PEAKS[codes] @ weights + noise[1]
    rows = [
        {"dice": float(d), "dice_std_error": 0.01, "latency_ms": float(ms), "memory_kib": float(m)}
        for d, ms, m in zip(dice, latency, peaks, strict=True)
    ]
    study.append(architectures, rows)
    return study
