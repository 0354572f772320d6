"""Processes of this machine that share a list of pieces, and may be killed at any moment."""

import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.queues import SimpleQueue
from typing import Any, Generic, TypeVar

from foxnas_core.errors import FoxnasError
from foxnas_core.plugins import load_plugins

P = TypeVar("P")  # a piece
R = TypeVar("R")  # its result
Tell = Callable[[Any], None]

# A fork would copy the threads' locks of torch and of ONNX Runtime, but not the threads.
_CONTEXT = get_context("spawn")
_LOOK = 0.2  # seconds between two looks at what processes tell


class WorkersLost(FoxnasError):
    """Processes ended early again and again."""


class Workers(Generic[P, R]):
    """`count` processes of one thread each, held to `cores` where some are given.

    In each, `make(tell)` is called once, and what it gives does pieces there; `tell` sends a word
    to the process that began them. All of it is pickled. The processes end with that one, however
    it ends, and with `done`, wherever they are: a piece that is to survive that keeps what it has
    on disk. The pieces under way when a process is killed are done anew.
    """

    def __init__(
        self,
        make: Callable[[Tell], Callable[[P], R]],
        *,
        count: int,
        cores: frozenset[int] = frozenset(),
    ) -> None:
        # Torch would hand its tensors over by open files, which a kill leaves dangling.
        self._begun_by = (pickle.dumps(make), cores)
        self._count, self._losses = count, 0
        self._pool: ProcessPoolExecutor | None = None
        self._left: deque[P] = deque()
        self._given: dict[Future[bytes], P] = {}

    def done(
        self,
        pieces: Sequence[P],
        *,
        here: Callable[[P], R] | None = None,
        heard: Tell = lambda word: None,
    ) -> Iterator[R]:
        """Each piece's result once, in the order in which they are done.

        `here` does pieces in this process while it would have to wait; `heard` is told, in this
        thread, what the others tell. Raises what a piece raised, and, without `here`, `WorkersLost`
        where processes end early more often than there are some.
        """
        self._left.extend(pieces)
        try:
            while self._left or self._given:
                self._give()
                ready = next((future for future in self._given if future.done()), None)
                if ready is not None and self._lost(ready):
                    self._take_back()
                elif ready is not None:
                    del self._given[ready]
                    self._hear(heard)
                    yield pickle.loads(ready.result())
                elif here and self._left:
                    yield here(self._left.popleft())
                elif here and len(self._given) > self._count:
                    # Nobody has begun the last one: it is only in store.
                    yield here(self._given.popitem()[1])
                elif self._given:
                    wait(self._given, _LOOK, FIRST_COMPLETED)
                    self._hear(heard)
                else:
                    raise WorkersLost(
                        "Processes ended early again and again; start again with fewer --workers, "
                        "and what is done is kept."
                    )
        finally:
            self._end()

    def _give(self) -> None:
        """Hand out pieces: one to each process and one in store, and not without bound ahead of
        whoever takes the results."""
        while self._left and self._losses <= self._count:
            busy = sum(not future.done() for future in self._given)
            if busy > self._count or len(self._given) > 2 * self._count:
                return
            try:
                with _unless_defined_there(self._begun_by[0]):
                    future = self._begun().submit(_do, self._left[0])
            except BrokenProcessPool:
                self._take_back()
            else:
                self._given[future] = self._left.popleft()

    def _begun(self) -> ProcessPoolExecutor:
        if self._pool is None:
            self._theirs, self._ours = _CONTEXT.Pipe(duplex=False)
            self._told = _CONTEXT.SimpleQueue()
            self._pool = ProcessPoolExecutor(
                self._count, _CONTEXT, _begin, (self._theirs, self._told, *self._begun_by)
            )
        return self._pool

    def _hear(self, heard: Tell) -> None:
        while self._pool is not None and not self._told.empty():
            heard(self._told.get())

    def _lost(self, future: "Future[bytes]") -> bool:
        """Whether a piece's process was killed, or another one of them."""
        return future.cancelled() or isinstance(future.exception(), BrokenProcessPool)

    def _take_back(self) -> None:
        """What is not done goes back to what is left; the next to be given begins anew."""
        self._end()
        self._losses += 1
        for future in reversed([*self._given]):
            if self._lost(future):
                self._left.appendleft(self._given.pop(future))

    def _end(self) -> None:
        """End the processes at once."""
        if self._pool is not None:
            self._ours.close()
            self._pool.shutdown(cancel_futures=True)
            self._theirs.close()
            self._told.close()
            self._pool = None


@contextmanager
def _unless_defined_there(packed: bytes) -> Iterator[None]:
    """Spares a new process the script that this one runs, which multiprocessing would run there
    too, and of the app is a whole page; not where `packed` names what the script defines."""
    main = sys.modules["__main__"]
    spec = getattr(main, "__spec__", None)
    if b"__main__" in packed or (spec and spec.name.endswith(".__main__")):
        yield
        return
    main.__spec__ = ModuleSpec(f"{__package__}.__main__", None)  # such a name is left aside
    try:
        yield
    finally:
        main.__spec__ = spec


# In a process of the pool: what does its pieces, once the first one has come.
_worker: Callable[[Any], Any] | None = None
_making: tuple[bytes, "SimpleQueue[Any]"]


def _begin(
    lane: Connection, told: "SimpleQueue[Any]", packed: bytes, cores: frozenset[int]
) -> None:
    global _making
    # The process that began it says what there is to say of an interrupt, and closes the lane.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(lane,), daemon=True).start()
    if cores:
        os.sched_setaffinity(0, cores)
    os.environ["OMP_NUM_THREADS"] = "1"  # for what is loaded from now on
    _making = packed, told


def _end_with(lane: Connection) -> None:
    with suppress(EOFError, OSError):
        lane.recv()
    os._exit(1)


def _do(piece: Any) -> bytes:
    global _worker
    if _worker is None:
        packed, told = _making
        load_plugins()
        _worker = pickle.loads(packed)(told.put)
    return pickle.dumps(_worker(piece))
