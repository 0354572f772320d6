"""The front under further limits, held against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.search import exact
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.solving import solve
from tests.search.additive import LIMITED as DRAWN
from tests.search.additive import every_total, limited_problem, mini_problem, random_tables


@given(**DRAWN)
@settings(max_examples=30, deadline=None)
def test_the_front_is_all_within_the_further_limits_that_nothing_beats(**drawn) -> None:
    problem = limited_problem(**drawn)
    held = [row for row in every_total(problem) if all(row[1][1:] <= problem.budgets[1:])]
    expected, best = [], -np.inf
    for cost, negative in sorted((costs[0], -score) for score, costs, _, _ in held):
        if -negative > best:
            best = -negative
            expected.append(
                (float(problem.limits[0].value_of(cost)), float(problem.value_of(best)))
            )
    found = front(problem)
    assert list(zip(found.costs, found.values, strict=True)) == expected
    for point in range(len(found)):
        candidate = found.candidate(point)
        assert (candidate.costs[0], candidate.value) == expected[point]
        for limit, cost in zip(problem.limits[1:], candidate.costs[1:], strict=True):
            assert cost <= limit.bound if limit.side == "at_most" else cost >= limit.bound
        for name, choices in problem.allowed.items():
            assert candidate.architecture.get(name) in (*choices, None)


def with_parameters(most: float) -> SearchProblem:
    problem = mini_problem()
    own = random_tables(problem.space, "parameters", np.random.default_rng(0))
    return SearchProblem(problem.objective, (*problem.limits, Limit(own, most)))


def test_in_a_large_space_every_budget_has_the_optimum_of_integer_programming() -> None:
    problem = with_parameters(0.5)
    found = front(problem)
    assert len(found) > 20
    for budget in np.quantile(found.costs, [0.0, 0.3, 0.7]):
        assert found.within(float(budget)) == solve(problem.within(float(budget))).candidate
    with pytest.raises(InfeasibleBudget, match="beside parameters"):
        found.within(float(found.costs[0]) - 0.01)


def test_what_nothing_keeps_is_named() -> None:
    with pytest.raises(InfeasibleBudget, match="predicted parameters of at most -1000"):
        front(with_parameters(-1000))


@pytest.mark.parametrize("bound", ["MOST_COMPARED", "MOST_SUMS"])
def test_what_takes_too_long_is_said_instead(monkeypatch, bound: str) -> None:
    monkeypatch.setattr(exact, bound, 100)
    with pytest.raises(InvalidInput, match="parameters limited as well has too many points"):
        front(with_parameters(0.5))
