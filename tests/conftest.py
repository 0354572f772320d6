"""Fixtures that several rooms' tests share: a tiny space, its supernet, images, a study."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

# Two threads in each of two test processes on two cores are slower than one.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from foxnas_core.dataset import Dataset, ImageSet
from foxnas_core.families import space_from_dict
from foxnas_core.search_space import SearchSpace

REPOSITORY = Path(__file__).parents[1]
DEMO = REPOSITORY / "data" / "demo"


def tiny_document(**changes) -> dict:
    """A space of the MBConv family small enough to train in seconds."""
    stage = {
        "stride": 2, "depths": [1, 2], "kernels": [3, 5], "expands": [1, 2],
        "squeeze_excitation": False, "activation": "relu6",
    }  # fmt: skip
    document = {
        "format": 1, "family": "mbconv", "name": "tiny", "input_channels": 1, "classes": 3,
        "resolutions": [8, 12], "stem_width": 4, "stem_stride": 1, "first_width": 0,
        "activation": "relu6", "head_width": 8, "feature_width": 0, "channel_divisor": 4,
        "stages": [{**stage, "width": 4}, {**stage, "width": 8}],
    }  # fmt: skip
    return json.loads(json.dumps(document)) | changes


@pytest.fixture(scope="session")
def tiny_space() -> SearchSpace:
    return space_from_dict(tiny_document())


def stripes(count: int, seed: int) -> ImageSet:
    """Images of 12 px whose class is the direction of their stripes, under noise."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    rows, columns = np.mgrid[:12, :12]
    phases = np.stack([rows, columns, rows + columns])[labels] + rng.integers(0, 4, (count, 1, 1))
    pixels = 128 + 60 * np.sin(phases * np.pi / 2) + rng.normal(0, 30, phases.shape)
    return ImageSet(pixels.clip(0, 255).astype(np.uint8), labels.astype(np.int64))


@pytest.fixture(scope="session")
def tiny_dataset() -> Dataset:
    return Dataset("stripes", "made here", ("rows", "columns", "diagonal"), stripes(400, 1), stripes(300, 2))


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Bound BLAS to one thread whoever loaded it first."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        yield
