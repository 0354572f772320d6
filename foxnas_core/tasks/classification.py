"""Naming the class of an image."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from foxnas_core.tasks.dataset import Dataset, ImageSet, load_dataset
from foxnas_core.tasks.images import Level, to_batch
from foxnas_core.tasks.task import Task, check_size


@dataclass(frozen=True)
class Classification(Task):
    """One class an image, told by logits (N, classes).

    `mean` and `std` are those of the training pixels, scaled to 0…1. Metrics are top-1 `accuracy`
    (percent) and `cross_entropy` (nats); in training each image is flipped from left to right with
    a probability of a half.
    """

    name: ClassVar[str] = "classification"
    objective: ClassVar[str] = "accuracy"

    mean: Level
    std: Level

    @classmethod
    def load(cls, path: Path | None, input_shape: Sequence[int], **settings: Any) -> Dataset:
        channels, *sides = input_shape
        return load_dataset(path, side=sides[-1], channels=channels)

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        return cls(*dataset.pixel_statistics())

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(record["pixel_mean"], record["pixel_std"])

    def record(self) -> dict[str, Any]:
        return {"pixel_mean": self.mean, "pixel_std": self.std}

    @classmethod
    def check(
        cls,
        dataset: Dataset,
        input_shape: Sequence[int],
        output_shape: Sequence[int],
        space: str,
    ) -> None:
        images = dataset.training.images
        channels = 1 if images.ndim == 3 else images.shape[-1]
        check_size("channels", dataset, channels, input_shape[0], space)
        check_size("classes", dataset, len(dataset.classes), output_shape[-1], space)

    def batch(self, inputs: np.ndarray, input_shape: Sequence[int]) -> Tensor:
        return to_batch(inputs, input_shape[-1], self.mean, self.std)

    def variation(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return rng.random(count) < 0.5

    def varied(self, cases: ImageSet, drawn: np.ndarray) -> ImageSet:
        images = cases.images.copy()
        images[drawn] = images[drawn][:, :, ::-1]
        return replace(cases, images=images)

    def loss(self, outputs: Tensor, labels: np.ndarray) -> Tensor:
        return F.cross_entropy(outputs, torch.from_numpy(labels))

    def imitation(self, outputs: Tensor, teacher: Tensor) -> Tensor:
        return F.cross_entropy(outputs, teacher.softmax(1))

    def cases(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
        return {
            "accuracy": 100.0 * (outputs.argmax(1) == labels),
            "cross_entropy": cross_entropies(outputs, labels),
        }

    def agreement(self, outputs: np.ndarray, others: np.ndarray) -> np.ndarray:
        return (outputs.argmax(1) == others.argmax(1)).astype(float)


def cross_entropies(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Cross-entropy (images,), in nats, of logits (images, classes) and class numbers."""
    shifted = logits - logits.max(1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(1))
    return log_sum - shifted[np.arange(len(logits)), labels]
