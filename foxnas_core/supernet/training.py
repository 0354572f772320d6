"""Training a supernet by the sandwich rule with in-place distillation.

A step trains the largest subnet on the labels, random ones and the smallest on the labels and on
the largest one's soft predictions (Yu & Huang, arXiv 1903.05134; Yu et al., arXiv 2003.11142).
In a narrow supernet the two extremes, trained in every step, crowd out the subnets between them,
which then score below the smallest. So a recipe says in which share of the steps each extreme
takes part; a step without the largest subnet trains on the labels alone.

Everything random is derived from the seed and the step, so a resumed run repeats the killed one
and every process of a torchrun group draws the same subnets.
"""

import hashlib
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

from foxnas_core.errors import InvalidInput
from foxnas_core.families.mbconv.space import settings_of
from foxnas_core.networks import SupernetAdapter
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.supernet.checkpoint import load_tensors, save_tensors
from foxnas_core.supernet.images import Level, to_batch
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.tasks.dataset import Dataset, ImageSet


@dataclass(frozen=True)
class Recipe:
    """How to train. `batch` counts images over all processes of a step.

    `largest_share` and `smallest_share` are the shares of steps in which the largest and the
    smallest subnet take part (1 and 1 is the sandwich rule as published), `random_subnets` the
    number of random ones in each, and `distillation` the weight of the largest one's predictions
    beside the labels. `alone` holds the choices of one architecture to train it by itself, or
    None for the sandwich.
    """

    epochs: int = 42
    batch: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    warmup: float = 0.03
    largest_share: float = 0.3
    smallest_share: float = 0.05
    random_subnets: int = 1
    distillation: float = 0.5
    seed: int = 0
    alone: dict[str, Any] | None = None


@dataclass(frozen=True)
class Progress:
    """What a running training reports.

    `loss` (cross-entropy with the labels, nats) is the mean since the last report, `largest` and
    `smallest` the latest training accuracies (percent) of the two extremes, NaN before the first.
    """

    step: int
    steps: int
    loss: float
    largest: float
    smallest: float
    seconds_left: float


@dataclass(frozen=True)
class Trained:
    """A trained supernet and its record (see `Checkpoint`)."""

    supernet: SupernetAdapter
    record: dict[str, Any]


def train(
    space: SearchSpace,
    dataset: Dataset,
    recipe: Recipe,
    *,
    state_file: Path,
    start: SupernetAdapter | None = None,
    resume: bool = False,
    report: Callable[[Progress], None] = lambda progress: None,
    report_every: int = 50,
    save_every: int = 200,
    stop_after: int | None = None,
) -> Trained:
    """Train to the end of the recipe, saving the state to `state_file` on the way.

    The weights begin as those of `start`, which is left as it is, or, without one, at random.
    With `resume`, go on from `state_file`, at the same step with the same random state. Under
    torchrun, each process takes its share of every batch and gradients are averaged.
    `stop_after` ends early at that step, with the state saved. Raises `InvalidInput` where the
    state file belongs to another recipe, space or dataset, or where the images do not suit the
    space.
    """
    check_images(space, dataset)
    rank, world = _join_group()
    if recipe.batch % world:
        raise InvalidInput(
            f"A batch of {recipe.batch} can't be shared by {world} processes; choose a multiple."
        )
    torch.manual_seed(recipe.seed)
    supernet = supernet_of(space).train()
    if start is not None:
        supernet.load_state_dict(start.state_dict())
    supernet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(parameter_groups(supernet, recipe), lr=recipe.learning_rate)
    mean, std = dataset.pixel_statistics()
    steps_per_epoch = len(dataset.training) // recipe.batch
    steps = recipe.epochs * steps_per_epoch
    if not steps:
        raise InvalidInput(
            f"{len(dataset.training)} training images are fewer than one batch of {recipe.batch}."
        )
    identity: dict[str, Any] = {
        "recipe": asdict(recipe),
        "space": space.fingerprint,
        "dataset": dataset.name,
        "images": len(dataset.training),
    }
    if start is not None:
        identity["start"] = weights_fingerprint(start)
    first, earlier = 0, 0.0
    history: list[list[float | None]] = []
    if resume:
        first, history, earlier = restore(state_file, supernet, optimizer, identity)
    started = time.monotonic()
    images_of = StepImages(dataset.training, recipe)
    meters = _Meters(space)
    for step in range(first, steps):
        images = images_of.step(step, rank, world)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * schedule(step, steps, recipe.warmup)
        optimizer.zero_grad(set_to_none=True)
        subnets = _subnets_of_step(space, recipe, step)
        meters.add(_accumulate(supernet, subnets, images, recipe.distillation, mean, std))
        _average_gradients(supernet, world)
        optimizer.step()
        done = step + 1
        if done % report_every == 0 or done == steps:
            loss, largest, smallest = meters.take()
            rate = (time.monotonic() - started) / (done - first)
            history.append([done, *(_rounded(x) for x in (loss, largest, smallest))])
            if rank == 0:
                report(Progress(done, steps, loss, largest, smallest, rate * (steps - done)))
        stopping = done == stop_after
        if rank == 0 and (done % save_every == 0 or stopping):
            seconds = earlier + time.monotonic() - started
            save_state(state_file, supernet, optimizer, identity, done, history, seconds)
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


