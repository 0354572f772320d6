"""Training one plain network, whoever designed it."""

from collections.abc import Sequence
from typing import ClassVar

import torch
from torch.optim import Optimizer

from foxnas_core.networks import Network
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.training.update import Observed, Update


class SingleNetwork(Update):
    """The loss of the labels alone."""

    name: ClassVar[str] = "single"
    takes = Network
    model: Network

    def optimizers(self) -> list[Optimizer]:
        # Fused, since the small tensors of a deep, narrow network cost more calls than arithmetic.
        return [torch.optim.AdamW(self.groups(), lr=self.recipe.learning_rate, fused=True)]

    def step(self, number: int, parts: Sequence[ImageSet]) -> Observed:
        [cases] = parts
        x = self.task.batch(cases.images, self.model.input_shape)
        outputs = self.model(laid_out(x, self.model.layout))
        loss = self.task.loss(outputs, cases.labels)
        loss.backward()
        return [("loss", loss.item())]


def laid_out(x: torch.Tensor, layout: torch.memory_format) -> torch.Tensor:
    """A batch in a network's layout."""
    return x.contiguous(memory_format=layout)
