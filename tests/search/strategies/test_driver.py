import itertools

import numpy as np
import pandas as pd
import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.search.strategies.driver import StrategyRun, run
from foxnas_core.search.strategies.goal import SearchGoal, evaluation_of
from foxnas_core.search.strategies.strategy import strategy_of
from tests.search.additive import mini_problem, solve_exact

PROBLEM = mini_problem(budget=8.0)
GOAL, EVALUATE = SearchGoal.of(PROBLEM), evaluation_of(PROBLEM)


def course(total: int, name: str = "OFA's evolution", **options) -> StrategyRun:
    return StrategyRun(strategy_of(name, GOAL, 0), EVALUATE, GOAL, total, **options)


def test_the_best_is_that_of_all_that_was_asked_and_the_trace_tells_when() -> None:
    asked = []

    def watched(architectures):
        values, costs = EVALUATE(architectures)
        asked.extend(zip(values, costs[:, 0], architectures, strict=True))
        return values, costs

    done = StrategyRun(strategy_of("Random", GOAL, 0), watched, GOAL, 730)
    done.advance(10_000)
    assert done.evaluations == len(asked) == 730 and done.done
    best, rows = -np.inf, []
    for number, (value, cost, architecture) in enumerate(asked, 1):
        if cost <= 8.0 and value > best:
            best, leader = value, (architecture, value, (cost,))
            rows.append([number, value])
    found = done.result()
    assert (found.best.architecture, found.best.value, found.best.costs) == leader
    rows += [] if rows[-1][0] == 730 else [[730, best]]
    assert found.trace.to_numpy().tolist() == rows
    assert found.best.value <= solve_exact(PROBLEM).value


def test_calls_divide_a_run_without_changing_its_length() -> None:
    parts = course(500)
    for count in (1, 99, 100, 250, 999):
        before = parts.evaluations
        parts.advance(count)
        assert parts.evaluations == min(before + count, 500)
    whole = course(500)
    whole.advance(500)
    again = course(500)
    again.advance(500)
    pd.testing.assert_frame_equal(whole.trace, again.trace)
    assert len(parts.times) == len(parts.trace)


def test_seconds_are_those_of_the_clock() -> None:
    ticks = itertools.count()
    done = course(300, clock=lambda: float(next(ticks)))
    done.advance(300)
    assert done.seconds == 3.0  # one a batch of 100
    assert set(done.times) <= {1.0, 2.0, 3.0}


def test_no_result_before_the_end_and_no_run_of_nothing() -> None:
    unfinished = course(300)
    unfinished.advance(200)
    with pytest.raises(RuntimeError, match="not done"):
        unfinished.result()
    with pytest.raises(InvalidInput, match="at least one evaluation"):
        course(0)


def test_evolution_solves_what_random_does_not() -> None:
    exact = solve_exact(PROBLEM).value
    gaps = [
        exact - run(strategy_of(name, GOAL, 0), EVALUATE, GOAL, evaluations=5000).best.value
        for name in ("OFA's evolution", "Random")
    ]
    assert gaps[0] < 0.1 < gaps[1]
