"""Problems that are no sum over groups, held against brute force over whole architectures."""

import itertools
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.search.annealing import search
from foxnas_core.search.coupling import JointPredictor, blocks_of
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.solving import solve
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import metric_of
from tests.search.additive import (
    TablePredictor,
    listed_space,
    random_tables,
    solve_exact,
    unbounded,
)

PROBLEMS = {
    "sizes": st.lists(st.integers(1, 4), min_size=1, max_size=4),
    "contexts": st.integers(1, 3),
    "seed": st.integers(0, 100_000),
    "whole": st.booleans(),
    "target": st.sampled_from(["accuracy", "cross_entropy"]),
    "kind": st.sampled_from(["joint", "coupled", "joint cost", "both"]),
    "quantile": st.floats(0, 1),
    "pinned": st.booleans(),
}


@dataclass(frozen=True, eq=False)
class Coupled:
    """A table's sums, and a number for each pair of choices of two neighbouring groups."""

    base: TablePredictor
    pairs: dict[str, np.ndarray]

    def __getattr__(self, name):
        return getattr(self.base, name)

    @property
    def couplings(self) -> dict[str, tuple[str, ...]]:
        named = {group: self.space.in_group(group)[0].name for group in self.space.additive_groups}
        return {name: tuple(named[g] for g in name.split("&")) for name in self.pairs}

    def split(self, context: dict) -> "CoupledValues":
        return CoupledValues(self, self.base.split(context))

    def value(self, codes: np.ndarray) -> float:
        [architecture] = self.space.decode(codes[None])
        names = {d.name for g in self.space.context for d in self.space.in_group(g)}
        parts = self.split({n: v for n, v in architecture.choices if n in names})
        groups = [*self.space.additive_groups, *self.pairs]
        return parts.constant + sum(float(parts.group_values(g, codes[None])[0]) for g in groups)


@dataclass(frozen=True, eq=False)
class CoupledValues:
    coupled: Coupled
    base: object

    @property
    def constant(self) -> float:
        return self.base.constant

    def group_values(self, group: str, codes: np.ndarray) -> np.ndarray:
        if group not in self.coupled.pairs:
            return self.base.group_values(group, codes)
        columns = [self.coupled.base.columns[own].start for own in group.split("&")]
        return self.coupled.pairs[group][codes[:, columns[0]], codes[:, columns[1]]]


def joint(space: SearchSpace, target: str, rng: np.random.Generator, whole: bool) -> JointPredictor:
    shape = [len(d.choices) for d in space.decisions]
    values = rng.integers(-3, 4, shape).astype(float) if whole else rng.normal(size=shape)
    return JointPredictor(space, unbounded(target), lambda codes: values[tuple(codes.T)])


def coupled(space: SearchSpace, target: str, rng: np.random.Generator, whole: bool) -> Coupled:
    base = random_tables(space, target, rng, whole)
    groups = [g for g in space.additive_groups if rng.random() < 0.8]
    pairs = {}
    for left, right in itertools.pairwise(groups):
        shape = space.group_size(left), space.group_size(right)
        pairs[f"{left}&{right}"] = (
            rng.integers(-3, 4, shape).astype(float) if whole else rng.normal(size=shape)
        )
    return Coupled(base, pairs)


def drawn_problem(sizes, contexts, seed, whole, target, kind, quantile, pinned) -> SearchProblem:
    rng = np.random.default_rng(seed)
    space = listed_space(sizes, contexts)
    makers = {
        "joint": (joint, random_tables),
        "coupled": (coupled, random_tables),
        "joint cost": (random_tables, joint),
        "both": (coupled, coupled),
    }[kind]
    objective = makers[0](space, target, rng, whole)
    latency = makers[1](space, "latency_ms", rng, whole)
    allowed = {}
    if pinned:
        decision = space.decisions[int(rng.integers(len(space.decisions)))]
        kept = rng.choice(len(decision.choices), int(rng.integers(1, len(decision.choices) + 1)))
        allowed = {decision.name: tuple(decision.choices[i] for i in kept)}
    open_ = SearchProblem(objective, (Limit(latency, 0.0),), allowed)
    costs = sorted(cost for _, cost, _ in rows_of(open_))
    return open_.within(costs[int(quantile * (len(costs) - 1))])


