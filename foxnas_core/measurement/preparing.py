"""From a checkpoint to subnets that can be measured."""

from collections.abc import Callable, Sequence

from foxnas_core.measurement.meter import Prepared
from foxnas_core.space.architecture import Architecture
from foxnas_core.supernet.checkpoint import Checkpoint
from foxnas_core.supernet.sharing import recalibrate_together
from foxnas_core.tasks.dataset import ImageSet

Prepare = Callable[[Sequence[Architecture]], list[Prepared]]
"""What makes architectures ready to be measured, in their order."""


def prepare(checkpoint: Checkpoint, architecture: Architecture, calibration: ImageSet) -> Prepared:
    """The extracted subnet, its batch norms recalibrated on training images."""
    return prepare_all(checkpoint, [architecture], calibration)[0]


def prepare_all(
    checkpoint: Checkpoint, architectures: Sequence[Architecture], calibration: ImageSet
) -> list[Prepared]:
    """As `prepare` each, in less time where subnets begin alike."""
    task = checkpoint.task
    subnets = [checkpoint.extract(architecture) for architecture in architectures]
    for shape in {subnet.input_shape for subnet in subnets}:
        own = [subnet for subnet in subnets if subnet.input_shape == shape]
        recalibrate_together(own, task.batches(calibration.images, shape))
    return [Prepared(a, subnet) for a, subnet in zip(architectures, subnets, strict=True)]
