"""What runs in this server, each in a thread of its own, whichever page looks at it."""

import logging
import os
import secrets
import tempfile
import threading
import time
from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from filelock import FileLock

from foxnas_core.errors import FoxnasError

# One at a time on this machine, whichever server asks: a latency that is measured beside another
# one would be too long.
MEASURING = FileLock(Path(tempfile.gettempdir()) / f"foxnas-measuring-{os.getuid()}.lock")
KEPT_FOR = 3600.0  # seconds that what has ended, or is paused, waits for someone to look
_JUST_NOW = 2.0  # seconds


class ServerBusy(FoxnasError):
    """As many runs of a kind as the server takes are under way."""


class Runnable(Protocol):
    """Something under way: the folder of its study, and when someone last looked at it."""

    id: str
    study: str
    seen: float

    @property
    def ended(self) -> bool: ...


R = TypeVar("R", bound=Runnable)


class Registry(Generic[R]):
    """Runs of one kind, those under way and those that ended lately, by their id.

    At most `most_unfinished` may be under way, and `most_kept` that ended are remembered; `what`
    says within a sentence what is under way.
    """

    most_unfinished: int
    most_kept: int
    what: str

    def __init__(self) -> None:
        self._runs: dict[str, R] = {}
        self._lock = threading.Lock()

    def add(self, make: Callable[[], R]) -> R:
        """Make a run, which starts it; raises `ServerBusy` where too many are under way."""
        with self._lock:
            self._drop_old()
            if sum(not run.ended for run in self._runs.values()) >= self.most_unfinished:
                raise ServerBusy(
                    f"{self.most_unfinished} {self.what} in this server, which is as many as it "
                    "takes; stop one, or try again in a minute."
                )
            run = make()
            self._runs[run.id] = run
        return run

    def get(self, run_id: str | None, study: str) -> R | None:
        """The run of this id, if it is of this study and still remembered."""
        run = self._runs.get(run_id or "")
        if run is None or run.study != study:
            return None
        run.seen = time.monotonic()
        return run

    @property
    def watched(self) -> int:
        """How many runs are under way that someone looked at just now."""
        now = time.monotonic()
        return sum(not run.ended and now - run.seen < _JUST_NOW for run in [*self._runs.values()])

    def _drop_old(self) -> None:
        ended = sorted((r for r in self._runs.values() if r.ended), key=lambda r: r.seen)
        now = time.monotonic()
        for position, run in enumerate(ended):
            if now - run.seen > KEPT_FOR or position < len(ended) - self.most_kept:
                self._drop(run)

    def _drop(self, run: R) -> None:
        del self._runs[run.id]


class Work:
    """A run in a daemon thread that any thread may stop.

    A subclass starts `_thread` once it is set up. `note` says why it `failed`, if it did.
    """

    name = "run"

    def __init__(self, study: str) -> None:
        self.id = f"{self.name}-{secrets.token_hex(6)}"
        self.study = study
        self.note = ""
        self.failed = False
        self.seen = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.id, daemon=True)

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End it where it is, and wait until it has ended."""
        self._stop.set()
        self._thread.join(5)

    def wait(self, timeout: float) -> None:
        """Wait for it to end, at most so many seconds."""
        self._thread.join(timeout)

    @abstractmethod
    def _work(self) -> None:
        """What the thread does, looking at `_stop` between its parts."""

    def _run(self) -> None:
        try:
            self._work()
        except FoxnasError as error:
            self.failed, self.note = True, str(error)
        except Exception:
            logging.getLogger("foxnas").exception("A %s failed.", self.name)
            self.failed = True
            self.note = (
                f"The {self.name} failed in a way that it should not; the server's log says how."
            )