def rows_of(problem: SearchProblem) -> list[tuple[float, float, str]]:
    """Value, cost and id of every allowed architecture, by what whole predictors say."""
    space = problem.space
    codes = space.option_codes(space.decisions)

    def values(predictor) -> np.ndarray:
        if isinstance(predictor, Coupled):
            return np.array([predictor.value(row) for row in codes])
        return predictor.predict(space.decode(codes))["value"].to_numpy()

    architectures = space.decode(codes)
    return [
        (float(value), float(cost), a.id)
        for value, cost, a in zip(
            values(problem.objective), values(problem.limits[0].predictor), architectures,
            strict=True,
        )
        if all(a[name] in choices for name, choices in problem.allowed.items())
    ]  # fmt: skip


@given(**PROBLEMS)
@settings(max_examples=60, deadline=None)
def test_the_optimum_and_the_front_are_those_of_all_architectures(**drawn) -> None:
    problem = drawn_problem(**drawn)
    rows = rows_of(problem)
    bound = problem.limits[0].bound
    slack = 1e-9  # sums in another order
    feasible = [row for row in rows if row[1] <= bound + slack]
    best = max(problem.sign * value for value, _, _ in feasible)
    found = solve_exact(problem.within(bound + slack))
    assert problem.sign * found.value == pytest.approx(best, abs=1e-9)
    known = {own: (value, cost) for value, cost, own in rows}
    value, cost = known[found.architecture.id]
    assert (found.value, found.costs[0]) == pytest.approx((value, cost), abs=1e-9)

    whole = front(problem)
    for candidate_value, candidate_cost in zip(whole.values, whole.costs, strict=True):
        better = max(problem.sign * v for v, c, _ in rows if c <= candidate_cost + slack)
        assert problem.sign * candidate_value == pytest.approx(better, abs=1e-9)


@given(**PROBLEMS)
@settings(max_examples=10, deadline=None)
def test_annealing_runs_on_them_and_is_held_against_the_optimum(**drawn) -> None:
    problem = drawn_problem(**drawn)
    problem = problem.within(problem.limits[0].bound + 1e-9)
    result = search(problem, AnnealingSettings(steps=300, restarts=1))
    assert result.exact == solve(problem).candidate and result.gap is not None
    assert result.gap >= 0 and result.bound is None
    assert result.best.costs[0] <= problem.limits[0].bound
    teaching = search(problem, AnnealingSettings(steps=50, restarts=0, mode="teaching"))
    assert teaching.gap is not None and teaching.gap >= 0


def test_several_limits_are_held_together() -> None:
    rng = np.random.default_rng(4)
    space = listed_space([4, 3, 4])
    limits = [joint(space, column, rng, False) for column in ("latency_ms", "macs")]
    objective = coupled(space, "accuracy", rng, False)
    problem = SearchProblem(objective, tuple(Limit(p, 0.3) for p in limits))
    architectures = space.decode(space.option_codes(space.decisions))
    values = [objective.value(row) for row in space.encode(architectures)]
    costs = [p.predict(architectures)["value"] for p in limits]
    best = max(v for v, *paid in zip(values, *costs, strict=True) if max(paid) <= 0.3)
    assert solve(problem).candidate.value == pytest.approx(best)


def test_an_unmet_budget_names_the_least_that_can_be_reached() -> None:
    space = listed_space([3, 3])
    predictor = joint(space, "latency_ms", np.random.default_rng(0), False)
    least = predictor.predict(space.decode(space.option_codes(space.decisions)))["value"].min()
    problem = SearchProblem(random_tables(space, "accuracy", np.random.default_rng(1)),
                            (Limit(predictor, least - 1),))  # fmt: skip
    with pytest.raises(InfeasibleBudget) as raised:
        solve(problem)
    assert raised.value.smallest == least


def test_only_coupled_groups_become_one() -> None:
    space = listed_space([2, 3, 4, 5])
    assert blocks_of(space, {}, {"alone": ("edge0",)}) is space
    blocks = blocks_of(space, {"a": ("edge0", "edge2")}, {"b": ("edge2", "edge3")})
    assert blocks.additive_groups == ("g0 + g2 + g3", "g1")
    assert [d.name for d in blocks.decisions] == [d.name for d in space.decisions]
    assert blocks.group_size("g0 + g2 + g3") == 40


def test_a_predictor_must_give_a_finite_number_for_each() -> None:
    space = listed_space([2, 2])
    for values in (lambda codes: np.full(len(codes), np.nan), lambda codes: np.zeros(1)):
        problem = SearchProblem(JointPredictor(space, metric_of("accuracy"), values))
        with pytest.raises(InvalidInput, match="one finite number for each of 4 architectures"):
            solve(problem)
