"""Who measures a campaign's batches: this process alone, or several processes of this machine.

Most of a row's work is its accuracy, which any process can find. Latencies of rows are comparable
only where they are timed on one device, one at a time: the meters that say `on_device` run in one
place, the latency lane.
"""

import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import Any, Protocol

from foxnas_core.measurement.meter import Meter, Prepared, on_device
from foxnas_core.measurement.preparing import Prepare
from foxnas_core.space.architecture import Architecture
from foxnas_core.workers import Tell, Workers


@dataclass(frozen=True)
class Batch:
    """Subnets on their way into the table: their column values so far, and the seconds of work
    that these took, by whichever process. Once all meters have had them, `subnets` may be empty."""

    architectures: list[Architecture]
    subnets: list[Prepared]
    values: list[dict[str, float]]
    seconds: float


@dataclass(frozen=True)
class Scorer:
    """Prepares subnets and finds what needs no lane of its own: accuracy, parameters, MACs."""

    prepare: Prepare
    meters: Sequence[Meter]

    def score(self, architectures: Sequence[Architecture]) -> Batch:
        begun = monotonic()
        subnets = self.prepare(architectures)
        batch = Batch(list(architectures), subnets, [{} for _ in subnets], 0.0)
        return add_columns(self.meters, batch, begun)


class Crew(Protocol):
    """Measures batches of subnets, by whatever processes and machines it has."""

    def record(self) -> dict[str, Any]:
        """The circumstances that the table keeps: those of its meters, and its own."""

    def measured(self, batches: Sequence[Sequence[Architecture]]) -> Generator[Batch]:
        """Each batch once, in the order in which they are done."""


class Alone:
    """This process alone, batch after batch."""

    def __init__(self, prepare: Prepare, meters: Sequence[Meter]) -> None:
        self._scorer = Scorer(prepare, meters)

    def record(self) -> dict[str, Any]:
        return records_of(self._scorer.meters)

    def measured(self, batches: Sequence[Sequence[Architecture]]) -> Generator[Batch]:
        return (self._scorer.score(batch) for batch in batches)


class Processes:
    """`count` processes of this machine, of which this one is the latency lane.

    The lane keeps a core to itself, where there is more than one, and scores too while there is
    nothing to time. See `Workers` for the others.
    """

    def __init__(self, prepare: Prepare, meters: Sequence[Meter], *, count: int) -> None:
        scoring = [meter for meter in meters if not on_device(meter)]
        self._scorer = Scorer(prepare, scoring)
        self._lane = [meter for meter in meters if on_device(meter)]
        self._count = count

    def record(self) -> dict[str, Any]:
        meters = [*self._scorer.meters, *self._lane]
        return records_of(meters) | {"processes": self._count}

    def measured(self, batches: Sequence[Sequence[Architecture]]) -> Generator[Batch]:
        with _own_core() as cores:
            others = Workers(partial(_scoring, self._scorer), count=self._count - 1, cores=cores)
            for scored in others.done(batches, here=self._scorer.score):
                yield add_columns(self._lane, scored, monotonic())


def _scoring(scorer: Scorer, tell: Tell) -> Callable[[Sequence[Architecture]], Batch]:
    import torch

    torch.set_num_threads(1)
    return scorer.score


@contextmanager
def _own_core() -> Iterator[frozenset[int]]:
    """Keep this thread on one core meanwhile; the others, or none where there is no choice."""
    # macOS has no affinity.
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if len(before) < 2:
        yield frozenset()
        return
    own = max(before)
    os.sched_setaffinity(0, {own})
    try:
        yield frozenset(before - {own})
    finally:
        os.sched_setaffinity(0, before)


def add_columns(meters: Sequence[Meter], batch: Batch, begun: float) -> Batch:
    """The batch with the columns of `meters`, and the seconds since `begun`."""
    values = [dict(row) for row in batch.values]
    for meter in meters:
        for row, measured in zip(values, meter.measure(batch.subnets), strict=True):
            row.update(measured)
    return replace(batch, values=values, seconds=batch.seconds + monotonic() - begun)


def records_of(meters: Sequence[Meter]) -> dict[str, Any]:
    """What the meters say of their circumstances, together."""
    return {name: value for meter in meters for name, value in meter.record().items()}
