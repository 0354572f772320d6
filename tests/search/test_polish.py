"""Exchanges of options, held against all architectures."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.search.polish import polish
from tests.search.additive import brute_force, small_problem, solve_exact


@given(
    seed=st.integers(0, 10_000),
    whole=st.booleans(),
    sizes=st.sampled_from([[7], [6, 5], [4, 3, 5]]),
)
@settings(max_examples=25, deadline=None)
def test_polish_of_up_to_three_groups_is_exact(seed: int, whole: bool, sizes: list[int]) -> None:
    problem = small_problem(sizes, 1, seed, whole=whole, target="accuracy", quantile=0.5)
    table = problem.tables[0]
    for score, cost, _, options in brute_force(problem):
        if cost > problem.budget:
            continue
        polished = table.total(polish(table, np.array(options), problem.budget))
        assert polished[0] >= score
        assert polished[1] <= problem.budget
        # Other costs may miss the budget by rounding.
        if whole:
            assert polished[0] == solve_exact(problem).value


@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_no_exchange_of_three_groups_helps_what_was_polished(seed: int) -> None:
    problem = small_problem([3, 4, 3, 3], 1, seed, whole=True, target="accuracy", quantile=0.5)
    table = problem.tables[0]
    within = [row for row in brute_force(problem) if row[1] <= problem.budget]
    at = polish(table, np.array(within[0][3]), problem.budget)
    reached = table.total(at)[0]
    assert reached >= within[0][0]
    for score, _, _, options in within:
        if (np.array(options) == at).any():  # three differ at the most
            assert score <= reached
