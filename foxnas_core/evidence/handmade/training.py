"""Training one plain network by the supernet's recipe, whoever designed it."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn
from torch.nn import functional as F

from foxnas_core.errors import InvalidInput
from foxnas_core.networks import Network
from foxnas_core.supernet.images import Level, to_batch
from foxnas_core.supernet.training import (
    Progress,
    Recipe,
    StepImages,
    parameter_groups,
    restore,
    save_state,
    schedule,
)
from foxnas_core.tasks.dataset import Dataset

AnyNetwork = TypeVar("AnyNetwork", bound=Network)


def train_network(
    build: Callable[[], AnyNetwork],
    name: str,
    dataset: Dataset,
    recipe: Recipe,
    *,
    mean: Level,
    std: Level,
    state_file: Path,
    report: Callable[[Progress], None] = lambda progress: None,
    report_every: int = 50,
    save_every: int = 200,
    stop_after: int | None = None,
) -> tuple[AnyNetwork, float]:
    """The network that `build` makes, trained from random weights, and the seconds it took.

    The recipe's optimizer, schedule, batches, flips and seed are used, its loss is that of the
    labels alone. What `state_file` holds of the training called `name` is gone on from;
    `stop_after` ends early at that step, with the state saved. Norms are left with running
    statistics, to be recalibrated. Raises `InvalidInput` where the state belongs to another
    training, and where there are fewer images than a batch.
    """
    steps = steps_of(dataset, recipe)
    torch.manual_seed(recipe.seed)
    network = build().train()
    network.apply(_begin)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    # Fused, since the small tensors of a deep, narrow network cost more calls than arithmetic.
    groups = parameter_groups(network, recipe)
    optimizer = torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)
    identity: dict[str, Any] = {
        "network": name,
        "recipe": asdict(recipe),
        "dataset": dataset.name,
        "images": len(dataset.training),
    }
    first, earlier = 0, 0.0
    if state_file.exists():
        first, _, earlier = restore(state_file, network, optimizer, identity)
    started = time.monotonic()
    images_of = StepImages(dataset.training, recipe)
    losses: list[float] = []
    for step in range(first, steps):
        images = images_of.step(step)
        x = to_batch(images.images, network.input_shape[-1], mean, std)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * schedule(step, steps, recipe.warmup)
        optimizer.zero_grad(set_to_none=True)
        logits = network(x.contiguous(memory_format=torch.channels_last))
        loss = F.cross_entropy(logits, torch.from_numpy(images.labels))
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        done = step + 1
        if done % report_every == 0 or done == steps:
            rate = (time.monotonic() - started) / (done - first)
            mean_loss = sum(losses) / len(losses)
            losses.clear()
            nan = float("nan")
            report(Progress(done, steps, mean_loss, nan, nan, rate * (steps - done)))
        if done % save_every == 0 or done == stop_after:
            seconds = earlier + time.monotonic() - started
            save_state(state_file, network, optimizer, identity, done, [], seconds)
        if done == stop_after:
            break
    network.to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    return network.eval(), earlier + time.monotonic() - started


def steps_of(dataset: Dataset, recipe: Recipe) -> int:
    """How many steps a training takes; raises `InvalidInput` for none."""
    steps = recipe.epochs * (len(dataset.training) // recipe.batch)
    if not steps:
        raise InvalidInput(
            f"{len(dataset.training)} training images are fewer than one batch of {recipe.batch}."
        )
    return steps


def _begin(module: nn.Module) -> None:
    """Convolutions before a norm begin as the supernet's do."""
    if isinstance(module, nn.Conv2d) and module.bias is None:
        nn.init.kaiming_normal_(module.weight, mode="fan_out")
