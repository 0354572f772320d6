"""Naming the class of every voxel of a volume."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from foxnas_core.errors import InvalidInput
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.tasks.decathlon import decathlon
from foxnas_core.tasks.dice import overlaps, soft_loss
from foxnas_core.tasks.phantoms import ACROSS, WITHIN, phantoms
from foxnas_core.tasks.task import BATCH, Setting, Task, check_size
from foxnas_core.tasks.volumes import DRAWN, check_patch, varied

# Voxels that are turned into one tensor: what a network makes of them is some tens of times larger.
_VOXELS = 400_000


@dataclass(frozen=True)
class Segmentation(Task):
    """One class a voxel, told by logits (N, classes, D, H, W) for volumes (N, 1, D, H, W).

    A case is one scan, stored as (D, H, W), uint8, with a mask of class numbers, in which 0 is the
    background; D is the axis across which slices are stacked. Metrics are `dice`, the mean over the
    other classes, and, of several, `dice:CLASS` of each: see `tasks.dice`. In training each volume
    is varied as `volumes.varied` says; with `patch` (D, H, W) it is by parts of that size, and
    whole volumes are judged all the same. `mean` and `std` are those of the training voxels, scaled
    to 0…1.
    """

    name: ClassVar[str] = "segmentation"
    objective: ClassVar[str] = "dice"
    kept: ClassVar[int] = 32  # every voxel counts for a norm
    settings: ClassVar[Mapping[str, Setting]] = {
        "spacing": Setting(
            "millimetres between voxels of scans, one number or those along D, H and W, with "
            "commas between them (by default the median of the scans)",
            lambda text: _numbers(text, float),
        ),
        "patch": Setting(
            "D,H,W, the voxels of parts to train on, each a multiple of 8 (by default whole "
            "volumes)",
            lambda text: _numbers(text, int),
        ),
        "mirrored": Setting(
            "yes or no, whether left and right may be exchanged in training (by default yes)",
            {"yes": True, "no": False}.__getitem__,
        ),
        "phantoms": Setting(
            f"{ACROSS} or {WITHIN}, what tells the structure in phantoms: neighbouring slices, or "
            f"each slice alone (by default {ACROSS})",
            str,
        ),
        "phantom_seed": Setting("a whole number that the phantoms are drawn from", int),
    }

    classes: tuple[str, ...]
    mean: float
    std: float
    mirrored: bool = True
    patch: tuple[int, ...] | None = None

    @classmethod
    def load(cls, path: Path | None, input_shape: Sequence[int], **settings: Any) -> Dataset:
        """Scans of a folder in the Medical Segmentation Decathlon's layout, by default phantoms.

        Raises as `decathlon` and `phantoms`, and `InvalidInput` for settings that belong to the
        other, or a patch that doesn't fit.
        """
        if len(input_shape) != 4:
            raise InvalidInput(
                f"Networks of the space take {tuple(input_shape)}, but volumes are (1, D, H, W); "
                "take a space of volumes (--space FILE), or another --task."
            )
        training: dict[str, Any] = {
            name: settings.pop(name) for name in ("mirrored", "patch") if name in settings
        }
        sides = tuple(input_shape[1:])
        if patch := training.get("patch"):
            check_patch(patch, sides)
        drawn = {name for name in settings if name.startswith("phantom")}
        if path is None:
            if set(settings) - drawn:
                raise InvalidInput(
                    "Phantoms have no spacing; leave it out, or name scans (--data)."
                )
            dataset = phantoms(sides, **settings)
        else:
            if drawn:
                raise InvalidInput(f"{path} holds scans; leave {' and '.join(sorted(drawn))} out.")
            dataset = decathlon(path, sides, **settings)
        return replace(dataset, settings={**dataset.settings, **training})

    @classmethod
    def of(cls, dataset: Dataset) -> Self:
        images, told = dataset.training.images, dataset.settings
        counts = np.bincount(images.ravel(), minlength=256) / images.size
        levels = np.arange(256) / 255
        mean = float(counts @ levels)
        std = float(np.sqrt(counts @ (levels - mean) ** 2))
        patch = tuple(told["patch"]) if told.get("patch") else None
        return cls(dataset.classes, mean, std, told.get("mirrored", True), patch)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        return cls(
            tuple(record["classes"]),
            record["pixel_mean"],
            record["pixel_std"],
            record["mirrored"],
            tuple(record["patch"]) if record["patch"] else None,
        )

    def record(self) -> dict[str, Any]:
        return {
            "classes": list(self.classes),
            "pixel_mean": self.mean,
            "pixel_std": self.std,
            "mirrored": self.mirrored,
            "patch": list(self.patch) if self.patch else None,
        }

    @classmethod
    def check(
        cls,
        dataset: Dataset,
        input_shape: Sequence[int],
        output_shape: Sequence[int],
        space: str,
    ) -> None:
        shape = dataset.training.images.shape[1:]
        if (1, *shape) != tuple(input_shape):
            raise InvalidInput(
                f"The volumes of {dataset.name} are {shape}, but networks of space {space!r} take "
                f"{tuple(input_shape)}."
            )
        if tuple(output_shape[1:]) != shape:
            raise InvalidInput(
                f"Networks of space {space!r} give {tuple(output_shape)} for a volume of {shape}, "
                "not a class of each voxel; take another --task."
            )
        check_size("classes", dataset, len(dataset.classes), output_shape[0], space)

    def batch(self, inputs: np.ndarray, input_shape: Sequence[int]) -> Tensor:
        volumes = torch.from_numpy(inputs.astype(np.float32))[:, None]
        return (volumes / 255 - self.mean) / self.std

    def batches(
        self, inputs: np.ndarray, input_shape: Sequence[int], size: int = BATCH
    ) -> Iterator[Tensor]:
        most = max(1, _VOXELS // prod(input_shape))
        return super().batches(inputs, input_shape, min(size, most))

    def variation(self, rng: np.random.Generator, count: int) -> np.ndarray:
        return rng.random((count, DRAWN))

    def varied(self, cases: ImageSet, drawn: np.ndarray) -> ImageSet:
        return varied(cases, drawn, mirrored=self.mirrored, patch=self.patch)

    def loss(self, outputs: Tensor, labels: np.ndarray) -> Tensor:
        return soft_loss(outputs, torch.from_numpy(labels))

    def imitation(self, outputs: Tensor, teacher: Tensor) -> Tensor:
        return F.cross_entropy(outputs, teacher.softmax(1))

    def cases(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
        each = overlaps(outputs.argmax(1), labels, len(self.classes))
        found = {"dice": each.mean(1)}
        if each.shape[1] > 1:
            names = ["-".join(name.split()) for name in self.classes[1:]]
            found |= {f"dice:{name}": own for name, own in zip(names, each.T, strict=True)}
        return found

    def agreement(self, outputs: np.ndarray, others: np.ndarray) -> np.ndarray:
        """The mean Dice of the two networks' masks."""
        return overlaps(outputs.argmax(1), others.argmax(1), len(self.classes)).mean(1)


def _numbers(text: str, kind: type[int] | type[float]) -> list[Any]:
    """Three numbers above 0; one stands for all three."""
    found = [kind(part) for part in text.split(",")]
    found = found * 3 if len(found) == 1 else found
    if len(found) != 3 or not all(0 < number < float("inf") for number in found):
        raise ValueError("not three numbers above 0")
    return found
