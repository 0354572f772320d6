"""Branch and bound over groups, held against the enumeration of blocks and against brute force."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.search.annealing import search
from foxnas_core.search.coupling import JointPredictor
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.solving import solve, solve_by_levels
from foxnas_core.table.metrics import metric_of
from tests.search.additive import listed_space, random_tables
from tests.search.test_coupling import PROBLEMS, coupled, drawn_problem, rows_of


@given(**PROBLEMS)
@settings(max_examples=60, deadline=None)
def test_it_finds_and_proves_the_optimum_of_small_problems(**drawn) -> None:
    problem = drawn_problem(**drawn)
    problem = problem.within(problem.limits[0].bound + 1e-9)
    found, expected = solve_by_levels(problem), solve(problem).candidate
    assert found.exact
    assert found.candidate.value == pytest.approx(expected.value, abs=1e-8)
    known = {own: (value, cost) for value, cost, own in rows_of(problem)}
    value, cost = known[found.candidate.architecture.id]
    assert (found.candidate.value, found.candidate.costs[0]) == pytest.approx((value, cost))
    assert found.candidate.costs[0] <= problem.limits[0].bound


@given(**PROBLEMS, most=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_with_few_nodes_the_bound_still_holds(most: int, **drawn) -> None:
    problem = drawn_problem(**drawn)
    problem = problem.within(problem.limits[0].bound + 1e-9)
    best = problem.sign * solve(problem).candidate.value
    try:
        found = solve_by_levels(problem, most)
    except InvalidInput as error:
        assert "could not be settled" in str(error)
        return
    assert problem.sign * found.bound >= best - 1e-8
    assert problem.sign * found.candidate.value <= best + 1e-8
    assert not found.exact or problem.sign * found.candidate.value == pytest.approx(best)


def wide_problem(budget: float = -3.0) -> SearchProblem:
    """20 groups of 4, each coupled with the next: 10 ** 12 architectures, one block."""
    space = listed_space([4] * 20)
    rng = np.random.default_rng(0)
    objective = coupled(space, "accuracy", rng, False)
    groups = space.additive_groups
    objective.pairs.clear()
    for left, right in itertools.pairwise(groups):
        objective.pairs[f"{left}&{right}"] = rng.normal(size=(4, 4))
    latency = random_tables(space, "latency_ms", rng)
    return SearchProblem(objective, (Limit(latency, budget),))


def test_a_wide_chain_of_couplings_is_settled() -> None:
    problem = wide_problem()
    assert not problem.is_listed
    found = solve(problem)
    assert found.exact and found.candidate.costs[0] <= -3.0
    # No change of one group is better, nor of two neighbours.
    space, objective = problem.space, problem.objective
    [codes] = space.encode([found.candidate.architecture])
    latency = problem.limits[0].predictor
    for first in range(19):
        for pair in np.ndindex(4, 4):
            other = codes.copy()
            other[first : first + 2] = pair
            cost = latency.predict(space.decode(other[None]))["value"].iloc[0]
            assert cost > -3.0 or objective.value(other) <= found.candidate.value + 1e-9


def test_without_a_limit_a_chain_has_the_optimum_of_dynamic_programming() -> None:
    wide = wide_problem()
    problem = SearchProblem(wide.objective)
    values = [wide.objective.base.tables[0][g] for g in problem.space.additive_groups]
    best = values[0]
    for (_, pairs), own in zip(wide.objective.pairs.items(), values[1:], strict=True):
        best = (best[:, None] + pairs).max(axis=0) + own
    found = solve(problem)
    assert found.exact
    assert found.candidate.value == pytest.approx(wide.objective.base.constants[0] + best.max())


def test_nothing_is_proven_of_what_can_only_be_evaluated() -> None:
    space = listed_space([4] * 20)
    weights = np.random.default_rng(0).random(20)
    joint = JointPredictor(space, metric_of("accuracy"), lambda codes: 50 + np.sin(codes @ weights))
    found = solve_by_levels(SearchProblem(joint), most=3)
    assert not found.exact and math.isinf(found.bound) and found.proven == (None, None)
    assert found.candidate.value == joint.predict([found.candidate.architecture])["value"][0]


def test_what_does_not_apply_says_so() -> None:
    with pytest.raises(InvalidInput, match="no front, no annealing. 'python -m foxnas_core select"):
        search(wide_problem())


def test_an_unmet_budget_names_the_least() -> None:
    problem = wide_problem(-1000.0)
    least = sum(v.min() for v in problem.limits[0].predictor.tables[0].values())
    least += problem.limits[0].predictor.constants[0]
    with pytest.raises(InfeasibleBudget) as raised:
        solve(problem)
    assert math.isclose(raised.value.smallest, least)
