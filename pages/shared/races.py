"""Races of search strategies that run in this server, each in a thread of its own."""

from collections.abc import Callable

from foxnas_core.search.solving import Solution
from foxnas_core.search.strategies.race import Race
from pages.shared.registry import Work


class RaceJob(Work[Race]):
    """A race, which is its own progress: what it found stands when it is stopped.

    The thread builds it with `prepare`; `solution` is what it is compared with.
    """

    name, what, most_unfinished, most_kept = "race", "races run", 4, 16

    def __init__(self, study: str, prepare: Callable[[], Race], solution: Solution) -> None:
        super().__init__(study)
        self.solution, self._prepare = solution, prepare

    def _work(self) -> Race:
        race = self._prepare()
        self.progress = race
        while not race.done:
            self.report(race)
            race.advance()
        return race
