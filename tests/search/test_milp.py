"""The optimum under many limits, held against brute force and against merging."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget
from foxnas_core.search.annealing import search
from foxnas_core.search.milp import (
    check_feasible,
    feasible_options,
    solve,
    solve_milp,
)
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.schedule import AnnealingSettings
from tests.search.additive import every_total, limited_problem

SIDES = st.sampled_from(["at_most", "at_least"])
DRAWN = {
    "sizes": st.lists(st.integers(1, 5), min_size=1, max_size=4),
    "contexts": st.integers(1, 3),
    "seed": st.integers(0, 100_000),
    "whole": st.booleans(),
    "target": st.sampled_from(["accuracy", "cross_entropy"]),
    "sides": st.lists(SIDES, min_size=1, max_size=3),
    "quantile": st.floats(0, 1),
    "pinned": st.booleans(),
    "ceiling": st.booleans(),
}


def fitting(problem: SearchProblem) -> list:
    return [row for row in every_total(problem) if all(row[1] <= problem.budgets)]


@given(**DRAWN)
@settings(max_examples=150, deadline=None)
def test_the_optimum_is_the_best_of_all_architectures_that_fit(**drawn) -> None:
    problem = limited_problem(**drawn)
    score, costs, context, _ = min(fitting(problem), key=lambda row: (-row[0], row[1], row[2]))
    for found in (solve(problem), solve_milp(problem)):
        assert found.exact and found.bound == found.candidate.value
        assert found.candidate.value == float(problem.value_of(score))
        assert found.candidate.costs == tuple(
            float(limit.value_of(cost)) for limit, cost in zip(problem.limits, costs, strict=True)
        )
        for name, value in problem.tables[context].context.items():
            assert found.candidate.architecture[name] == value
        for name, choices in problem.allowed.items():
            assert found.candidate.architecture[name] in choices
        for limit, cost in zip(problem.limits, found.candidate.costs, strict=True):
            assert cost <= limit.bound if limit.side == "at_most" else cost >= limit.bound


@given(**DRAWN, steps=st.integers(1, 200))
@settings(max_examples=60, deadline=None)
def test_annealing_keeps_every_limit_and_never_beats_the_optimum(steps: int, **drawn) -> None:
    problem = limited_problem(**drawn)
    result = search(problem, AnnealingSettings(steps=steps, seed=drawn["seed"]))
    assert result.gap >= 0 and result.bound is None
    for limit, cost in zip(problem.limits, result.best.costs, strict=True):
        assert cost <= limit.bound if limit.side == "at_most" else cost >= limit.bound
    for name, choices in problem.allowed.items():
        assert result.best.architecture[name] in choices


@given(**(DRAWN | {"sides": st.lists(SIDES, min_size=2, max_size=3)}),
       moved=st.lists(st.floats(0, 3), min_size=3, max_size=3))  # fmt: skip
@settings(max_examples=120, deadline=None)
def test_the_number_named_can_be_reached_and_no_nearer_one_can(moved: list, **drawn) -> None:
    problem = limited_problem(**drawn)
    limits = tuple(
        limit.at(limit.bound - limit.sign * by)
        for limit, by in zip(problem.limits, moved, strict=False)
    )
    problem = SearchProblem(problem.objective, limits, problem.allowed)
    fit = fitting(problem)
    found = feasible_options(problem)
    assert [options is not None for options in found] == [
        any(row[2] == context for row in fit) for context in range(len(problem.tables))
    ]
    if fit:
        check_feasible(problem)
        return
    with pytest.raises(InfeasibleBudget) as caught:
        solve(problem)
    error = caught.value
    position = [limit.column for limit in limits].index(error.column)
    nearest = limits[position].at(error.smallest)
    relaxed = [*limits[:position], nearest, *limits[position + 1 :]]
    rows = every_total(problem)
    others = [k for k in range(len(limits)) if k != position]
    held = [row for row in rows if all(row[1][k] <= problem.budgets[k] for k in others)]
    if held:
        # With the others held, exactly the least of what all architectures have.
        least = min(row[1][position] for row in held)
        assert error.smallest == float(nearest.value_of(least))
        solve(SearchProblem(problem.objective, tuple(relaxed), problem.allowed))
        assert f"at {'least' if nearest.side == 'at_most' else 'most'} that" in str(error)
