"""Training a supernet from a recipe to a record."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of
from foxnas_core.networks import MixtureSupernet, SupernetAdapter
from foxnas_core.progress import Report, not_told
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.tasks.dataset import Dataset
from foxnas_core.tasks.task import Score, Task
from foxnas_core.training.loop import run, steps_of
from foxnas_core.training.recipe import Recipe
from foxnas_core.training.updates import SANDWICH, update_named


@dataclass(frozen=True)
class Trained:
    """A trained supernet and its record (see `Checkpoint`)."""

    supernet: SupernetAdapter
    record: dict[str, Any]


def train(
    space: SearchSpace,
    task: Task,
    dataset: Dataset,
    recipe: Recipe,
    *,
    state_file: Path,
    update: str = SANDWICH,
    start: SupernetAdapter | None = None,
    resume: bool = False,
    report: Report = not_told,
    report_every: int = 50,
    save_every: int = 200,
    stop: Callable[[int], bool] = lambda done: False,
) -> Trained:
    """Train the supernet of `space` by an update, saving the state on the way.

    The weights begin as those of `start`, which is left as it is, or, without one, at random. The
    rest is as in `loop.run`. Raises `InvalidInput` as that, where the state file belongs to another
    recipe, space or dataset, or where the cases do not suit the space.
    """
    torch.manual_seed(recipe.seed)
    supernet = supernet_of(space)
    check_trainable(supernet, task, dataset, recipe, update)
    supernet.train()
    if start is not None:
        supernet.load_state_dict(start.state_dict())
    supernet.laid_out(supernet.layout)
    identity: dict[str, Any] = {
        "recipe": asdict(recipe),
        "space": space.fingerprint,
        "dataset": dataset.name,
        "images": len(dataset.training),
    }
    if start is not None:
        identity["start"] = weights_fingerprint(start)
    if update != SANDWICH:
        identity["update"] = update
    training = update_named(update)
    done = run(
        training.on(supernet, task, recipe, dataset),
        dataset.training,
        identity=identity,
        state_file=state_file,
        resume=resume,
        report=report,
        report_every=report_every,
        save_every=save_every,
        stop=stop,
    )
    record = {
        **identity,
        "task": task.name,
        **task.record(),
        **({"settings": dict(dataset.settings)} if dataset.settings else {}),
        "classes": list(dataset.classes),
        "licence": dataset.licence,
        "steps": done.steps,
        "processes": done.processes,
        "seconds": round(done.seconds, 1),
        "torch": torch.__version__,
        "history": {
            "columns": ["step", *training.columns_for(task)],
            "rows": list(done.history),
        },
    }
    if done.epochs:
        record["epochs"] = list(done.epochs)
    return Trained(supernet.eval(), record)


def check_trainable(
    supernet: SupernetAdapter, task: Task, dataset: Dataset, recipe: Recipe, update: str
) -> None:
    """Raise `InvalidInput` where an update can't train the supernet, or not on so few cases, and as
    `check_fits`."""
    check_fits(supernet, task, dataset)
    training = update_named(update)
    if not isinstance(supernet, training.takes):
        trained = "a mixture of operations, as those of families 'nasbench201' and 'darts' are"
        if not issubclass(training.takes, MixtureSupernet):
            trained = "one network"
        raise InvalidInput(
            f"The update {update!r} trains {trained}, not the supernet of space "
            f"{supernet.space.name!r}; take another --update."
        )
    steps_of(len(dataset.training), recipe, training.parts)


def check_fits(supernet: SupernetAdapter, task: Task, dataset: Dataset) -> None:
    """Raise `InvalidInput` where the cases do not suit what the supernet takes and gives."""
    landmarks = family_of(supernet.space).landmarks(supernet.space)
    network = supernet.extract(next(iter(landmarks.values())))
    with torch.no_grad():
        outputs = network(network.example(2))
    task.check(dataset, network.input_shape, tuple(outputs.shape[1:]), supernet.space.name)


def weights_fingerprint(supernet: SupernetAdapter) -> str:
    """Twelve hexadecimal digits that change whenever a weight or a norm's statistic does."""
    digest = hashlib.sha256()
    for name, tensor in sorted(supernet.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().contiguous().numpy().tobytes())
    return digest.hexdigest()[:12]


@torch.no_grad()
def score_of(
    supernet: SupernetAdapter,
    architecture: Architecture,
    task: Task,
    dataset: Dataset,
) -> dict[str, Score]:
    """The scores of a subnet on the held-out cases, its norms recalibrated on training ones."""
    subnet = supernet.extract(architecture)
    shape, held_out = subnet.input_shape, dataset.held_out
    recalibrate(subnet, task.batches(dataset.training.images[: task.kept], shape))
    outputs = [subnet(batch).numpy() for batch in task.batches(held_out.images, shape)]
    return task.score(np.concatenate(outputs), held_out, dataset.domains)
