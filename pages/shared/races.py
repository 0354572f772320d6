"""Races of search strategies that run in this server, each in a thread of its own."""

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Literal

from foxnas_core.errors import FoxnasError
from foxnas_core.search.problem import Candidate
from foxnas_core.search.strategies import Race
from pages.shared.jobs import KEPT_FOR, ServerBusy

MOST_RUNNING = 4
MOST_KEPT = 16

State = Literal["starting", "running", "stopped", "finished", "failed"]


class RaceJob:
    """A race in a daemon thread, which any thread may read or stop.

    `race` is None until the thread has built it with `prepare`; `note` says why it failed.
    """

    def __init__(self, study: str, prepare: Callable[[], Race], exact: Candidate) -> None:
        self.id = f"race-{secrets.token_hex(6)}"
        self.study, self.exact = study, exact
        self.race: Race | None = None
        self.note = ""
        self.seen = time.monotonic()
        self._prepare = prepare
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.id, daemon=True)
        self._thread.start()

    @property
    def state(self) -> State:
        if not self.ended:
            return "running" if self.race else "starting"
        if self.note:
            return "failed"
        return "finished" if self.race and self.race.done else "stopped"

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    def stop(self) -> None:
        """End the race where it is; what it found so far stands."""
        self._stop.set()
        self._thread.join(5)

    def wait(self, timeout: float) -> None:
        """Wait for the race to end, at most so many seconds."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            race = self._prepare()
            self.race = race
            while not race.done and not self._stop.is_set():
                race.advance()
        except FoxnasError as error:
            self.note = str(error)
        except Exception:
            logging.getLogger("foxnas").exception("A race failed.")
            self.note = "The race failed in a way that it should not; the server's log says how."


class Races:
    """The registry of running and recently ended races."""

    def __init__(self) -> None:
        self._jobs: dict[str, RaceJob] = {}
        self._lock = threading.Lock()

    def start(self, study: str, prepare: Callable[[], Race], exact: Candidate) -> RaceJob:
        """Start a race, as in `RaceJob`; raises `ServerBusy` where too many are under way."""
        with self._lock:
            self._drop_old()
            if sum(not job.ended for job in self._jobs.values()) >= MOST_RUNNING:
                raise ServerBusy(
                    f"{MOST_RUNNING} races run in this server, which is as many as it takes; "
                    "stop one, or try again in a minute."
                )
            job = RaceJob(study, prepare, exact)
            self._jobs[job.id] = job
        return job

    def get(self, job_id: str | None, study: str) -> RaceJob | None:
        """The race of this id, if it is of this study and still remembered."""
        job = self._jobs.get(job_id or "")
        if job is None or job.study != study:
            return None
        job.seen = time.monotonic()
        return job

    def _drop_old(self) -> None:
        ended = sorted((j for j in self._jobs.values() if j.ended), key=lambda j: j.seen)
        now = time.monotonic()
        for position, job in enumerate(ended):
            if now - job.seen > KEPT_FOR or position < len(ended) - MOST_KEPT:
                del self._jobs[job.id]