def weights_fingerprint(supernet: SupernetAdapter) -> str:
    """Twelve hexadecimal digits that change whenever a weight or a norm's statistic does."""
    digest = hashlib.sha256()
    for name, tensor in sorted(supernet.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


def accuracy_of(
    supernet: SupernetAdapter,
    architecture: Architecture,
    dataset: Dataset,
    *,
    mean: Level,
    std: Level,
    calibration_images: int = 2000,
    batch: int = 500,
) -> float:
    """Top-1 accuracy, in percent, of a recalibrated subnet on the held-out images."""
    subnet = supernet.extract(architecture)
    resolution = subnet.input_shape[-1]
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
    images: ImageSet, resolution: int, mean: Level, std: Level, batch: int = 500
) -> Iterator[Tensor]:
    """Normalised tensors of `batch` images each."""
    for start in range(0, len(images), batch):
        yield to_batch(images.images[start : start + batch], resolution, mean, std)


def check_images(space: SearchSpace, dataset: Dataset) -> None:
    """Raise `InvalidInput` where channels or classes of the images are not the space's."""
    settings = settings_of(space)
    images = dataset.training.images
    channels = 1 if images.ndim == 3 else images.shape[-1]
    for what, has, takes in (
        ("channels", channels, settings.input_channels),
        ("classes", len(dataset.classes), settings.classes),
    ):
        if has != takes:
            raise InvalidInput(
                f"The images of {dataset.name} have {has} {what}, but space {space.name!r} is for "
                f"{takes}; train on a space of your own (--space FILE) with {has}."
            )


def is_first() -> bool:
    """Whether this process is the one that writes and reports."""
    return int(os.environ.get("RANK", "0")) == 0


def _subnets_of_step(space: SearchSpace, recipe: Recipe, step: int) -> list[Architecture]:
    """The subnets of one step, the largest first; or the one trained alone."""
    if recipe.alone is not None:
        return [space.architecture(recipe.alone)]
    rng = np.random.default_rng([recipe.seed, 3, step])
    subnets = [_draw(space, rng) for _ in range(recipe.random_subnets)]
    if rng.random() < recipe.largest_share:
        subnets.insert(0, space.extreme("largest"))
    if rng.random() < recipe.smallest_share or not subnets:
        subnets.append(space.extreme("smallest"))
    return subnets


def _draw(space: SearchSpace, rng: np.random.Generator) -> Architecture:
    """A random subnet, its resolution drawn in proportion to the number of pixels.

    With equal shares the larger inputs, which hold more to learn, end up behind smaller ones.
    """
    architecture = space.draw(rng, "decisions")
    if "resolution" not in architecture:
        return architecture
    choices = space.by_name["resolution"].choices
    pixels = np.array(choices, dtype=float) ** 2
    resolution = choices[int(rng.choice(len(choices), p=pixels / pixels.sum()))]
    return space.architecture({**architecture.to_dict(), "resolution": resolution})


@dataclass(frozen=True)
class _Scored:
    """A subnet's cross-entropy with the labels (nats) and accuracy (percent) on one batch."""

    architecture: Architecture
    loss: float
    accuracy: float


