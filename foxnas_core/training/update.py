"""The contract of an update: what one training step does.

`foxnas_core.testing.updates` holds what each must keep.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from foxnas_core.networks import Network, SupernetAdapter
from foxnas_core.tasks.dataset import Dataset, ImageSet
from foxnas_core.tasks.task import Task

Observed = Sequence[tuple[str, float]]
"""Values that a step has seen, each with the name of its column; NaN for none."""


class Plan(Protocol):
    """What the loop asks of a recipe; `batch` counts cases over all processes of a step and part,
    `warmup` is a share of the steps."""

    @property
    def epochs(self) -> int: ...
    @property
    def batch(self) -> int: ...
    @property
    def learning_rate(self) -> float: ...
    @property
    def weight_decay(self) -> float: ...
    @property
    def warmup(self) -> float: ...
    @property
    def seed(self) -> int: ...


class Update(ABC):
    """Trains `model` for `task` by a recipe. What it learns is in the model's state and in
    `remembered`, so that a killed training can go on.

    `name` is how it is asked for; `takes` the kind of model it trains. `columns` are the values
    that steps tell of, the loss first. With `parts` above one, the training cases are divided once
    into so many, and each step has a batch of each: weights and architecture parameters then learn
    from different ones.
    """

    name: ClassVar[str]
    takes: ClassVar[type[Network] | type[SupernetAdapter]]
    columns: ClassVar[tuple[str, ...]] = ("loss",)
    parts: ClassVar[int] = 1
    imitates: ClassVar[bool] = False
    """Whether it learns from what a teacher says of cases, where they tell."""
    usual: ClassVar[Mapping[str, Any]] = {}
    """What a recipe is made with where nothing else is asked for, by field."""
    stream: ClassVar[int] = 1
    """The first of the two streams of the seed that order and variation are drawn from, so that
    what two updates in turn draw for one network differs."""

    def __init__(self, model: Any, task: Task, recipe: Any) -> None:
        self.model, self.task, self.recipe = model, task, recipe

    @classmethod
    def on(cls, model: Any, task: Task, recipe: Any, dataset: Dataset) -> Self:
        """One that trains on a dataset, where what it does follows from that."""
        return cls(model, task, recipe)

    @classmethod
    def told(cls, epochs: Sequence[Mapping[str, Any]]) -> tuple[str, dict[str, Any]]:
        """What is to be said of what was `watched` after each epoch: a sentence, and the same as
        JSON."""
        return "", {}

    @classmethod
    def columns_for(cls, task: Task) -> list[str]:
        """The columns as the record of a training for `task` calls them."""
        return list(cls.columns)

    def optimizers(self) -> list[Optimizer]:
        """What turns gradients into steps. The loop sets the rate of every group by its schedule,
        but for groups with `"fixed": True`."""
        return [torch.optim.AdamW(self.groups(), lr=self.recipe.learning_rate)]

    def groups(self) -> list[dict[str, Any]]:
        """The parameters to train: those with weight decay, and those without."""
        decayed: list[nn.Parameter] = []
        free: list[nn.Parameter] = []
        for name, parameter in self.model.named_parameters():
            if parameter.requires_grad:
                (decayed if self.model.decays(name, parameter) else free).append(parameter)
        return [
            {"params": decayed, "weight_decay": self.recipe.weight_decay},
            {"params": free, "weight_decay": 0.0},
        ]

    def remembered(self) -> dict[str, Tensor]:
        """What steps to come need of steps before, beside weights."""
        return {}

    def watched(self) -> Mapping[str, Sequence[float]]:
        """What there is to see after each epoch beside the columns, by name; it is kept in the
        record of the training."""
        return {}

    def recall(self, tensors: Mapping[str, Tensor]) -> None:  # noqa: B027
        """Take up what `remembered` gave."""

    @abstractmethod
    def step(self, number: int, parts: Sequence[ImageSet]) -> Observed:
        """Add the gradients of step `number`, counted from 0, on this process's share of a batch
        of each part. What is random follows from a seed and `number` alone."""
