"""The exact optimum and the front, held against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.table.metrics import metric_of
from tests.search.additive import (
    TablePredictor,
    brute_force,
    listed_space,
    mini_problem,
    small_problem,
    solve_exact,
)

SMALL = {
    "sizes": st.lists(st.integers(1, 5), min_size=1, max_size=4),
    "contexts": st.integers(1, 3),
    "seed": st.integers(0, 100_000),
    "whole": st.booleans(),
    "target": st.sampled_from(["accuracy", "cross_entropy"]),
}


@given(**SMALL, quantile=st.one_of(st.none(), st.floats(0, 1)))
@settings(max_examples=60, deadline=None)
def test_the_optimum_is_the_best_of_all_architectures(**drawn) -> None:
    problem = small_problem(drawn.pop("sizes"), drawn.pop("contexts"), drawn.pop("seed"), **drawn)
    feasible = [row for row in brute_force(problem) if row[1] <= problem.budget]
    best = max(score for score, _, _, _ in feasible)
    cheapest = min(cost for score, cost, _, _ in feasible if score == best)
    found = solve_exact(problem)
    assert problem.sign * found.value == best
    if problem.limits:
        assert found.costs == (cheapest,)
    # The architecture itself, not only its numbers, and the first context among equals.
    equals = [row for row in feasible if row[:2] == (best, cheapest)]
    first = min(context for _, _, context, _ in equals)
    assert found.architecture in {
        problem.architecture(context, options)
        for _, _, context, options in equals
        if context == first
    }


@given(**SMALL)
@settings(max_examples=30, deadline=None)
def test_the_front_is_all_that_nothing_beats(**drawn) -> None:
    problem = small_problem(
        drawn.pop("sizes"), drawn.pop("contexts"), drawn.pop("seed"), quantile=0.0, **drawn
    )
    expected, best = [], -np.inf
    for cost, negative in sorted((cost, -score) for score, cost, _, _ in brute_force(problem)):
        if -negative > best:
            best = -negative
            expected.append((cost, problem.sign * best))
    found = front(problem)
    assert list(found.frame.itertuples(index=False, name=None)) == expected
    for point in range(len(found)):
        candidate = found.candidate(point)
        assert (candidate.costs[0], candidate.value) == expected[point]


def test_the_front_holds_the_optimum_of_every_budget() -> None:
    problem = mini_problem()
    found = front(problem)
    for point in (0, 1, len(found) // 2, len(found) - 1):
        candidate = found.candidate(point)
        budget = candidate.costs[0]
        assert solve_exact(problem.within(budget)) == found.within(budget) == candidate
        below = float(np.nextafter(budget, -np.inf))
        if point:
            assert found.within(below) == found.candidate(point - 1)
        else:
            with pytest.raises(InfeasibleBudget):
                found.within(below)
    assert list(found.frame) == ["latency_ms", "accuracy"]


def test_among_equals_the_first_of_the_listing_stands() -> None:
    space = listed_space([3, 2], contexts=2)
    nothing = [{"g0": np.zeros(3), "g1": np.zeros(2)}] * 2
    accuracy = TablePredictor(space, metric_of("accuracy"), [1.0, 1.0], nothing)
    latency = TablePredictor(space, metric_of("latency_ms"), [1.0, 1.0], nothing)
    found = solve_exact(SearchProblem(accuracy, (Limit(latency, 1.0),)))
    assert found.architecture.to_dict() == {"resolution": 16, "edge0": 0, "edge1": 0}


def test_twenty_two_layers_of_nine_operations() -> None:
    """One budget's optimum of a large lookup table, against the bound of Lagrangian duality."""
    rng = np.random.default_rng(3)
    space = listed_space([9] * 22)
    gains = {g: np.sort(rng.uniform(0, 1, 9)) for g in space.additive_groups}
    costs = {g: np.sort(rng.uniform(0, 2, 9)) for g in space.additive_groups}
    problem = SearchProblem(
        TablePredictor(space, metric_of("accuracy"), [60.0], [gains]),
        (Limit(TablePredictor(space, metric_of("latency_ms"), [1.0], [costs]), 20.0),),
    )
    found = solve_exact(problem)
    assert found.costs[0] <= 20.0
    bound = min(
        60.0 + price * 19.0 + sum((gains[g] - price * costs[g]).max() for g in gains)
        for price in np.linspace(0, 2, 2001)
    )
    assert bound - 0.02 < found.value <= bound + 1e-9


def test_a_front_needs_a_limit() -> None:
    with pytest.raises(InvalidInput, match="limit"):
        front(SearchProblem(mini_problem().objective))