def _accumulate(
    supernet: SupernetAdapter,
    subnets: list[Architecture],
    images: ImageSet,
    distillation: float,
    mean: float,
    std: float,
) -> list[_Scored]:
    """Add the gradients of each subnet; those after the largest learn from it too."""
    labels = torch.from_numpy(images.labels)
    largest = supernet.space.extreme("largest")
    soft: Tensor | None = None
    scored = []
    for architecture in subnets:
        x = to_batch(images.images, supernet.input_shape(architecture)[-1], mean, std)
        logits = supernet(x.contiguous(memory_format=torch.channels_last), architecture)
        hard_loss = F.cross_entropy(logits, labels)
        loss = hard_loss
        if soft is not None:
            loss = (1 - distillation) * hard_loss + distillation * F.cross_entropy(logits, soft)
        if architecture == largest:
            soft = logits.detach().softmax(1)
        loss.backward()
        accuracy = 100 * float((logits.detach().argmax(1) == labels).float().mean())
        scored.append(_Scored(architecture, hard_loss.item(), accuracy))
    return scored


class _Meters:
    """Means since the last report: of the loss, and of the extremes' accuracies."""

    def __init__(self, space: SearchSpace) -> None:
        self._extremes = (space.extreme("largest"), space.extreme("smallest"))
        self._latest = [math.nan, math.nan]
        self._scored: list[_Scored] = []

    def add(self, scored: list[_Scored]) -> None:
        self._scored += scored

    def take(self) -> tuple[float, float, float]:
        for i, extreme in enumerate(self._extremes):
            own = [s.accuracy for s in self._scored if s.architecture == extreme]
            if own:
                self._latest[i] = float(np.mean(own))
        loss = float(np.mean([s.loss for s in self._scored]))
        self._scored.clear()
        return loss, self._latest[0], self._latest[1]


def _rounded(value: float) -> float | None:
    """For JSON, which has no NaN."""
    return None if math.isnan(value) else round(value, 4)


class StepImages:
    """The training images of each step, which follow from the recipe's seed: a new order every
    epoch, and each image flipped from left to right with a probability of a half."""

    def __init__(self, images: ImageSet, recipe: Recipe) -> None:
        self._images, self._recipe = images, recipe
        self._epoch, self._order = -1, np.empty(0, dtype=int)

    def step(self, step: int, rank: int = 0, world: int = 1) -> ImageSet:
        """One process's share of the batch of this step."""
        seed, size = self._recipe.seed, self._recipe.batch
        epoch, position = divmod(step, len(self._images) // size)
        if epoch != self._epoch:
            rng = np.random.default_rng([seed, 1, epoch])
            self._epoch, self._order = epoch, rng.permutation(len(self._images))
        batch = self._order[position * size : (position + 1) * size]
        flips = np.random.default_rng([seed, 2, step]).random(size) < 0.5
        taken = self._images.take(batch[rank::world])
        images = taken.images.copy()
        own = flips[rank::world]
        images[own] = images[own][:, :, ::-1]
        return ImageSet(images, taken.labels)


def schedule(step: int, steps: int, warmup: float) -> float:
    """Linear warm-up, then a half cosine to zero."""
    warm = max(1, round(warmup * steps))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def parameter_groups(network: nn.Module, recipe: Recipe) -> list[dict[str, Any]]:
    """No weight decay on norms, biases and kernel transforms, which would shrink to zero."""
    decayed: list[nn.Parameter] = []
    free: list[nn.Parameter] = []
    for name, parameter in network.named_parameters():
        is_weight = parameter.ndim > 1 and "transforms" not in name
        (decayed if is_weight else free).append(parameter)
    return [
        {"params": decayed, "weight_decay": recipe.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]


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


def save_state(
    path: Path,
    network: nn.Module,
    optimizer: torch.optim.Optimizer,
    identity: dict[str, Any],
    step: int,
    history: list[list[float | None]],
    seconds: float,
) -> None:
    tensors = {f"model.{name}": tensor for name, tensor in network.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    metadata = {"identity": identity, "step": step, "history": history, "seconds": seconds}
    save_tensors(path, tensors, metadata)


def restore(
    path: Path, network: nn.Module, optimizer: torch.optim.Optimizer, identity: dict[str, Any]
) -> tuple[int, list[list[float | None]], float]:
    tensors, metadata = load_tensors(path)
    if metadata["identity"] != identity:
        raise InvalidInput(
            f"{path} was written by another recipe, space or dataset; resume with the options "
            "that started it, or leave out --resume to begin anew."
        )
    network.load_state_dict(
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
