"""Who measures a campaign's batches: this process alone, or several processes of this machine.

Most of a row's work is its accuracy, which any process can find. Latencies of rows are comparable
only where they are timed on one device, one at a time: the meters that say `on_device` run in one
place, the latency lane.
"""

import os
import pickle
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from time import monotonic
from typing import Any, Protocol

from foxnas_core.measurement.meter import Meter, Prepared, on_device
from foxnas_core.measurement.preparing import prepare_all
from foxnas_core.plugins import load_plugins
from foxnas_core.space.architecture import Architecture
from foxnas_core.supernet.checkpoint import Checkpoint
from foxnas_core.tasks.dataset import ImageSet


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

    checkpoint: Checkpoint
    calibration: ImageSet
    meters: Sequence[Meter]

    def score(self, architectures: Sequence[Architecture]) -> Batch:
        begun = monotonic()
        subnets = prepare_all(self.checkpoint, architectures, self.calibration)
        batch = Batch(list(architectures), subnets, [{} for _ in subnets], 0.0)
        return add_columns(self.meters, batch, begun)


class Crew(Protocol):
    """Measures batches of subnets, by whatever processes and machines it has."""

    def record(self) -> dict[str, Any]:
        """The circumstances that the table keeps: those of its meters, and its own."""

    def measured(self, batches: Sequence[Sequence[Architecture]]) -> Iterator[Batch]:
        """Each batch once, in the order in which they are done."""


class Alone:
    """This process alone, batch after batch."""

    def __init__(
        self, checkpoint: Checkpoint, calibration: ImageSet, meters: Sequence[Meter]
    ) -> None:
        self._scorer = Scorer(checkpoint, calibration, meters)

    def record(self) -> dict[str, Any]:
        return records_of(self._scorer.meters)

    def measured(self, batches: Sequence[Sequence[Architecture]]) -> Iterator[Batch]:
        return (self._scorer.score(batch) for batch in batches)


class Processes:
    """`count` processes of this machine, of which this one is the latency lane.

    The lane keeps a core to itself, where there is more than one, and scores too while there is
    nothing to time. The others end with this process, however it ends; the batch of one that is
    killed is scored by the rest.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        calibration: ImageSet,
        meters: Sequence[Meter],
        *,
        count: int,
    ) -> None:
        scoring = [meter for meter in meters if not on_device(meter)]
        self._scorer = Scorer(checkpoint, calibration, scoring)
        self._lane = [meter for meter in meters if on_device(meter)]
        self._count = count

    def record(self) -> dict[str, Any]:
        meters = [*self._scorer.meters, *self._lane]
        return records_of(meters) | {"processes": self._count}

    def measured(self, batches: Sequence[Sequence[Architecture]]) -> Iterator[Batch]:
        # A scored subnet waits in memory, so the others run ahead of the lane only so far.
        board = _Board(batches, ahead=2 * self._count)
        with _own_core() as others, _helpers(self._scorer, self._count - 1, board, others):
            while (scored := board.next_scored()) is not None:
                if not isinstance(scored, Batch):
                    scored = self._scorer.score(scored)
                yield add_columns(self._lane, scored, monotonic())
                board.finished()


class _Board:
    """The batches that are left, and those that were scored; shared by this process's threads."""

    def __init__(self, batches: Sequence[Sequence[Architecture]], *, ahead: int) -> None:
        self._left = deque(batches)
        self._scored: deque[Batch] = deque()
        self._unfinished, self._ahead = len(batches), ahead
        self._error: BaseException | None = None
        self._closed = False
        self._changed = threading.Condition()

    def take(self) -> Sequence[Architecture] | None:
        """A batch for a helper to score; None once there is none left to hand out."""
        with self._changed:
            while self._unfinished and not self._closed:
                if self._left and len(self._scored) < self._ahead:
                    return self._left.popleft()
                # Also with none left: a helper that is killed gives its batch back.
                self._changed.wait()
            return None

    def give_back(self, batch: Sequence[Architecture]) -> None:
        with self._changed:
            self._left.appendleft(batch)
            self._changed.notify_all()

    def add(self, batch: Batch) -> None:
        with self._changed:
            self._scored.append(batch)
            self._changed.notify_all()

    def fail(self, error: BaseException) -> None:
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def next_scored(self) -> Batch | Sequence[Architecture] | None:
        """A scored batch, else one to be scored, else, once all are finished, None.

        Raises what a helper's batch raised.
        """
        with self._changed:
            while self._unfinished:
                if self._error is not None:
                    raise self._error
                if self._scored:
                    self._changed.notify_all()
                    return self._scored.popleft()
                if self._left:
                    return self._left.popleft()
                self._changed.wait()
            return None

    def finished(self) -> None:
        with self._changed:
            self._unfinished -= 1
            self._changed.notify_all()

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


@contextmanager
def _helpers(scorer: Scorer, count: int, board: _Board, cores: set[int]) -> Iterator[None]:
    """`count` processes on `cores` that score what the board has."""
    # A fork would copy the threads' locks of torch and of ONNX Runtime, but not the threads.
    context = get_context("spawn")
    # Torch would hand its tensors over by open files, which a kill leaves dangling.
    packed = pickle.dumps(scorer)
    processes: list[SpawnProcess] = []
    threads: list[threading.Thread] = []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_help, args=(packed, theirs, cores), daemon=True)
            process.start()
            theirs.close()
            thread = threading.Thread(target=_serve, args=(ours, board), daemon=True)
            thread.start()
            processes.append(process)
            threads.append(thread)
        yield
    finally:
        board.close()
        for process in processes:
            process.kill()
        for process in processes:
            process.join()
        for thread in threads:
            thread.join()


def _serve(helper: Connection, board: _Board) -> None:
    """Hand a helper one batch after another, in a thread of the lane's process."""
    with helper:
        while (batch := board.take()) is not None:
            try:
                helper.send(batch)
                answer = pickle.loads(helper.recv_bytes())
            except (EOFError, OSError):  # it was killed
                board.give_back(batch)
                return
            if isinstance(answer, BaseException):
                board.fail(answer)
                return
            board.add(answer)


def _help(packed: bytes, lane: Connection, cores: set[int]) -> None:
    """A helper's life: score the batches that come, until the lane's process is gone."""
    import torch

    threading.Thread(target=_die_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    if cores:
        os.sched_setaffinity(0, cores)
    load_plugins()
    scorer: Scorer = pickle.loads(packed)
    # The lane says what there is to say about an interrupt, or about its own end.
    with suppress(KeyboardInterrupt, EOFError, BrokenPipeError):
        while True:
            architectures = lane.recv()
            try:
                answer: Batch | Exception = scorer.score(architectures)
            except Exception as error:
                answer = error
            lane.send_bytes(pickle.dumps(answer))


def _die_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextmanager
def _own_core() -> Iterator[set[int]]:
    """Keep this thread on one core meanwhile; the others, or none where there is no choice."""
    # macOS has no affinity.
    before = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    if len(before) < 2:
        yield set()
        return
    own = max(before)
    os.sched_setaffinity(0, {own})
    try:
        yield before - {own}
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
