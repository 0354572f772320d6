"""Searches that run in this server, each in a thread of its own, whichever page looks at them."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from foxnas_core.cards.quest import Quest
from foxnas_core.errors import FoxnasError, InvalidInput, NotWritable
from foxnas_core.search.annealing import Annealer
from foxnas_core.search.course import Course
from foxnas_core.search.events import Event
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.result import SearchResult
from foxnas_core.search.schedule import AnnealingSettings
from pages.shared import registry
from pages.shared.registry import State, Work

FRAME = 0.05  # seconds between two frames of a paced run
# A paced run makes so much of its proposals by a share u of its time: u to this power. Its first
# seconds, in which most is found, are made of few proposals each.
SLOWLY = 3
AT_ONCE = 0.02  # seconds that proposals take between two looks at what was asked for
ANSWERS = 5.0  # seconds in which a run answers, but for one that is just being compiled

# The exact optimum, or else the bound on it, under the first limit's number.
Proven = Mapping[float, tuple[Candidate | None, float | None]]


# Held from when the annealer is got ready, once a server.
_READY = threading.Lock()


def get_ready(problem: SearchProblem) -> None:
    """Have the annealer's inner loop read, or compiled, before a search asks for it, in a thread
    beside whatever else is done; `problem` is any that some architecture keeps the limits of."""
    if _READY.acquire(blocking=False):
        # No daemon: a compiler that is cut off as the server ends brings down its process.
        threading.Thread(
            target=lambda: Annealer(problem, AnnealingSettings()).prepare(), name="get-ready"
        ).start()


class _Order:
    """An event that a run is to have, and what came of it."""

    def __init__(self, event: Event) -> None:
        self.event, self.done = event, False
        self.error: FoxnasError | None = None


class Job(Work[SearchResult]):
    """One annealing run, which any thread may also pause, step through and change.

    - `seconds`: how long the run is drawn out so that it can be watched; 0 for full speed. May be
      changed while it runs, since it moves no bit of the run.
    - `proven`: what to compare with under every number that the first limit has; `keep`: saves the
      result, returns its id.
    - `replays`: the id of the kept search that this run shows again with its `events`, "" for a
      new one, which alone can be changed.
    - `quest`: what it looks for as it was chosen, and `view`, the session's choices for it, by
      name, for whoever joins.

    `annealer` and `course` are None until the thread has built them; `kept` is the saved result's
    id, and `note` the sentence that says why there is none, or why the run failed.
    """

    name, what, most_unfinished, most_kept = "search", "searches run or are paused", 16, 32

    def __init__(
        self,
        study: str,
        problem: SearchProblem,
        settings: AnnealingSettings,
        *,
        seconds: float,
        proven: Proven,
        keep: Callable[[SearchResult], str],
        replays: str = "",
        events: Sequence[Event] = (),
        quest: Quest | None = None,
        view: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(study)
        self._begun_with, self.settings = problem, settings
        self.seconds, self.replays = seconds, replays
        self.quest = quest
        self.view: Mapping[str, Any] = view or {}
        self.annealer: Annealer | None = None
        self.course: Course | None = None
        self._proven, self._keep, self._events = dict(proven), keep, events
        self._changed = threading.Condition()
        self._paused = self._moving = self._keeping = False
        self._asked = self._stepped = 0  # frames while paused
        self._orders: list[_Order] = []

    @property
    def state(self) -> State:
        if self.ended:
            return super().state
        if self._paused and not (self.annealer and self.annealer.done):
            return "paused"
        return "running" if self.annealer else "starting"

    @property
    def ended(self) -> bool:
        """Also what was stopped while it still compiles."""
        return self._stop.is_set() or super().ended

    @property
    def problem(self) -> SearchProblem:
        """The search under the limits that are in force."""
        return self.annealer.problem if self.annealer else self._begun_with

    @property
    def in_force(self) -> AnnealingSettings:
        return self.annealer.in_force if self.annealer else self.settings

    @property
    def exact(self) -> Candidate | None:
        return self.proven_under(self.problem.limits[0].bound)[0]

    def proven_under(self, bound: float) -> tuple[Candidate | None, float | None]:
        """The optimum under a number of the first limit, or else the bound on it."""
        return self._proven.get(float(bound), (None, None))

    def act(
        self,
        event: Event,
        proven: Proven | None = None,
        *,
        quest: Quest | None = None,
        view: Mapping[str, Any] | None = None,
    ) -> None:
        """Let an event act on the run, and wait until it has; raises what it is refused with.

        With a new bound goes what is `proven` under it; `quest` and `view` are those from there on.
        """
        if self.replays:
            raise InvalidInput("A replay shows what was; stop it to search anew.")
        self._proven |= proven or {}
        order = _Order(event)
        with self._changed:
            self._orders.append(order)
            self._changed.notify_all()
            self._changed.wait_for(lambda: order.done or self.ended, ANSWERS)
        if order.error is not None:
            raise order.error
        self.quest, self.view = quest or self.quest, view or self.view

    def pause(self) -> None:
        """Hold the run, and wait until it stands still."""
        with self._changed:
            if self._paused or self.ended:
                return
            self._paused = True
            if not self.replays:
                self._orders.append(_Order(Event(paused=True)))
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self.ended or self._keeping or not (self._moving or self._orders), ANSWERS
            )

    def step(self) -> None:
        """Advance a paused run by one frame, and wait until it is made."""
        with self._changed:
            if not self._paused:
                return
            self._asked += 1
            goal = self._asked
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._stepped >= goal or self._stop.is_set(), ANSWERS)
        if self.annealer and self.annealer.done:
            self._thread.join(ANSWERS)  # it is about to be kept

    def resume(self) -> None:
        with self._changed:
            self._paused, self._asked = False, self._stepped
            self._changed.notify_all()

    def stop(self) -> None:
        """End the run where it is; one that is being kept already has come to its end."""
        with self._changed:
            if not self._keeping:
                self._stop.set()
                self._changed.notify_all()
                return
        self._thread.join(ANSWERS)

    def _work(self) -> SearchResult | None:
        annealer = Annealer(self._begun_with, self.settings, self._events)
        annealer.prepare()
        self.course = Course(annealer)
        self.annealer = annealer
        due = time.monotonic()
        while not annealer.done:
            with self._changed:
                waited = self._paused
                if not self._changed.wait_for(self._wanted, registry.KEPT_FOR):
                    return None  # paused and forgotten
                if self._stop.is_set():
                    return None
                orders = list(self._orders)
                stepping = self._paused and self._stepped < self._asked
                self._moving = True
            for order in orders:
                self._obey(annealer, order)
            if stepping or not self._paused:
                self._frame(annealer, stepping)
            self.course.look()
            if waited or not self.seconds:
                due = time.monotonic()
            with self._changed:
                self._moving = False
                self._orders = self._orders[len(orders) :]
                self._stepped += stepping
                self._changed.notify_all()
                if self.seconds:
                    due += FRAME
                    rest = max(0.0, due - time.monotonic())
                    self._changed.wait_for(
                        lambda: self._stop.is_set() or self._paused or bool(self._orders), rest
                    )
        with self._changed:
            if self._stop.is_set():
                return None
            self._keeping = True
            self._changed.notify_all()
        return self._kept_result(annealer)

    def _wanted(self) -> bool:
        return (
            self._stop.is_set()
            or not self._paused
            or self._stepped < self._asked
            or bool(self._orders)
        )

    def _obey(self, annealer: Annealer, order: _Order) -> None:
        try:
            annealer.intervene(order.event)
        except FoxnasError as error:
            order.error = error
        order.done = True

    def _frame(self, annealer: Annealer, stepping: bool) -> None:
        """Advance by what a frame is made of, in parts so short that the run answers at once."""
        seconds, begun = self.seconds, time.monotonic()
        u = (annealer.proposals / annealer.total) ** (1 / SLOWLY)
        share = min(1.0, u + FRAME / seconds) ** SLOWLY if seconds else 1.0
        goal = max(round(annealer.total * share), annealer.proposals + annealer.chains)
        part = annealer.chains * 100
        while annealer.proposals < min(goal, annealer.total):
            before = time.monotonic()
            annealer.advance(min(part, goal - annealer.proposals))
            now = time.monotonic()
            part = part * 2 if now - before < AT_ONCE / 2 else max(1, part // 2)
            if self._stop.is_set() or (self._paused and not stepping) or self._orders:
                return
            if not seconds and now - begun > FRAME:
                return

    def _kept_result(self, annealer: Annealer) -> SearchResult:
        result = annealer.result(*self.proven_under(annealer.problem.limits[0].bound))
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
        if replace(result, asked=kept.asked, guard=kept.guard).to_dict() != kept.to_dict():
            raise InvalidInput(
                f"The replay of search {search_id} came out differently from what was kept, which "
                "another version of the annealer or of the fit must have made; search anew."
            )
        return search_id

    return check
