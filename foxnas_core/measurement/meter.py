"""What a meter is: something that turns prepared subnets into columns of the table."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from foxnas_core.architecture import Architecture
from foxnas_core.supernet.onnx import onnx_model
from foxnas_core.supernet.subnet import Network


@dataclass(frozen=True)
class Prepared:
    """An extracted, recalibrated subnet, ready to be measured."""

    architecture: Architecture
    subnet: Network

    @cached_property
    def onnx(self) -> bytes:
        return onnx_model(self.subnet)


class Meter(Protocol):
    """Measures a batch of subnets at once, so that it can interleave them."""

    def measure(self, subnets: Sequence[Prepared]) -> list[dict[str, float]]:
        """One dictionary of column values a subnet, in the same order."""

    def record(self) -> dict[str, Any]:
        """The circumstances (device, threads, versions, counts) that the table keeps."""
