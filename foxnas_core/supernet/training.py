"""Training a supernet by the sandwich rule with in-place distillation.

Each step trains the largest subnet on the labels, then the smallest and some random ones on the
largest one's soft predictions (Yu & Huang, arXiv 1903.05134; Yu et al., arXiv 2003.11142).
Everything random is derived from the seed and the step, so a resumed run repeats the killed one
and every process of a torchrun group draws the same subnets.
"""

import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch import distributed as dist
from torch.nn import functional as F

from foxnas_core.architecture import Architecture
from foxnas_core.dataset import Dataset, ImageSet
from foxnas_core.errors import InvalidInput
from foxnas_core.families.mbconv import resolution_of
from foxnas_core.search_space import SearchSpace
from foxnas_core.supernet.checkpoint import load_tensors, save_tensors
from foxnas_core.supernet.extraction import extract
from foxnas_core.supernet.images import to_batch
from foxnas_core.supernet.network import Supernet
from foxnas_core.supernet.recalibration import recalibrate


@dataclass(frozen=True)
class Recipe:
    """How to train. `batch` counts images over all processes of a step.

    `alone` holds the choices of one architecture to train it by itself, or None for the sandwich.
    """

    epochs: int = 25
    batch: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    warmup: float = 0.03
    random_subnets: int = 2
    seed: int = 0
    alone: dict[str, Any] | None = None


@dataclass(frozen=True)
class Progress:
    """What a running training reports: step of steps, loss, accuracies so far, seconds left."""

    step: int
    steps: int
    loss: float
    largest: float
    smallest: float
    seconds_left: float


@dataclass(frozen=True)
class Trained:
    """A trained supernet and its record (see `Checkpoint`)."""

    supernet: Supernet
    record: dict[str, Any]


def train(
    space: SearchSpace,
    dataset: Dataset,
    recipe: Recipe,
    *,
    state_file: Path,
    resume: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
    report_every: int = 50,
    save_every: int = 200,
    stop_after: int | None = None,
) -> Trained:
    """Train to the end of the recipe, saving the state to `state_file` on the way.

    With `resume`, go on from `state_file`, at the same step with the same random state. Under
    torchrun, each process takes its share of every batch and gradients are averaged.
    `stop_after` ends early at that step, with the state saved. Raises `InvalidInput` where the
    state file belongs to another recipe, space or dataset.
    """
    rank, world = _join_group()
    if recipe.batch % world:
        raise InvalidInput(
            f"A batch of {recipe.batch} can't be shared by {world} processes; choose a multiple."
        )
    torch.manual_seed(recipe.seed)
    supernet = Supernet(space).train()
    supernet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(_parameter_groups(supernet, recipe), lr=recipe.learning_rate)
    mean, std = dataset.pixel_statistics()
    steps_per_epoch = len(dataset.training) // recipe.batch
    steps = recipe.epochs * steps_per_epoch
    if not steps:
        raise InvalidInput(
            f"{len(dataset.training)} training images are fewer than one batch of {recipe.batch}."
        )
    identity = {
        "recipe": asdict(recipe),
        "space": space.fingerprint,
        "dataset": dataset.name,
        "images": len(dataset.training),
    }
    first, history, earlier = 0, [], 0.0
    if resume:
        first, history, earlier = _restore(state_file, supernet, optimizer, identity)
    started = time.monotonic()
    order: np.ndarray | None = None
    meters = _Meters()
    for step in range(first, steps):
        epoch, position = divmod(step, steps_per_epoch)
        if order is None or position == 0:
            order = np.random.default_rng([recipe.seed, 1, epoch]).permutation(len(dataset.training))
        batch = order[position * recipe.batch : (position + 1) * recipe.batch]
        flips = np.random.default_rng([recipe.seed, 2, step]).random(recipe.batch) < 0.5
        images = dataset.training.take(batch[rank::world])
        images = ImageSet(_flipped(images.images, flips[rank::world]), images.labels)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(step, steps, recipe.warmup)
        optimizer.zero_grad(set_to_none=True)
        subnets = _subnets_of_step(space, recipe, step)
        meters.add(*_accumulate(supernet, subnets, images, mean, std))
        _average_gradients(supernet, world)
        optimizer.step()
        done = step + 1
        if done % report_every == 0 or done == steps:
            loss, largest, smallest = meters.take()
            rate = (time.monotonic() - started) / (done - first)
            history.append([done, round(loss, 4), round(largest, 2), round(smallest, 2)])
            if rank == 0:
                report(Progress(done, steps, loss, largest, smallest, rate * (steps - done)))
        stopping = done == stop_after
        if rank == 0 and (done % save_every == 0 or stopping):
            seconds = earlier + time.monotonic() - started
            _save_state(state_file, supernet, optimizer, identity, done, history, seconds)
        if stopping:
            break
    record = {
        **identity,
        "pixel_mean": mean,
        "pixel_std": std,
        "classes": list(dataset.classes),
        "licence": dataset.licence,
        "steps": steps,
        "processes": world,
        "seconds": round(earlier + time.monotonic() - started, 1),
        "torch": torch.__version__,
        "history": {"columns": ["step", "loss", "largest_accuracy", "smallest_accuracy"],
                    "rows": history},
    }  # fmt: skip
    return Trained(supernet.eval(), record)


