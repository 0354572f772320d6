"""Training one plain network by a recipe, whoever designed it."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from foxnas_core.networks import Network
from foxnas_core.progress import Report, not_told
from foxnas_core.tasks.dataset import Dataset
from foxnas_core.tasks.task import Task
from foxnas_core.training.loop import run
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.updates.single import SingleNetwork

AnyNetwork = TypeVar("AnyNetwork", bound=Network)


def train_network(
    build: Callable[[], AnyNetwork],
    name: str,
    task: Task,
    dataset: Dataset,
    recipe: Recipe,
    *,
    state_file: Path,
    report: Report = not_told,
    report_every: int = 50,
    stop: Callable[[int], bool] = lambda done: False,
) -> tuple[AnyNetwork, float]:
    """The network that `build` makes, trained from random weights, and the seconds it took.

    The recipe's optimizer, schedule, batches, variation and seed are used, its loss is that of the
    labels alone. What `state_file` holds of the training called `name` is gone on from. Norms are
    left with running statistics, to be recalibrated. Raises as `loop.run`.
    """
    torch.manual_seed(recipe.seed)
    network = build().train()
    network.apply(_begin)
    network.laid_out(network.layout)
    identity: dict[str, Any] = {
        "network": name,
        "recipe": asdict(recipe),
        "dataset": dataset.name,
        "images": len(dataset.training),
    }
    done = run(
        SingleNetwork(network, task, recipe),
        dataset.training,
        identity=identity,
        state_file=state_file,
        resume=state_file.exists(),
        report=report,
        report_every=report_every,
        stop=stop,
    )
    network.laid_out(torch.contiguous_format)
    return network.eval(), done.seconds


def _begin(module: nn.Module) -> None:
    """Convolutions before a norm begin as the supernet's do."""
    if isinstance(module, nn.modules.conv._ConvNd) and module.bias is None:
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
