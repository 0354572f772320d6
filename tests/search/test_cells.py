"""Predictions across stages are searched exactly: held against all architectures of small spaces,
and against the integer programme where these are too many to list."""

import functools
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.regression import Predictor
from foxnas_core.regression.features import build_form
from foxnas_core.search.annealing import search
from foxnas_core.search.beginnings import begun_at
from foxnas_core.search.cells import Cells
from foxnas_core.search.counterfactual import counterfactuals, edits_between
from foxnas_core.search.exact import front
from foxnas_core.search.feasibility import feasible_tables
from foxnas_core.search.limits import Limit
from foxnas_core.search.milp import best_of_several
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.solving import solve
from foxnas_core.search.stability import draw_estimates, resampled_fronts
from foxnas_core.search.suggestion import affordable_restarts
from foxnas_core.search.ties import tied_set
from foxnas_core.space.search_space import SearchSpace
from tests.conftest import tiny_document
from tests.hand import table_of

TINY = space_from_dict(tiny_document())
MINI = load_shipped("foxnas-mini")


@functools.cache
def all_codes(space: SearchSpace = TINY) -> np.ndarray:
    return space.option_codes(space.decisions)


def predictor_of(space: SearchSpace, target: str, form: str, seed: int) -> Predictor:
    """Any estimates, effects across stages as large as others."""
    built = build_form(form, space, target)
    estimates = np.random.default_rng(seed).normal(0, 0.3, built.parameters)
    estimates[0] = 50.0  # far from the bounds of what either can be
    table = table_of(space, space.random_codes(3, seed=0), **{target: np.arange(1.0, 4.0)})
    return Predictor.exact(built, estimates, table, np.empty(0))


def problem_of(
    space: SearchSpace, seed: int, cost: str, allowed: dict | None = None
) -> SearchProblem:
    objective = predictor_of(space, "accuracy", "across_stages", seed)
    limited = predictor_of(space, "parameters", cost, seed + 1)
    return SearchProblem(objective, (Limit(limited, 0.0),), allowed or {})


def within(problem: SearchProblem, quantile: float) -> SearchProblem:
    costs = problem.limits[0].predictor.predict_codes(all_codes())["value"]
    return problem.within(float(np.quantile(costs, quantile)))


@settings(max_examples=15)
@given(
    seed=st.integers(0, 10_000),
    cost=st.sampled_from(["per_layer", "across_stages"]),
    quantile=st.floats(0.02, 1),
    pinned=st.booleans(),
)
def test_the_optimum_and_the_front_are_those_of_all_architectures(
    seed: int, cost: str, quantile: float, pinned: bool
) -> None:
    depth = next(d for d in TINY.decisions if d.role == "depth")
    allowed = {depth.name: depth.choices[-1:]} if pinned else {}
    problem = within(problem_of(TINY, seed, cost, allowed), quantile)
    codes = all_codes()
    if pinned:
        codes = codes[codes[:, TINY.decisions.index(depth)] == len(depth.choices) - 1]
    values, costs = (p.predict_codes(codes)["value"].to_numpy() for p in problem.predictors)
    fits = costs <= problem.limits[0].bound
    assert isinstance(problem.tables, Cells)
    if not fits.any():
        with pytest.raises(InfeasibleBudget):
            solve(problem)
        return
    found = solve(problem)
    assert found.exact
    assert found.candidate.value == pytest.approx(values[fits].max(), abs=1e-9)
    again = [
        float(p.predict([found.candidate.architecture])["value"][0]) for p in problem.predictors
    ]
    assert again == pytest.approx([found.candidate.value, *found.candidate.costs], abs=1e-9)
    whole = front(problem)
    for budget in np.quantile(costs, [0.0, 0.1, 0.5, 0.9, 1.0]) + 1e-9:
        best = values[costs <= budget].max()
        assert whole.within(float(budget)).value == pytest.approx(best, abs=1e-9)
    bounds = problem.tables.bounds(problem.budget)
    assert bounds.max() >= problem.sign * found.candidate.value - 1e-9


def test_the_integer_programme_finds_no_better_one_among_all_cells() -> None:
    problem = problem_of(MINI, 5, "per_layer")
    budget = float(np.quantile(front(problem).costs, 0.4))
    found = solve(problem.within(budget))
    tables = [problem.tables[i].reduced for i in range(0, 81, 4)]
    other = best_of_several(tables, np.array([budget]), 60)
    assert other.score <= problem.sign * found.candidate.value + 1e-9
    at = next(
        i for i, t in enumerate(problem.tables)
        if all(found.candidate.architecture[n] == v for n, v in t.fixed.items())
    )  # fmt: skip
    own = best_of_several([problem.tables[at].reduced], np.array([budget]), 60)
    assert own.score == pytest.approx(problem.sign * found.candidate.value, abs=1e-9)