def accuracy_of(
    supernet: Supernet,
    architecture: Architecture,
    dataset: Dataset,
    *,
    mean: float,
    std: float,
    calibration_images: int = 2000,
    batch: int = 500,
) -> float:
    """Top-1 accuracy, in percent, of a recalibrated subnet on the held-out images."""
    subnet = extract(supernet, architecture)
    resolution = subnet.resolution
    recalibrate(
        subnet, batches(dataset.training.take(slice(0, calibration_images)), resolution, mean, std)
    )
    right = 0
    with torch.no_grad():
        for start in range(0, len(dataset.held_out), batch):
            part = dataset.held_out.take(slice(start, start + batch))
            logits = subnet(to_batch(part.images, resolution, mean, std))
            right += int((logits.argmax(1).numpy() == part.labels).sum())
    return 100 * right / len(dataset.held_out)


def batches(
    images: ImageSet, resolution: int, mean: float, std: float, batch: int = 500
) -> Iterator[Tensor]:
    """Normalised tensors of `batch` images each."""
    for start in range(0, len(images), batch):
        yield to_batch(images.images[start : start + batch], resolution, mean, std)


def _subnets_of_step(space: SearchSpace, recipe: Recipe, step: int) -> list[Architecture]:
    """The subnets of one step: largest, random ones, smallest; or the one trained alone."""
    if recipe.alone is not None:
        return [space.architecture(recipe.alone)]
    rng = np.random.default_rng([recipe.seed, 3, step])
    drawn = [space.draw(rng, "decisions") for _ in range(recipe.random_subnets)]
    return [space.extreme("largest"), *drawn, space.extreme("smallest")]


def _accumulate(
    supernet: Supernet, subnets: list[Architecture], images: ImageSet, mean: float, std: float
) -> tuple[float, float, float]:
    """Add the gradients of each subnet; the first learns the labels, the rest the first.

    Returns the first one's loss and the accuracies (percent) of the first and last subnet.
    """
    labels = torch.from_numpy(images.labels)
    soft: Tensor | None = None
    loss_of_first = 0.0
    accuracies = []
    for architecture in subnets:
        x = to_batch(images.images, resolution_of(supernet.settings, architecture), mean, std)
        logits = supernet(x.contiguous(memory_format=torch.channels_last), architecture)
        if soft is None:
            loss = F.cross_entropy(logits, labels)
            soft = logits.detach().softmax(1)
            loss_of_first = loss.item()
        else:
            loss = F.cross_entropy(logits, soft)
        loss.backward()
        accuracies.append(100 * float((logits.detach().argmax(1) == labels).float().mean()))
    return loss_of_first, accuracies[0], accuracies[-1]


class _Meters:
    """Running means of loss and accuracies since the last report."""

    def __init__(self) -> None:
        self.rows: list[tuple[float, float, float]] = []

    def add(self, loss: float, largest: float, smallest: float) -> None:
        self.rows.append((loss, largest, smallest))

    def take(self) -> tuple[float, float, float]:
        loss, largest, smallest = np.mean(self.rows, axis=0)
        self.rows.clear()
        return float(loss), float(largest), float(smallest)


def _schedule(step: int, steps: int, warmup: float) -> float:
    """Linear warm-up, then a half cosine to zero."""
    warm = max(1, round(warmup * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def _parameter_groups(supernet: Supernet, recipe: Recipe) -> list[dict[str, Any]]:
    """No weight decay on norms, biases and kernel transforms, which would shrink to zero."""
    decayed, free = [], []
    for name, parameter in supernet.named_parameters():
        is_weight = parameter.ndim > 1 and "transforms" not in name
        (decayed if is_weight else free).append(parameter)
    return [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]


def _flipped(images: np.ndarray, flips: np.ndarray) -> np.ndarray:
    images = images.copy()
    images[flips] = images[flips][:, :, ::-1]
    return images


def _join_group() -> tuple[int, int]:
    """Rank and number of processes; joins torchrun's group where there is one."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return 0, 1
    if not dist.is_initialized():
        dist.init_process_group("gloo")
    return dist.get_rank(), dist.get_world_size()


def _average_gradients(supernet: nn.Module, world: int) -> None:
    if world == 1:
        return
    # One message for all: an all-reduce of each small tensor would cost more than the step.
    owned = [p for p in supernet.parameters() if p.grad is not None]
    flat = torch.cat([p.grad.flatten() for p in owned if p.grad is not None]) / world
    dist.all_reduce(flat)
    for parameter, part in zip(owned, flat.split([p.numel() for p in owned]), strict=True):
        parameter.grad = part.view_as(parameter)


def _save_state(
    path: Path,
    supernet: Supernet,
    optimizer: torch.optim.Optimizer,
    identity: dict[str, Any],
    step: int,
    history: list[list[float]],
    seconds: float,
) -> None:
    tensors = {f"model.{name}": tensor for name, tensor in supernet.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    metadata = {"identity": identity, "step": step, "history": history, "seconds": seconds}
    save_tensors(path, tensors, metadata)


def _restore(
    path: Path, supernet: Supernet, optimizer: torch.optim.Optimizer, identity: dict[str, Any]
) -> tuple[int, list[list[float]], float]:
    tensors, metadata = load_tensors(path)
    if metadata["identity"] != identity:
        raise InvalidInput(
            f"{path} was written by another recipe, space or dataset; resume with the options "
            "that started it, or leave out --resume to begin anew."
        )
    supernet.load_state_dict(
        {n.removeprefix("model."): t for n, t in tensors.items() if n.startswith("model.")}
    )
    states: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            states.setdefault(int(index), {})[key] = tensor
    whole = optimizer.state_dict()
    whole["state"] = states
    optimizer.load_state_dict(whole)
    return metadata["step"], metadata["history"], metadata["seconds"]
