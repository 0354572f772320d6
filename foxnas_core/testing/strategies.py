"""What every `Strategy` keeps, on any goal: how many it is asked for, of what, and that equal seeds
give equal runs whatever else draws random numbers."""

from collections.abc import Callable, Sequence

import numpy as np

from foxnas_core.search.strategies.goal import Evaluation, SearchGoal
from foxnas_core.search.strategies.strategy import Strategy
from foxnas_core.space.architecture import Architecture

Make = Callable[[SearchGoal, int], Strategy]


def check_strategy(
    make: Make, goal: SearchGoal, evaluate: Evaluation, *, counts: Sequence[int] = (1, 7, 130, 1)
) -> None:
    """Ask strategies of the goal for so many architectures at a time, and tell them in every way
    that is allowed."""
    asked = _asked(make, goal, evaluate, 3, counts)
    assert asked == _asked(make, goal, evaluate, 3, counts), "equal seeds give other architectures"
    if goal.space.size > 2 * len(asked):
        others = _asked(make, goal, evaluate, 4, counts)
        assert asked != others, "another seed gives the same architectures"
    _check_told_in_parts(make, goal, evaluate, max(counts) // 2)
    _check_told_of_others(make, goal, evaluate, max(counts))
    _check_told_of_failures(make, goal, evaluate, max(counts))


def _asked(
    make: Make, goal: SearchGoal, evaluate: Evaluation, seed: int, counts: Sequence[int]
) -> list[Architecture]:
    """All that it asks for, while everybody's generator stands elsewhere at each call."""
    np.random.seed(np.random.SeedSequence().generate_state(1)[0])
    before = np.random.get_state()[1].copy()  # type: ignore[index]
    strategy, asked = make(goal, seed), []
    assert strategy.batch >= 1, "a batch of none"
    for count in counts:
        new = strategy.ask(count)
        assert len(new) == count, f"{len(new)} architectures where {count} were asked for"
        _check_members(goal, new)
        strategy.tell(new, *evaluate(new))
        asked += new
    after = np.random.get_state()[1]  # type: ignore[index]
    assert (after == before).all(), "it draws from everybody's generator of random numbers"
    return asked


def _check_told_in_parts(make: Make, goal: SearchGoal, evaluate: Evaluation, count: int) -> None:
    """Asked again before all was told, which comes late and in another order."""
    strategy, rng = make(goal, 0), np.random.default_rng(0)
    waiting: list[Architecture] = []
    for _ in range(4):
        waiting += strategy.ask(count)
        told = [waiting[i] for i in rng.permutation(len(waiting))]
        told, waiting = told[:-3], told[-3:]
        if told:
            strategy.tell(told, *evaluate(told))
    _check_members(goal, strategy.ask(5))


def _check_told_of_others(make: Make, goal: SearchGoal, evaluate: Evaluation, count: int) -> None:
    """Told of what it never asked for."""
    strategy = make(goal, 0)
    other = make(goal, 1).ask(count)
    strategy.tell(other, *evaluate(other))
    asked = strategy.ask(count)
    _check_members(goal, asked)
    strategy.tell(asked, *evaluate(asked))


def _check_told_of_failures(make: Make, goal: SearchGoal, evaluate: Evaluation, count: int) -> None:
    """Told of some evaluations that failed, then of all."""
    strategy = make(goal, 0)
    for every in (3, 1):
        asked = strategy.ask(count)
        values, costs = (np.array(part, dtype=float) for part in evaluate(asked))
        values[::every] = np.nan
        strategy.tell(asked, values, costs)
    _check_members(goal, strategy.ask(count))


def _check_members(goal: SearchGoal, architectures: Sequence[Architecture]) -> None:
    for architecture in architectures:
        assert goal.space.is_member(architecture), f"{architecture.id} is not of the space"
        for name, choices in goal.allowed.items():
            assert architecture.get(name, choices[0]) in choices, f"{name} is not allowed to be so"
