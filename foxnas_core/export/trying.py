"""How an export is tried: the script that runs a file, what it takes, the sample that goes with it,
and what files say of that."""

import io
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from foxnas_core.export.runners import Runner
from foxnas_core.networks import Network
from foxnas_core.supernet.onnx import INPUT
from foxnas_core.tasks.dataset import ImageSet


class Trying(ABC):
    """One kind of case. `sample` is the file of a held-out one, `said` what that is in words."""

    sample: ClassVar[str]
    said: ClassVar[str]
    # What two networks of one accord do, within a sentence: of a percentage and so many cases.
    agree: ClassVar[str]
    # The script around a runner's own lines.
    template: ClassVar[str]

    @abstractmethod
    def preprocessing(
        self, network: Network, record: Mapping[str, Any], held_out: ImageSet
    ) -> dict[str, Any]:
        """How a case goes in, as training cases did."""

    @abstractmethod
    def file(self, case: np.ndarray) -> bytes:
        """A stored case as the file `sample`."""

    @abstractmethod
    def answer(self, logits: np.ndarray, labels: Sequence[str]) -> str:
        """What logits of one case say, in words that the script prints as well."""

    def script(self, runner: Runner) -> bytes:
        """The script that goes with a runner's files."""
        return runner.text(self.template).encode()


class Pictures(Trying):
    """Pictures that are named: logits (classes,)."""

    sample, template = "sample.png", "runner.txt"
    said = "a held-out image"
    agree = "names the same class as the fp32 subnet on {share:.1f} % of {count:,} held-out images"

    def preprocessing(
        self, network: Network, record: Mapping[str, Any], held_out: ImageSet
    ) -> dict[str, Any]:
        """`fit` (width, height) is the central part that they were cut and resized to (bicubic)
        before all else."""
        channels, *_, side = network.input_shape
        height, width = held_out.images.shape[1:3]
        return {
            "input": INPUT, "layout": "NCHW, float32", "mode": "L" if channels == 1 else "RGB",
            "fit": [width, height], "channels": channels, "height": side, "width": side,
            "resize": "bilinear, antialiased", "scale": "pixels / 255",
            "mean": record["pixel_mean"], "std": record["pixel_std"],
        }  # fmt: skip

    def file(self, case: np.ndarray) -> bytes:
        from PIL import Image

        picture = io.BytesIO()
        Image.fromarray(np.squeeze(case)).save(picture, "PNG")
        return picture.getvalue()

    def answer(self, logits: np.ndarray, labels: Sequence[str]) -> str:
        shares = np.exp(logits - logits.max())
        return f"{labels[int(shares.argmax())]} {100 * shares.max() / shares.sum():.1f} %"


class Volumes(Trying):
    """Volumes whose voxels are named: logits (classes, D, H, W)."""

    sample, template = "sample.npy", "runner_volume.txt"
    said = "a held-out volume"
    agree = "gives masks whose Dice with the fp32 subnet's is {share:.1f} % on {count:,} volumes"

    def preprocessing(
        self, network: Network, record: Mapping[str, Any], held_out: ImageSet
    ) -> dict[str, Any]:
        channels, *sides = network.input_shape
        spacing = record.get("settings", {}).get("spacing")
        of_scans: dict[str, Any] = {
            "turned": "D upwards, H to the front, W to the right", "spacing": spacing,
            "resample": "linear, antialiased",
            "levels": "a scan's .5th to 99.5th percentile to 0…255, what is beyond cut",
            "fit": "cut or padded with zeros around the middle",
        }  # fmt: skip
        return {
            "input": INPUT, "layout": "NCDHW, float32", "channels": channels, "sides": sides,
            "axes": "D counts the slices, H and W are rows and columns within one",
            **(of_scans if spacing else {}),
            "scale": "voxels / 255", "mean": record["pixel_mean"], "std": record["pixel_std"],
        }  # fmt: skip

    def file(self, case: np.ndarray) -> bytes:
        found = io.BytesIO()
        np.save(found, case)
        return found.getvalue()

    def answer(self, logits: np.ndarray, labels: Sequence[str]) -> str:
        counts = np.bincount(logits.argmax(0).ravel(), minlength=len(labels))
        told = (f"{name} {count:,}" for name, count in zip(labels, counts, strict=True))
        return f"voxels of {', '.join(told)}"


def trying_of(network: Network) -> Trying:
    """The kind of a network's cases, by their axes."""
    return Volumes() if len(network.input_shape) == 4 else Pictures()
