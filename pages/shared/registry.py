"""What runs in this server, each in a thread of its own, whichever page looks at it."""

import logging
import math
import os
import secrets
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from filelock import FileLock, Timeout

from foxnas_core.errors import FoxnasError, sentence_of
from foxnas_core.progress import Stopped

# One at a time on this machine, whichever server asks: a latency that is measured beside another
# one would be too long.
MEASURING = FileLock(Path(tempfile.gettempdir()) / f"foxnas-measuring-{os.getuid()}.lock")
KEPT_FOR = 3600.0  # seconds that what has ended, or is paused, waits for someone to look
_JUST_NOW = 2.0  # seconds
_HELD = 0.1  # seconds between two looks at whether a run is still paused


class Alone:
    """As long as it is held, nothing else is measured on this machine. `waiting` is called while
    something is, and what it raises ends the wait."""

    def __init__(self, waiting: Callable[[], None]) -> None:
        self._waiting = waiting

    def __enter__(self) -> None:
        while True:
            self._waiting()
            with suppress(Timeout):
                MEASURING.acquire(timeout=_HELD)
                return

    def __exit__(self, *_: object) -> None:
        MEASURING.release()


State = Literal["starting", "running", "paused", "stopping", "stopped", "finished", "failed"]
T = TypeVar("T")


class ServerBusy(FoxnasError):
    """As many runs of a kind as the server takes are under way."""


class Work(ABC, Generic[T]):
    """A run in a daemon thread that any thread may look at and stop.

    - `name` is its kind's, of which at most `most_unfinished` may be under way and `most_kept` that
      ended are remembered; `what` says within a sentence what is under way.
    - `study` is the folder of its study, and `of` what else it is known by.
    - `progress` is what it told of itself last, None before, and `result` None until it has ended
      well; `note` says why it `failed`, if it did. `kept` is the id of what it left with the study.
    """

    name: str
    what: str
    most_unfinished: int
    most_kept: int

    def __init__(self, study: str, of: Hashable = None) -> None:
        self.id = f"{self.name}-{secrets.token_hex(6)}"
        self.study, self.of = study, of
        self.progress: Any = None
        self.result: T | None = None
        self.kept: str | None = None
        self.note, self.failed = "", False
        self.seen = self._begun = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.id, daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def state(self) -> State:
        if not self.ended:
            return (
                "stopping" if self.stopping else "starting" if self.progress is None else "running"
            )
        return "failed" if self.failed else "stopped" if self.result is None else "finished"

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop and has not ended yet."""
        return self._stop.is_set() and not self.ended

    def stop(self) -> None:
        """End it where it is, and wait until it has ended."""
        self._stop.set()
        self._thread.join(5)

    def wait(self, timeout: float) -> None:
        """Wait for it to end, at most so many seconds."""
        self._thread.join(timeout)

    def report(self, progress: Any) -> None:
        """Tell how far it is; ends the work where it was stopped."""
        self.progress = progress
        if self._stop.is_set():
            raise Stopped

    def alone(self) -> Alone:
        """What is held while this measures; the wait for it ends where the work was stopped."""
        return Alone(lambda: self.report(self.progress))

    def seconds_left(self, share: float) -> float:
        """About how long the rest takes where so much is done; NaN where nothing is."""
        return (time.monotonic() - self._begun) * (1 / share - 1) if share else math.nan

    @abstractmethod
    def _work(self) -> T | None:
        """What the thread does, reporting between its parts or looking at `_stop`."""

    def _run(self) -> None:
        try:
            with suppress(Stopped):
                self.result = self._work()
        except Exception as error:
            self.failed, self.note = True, sentence_of(error)
            if not self.note:
                logging.getLogger("foxnas").exception("A %s failed.", self.name)
                self.note = (
                    f"The {self.name} failed in a way that it should not; the server's log says "
                    "how."
                )


class PausableWork(Work[T]):
    """A run that can be held between its parts, in which it calls `hold`; one that is paused and
    forgotten is stopped."""

    def __init__(self, study: str, of: Hashable = None) -> None:
        super().__init__(study, of)
        self._paused = threading.Event()

    @property
    def state(self) -> State:
        paused = self._paused.is_set() and not self.ended and not self.stopping
        return "paused" if paused else super().state

    def pause(self) -> None:
        self._paused.set()

    def resume(self) -> None:
        self._paused.clear()

    def hold(self) -> None:
        """Wait while it is paused, until it is stopped."""
        while self._paused.is_set() and not self._stop.wait(_HELD):
            if time.monotonic() - self.seen > KEPT_FOR:
                self._stop.set()


W = TypeVar("W", bound=Work[Any])


class Registry:
    """The runs of all kinds, those under way and those that ended lately, by their id."""

    def __init__(self) -> None:
        self._runs: dict[str, Work[Any]] = {}
        self._left: dict[str, tuple[str, str]] = {}
        self._lock = threading.Lock()

    def start(self, run: W) -> W:
        """Start a run; raises `ServerBusy` where too many of its kind are under way."""
        with self._lock:
            self._drop_old(type(run))
            if sum(not other.ended for other in self.runs(type(run))) >= run.most_unfinished:
                raise ServerBusy(
                    f"{run.most_unfinished} {run.what} in this server, which is as many as it "
                    "takes; stop one, or try again in a minute."
                )
            run.start()
            self._runs[run.id] = run
        return run

    def runs(self, kind: type[W]) -> list[W]:
        """Those of a kind, the latest last."""
        return [run for run in [*self._runs.values()] if isinstance(run, kind)]

    def get(self, kind: type[W], run_id: str | None, study: str) -> W | None:
        """The run of this id, if it is of this kind and study and still remembered."""
        run = self._runs.get(run_id or "")
        if not isinstance(run, kind) or run.study != study:
            return None
        run.seen = time.monotonic()
        return run

    def latest(self, kind: type[W], study: str, of: Hashable = None) -> W | None:
        """The latest of a study that is known by this, if it is still remembered."""
        own = [run.id for run in self.runs(kind) if (run.study, run.of) == (study, of)]
        return self.get(kind, own[-1], study) if own else None

    def kept_as(self, run_id: str | None, study: str) -> str | None:
        """The id of what a run has left with its study, also once the run itself is forgotten: who
        left the page while it ran comes back by the run's id."""
        run = self._runs.get(run_id or "")
        folder, kept = (run.study, run.kept) if run else self._left.get(run_id or "", ("", None))
        return kept if folder == study else None

    def watched(self, kind: type[W]) -> int:
        """How many of a kind are under way that someone looked at just now."""
        now = time.monotonic()
        return sum(not run.ended and now - run.seen < _JUST_NOW for run in self.runs(kind))

    def _drop_old(self, kind: type[W]) -> None:
        ended = sorted((run for run in self.runs(kind) if run.ended), key=lambda run: run.seen)
        now = time.monotonic()
        for position, run in enumerate(ended):
            if now - run.seen > KEPT_FOR or position < len(ended) - kind.most_kept:
                del self._runs[run.id]
                if run.kept:
                    self._left[run.id] = run.study, run.kept
