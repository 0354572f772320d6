"""Searches that run in this server, each in a thread of its own, whichever page looks at them."""

import logging
import math
import secrets
import threading
import time
from collections.abc import Callable
from typing import Literal

from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.search.annealing import Annealer
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.result import SearchResult
from foxnas_core.search.schedule import AnnealingSettings

State = Literal["starting", "running", "paused", "stopped", "finished", "failed"]

FRAME = 0.05  # seconds between two frames of a paced run
FRAMES = 50  # of a run that is stepped through at full speed
MOST_UNFINISHED = 16
MOST_KEPT = 32
KEPT_FOR = 3600.0  # seconds that an ended run, or a paused one, waits for someone to look


class ServerBusy(FoxnasError):
    """As many searches as the server takes are running or paused."""


class Job:
    """One annealing run in a daemon thread; any thread may read it, pause it or stop it.

    - `study`: name of the folder of the study it belongs to.
    - `seconds`: how long the run is drawn out so that it can be watched; 0 for full speed. May be
      changed while it runs, since it moves no bit of the run.
    - `exact`: the exact optimum to compare with, or `bound`, which nothing is better than, where
      that is out of reach; `keep`: saves the result, returns its id.
    - `replays`: the id of the kept search that this run shows again, "" for a new one.

    `annealer` is None until the thread has built it; `kept` is the saved result's id, and `note`
    the sentence that says why there is none, or why the run failed.
    """

    def __init__(
        self,
        study: str,
        problem: SearchProblem,
        settings: AnnealingSettings,
        *,
        seconds: float,
        exact: Candidate | None,
        keep: Callable[[SearchResult], str],
        replays: str = "",
        bound: float | None = None,
    ) -> None:
        self.id = f"run-{secrets.token_hex(6)}"
        self.study, self.problem, self.settings = study, problem, settings
        self.seconds, self.exact, self.replays = seconds, exact, replays
        self.bound = bound
        self.annealer: Annealer | None = None
        self.kept: str | None = None
        self.note = ""
        self.seen = time.monotonic()
        self._keep = keep
        self._failed = False
        self._changed = threading.Condition()
        self._stopping = self._paused = False
        self._asked = self._stepped = 0  # frames while paused
        self._thread = threading.Thread(target=self._run, name=self.id, daemon=True)
        self._thread.start()

    @property
    def state(self) -> State:
        if self._failed:
            return "failed"
        if not self._thread.is_alive():
            return "finished" if self.annealer and self.annealer.done else "stopped"
        if self._paused and not (self.annealer and self.annealer.done):
            return "paused"
        return "running" if self.annealer else "starting"

    @property
    def ended(self) -> bool:
        return not self._thread.is_alive()

    def pause(self) -> None:
        with self._changed:
            self._paused = True

    def step(self) -> None:
        """Advance a paused run by one frame, and wait until it is made."""
        with self._changed:
            if not self._paused:
                return
            self._asked += 1
            goal = self._asked
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stepped >= goal or self._stopping, 5)
        if self.annealer and self.annealer.done:
            self._thread.join(5)  # it is about to be kept

    def resume(self) -> None:
        with self._changed:
            self._paused, self._asked = False, self._stepped
            self._changed.notify_all()

    def stop(self) -> None:
        """End the run where it is, and wait until it has ended."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._thread.join(5)

    def wait(self, timeout: float) -> None:
        """Wait for the run to end, at most so many seconds."""
        self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._anneal()
        except FoxnasError as error:
            self._failed, self.note = True, str(error)
        except Exception:
            logging.getLogger("foxnas").exception("A search failed.")
            self._failed = True
            self.note = "The search failed in a way that it should not; the server's log says how."

    def _anneal(self) -> None:
        annealer = Annealer(self.problem, self.settings)
        annealer.prepare()
        self.annealer = annealer
        due = time.monotonic()
        while not annealer.done:
            with self._changed:
                waited = self._paused
                if not self._changed.wait_for(
                    lambda: self._stopping or not self._paused or self._stepped < self._asked,
                    KEPT_FOR,
                ):
                    return  # paused and forgotten
                if self._stopping:
                    return
                stepping = self._paused
            if waited:
                due = time.monotonic()
            seconds = self.seconds
            share = FRAME / seconds if seconds else 1 / FRAMES
            annealer.advance(math.ceil(annealer.total * share))
            with self._changed:
                if stepping:
                    self._stepped += 1
                    self._changed.notify_all()
                if seconds:
                    due += FRAME
                    self._changed.wait_for(
                        lambda: self._stopping or self._paused, max(0.0, due - time.monotonic())
                    )
        result = annealer.result(self.exact, self.bound)
        try:
            self.kept = self._keep(result)
        except OSError:
            self.note = (
                "The study's folder can't be written, so this search lasts only as long as the "
                "server; its best architecture can still be edited and exported."
            )


class Jobs:
    """The registry of running and recently ended searches."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(
        self,
        study: str,
        problem: SearchProblem,
        settings: AnnealingSettings,
        *,
        seconds: float,
        exact: Candidate | None,
        keep: Callable[[SearchResult], str],
        replays: str = "",
        bound: float | None = None,
    ) -> Job:
        """Start a search, as in `Job`; raises `ServerBusy` where too many are under way."""
        with self._lock:
            self._drop_old()
            if sum(not job.ended for job in self._jobs.values()) >= MOST_UNFINISHED:
                raise ServerBusy(
                    f"{MOST_UNFINISHED} searches run or are paused in this server, which is as "
                    "many as it takes; stop one, or try again in a minute."
                )
            job = Job(
                study, problem, settings,
                seconds=seconds, exact=exact, keep=keep, replays=replays, bound=bound,
            )  # fmt: skip
            self._jobs[job.id] = job
        return job

    def get(self, job_id: str | None, study: str) -> Job | None:
        """The search of this id, if it is of this study and still remembered."""
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


def replayed(search_id: str, kept: SearchResult) -> Callable[[SearchResult], str]:
    """What a replay of a kept search does at its end: nothing, once it has come out the same."""

    def check(result: SearchResult) -> str:
        if result.to_dict() != kept.to_dict():
            raise InvalidInput(
                f"The replay of search {search_id} came out differently from what was kept, which "
                "another version of the annealer or of the fit must have made; search anew."
            )
        return search_id

    return check