def test_annealing_finds_it_bit_for_bit() -> None:
    problem = problem_of(MINI, 7, "per_layer")
    problem = problem.within(float(np.quantile(front(problem).costs, 0.6)))
    how = AnnealingSettings(steps=2000, restarts=1, seed=3)
    first, second = search(problem, how), search(problem, how)
    assert first.best == second.best
    assert first.best.value <= first.exact.value + 1e-9
    assert first.best.value == pytest.approx(first.exact.value, abs=0.3)


def test_many_chains_begin_anew_less_often() -> None:
    problem, how = within(problem_of(TINY, 11, "per_layer"), 0.6), AnnealingSettings()
    chains = len(feasible_tables(problem))
    each = how.steps * chains
    assert affordable_restarts(problem, how) == min(how.restarts, 800_000 // each - 1)
    longer = replace(how, steps=200_000 // chains)
    assert affordable_restarts(problem, longer) == 3
    assert affordable_restarts(problem, replace(how, steps=10**7)) == 0


def test_the_fewest_edits_are_counted_across_stages() -> None:
    problem = within(problem_of(TINY, 11, "per_layer"), 0.6)
    base = TINY.decode(all_codes()[:1])[0]
    found = counterfactuals(problem, base)
    values, costs = (p.predict_codes(all_codes())["value"].to_numpy() for p in problem.predictors)
    every = TINY.decode(all_codes())
    edits = np.array([edits_between(TINY, base, own) for own in every])
    for point in range(len(found)):
        near = (edits <= found.costs[point]) & (costs <= problem.limits[0].bound)
        assert found.values[point] == pytest.approx(values[near].max(), abs=1e-9)


@pytest.mark.parametrize("begin", ["random", "smallest", "largest"])
def test_a_chain_goes_by_single_edits_at_the_depths_that_promise_most(begin: str) -> None:
    problem = problem_of(TINY, 11, "per_layer")
    best = max(front(problem).values)
    found = search(problem.within(1e9), AnnealingSettings(2000, mode="teaching", begin=begin))
    assert found.best.value == pytest.approx(best, abs=1e-9)


def test_a_chain_begins_as_near_to_a_subnet_as_its_depths_allow() -> None:
    problem = problem_of(TINY, 11, "per_layer").within(1e9).whole
    codes = all_codes()
    [subnet] = TINY.decode(codes[[5]])
    begun = begun_at(problem, json.dumps(subnet.to_dict()))
    assert begun is not None
    found = [problem.architecture(table, options) for table, options in enumerate(begun)]
    assert subnet in found
    for table, architecture in zip(problem.tables, found, strict=True):
        same = [all(a[k] == v for k, v in table.fixed.items()) for a in TINY.decode(codes)]
        [own] = TINY.encode([architecture])
        differ = (codes[same] != codes[5]).sum(axis=1)
        assert (own != codes[5]).sum() == differ.min()


@settings(max_examples=8)
@given(
    seed=st.integers(0, 10_000),
    form=st.sampled_from(["across_stages", "count_across_stages"]),
    blur=st.sampled_from([1e-6, 1e-3, 1e-1]),
)
def test_what_can_not_be_told_from_the_optimum_is_that_of_all(
    seed: int, form: str, blur: float
) -> None:
    cost = predictor_of(TINY, "parameters", "per_layer", seed + 1)
    objective = predictor_of(TINY, "accuracy", form, seed)
    objective = replace(objective, covariance=blur * np.eye(objective.parameters), df=50)
    budget = float(np.quantile(cost.predict_codes(all_codes())["value"], 0.6))
    tied = tied_set(front(SearchProblem(objective, (Limit(cost, budget),))), budget, most=10**6)
    every = TINY.decode(all_codes())
    rows = objective.form.matrix(all_codes())
    [best] = objective.form.matrix(TINY.encode([tied.optimum.architecture]))
    difference, std_error = objective.combine(rows - best)
    within = cost.predict(every)["value"].to_numpy() <= budget
    same = np.abs(difference) <= objective.quantile(0.95) * std_error + 1e-9
    assert tied.complete and set(tied.architectures) == {
        every[i] for i in np.flatnonzero(within & same)
    }


def test_resampled_fronts_are_those_of_the_drawn_estimates() -> None:
    problem = within(problem_of(TINY, 11, "per_layer"), 0.6)
    objective, cost = (replace(predictor, df=50) for predictor in problem.predictors)
    budget = problem.limits[0].bound
    wide = replace(objective, covariance=0.01 * np.eye(objective.parameters))
    known = (Limit(cost, budget),)
    drawn = draw_estimates(wide, 3, np.random.default_rng(0))
    costs = cost.predict_codes(all_codes())["value"].to_numpy()
    own = resampled_fronts(front(SearchProblem(wide, known)), draws=3).at(budget)
    for estimates, best in zip(drawn, own.architectures, strict=True):
        values = replace(wide, estimates=estimates).predict_codes(all_codes())["value"].to_numpy()
        [value] = replace(wide, estimates=estimates).predict([best])["value"]
        assert value == pytest.approx(values[costs <= budget].max(), abs=1e-9)
