"""The training loop: order, augmentation, schedule, averaging over processes, progress, state.

What a step does is its update's. Everything random is derived from the seed and the step, so a
resumed run repeats the killed one, and every process of a torchrun group draws alike.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.progress import Pace, Report, not_told
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.training.distributed import average_gradients, join_group
from foxnas_core.training.state import Done, restore, save_state
from foxnas_core.training.update import Observed, Plan, Update


@dataclass(frozen=True)
class Run:
    """What a training did: steps done of those planned, the history's rows (step, then the
    update's columns), seconds of work, the number of processes, and of each epoch its number and
    what the update had to be watched, by name."""

    step: int
    steps: int
    history: tuple[list[float | None], ...]
    seconds: float
    processes: int
    epochs: tuple[dict[str, Any], ...] = ()


def run(
    update: Update,
    cases: ImageSet,
    *,
    identity: Mapping[str, Any] | None = None,
    state_file: Path | None = None,
    resume: bool = False,
    report: Report = not_told,
    report_every: int = 50,
    save_every: int = 200,
    stop: Callable[[int], bool] = lambda done: False,
) -> Run:
    """Train to the end of the update's recipe, saving the state to `state_file` on the way.

    With `resume`, go on from `state_file`, at the same step with the same random state; `identity`
    says whose state it is. Under torchrun each process takes its share of every batch, and
    gradients are averaged. `report` is told the update's columns, each the mean since the last time
    or, where nothing was seen since, the latest before; NaN before the first. `stop` is asked
    before every step with the number of steps done; the state is then saved. Raises `InvalidInput`
    where a batch can't be shared or there are fewer cases than one, and as `restore`.
    """
    plan: Plan = update.recipe
    rank, world = join_group()
    if plan.batch % world:
        raise InvalidInput(
            f"A batch of {plan.batch} can't be shared by {world} processes; choose a multiple."
        )
    steps = steps_of(len(cases), plan, update.parts)
    optimizers, done = update.optimizers(), Done()
    rates = [group["lr"] for optimizer in optimizers for group in optimizer.param_groups]
    if resume and state_file is not None:
        done = restore(state_file, update, optimizers, identity or {})
    batches, meters = Batches(update, cases), _Meters(update.columns)
    started, step = time.monotonic(), done.step
    history, epochs = list(done.history), list(done.epochs)
    pace = Pace(steps, report)
    pace.skip(step)

    def save() -> None:
        if rank == 0 and state_file is not None:
            seconds = done.seconds + time.monotonic() - started
            reached = Done(step, tuple(history), seconds, tuple(epochs))
            save_state(state_file, update, optimizers, identity or {}, reached)

    while step < steps:
        if stop(step):
            save()
            break
        groups = [group for optimizer in optimizers for group in optimizer.param_groups]
        for group, rate in zip(groups, rates, strict=True):
            if not group.get("fixed"):
                group["lr"] = rate * schedule(step, steps, plan.warmup)
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        meters.add(update.step(step, batches.of_step(step, rank, world)))
        average_gradients(update.model, world)
        for optimizer in optimizers:
            optimizer.step()
        step += 1
        if step % report_every == 0 or step == steps:
            values = meters.take()
            history.append([step, *(_rounded(value) for value in values.values())])
            if rank == 0:
                pace.at(step, values=values)
        if step % batches.an_epoch == 0 and (watched := update.watched()):
            epochs.append({"epoch": step // batches.an_epoch, **watched})
        if step % save_every == 0:
            save()
    seconds = done.seconds + time.monotonic() - started
    return Run(step, steps, tuple(history), seconds, world, tuple(epochs))


def steps_of(cases: int, plan: Plan, parts: int = 1) -> int:
    """How many steps a training takes; raises `InvalidInput` for none."""
    steps = plan.epochs * (cases // parts // plan.batch)
    if not steps:
        raise InvalidInput(
            f"{cases // parts} training images are fewer than one batch of {plan.batch}."
        )
    return steps


def schedule(step: int, steps: int, warmup: float) -> float:
    """The share of the learning rate at a step: linear warm-up, then a half cosine to zero."""
    warm = max(1, round(warmup * steps)) if warmup else 0
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


class Batches:
    """The cases of each step, which follow from the recipe's seed: a new order every epoch, and
    each case varied as its task does."""

    def __init__(self, update: Update, cases: ImageSet) -> None:
        self._task, self._stream, self._plan = update.task, update.stream, update.recipe
        self._parts = cases.divided(update.parts, self._plan.seed)
        self._epoch, self._orders = -1, [np.empty(0, dtype=int)] * update.parts

    @property
    def an_epoch(self) -> int:
        """Steps of an epoch."""
        return len(self._parts[0]) // self._plan.batch

    def of_step(self, step: int, rank: int = 0, world: int = 1) -> list[ImageSet]:
        """One process's share of the batch of each part."""
        size = self._plan.batch
        epoch, position = divmod(step, self.an_epoch)
        if epoch != self._epoch:
            self._epoch = epoch
            self._orders = [
                self._rng(0, epoch, i).permutation(len(part)) for i, part in enumerate(self._parts)
            ]
        found = []
        for i, (part, order) in enumerate(zip(self._parts, self._orders, strict=True)):
            batch = order[position * size : (position + 1) * size]
            drawn = self._task.variation(self._rng(1, step, i), size)
            found.append(self._task.varied(part.take(batch[rank::world]), drawn[rank::world]))
        return found

    def _rng(self, stream: int, number: int, part: int) -> np.random.Generator:
        """Of a stream (order, variation), an epoch or step, and a part."""
        further = (part,) if part else ()
        return np.random.default_rng([self._plan.seed, self._stream + stream, number, *further])


class _Meters:
    """Means of what steps have seen since the last report."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._latest = dict.fromkeys(columns, math.nan)
        self._seen: dict[str, list[float]] = {column: [] for column in columns}

    def add(self, observed: Observed) -> None:
        for column, value in observed:
            self._seen[column].append(value)

    def take(self) -> dict[str, float]:
        for column, values in self._seen.items():
            if values:
                self._latest[column] = float(np.mean(values))
                values.clear()
        return dict(self._latest)


def _rounded(value: float) -> float | None:
    """For JSON, which has no NaN."""
    return None if math.isnan(value) else round(value, 4)
