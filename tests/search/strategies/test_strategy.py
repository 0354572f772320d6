"""One contract for all strategies."""

import math

import numpy as np
import pytest

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.search.strategies.driver import StrategyRun, run
from foxnas_core.search.strategies.goal import SearchGoal
from foxnas_core.search.strategies.random import RandomStrategy
from foxnas_core.search.strategies.strategy import STRATEGIES, strategy_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.testing.strategies import check_strategy


def tiny_space() -> SearchSpace:
    """28 architectures: a depth that governs a block, an operation, and a decision of one
    choice."""
    deep = [{"decision": "depth", "values": [2]}]
    return space_from_dict(
        {
            "format": 1, "family": "listed", "name": "tiny",
            "decisions": [
                {"name": "depth", "group": "g", "role": "depth", "choices": [1, 2]},
                {"name": "k1", "group": "g", "role": "kernel", "choices": [3, 5], "slot": "b1"},
                {"name": "k2", "group": "g", "role": "kernel", "choices": [3, 5, 7],
                 "slot": "b2", "conditions": deep},
                {"name": "op", "group": "h", "role": "operation", "choices": ["skip", "conv"]},
                {"name": "one", "group": "h", "role": "operation", "choices": ["only"]},
            ],
        }
    )  # fmt: skip


TINY, MINI = tiny_space(), load_shipped("foxnas-mini")
ALL = pytest.mark.parametrize("name", STRATEGIES)


def sizes(architectures: list[Architecture]) -> np.ndarray:
    """Not a sum over groups: the parts are multiplied."""
    return np.array(
        [
            math.prod(1 + v / 10 if isinstance(v, int) else len(v) for v in a.to_dict().values())
            for a in architectures
        ]
    )


def evaluate(architectures: list[Architecture]) -> tuple[np.ndarray, np.ndarray]:
    """A value that grows with the cost, but differs between equally dear architectures."""
    size = sizes(architectures)
    wiggle = np.array([int(a.id, 16) % 97 / 10 for a in architectures])
    return size + wiggle, size[:, None]


def free(architectures: list[Architecture]) -> tuple[np.ndarray, np.ndarray]:
    return evaluate(architectures)[0], np.zeros((len(architectures), 0))


def enough(name: str) -> int:
    """Evaluations that find the optimum of the tiny space."""
    return 60 if name == "TPE" else 200


def everything(space: SearchSpace) -> list[Architecture]:
    return space.decode(space.option_codes(space.decisions))


def middle_of(space: SearchSpace) -> float:
    return float(np.median(sizes(everything(space))))


GOALS = {
    "limited": SearchGoal(MINI, "max", ((-math.inf, 1e6),)),
    "tiny": SearchGoal(TINY, "max", ((-math.inf, 50.0),)),
    "restricted": SearchGoal(TINY, "min", ((2.0, math.inf),), {"depth": (2,), "k2": (3, 7)}),
}


@ALL
@pytest.mark.parametrize("goal", GOALS)
def test_strategies_keep_the_contract(name: str, goal: str) -> None:
    slow = "TPE" in name or "Optuna" in name
    check_strategy(STRATEGIES[name], GOALS[goal], evaluate, counts=(1, 7, 12 if slow else 130, 1))


class Forgetful(RandomStrategy):
    def ask(self, count: int) -> list[Architecture]:
        return super().ask(count)[:-1] or super().ask(1)


class Restless(RandomStrategy):
    def __init__(self, goal: SearchGoal, seed: int) -> None:
        super().__init__(goal, int(np.random.randint(1000)))


class Unrestricted(RandomStrategy):
    def __init__(self, goal: SearchGoal, seed: int) -> None:
        super().__init__(SearchGoal(goal.space, goal.direction, goal.bounds), seed)


class Proud(RandomStrategy):
    """Can't be told that anything failed."""

    def tell(self, architectures, values: np.ndarray, costs: np.ndarray) -> None:
        super().tell(architectures, values, costs)
        assert np.isfinite(values).all()


@pytest.mark.parametrize("broken", [Forgetful, Restless, Unrestricted, Proud])
def test_the_suite_finds_what_is_broken(broken: type) -> None:
    with pytest.raises(AssertionError):
        check_strategy(broken, GOALS["restricted"], evaluate)


