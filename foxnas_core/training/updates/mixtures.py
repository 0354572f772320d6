"""Training a mixture of operations: with its architecture parameters, or its weights alone.

DARTS of first order (Liu et al., arXiv 1806.09055, section 2.3 with ξ = 0): weights by one half of
the cases, architecture parameters by the other. Both take their gradients at the same point, and
both optimizers then step, where the published code steps one after the other.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from foxnas_core.networks import MixtureSupernet, MixtureWeights
from foxnas_core.space.mixture import Weights
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Task
from foxnas_core.training.update import Observed, Plan, Update
from foxnas_core.training.updates.single import laid_out

_MOMENTUM, _MOST_NORM = 0.9, 5.0
# Of architecture parameters, whose rate follows no schedule.
_ALPHA: dict[str, Any] = {"lr": 3e-4, "betas": (0.5, 0.999), "weight_decay": 1e-3}


class ClippedSGD(SGD):
    """Gradient descent with momentum by gradients whose norm is at most so much."""

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        nn.utils.clip_grad_norm_(
            [p for group in self.param_groups for p in group["params"]], _MOST_NORM
        )
        return super().step(closure)


class FixedMixture(Update):
    """The weights of a mixture whose architecture parameters stay as they are, or that is mixed by
    `weights`."""

    name: ClassVar[str] = "fixed-alpha"
    takes = MixtureSupernet
    usual: ClassVar[Mapping[str, Any]] = {
        "epochs": 50, "batch": 64, "learning_rate": 0.025, "weight_decay": 3e-4, "warmup": 0.0,
    }  # fmt: skip
    model: MixtureSupernet

    def __init__(
        self, model: MixtureSupernet, task: Task, recipe: Plan, *, weights: Weights | None = None
    ) -> None:
        super().__init__(model, task, recipe)
        model.alpha.requires_grad_(False)
        self._weights = weights

    def optimizers(self) -> list[Optimizer]:
        return [ClippedSGD(self.groups(), lr=self.recipe.learning_rate, momentum=_MOMENTUM)]

    def step(self, number: int, parts: Sequence[ImageSet]) -> Observed:
        [cases] = parts
        loss = self._loss(cases, self._weights or self.model.weights())
        loss.backward()
        return [("loss", loss.item())]

    def _loss(self, cases: ImageSet, weights: MixtureWeights) -> Tensor:
        x = laid_out(self.task.batch(cases.images, self.model.shape), self.model.layout)
        return self.task.loss(self.model.mixed(x, weights), cases.labels)


class DARTS(FixedMixture):
    """The weights of a mixture and its architecture parameters.

    Columns: the loss of the cases that weights learn from, and that of the others.
    """

    name: ClassVar[str] = "darts"
    columns: ClassVar[tuple[str, ...]] = ("loss", "search_loss")
    parts: ClassVar[int] = 2

    def __init__(self, model: MixtureSupernet, task: Task, recipe: Plan) -> None:
        super().__init__(model, task, recipe)
        model.alpha.requires_grad_(True)

    def groups(self) -> list[dict[str, Any]]:
        own = {id(parameter) for parameter in self.model.alpha.values()}
        return [
            {**group, "params": [p for p in group["params"] if id(p) not in own]}
            for group in super().groups()
        ]

    def optimizers(self) -> list[Optimizer]:
        alpha = {"params": list(self.model.alpha.values()), "fixed": True}
        return [*super().optimizers(), Adam([alpha], **_ALPHA)]

    def watched(self) -> Mapping[str, Sequence[float]]:
        """The weights that the architecture parameters give, by edge."""
        return {
            name: [round(weight, 4) for weight in weights]
            for name, weights in self.model.numbers().items()
        }

    def step(self, number: int, parts: Sequence[ImageSet]) -> Observed:
        training, searching = parts
        alpha = list(self.model.alpha.values())
        search_loss = self._loss(searching, self.model.weights())
        by_search = torch.autograd.grad(search_loss, alpha, materialize_grads=True)
        fixed = {name: weights.detach() for name, weights in self.model.weights().items()}
        loss = self._loss(training, fixed)
        loss.backward()
        for parameter, gradient in zip(alpha, by_search, strict=True):
            parameter.grad = gradient
        return [("loss", loss.item()), ("search_loss", search_loss.item())]
