"""Scans of known content, written as NIfTI."""

from pathlib import Path

import numpy as np

from benchmarks.scans import write_scans


def small_cases(count: int = 6, shape: tuple[int, int, int] = (6, 8, 10)) -> list:
    """Noise (W, H, D) with a bright block, which its mask marks."""
    rng = np.random.default_rng(0)
    cases = []
    for number in range(count):
        mask = np.zeros(shape, np.uint8)
        mask[2:4, 3:6, 4:8] = 1
        image = (rng.integers(0, 100, shape) + 400 * (mask > 0)).astype(np.int16)
        cases.append((f"scan{number}", image, mask))
    return cases


def write_small(folder: Path, cases: list | None = None, **how) -> Path:
    write_scans(folder, cases or small_cases(), name="blocks", classes=["block"], **how)
    return folder