@ALL
@pytest.mark.parametrize(("direction", "limited"), [("max", True), ("min", True), ("max", False)])
def test_finds_the_optimum_of_a_tiny_space(name: str, direction: str, limited: bool) -> None:
    known = everything(TINY)
    values, costs = evaluate(known)
    # Upside down for a lower bound, so that the limit binds in both directions.
    bound = middle_of(TINY)
    bounds = () if not limited else ((-math.inf, bound),) if direction == "max" else (
        (bound, math.inf),
    )  # fmt: skip
    goal = SearchGoal(TINY, direction, bounds)
    within = goal.excess(costs) == 0 if limited else np.ones(len(known), bool)
    best = max(goal.scores(values[within]))
    found = run(
        strategy_of(name, goal, 1), evaluate if limited else free, goal, evaluations=enough(name)
    )
    assert goal.scores(np.array(found.best.value)) == best
    assert not limited or goal.excess(np.array([found.best.costs])) == 0
    assert found.trace["best_value"].iloc[-1] == found.best.value
    assert found.trace["evaluations"].iloc[-1] == found.evaluations == enough(name)
    assert goal.scores(found.trace["best_value"]).is_monotonic_increasing


@ALL
def test_only_the_allowed_is_asked_for(name: str) -> None:
    allowed = {"depth": (2,), "k2": (3, 7)}
    strategy = strategy_of(name, SearchGoal(TINY, "max", allowed=allowed), 0)
    for _ in range(2):
        asked = strategy.ask(30 if name == "TPE" else 120)
        assert {(a["depth"], a["k2"]) for a in asked} == {(2, 3), (2, 7)}
        strategy.tell(asked, *free(asked))


@ALL
def test_the_best_is_never_out_of_bounds_even_where_that_is_better(name: str) -> None:
    bound = float(np.quantile(sizes(everything(TINY)), 0.2))
    goal = SearchGoal(TINY, "max", ((-math.inf, bound),))
    assert (
        run(strategy_of(name, goal, 0), evaluate, goal, evaluations=enough(name)).best.costs[0]
        <= bound
    )


@ALL
def test_a_limit_that_nothing_keeps_is_one_sentence(name: str) -> None:
    goal = SearchGoal(TINY, "max", ((-math.inf, 0.1),))
    with pytest.raises(InfeasibleBudget, match="None of the 40 .* at most 0.1; the nearest") as e:
        run(strategy_of(name, goal, 0), evaluate, goal, evaluations=40)
    assert e.value.smallest >= sizes(everything(TINY)).min()


@ALL
def test_failed_evaluations_are_survived_and_never_chosen(name: str) -> None:
    goal = SearchGoal(TINY, "max", ((-math.inf, 1e9),))
    best = max(everything(TINY), key=lambda a: evaluate([a])[0][0])

    def failing(architectures: list[Architecture]) -> tuple[np.ndarray, np.ndarray]:
        values, costs = evaluate(architectures)
        values = np.where([a == best for a in architectures], np.nan, values)
        return values, np.where([[a["k1"] == 3] for a in architectures], np.nan, costs)

    found = run(strategy_of(name, goal, 0), failing, goal, evaluations=enough(name)).best
    possible = [a for a in everything(TINY) if a != best and a["k1"] == 5]
    assert found.architecture == max(possible, key=lambda a: evaluate([a])[0][0])


@ALL
def test_all_evaluations_may_fail(name: str) -> None:
    goal = SearchGoal(TINY, "max")
    course = StrategyRun(
        strategy_of(name, goal, 0), lambda a: (np.full(len(a), np.nan), np.zeros((len(a), 0))),
        goal, 40,
    )  # fmt: skip
    course.advance(40)
    assert course.best is None and course.trace.empty
    with pytest.raises(InvalidInput, match="All 40 evaluations failed"):
        course.result()


@ALL
def test_a_space_of_one_architecture(name: str) -> None:
    space = space_from_dict(
        {"format": 1, "family": "listed", "name": "one", "decisions": [
            {"name": "a", "group": "g", "role": "operation", "choices": ["x"]}]}
    )  # fmt: skip
    goal = SearchGoal(space, "min")
    found = run(strategy_of(name, goal, 0), free, goal, evaluations=3)
    assert found.best.architecture.to_dict() == {"a": "x"}


LEARNING = [name for name in STRATEGIES if "andom" not in name]


@pytest.mark.parametrize("name", LEARNING)
def test_what_is_told_is_learnt_from(name: str) -> None:
    """Later architectures are better than the first, which were drawn at random."""
    goal = SearchGoal(MINI, "max")
    strategy = strategy_of(name, goal, 0)
    learnt = []
    for _ in range(10):
        asked = strategy.ask(4 if name == "TPE" else 40)
        # Easy to learn from few: more of each is better.
        values = np.array([float(MINI.encode([a]).clip(0).sum()) for a in asked])
        strategy.tell(asked, values, np.zeros((len(asked), 0)))
        learnt += values.tolist()
    fifth = len(learnt) // 5
    assert np.mean(learnt[-fifth:]) > np.mean(learnt[:fifth]) + 2


def test_an_unknown_strategy_is_named() -> None:
    with pytest.raises(InvalidInput, match="no strategy 'magic'; choose one of Random"):
        strategy_of("magic", SearchGoal(TINY, "max"), 0)
