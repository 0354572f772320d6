"""Runs a strategy: asks, evaluates, tells, and keeps the best that is within the limits."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.search.limits import rounded_up
from foxnas_core.search.problem import Candidate
from foxnas_core.search.strategies.goal import Evaluation, SearchGoal
from foxnas_core.search.strategies.strategy import Strategy

TRACE_COLUMNS = ("evaluations", "best_value")


@dataclass(frozen=True, eq=False)
class StrategyResult:
    """A finished run: the best within the limits, how many evaluations it took altogether, and
    its trace, see `StrategyRun.trace`."""

    goal: SearchGoal
    best: Candidate
    evaluations: int
    trace: pd.DataFrame = field(repr=False)


class Traced:
    """What a course of evaluations came to, as it went on."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._rows: list[tuple[int, float]] = []
        self._times: list[float] = []

    def _note(self, evaluations: int, value: float) -> None:
        self._times.append(self.seconds)
        self._rows.append((evaluations, value))

    @property
    def trace(self) -> pd.DataFrame:
        """One row for each new best, and one at the end: evaluations, best_value."""
        frame = pd.DataFrame(list(self._rows), columns=list(TRACE_COLUMNS), dtype=float)
        return frame.astype({"evaluations": "int64"})

    @property
    def times(self) -> np.ndarray:
        """The clock's seconds (rows,) that the strategy and its evaluations had taken at each row
        of the trace. Apart from it, so that equal runs have equal traces."""
        return np.array(self._times[: len(self._rows)])


class StrategyRun(Traced):
    """A run of so many evaluations (`total`) that advances as it is asked to.

    While one thread advances, others may read. Raises `InvalidInput` where `total` is not
    positive.
    """

    def __init__(
        self,
        strategy: Strategy,
        evaluate: Evaluation,
        goal: SearchGoal,
        total: int,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        if total < 1:
            raise InvalidInput(f"A search takes at least one evaluation, not {total}.")
        self.goal, self.total = goal, total
        self._strategy, self._evaluate, self._clock = strategy, evaluate, clock
        super().__init__()
        self.evaluations = 0
        self.best: Candidate | None = None
        self._best_score = -math.inf
        self._nearest = (math.inf, np.zeros(0))  # least excess, and the costs that had it

    @property
    def done(self) -> bool:
        return self.evaluations >= self.total

    def advance(self, evaluations: int) -> None:
        """Make so many evaluations, in batches as the strategy likes, or as many as are left."""
        goal = min(self.evaluations + evaluations, self.total)
        while self.evaluations < goal:
            started = self._clock()
            asked = self._strategy.ask(min(self._strategy.batch, goal - self.evaluations))
            values, costs = self._evaluate(asked)
            self._strategy.tell(asked, values, costs)
            self.seconds += self._clock() - started
            standings = self.goal.standings(values, costs)
            for row, standing in enumerate(standings):
                if standing is None:
                    continue
                if -standing[0] < self._nearest[0]:
                    self._nearest = (-standing[0], costs[row])
                if standing[0] == 0 and standing[1] > self._best_score:
                    self._best_score = standing[1]
                    self.best = Candidate(
                        asked[row], float(values[row]), tuple(float(c) for c in costs[row])
                    )
                    self._note(self.evaluations + row + 1, self.best.value)
            self.evaluations += len(asked)
        if self.done and self.best is not None and self._rows[-1][0] < self.evaluations:
            self._note(self.evaluations, self.best.value)

    def result(self) -> StrategyResult:
        """The finished run.

        Raises `InfeasibleBudget` where nothing within the limits was met, and `RuntimeError`
        where the run is not done.
        """
        if not self.done:
            raise RuntimeError("The run is not done; call advance first.")
        if self.best is None:
            raise self._nothing_found()
        return StrategyResult(self.goal, self.best, self.evaluations, self.trace)

    def _nothing_found(self) -> Exception:
        excess, costs = self._nearest
        if math.isinf(excess):
            return InvalidInput(
                f"All {self.evaluations} evaluations failed, so nothing can be chosen; look into "
                "why they do."
            )
        limits = " and ".join(
            f"at most {most:.4g}" if math.isinf(least) else f"at least {least:.4g}"
            for least, most in self.goal.bounds
        )
        costs_met = " and ".join(rounded_up(float(cost)) for cost in costs)
        return InfeasibleBudget(
            f"None of the {self.evaluations} architectures that were evaluated has a cost of "
            f"{limits}; the nearest has {costs_met}, so relax the limit or allow more "
            "evaluations.",
            smallest=float(costs[0]),
        )


def run(
    strategy: Strategy, evaluate: Evaluation, goal: SearchGoal, *, evaluations: int
) -> StrategyResult:
    """Run a strategy to the end; raises as `StrategyRun.result`."""
    course = StrategyRun(strategy, evaluate, goal, evaluations)
    course.advance(evaluations)
    return course.result()
