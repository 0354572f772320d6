"""Searches that run in this server, each in a thread of its own, whichever page looks at them."""

import math
import threading
import time
from collections.abc import Callable

from foxnas_core.errors import InvalidInput, NotWritable
from foxnas_core.search.annealing import Annealer
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.result import SearchResult
from foxnas_core.search.schedule import AnnealingSettings
from pages.shared import registry
from pages.shared.registry import State, Work

FRAME = 0.05  # seconds between two frames of a paced run
FRAMES = 50  # of a run that is stepped through at full speed


class Job(Work[SearchResult]):
    """One annealing run, which any thread may also pause and step through.

    - `seconds`: how long the run is drawn out so that it can be watched; 0 for full speed. May be
      changed while it runs, since it moves no bit of the run.
    - `exact`: the exact optimum to compare with, or `bound`, which nothing is better than, where
      that is out of reach; `keep`: saves the result, returns its id.
    - `replays`: the id of the kept search that this run shows again, "" for a new one.

    `annealer` is None until the thread has built it; `kept` is the saved result's id, and `note`
    the sentence that says why there is none, or why the run failed.
    """

    name, what, most_unfinished, most_kept = "search", "searches run or are paused", 16, 32

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
        super().__init__(study)
        self.problem, self.settings = problem, settings
        self.seconds, self.exact, self.replays = seconds, exact, replays
        self.bound = bound
        self.annealer: Annealer | None = None
        self._keep = keep
        self._changed = threading.Condition()
        self._paused = self._moving = False
        self._asked = self._stepped = 0  # frames while paused

    @property
    def state(self) -> State:
        if self.ended:
            return super().state
        if self._paused and not (self.annealer and self.annealer.done):
            return "paused"
        return "running" if self.annealer else "starting"

    def pause(self) -> None:
        """Hold the run, and wait until it stands still."""
        with self._changed:
            self._paused = True
            self._changed.wait_for(lambda: not self._moving, 5)

    def step(self) -> None:
        """Advance a paused run by one frame, and wait until it is made."""
        with self._changed:
            if not self._paused:
                return
            self._asked += 1
            goal = self._asked
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stepped >= goal or self._stop.is_set(), 5)
        if self.annealer and self.annealer.done:
            self._thread.join(5)  # it is about to be kept

    def resume(self) -> None:
        with self._changed:
            self._paused, self._asked = False, self._stepped
            self._changed.notify_all()

    def stop(self) -> None:
        """End the run where it is, and wait until it has ended."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(5)

    def _work(self) -> SearchResult | None:
        annealer = Annealer(self.problem, self.settings)
        annealer.prepare()
        self.annealer = annealer
        due = time.monotonic()
        while not annealer.done:
            with self._changed:
                waited = self._paused
                if not self._changed.wait_for(
                    lambda: self._stop.is_set() or not self._paused or self._stepped < self._asked,
                    registry.KEPT_FOR,
                ):
                    return None  # paused and forgotten
                if self._stop.is_set():
                    return None
                stepping, self._moving = self._paused, True
            if waited:
                due = time.monotonic()
            seconds = self.seconds
            share = FRAME / seconds if seconds else 1 / FRAMES
            annealer.advance(math.ceil(annealer.total * share))
            with self._changed:
                self._moving = False
                self._stepped += stepping
                self._changed.notify_all()
                if seconds:
                    due += FRAME
                    self._changed.wait_for(
                        lambda: self._stop.is_set() or self._paused,
                        max(0.0, due - time.monotonic()),
                    )
        result = annealer.result(self.exact, self.bound)
        try:
            self.kept = self._keep(result)
        except NotWritable as error:
            self.note = (
                f"{error} This search lasts only as long as the server; its best architecture can "
                "still be edited and exported."
            )
        return result


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
