"""The fewest and the cheapest edits, held against brute force."""

import itertools

import numpy as np
import pytest
from hand import hand_document, hand_space
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget
from foxnas_core.families import space_from_dict
from foxnas_core.regression.link import Link
from foxnas_core.search.counterfactual import (
    EditCount,
    better_by,
    counterfactuals,
    edits_between,
)
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.solving import solve
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from tests.search.additive import (
    LIMITED,
    TablePredictor,
    every_total,
    limited_problem,
    mini_problem,
    random_tables,
    solve_exact,
)


def told_apart(space: SearchSpace, before: Architecture, after: Architecture) -> int:
    """The edits counted one by one, as one would make them."""
    return sum(value != before.get(name, value) for name, value in after.choices)


def all_of(space: SearchSpace) -> list[Architecture]:
    parts = [list(space.group_options(group)) for group in space.groups]
    return [
        space.architecture({k: v for part in chosen for k, v in part.items()})
        for chosen in itertools.product(*parts)
    ]


def brute_front(problem: SearchProblem, base: Architecture) -> list[tuple[float, float]]:
    """Edits and best value of every number of edits that reaches more, by listing everything."""
    held = []
    for score, costs, context, options in every_total(problem):
        if all(np.array(costs) <= problem.budgets):
            after = problem.architecture(context, options)
            held.append((float(told_apart(problem.space, base, after)), -score))
    found, best = [], -np.inf
    for edits, negative in sorted(held):
        if -negative > best:
            best = -negative
            found.append((edits, float(problem.value_of(best))))
    return found


def check(problem: SearchProblem, base: Architecture) -> None:
    expected = brute_front(problem, base)
    if not expected:
        with pytest.raises(InfeasibleBudget):
            counterfactuals(problem, base)
        return
    found = counterfactuals(problem, base)
    assert list(zip(found.costs, found.values, strict=True)) == expected
    for point, (edits, value) in enumerate(expected):
        candidate = found.candidate(point)
        assert candidate.value == value
        assert told_apart(problem.space, base, candidate.architecture) == edits
        for limit, cost in zip(problem.limits, candidate.costs[1:], strict=True):
            assert cost <= limit.bound if limit.side == "at_most" else cost >= limit.bound
        for name, choices in problem.allowed.items():
            assert candidate.architecture.get(name) in (*choices, None)


