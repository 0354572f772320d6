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


class Training:
    """A training that advances as it is asked to, a step at a time; see `run`."""

    def __init__(
        self,
        update: Update,
        cases: ImageSet,
        *,
        identity: Mapping[str, Any] | None = None,
        state_file: Path | None = None,
        resume: bool = False,
        report: Report = not_told,
        report_every: int = 50,
        save_every: int = 200,
    ) -> None:
        plan: Plan = update.recipe
        self._rank, self._world = join_group()
        if plan.batch % self._world:
            raise InvalidInput(
                f"A batch of {plan.batch} can't be shared by {self._world} processes; choose a "
                "multiple."
            )
        self.steps = steps_of(len(cases), plan, update.parts)
        self._update, self._identity, self._state_file = update, identity or {}, state_file
        self._report_every, self._save_every = report_every, save_every
        self._optimizers, done = update.optimizers(), Done()
        self._rates = [group["lr"] for group in self._groups()]
        if resume and state_file is not None:
            done = restore(state_file, update, self._optimizers, self._identity)
        self._batches, self._meters = Batches(update, cases), _Meters(update.columns)
        self._before, self._started, self.step = done.seconds, time.monotonic(), done.step
        self._history, self._epochs = list(done.history), list(done.epochs)
        self._pace = Pace(self.steps, report)
        self._pace.skip(self.step)

    def advance(self) -> None:
        """Make one step."""
        update = self._update
        for group, rate in zip(self._groups(), self._rates, strict=True):
            if not group.get("fixed"):
                group["lr"] = rate * schedule(self.step, self.steps, update.recipe.warmup)
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)
        parts = self._batches.of_step(self.step, self._rank, self._world)
        self._meters.add(update.step(self.step, parts))
        average_gradients(update.model, self._world)
        for optimizer in self._optimizers:
            optimizer.step()
        self.step += 1
        if self.step % self._report_every == 0 or self.step == self.steps:
            values = self._meters.take()
            self._history.append([self.step, *(_rounded(value) for value in values.values())])
            if self._rank == 0:
                self._pace.at(self.step, values=values)
        an_epoch = self._batches.an_epoch
        if self.step % an_epoch == 0 and (watched := update.watched()):
            self._epochs.append({"epoch": self.step // an_epoch, **watched})
        if self.step % self._save_every == 0:
            self.save()

    def save(self) -> None:
        """Write the state to its file, where there is one."""
        if self._rank == 0 and self._state_file is not None:
            done = self.done()
            reached = Done(done.step, done.history, done.seconds, done.epochs)
            save_state(self._state_file, self._update, self._optimizers, self._identity, reached)

    def done(self) -> Run:
        """What was done so far."""
        seconds = self._before + time.monotonic() - self._started
        history, epochs = tuple(self._history), tuple(self._epochs)
        return Run(self.step, self.steps, history, seconds, self._world, epochs)

    def _groups(self) -> list[dict[str, Any]]:
        return [group for optimizer in self._optimizers for group in optimizer.param_groups]


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
    training = Training(
        update,
        cases,
        identity=identity,
        state_file=state_file,
        resume=resume,
        report=report,
        report_every=report_every,
        save_every=save_every,
    )
    while training.step < training.steps:
        if stop(training.step):
            training.save()
            break
        training.advance()
    return training.done()


def steps_of(cases: int, plan: Plan, parts: int = 1) -> int:
    """How many steps a training takes; raises `InvalidInput` for none."""
    steps = plan.epochs * (cases // parts // plan.batch)
    if not steps:
        each = cases // parts
        smaller = f", or a batch of at most {each} (--batch)" if each else ""
        raise InvalidInput(
            f"{each} training images are fewer than one batch of {plan.batch}; give more{smaller}."
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
