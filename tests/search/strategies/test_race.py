import pytest

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.search.annealing import search
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.strategies.driver import run
from foxnas_core.search.strategies.goal import SearchGoal, evaluation_of
from foxnas_core.search.strategies.race import ANNEALER, PARTS, Race
from foxnas_core.search.strategies.strategy import strategy_of
from tests.search.additive import mini_problem

PROBLEM = mini_problem(budget=8.0)
SHORT = AnnealingSettings(steps=3000)


def finished(**options) -> Race:
    race = Race(PROBLEM, ["Random", "NSGA-II"], evaluations=300, settings=SHORT, **options)
    while not race.done:
        race.advance()
    return race


def test_everyone_runs_as_if_alone() -> None:
    race = finished(seeds=(3, 4))
    assert set(race.courses) == {
        (name, seed) for name in (ANNEALER, "Random", "NSGA-II") for seed in (3, 4)
    }
    goal = SearchGoal.of(PROBLEM)
    for seed in (3, 4):
        own = search(PROBLEM, AnnealingSettings(steps=3000, seed=seed), with_exact=False)
        assert race.courses[ANNEALER, seed].best == own.best
        alone = run(
            strategy_of("Random", goal, seed), evaluation_of(PROBLEM), goal, evaluations=300
        )
        # Calls of another size draw the same genes, in the same order.
        assert race.courses["Random", seed].evaluations == alone.evaluations == 300
    assert race.share == 1.0 and race.seconds_left == 0.0


def test_all_advance_together() -> None:
    race = Race(PROBLEM, ["Random", "OFA's evolution"], evaluations=1000, settings=SHORT)
    for _ in range(PARTS):
        race.advance()
        shares = [c.evaluations / c.total for c in race.courses.values()]
        assert max(shares) - min(shares) <= 2 / PARTS
    assert 0 < race.share < 1


def test_the_annealers_trace_rises_to_its_best() -> None:
    course = finished().courses[ANNEALER, 0]
    trace = course.trace
    assert trace["evaluations"].is_monotonic_increasing
    assert trace["best_value"].is_monotonic_increasing
    assert trace["best_value"].iloc[-1] == course.best.value
    assert trace["evaluations"].iloc[-1] == course.total
    assert len(course.times) == len(trace)


def test_what_cannot_be_raced_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one strategy"):
        Race(PROBLEM, [], evaluations=10)
    with pytest.raises(InvalidInput, match="no strategy 'magic'"):
        Race(PROBLEM, ["magic"], evaluations=10)
    with pytest.raises(InfeasibleBudget):
        Race(PROBLEM.within(0.01), ["Random"], evaluations=10)
