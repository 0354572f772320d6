"""Training one network with int8's rounding in its forward pass.

Quantization-aware training by a straight-through estimator (Jacob et al., arXiv 1712.05877).
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from foxnas_core.networks import Network
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Task
from foxnas_core.training.fake_quantization import FakeQuantized
from foxnas_core.training.update import Observed, Plan, Update

_RANGES_EVERY = 50  # steps


class QuantizationAware(Update):
    """The loss of the labels, rounded as int8 rounds or, without `rounded`, not.

    Batch norms keep their statistics. Ranges of activations are those on `observed`, a batch of
    the images that int8 is calibrated on (the step's own where there is none), taken anew as
    weights move.
    """

    name: ClassVar[str] = "quantization-aware"
    takes = Network
    stream: ClassVar[int] = 0
    model: Network

    def __init__(
        self,
        model: Network,
        task: Task,
        recipe: Plan,
        *,
        observed: Tensor | None = None,
        rounded: bool = True,
    ) -> None:
        super().__init__(model.eval(), task, recipe)
        self._quantized, self._observed, self._rounded = FakeQuantized(model), observed, rounded

    def step(self, number: int, parts: Sequence[ImageSet]) -> Observed:
        [cases] = parts
        x = self.task.batch(cases.images, self.model.input_shape)
        known = self._quantized.ranges
        if self._rounded and (number % _RANGES_EVERY == 0 or not known):
            self._quantized.observe(x if self._observed is None else self._observed)
        outputs = self._quantized(x) if self._rounded else self._quantized.plain(x)
        loss = self.task.loss(outputs, cases.labels)
        loss.backward()
        return [("loss", loss.item())]

    def remembered(self) -> dict[str, Tensor]:
        return {name: torch.stack(ends) for name, ends in self._quantized.ranges.items()}

    def recall(self, tensors: Mapping[str, Tensor]) -> None:
        self._quantized.ranges = {name: (ends[0], ends[1]) for name, ends in tensors.items()}
