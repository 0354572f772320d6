"""The task: which side of an image is brighter, judged by a metric from -1 to 1."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from foxnas_core.errors import InvalidInput
from foxnas_core.table.metrics import Metric
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.tasks.task import Task

SIDEDNESS = Metric(
    "sidedness", "Sidedness", "", "max", quality=True, bounds=(-1.0, 1.0), saturates=True,
    suffix="PRECISION", digits=3,
)  # fmt: skip


@dataclass(frozen=True)
class Sidedness(Task):
    """One number an image, above 0 where its right side is the brighter one."""

    name: ClassVar[str] = "sides"
    objective: ClassVar[str] = "sidedness"

    mean: float

    @classmethod
    def load(cls, path: Path | None, input_shape: Sequence[int]) -> Dataset:
        def drawn(count: int, seed: int) -> ImageSet:
            rng = np.random.default_rng(seed)
            pixels = rng.integers(0, 256, (count, *input_shape[1:]))
            half = input_shape[-1] // 2
            right = pixels[:, :, half:].mean((1, 2)) > pixels[:, :, :half].mean((1, 2))
            return ImageSet(pixels.astype(np.uint8), right.astype(np.int64))

        return Dataset("noise", "made here", ("left", "right"), drawn(600, 1), drawn(400, 2))

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        return cls(float(dataset.training.images.mean()) / 255)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(record["mean"])

    def record(self) -> dict[str, Any]:
        return {"mean": self.mean}

    @classmethod
    def check(
        cls,
        dataset: Dataset,
        input_shape: Sequence[int],
        output_shape: Sequence[int],
        space: str,
    ) -> None:
        if tuple(output_shape) != (1,):
            raise InvalidInput(f"A side is one number, but networks of {space!r} give others.")

    def batch(self, inputs: np.ndarray, input_shape: Sequence[int]) -> Tensor:
        return torch.from_numpy(inputs.astype(np.float32) / 255 - self.mean)[:, None]

    def loss(self, outputs: Tensor, labels: np.ndarray) -> Tensor:
        return F.softplus(-outputs[:, 0] * (2.0 * torch.from_numpy(labels) - 1)).mean()

    def imitation(self, outputs: Tensor, teacher: Tensor) -> Tensor:
        return F.mse_loss(outputs, teacher)

    def cases(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
        return {"sidedness": np.where((outputs[:, 0] > 0) == (labels > 0), 1.0, -1.0)}

    def agreement(self, outputs: np.ndarray, others: np.ndarray) -> np.ndarray:
        return ((outputs[:, 0] > 0) == (others[:, 0] > 0)).astype(float)