@given(**LIMITED, start=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_every_number_of_edits_has_the_best_there_is(start: int, **drawn) -> None:
    problem = limited_problem(**drawn)
    everything = all_of(problem.space)
    check(problem, everything[start % len(everything)])


DEEP = {
    "seed": st.integers(0, 100_000),
    "start": st.integers(0, 10_000),
    "quantile": st.floats(0, 1),
    "whole": st.booleans(),
    "side": st.sampled_from(["at_most", "at_least"]),
    "target": st.sampled_from(["accuracy", "cross_entropy"]),
    "resolutions": st.sampled_from([(), (16, 32), (8, 16, 32)]),
    "pinned": st.booleans(),
}


def deep_problem(
    seed: int, quantile: float, whole: bool, side: str, target: str, resolutions, pinned: bool
) -> SearchProblem:
    """Stages whose depth opens blocks; predictions below a ceiling half of the time."""
    rng = np.random.default_rng(seed)
    document = hand_document(resolutions=resolutions)
    for slot in ("q2", "q3"):  # two more blocks, that each open with a depth of their own
        document["decisions"].append(
            {"name": f"{slot}_kernel", "group": "q", "role": "kernel", "choices": [3, 5],
             "slot": slot,
             "conditions": [{"decision": "q_depth", "values": [2, 3] if slot == "q2" else [3]}]}
        )  # fmt: skip
    depth = {"name": "q_depth", "group": "q", "role": "depth", "choices": [1, 2, 3]}
    at = [d["name"] for d in document["decisions"]].index("q1_kernel")
    document["decisions"].insert(at, depth)
    space = space_from_dict(document)
    objective, own = random_tables(space, target, rng, whole), random_tables(
        space, "latency_ms", rng, whole
    )  # fmt: skip
    if seed % 2:
        bent = Link(0.0, 0.02)
        objective = TablePredictor(
            space, objective.target, objective.constants, objective.tables, link=bent
        )
        own = TablePredictor(space, own.target, own.constants, own.tables, link=bent)
    allowed = {}
    if pinned:
        for decision in space.decisions:
            if rng.random() < 0.4:
                count = int(rng.integers(1, len(decision.choices) + 1))
                chosen = rng.choice(len(decision.choices), count, replace=False)
                allowed[decision.name] = tuple(decision.choices[i] for i in chosen)
    problem = SearchProblem(objective, (Limit(own, **{side: 0.0}),), allowed)
    costs = sorted(costs[0] for _, costs, _, _ in every_total(problem))
    cost = costs[int(quantile * (len(costs) - 1))]
    return problem.within(float(problem.limits[0].value_of(cost)))


@given(**DEEP)
@settings(max_examples=25, deadline=None)
def test_blocks_that_open_and_close_are_counted(start: int, **drawn) -> None:
    problem = deep_problem(**drawn)
    everything = all_of(problem.space)
    check(problem, everything[start % len(everything)])


@given(**DEEP, percent=st.integers(-300, 300))
@settings(max_examples=15, deadline=None)
def test_a_relative_goal_is_held_against_the_start(start: int, percent: int, **drawn) -> None:
    problem = deep_problem(**drawn | {"pinned": False})
    everything = all_of(problem.space)
    base, amount = everything[start % len(everything)], percent / 100
    asked = better_by(problem, base, amount)
    limit = asked.limits[0]
    value = float(limit.predictor.predict([base])["value"].iloc[0])
    sign = 1 if limit.side == "at_least" else -1
    assert sign * (limit.bound - value) == pytest.approx(amount, rel=1e-6, abs=1e-6)
    check(asked, base)
    if amount <= 0:
        assert counterfactuals(asked, base).costs[0] == 0  # it is kept as it stands


def test_an_edit_is_a_choice_that_changes() -> None:
    space = hand_space(resolutions=(16, 32))
    shallow = space.architecture({"resolution": 16, "p_depth": 1, "p1_kernel": 5, "q1_kernel": 7})

    def edited(**changes: int) -> Architecture:
        return space.architecture({**shallow.to_dict(), **changes})

    assert edits_between(space, shallow, shallow) == 0
    assert edits_between(space, shallow, edited(resolution=32)) == 1
    assert edits_between(space, shallow, edited(p1_kernel=3, q1_kernel=3)) == 2
    # A block that opens is one edit, whatever it is.
    assert edits_between(space, shallow, edited(p_depth=2, p2_kernel=3)) == 1
    assert edits_between(space, shallow, edited(p_depth=2, p2_kernel=7)) == 1
    # Closed is closed, whatever was chosen.
    assert edits_between(space, edited(p_depth=2, p2_kernel=7), shallow) == 1


def test_every_neighbour_is_one_edit_away() -> None:
    space = hand_space(resolutions=(16, 32))
    for base in all_of(space):
        assert all(edits_between(space, base, other) == 1 for other in space.neighbours(base))
        assert (EditCount(space, base).predict(all_of(space))["value"] == 0).sum() == 1


def test_in_a_large_space_the_last_is_the_optimum_and_all_agree_with_bounds() -> None:
    problem = mini_problem(budget=3.5)
    base = problem.space.extreme("largest")
    found = counterfactuals(problem, base)
    assert found.values[-1] == solve_exact(problem).value
    assert len(found) > 5
    for point in range(len(found)):
        edits = float(found.costs[point])
        assert found.within(edits) == found.candidate(point)
        exact = solve(found.problem.within(edits))  # by integer programming
        assert exact.exact and exact.candidate.value == found.values[point]
    with pytest.raises(InfeasibleBudget, match="edits"):
        found.within(float(found.costs[0]) - 1)


def test_two_limits_and_one_go_different_ways_to_the_same(monkeypatch) -> None:
    problem = mini_problem(budget=6.0)
    base = problem.space.extreme("smallest")
    found = counterfactuals(problem, base)
    monkeypatch.setattr("foxnas_core.search.exact.MOST_COMPARED", 10**7)
    other = front(found.problem)
    assert other.values.tolist() == found.values.tolist()
    assert other.costs.tolist() == found.costs.tolist()


def test_a_goal_out_of_reach_names_the_nearest() -> None:
    problem = mini_problem()
    base = problem.space.extreme("smallest")
    with pytest.raises(InfeasibleBudget, match="smallest that can be reached") as caught:
        counterfactuals(better_by(problem, base, 0.1), base)
    assert caught.value.smallest == problem.candidate(*problem.position(base)).costs[0]
