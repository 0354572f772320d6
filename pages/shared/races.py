"""Races of search strategies that run in this server, each in a thread of its own."""

from collections.abc import Sequence

from foxnas_core.cards.quest import Quest
from foxnas_core.cards.strategies import check_race
from foxnas_core.search.strategies.race import Race
from pages.shared.registry import Work


class RaceJob(Work[Race]):
    """A race, which is its own progress: what it found stands when it is stopped.

    The thread builds it; `quest` is what all look for.
    """

    name, what, most_unfinished, most_kept = "race", "races run", 4, 16

    def __init__(
        self, quest: Quest, names: Sequence[str], evaluations: int, seeds: Sequence[int]
    ) -> None:
        super().__init__(str(quest.given.study.folder))
        check_race(names, evaluations)
        self.quest, self._problem = quest, quest.problem
        self._names, self._evaluations, self._seeds = names, evaluations, seeds

    def _work(self) -> Race:
        race = Race(self._problem, self._names, evaluations=self._evaluations, seeds=self._seeds)
        self.progress = race
        while not race.done:
            self.report(race)
            race.advance()
        return race
