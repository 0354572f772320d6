"""What a meter is: something that turns prepared subnets into columns of the table."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from foxnas_core.networks import Network
from foxnas_core.space.architecture import Architecture
from foxnas_core.supernet.onnx import onnx_model, quantized_model
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Batching

INT8_IMAGES = 200
"""How many training images the ranges of int8 activations are taken from."""


@dataclass(frozen=True)
class Prepared:
    """An extracted, recalibrated subnet, ready to be measured."""

    architecture: Architecture
    subnet: Network

    @cached_property
    def onnx(self) -> bytes:
        return onnx_model(self.subnet)

    def int8(self, calibration: ImageSet, task: Batching) -> bytes:
        """The int8 model, calibrated on the first `INT8_IMAGES` of these training images; made
        once, whatever meters ask for it."""
        images = task.batch(calibration.images[:INT8_IMAGES], self.subnet.input_shape).numpy()
        key = hashlib.sha256(images.tobytes()).hexdigest()
        if key not in self._quantized:
            self._quantized[key] = quantized_model(self.onnx, images)
        return self._quantized[key]

    @cached_property
    def _quantized(self) -> dict[str, bytes]:
        return {}


class Meter(Protocol):
    """Measures a batch of subnets at once, so that it can interleave them.

    A meter that finds the same on any machine and beside any other work says so by a class
    attribute `on_device = False`; only such meters run in several processes, see `crew`.
    """

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        """One dictionary of column values a subnet, in the same order."""

    def record(self) -> dict[str, Any]:
        """The circumstances (device, threads, versions, counts) that the table keeps."""


def on_device(meter: Meter) -> bool:
    """Whether the meter's numbers are of one device, which must do nothing else meanwhile."""
    return getattr(meter, "on_device", True)
