"""Strategies side by side on one problem, and the annealer among them.

The annealer is told what the others are not: that predictions are sums over groups, so that a
proposal costs two additions where the others have an architecture predicted.
"""

import math
import time
from collections.abc import Callable, Sequence

from foxnas_core.errors import InvalidInput
from foxnas_core.search.annealing import Annealer
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.strategies.driver import StrategyRun, Traced
from foxnas_core.search.strategies.goal import SearchGoal, evaluation_of
from foxnas_core.search.strategies.strategy import strategy_of

ANNEALER = "Annealing"
# A run advances in so many parts, between which a race can be watched and stopped.
PARTS = 100


class AnnealingCourse(Traced):
    """The annealer as a course, whose evaluations are its proposals.

    Rows of its trace lie evenly on a logarithmic scale.
    """

    def __init__(
        self,
        problem: SearchProblem,
        settings: AnnealingSettings,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        super().__init__()
        self._clock = clock
        self._annealer = Annealer(problem, settings)
        self._annealer.prepare()
        # Set up anew, now that compiling takes no time.
        started = clock()
        self._annealer = Annealer(problem, settings)
        self.seconds = clock() - started
        self.total = self._annealer.total

    @property
    def evaluations(self) -> int:
        return self._annealer.proposals

    @property
    def best(self) -> Candidate | None:
        return self._annealer.best

    @property
    def done(self) -> bool:
        return self._annealer.done

    def advance(self, evaluations: int) -> None:
        """As `StrategyRun.advance`."""
        goal = min(self.evaluations + evaluations, self.total)
        while self.evaluations < goal:
            started = self._clock()
            due = math.ceil((self.evaluations + 1) * 1.1)
            self._annealer.advance(min(due, goal) - self.evaluations)
            self.seconds += self._clock() - started
            best = self._annealer.best
            if best is not None:
                self._note(self.evaluations, best.value)


class Race:
    """Some strategies, with as many evaluations each and the same seeds, and the annealer.

    All advance in turn, so that all can be watched from the start. Their seconds are of the
    processor, spent by the one thread that makes and advances the race, so that other load does
    not count; others may read meanwhile.

    Raises `InvalidInput` for a race of nobody or an unknown strategy, and `InfeasibleBudget` where
    no architecture is within the limits.
    """

    def __init__(
        self,
        problem: SearchProblem,
        names: Sequence[str],
        *,
        evaluations: int,
        seeds: Sequence[int] = (0,),
        settings: AnnealingSettings | None = None,
    ) -> None:
        if not names or not seeds:
            raise InvalidInput("A race needs at least one strategy and one seed; choose some.")
        goal, evaluate = SearchGoal.of(problem), evaluation_of(problem)
        self.problem = problem
        self.courses: dict[tuple[str, int], StrategyRun | AnnealingCourse] = {}
        for seed in seeds:
            own = AnnealingSettings(seed=seed, steps=(settings or AnnealingSettings()).steps)
            clock = time.thread_time
            self.courses[ANNEALER, seed] = AnnealingCourse(problem, own, clock=clock)
            for name in names:
                strategy = strategy_of(name, goal, seed)
                self.courses[name, seed] = StrategyRun(
                    strategy, evaluate, goal, evaluations, clock=clock
                )
        self._elapsed = 0.0

    @property
    def done(self) -> bool:
        return all(course.done for course in self.courses.values())

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1, as courses weigh alike."""
        shares = [course.evaluations / course.total for course in self.courses.values()]
        return sum(shares) / len(shares)

    @property
    def seconds_left(self) -> float:
        """About how long the rest takes by the clock on the wall; NaN before the start."""
        share = self.share
        return self._elapsed * (1 / share - 1) if share else math.nan

    def advance(self) -> None:
        """Let the course that is furthest behind go on for a part of its way."""
        behind = min(self.courses.values(), key=lambda c: c.evaluations / c.total)
        if not behind.done:
            started = time.monotonic()
            behind.advance(math.ceil(behind.total / PARTS))
            self._elapsed += time.monotonic() - started
