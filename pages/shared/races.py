"""Races of search strategies that run in this server, each in a thread of its own."""

from collections.abc import Callable
from typing import Literal

from foxnas_core.search.solving import Solution
from foxnas_core.search.strategies import Race
from pages.shared.registry import Registry, Work

State = Literal["starting", "running", "stopped", "finished", "failed"]


class RaceJob(Work):
    """A race in a daemon thread; what it found stands when it is stopped.

    `race` is None until the thread has built it with `prepare`; `solution` is what it is compared
    with.
    """

    name = "race"

    def __init__(self, study: str, prepare: Callable[[], Race], solution: Solution) -> None:
        super().__init__(study)
        self.solution = solution
        self.race: Race | None = None
        self._prepare = prepare
        self._thread.start()

    @property
    def state(self) -> State:
        if not self.ended:
            return "running" if self.race else "starting"
        if self.failed:
            return "failed"
        return "finished" if self.race and self.race.done else "stopped"

    def _work(self) -> None:
        race = self._prepare()
        self.race = race
        while not race.done and not self._stop.is_set():
            race.advance()


class Races(Registry[RaceJob]):
    """The registry of running and recently ended races."""

    most_unfinished, most_kept, what = 4, 16, "races run"

    def start(self, study: str, prepare: Callable[[], Race], solution: Solution) -> RaceJob:
        """Start a race, as in `RaceJob`; raises `ServerBusy` where too many are under way."""
        return self.add(lambda: RaceJob(study, prepare, solution))
