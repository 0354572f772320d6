"""The annealer: feasible, repeatable whatever the frames, and near the exact optimum."""

import itertools
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget
from foxnas_core.search.annealing import RECORDS, Annealer, search
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.schedule import AnnealingSettings, Mode, Schedule, target_acceptance
from foxnas_core.search.suggestion import limit_price, suggest_temperatures
from tests.search.additive import mini_problem, small_problem, solve_exact

SHORT = AnnealingSettings(steps=2_000, chains=1, restarts=0, seed=5)


def run(problem: SearchProblem, settings: AnnealingSettings) -> Annealer:
    annealer = Annealer(problem, settings)
    annealer.advance(annealer.total)
    return annealer


@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    contexts=st.integers(1, 3),
    seed=st.integers(0, 100_000),
    whole=st.booleans(),
    target=st.sampled_from(["accuracy", "cross_entropy"]),
    quantile=st.one_of(st.none(), st.floats(0, 1)),
    steps=st.integers(1, 300),
    schedule=st.sampled_from(["geometric", "adaptive"]),
    mode=st.sampled_from(["full", "teaching"]),
    restarts=st.integers(0, 2),
)
@settings(max_examples=40, deadline=None)
def test_the_best_is_feasible_and_never_beats_the_optimum(
    steps: int, schedule: str, mode: str, restarts: int, **drawn
) -> None:
    problem = small_problem(drawn.pop("sizes"), drawn.pop("contexts"), drawn["seed"],
                            **{k: drawn[k] for k in ("whole", "target", "quantile")})  # fmt: skip
    settings = AnnealingSettings(
        steps=steps, seed=drawn["seed"], schedule=schedule, mode=mode, restarts=restarts
    )
    annealer = Annealer(problem, settings)
    bests = []
    while not annealer.done:
        annealer.advance(37)
        if annealer.best:
            bests.append(annealer.best)
    exact = solve_exact(problem)
    for best in bests:
        assert all(cost <= problem.budget for cost in best.costs)
        assert problem.sign * best.value <= problem.sign * exact.value
    scores = [problem.sign * best.value for best in bests]
    assert scores == sorted(scores)
    assert bests


@pytest.mark.parametrize("seed", range(20))
def test_small_spaces_are_solved(seed: int) -> None:
    problem = small_problem(
        [4, 3, 5, 2], 2, seed, whole=False, target="accuracy", quantile=0.02 * seed
    )
    result = search(problem, AnnealingSettings(steps=5_000, seed=seed))
    assert result.gap == 0
    assert result.best == result.exact


def test_the_small_shipped_space_is_solved_within_a_hundredth_percent() -> None:
    for seed, budget in itertools.product(range(5), (3.0, 8.0, 20.0)):
        problem = mini_problem(seed, budget)
        result = search(problem, AnnealingSettings(seed=seed))
        assert result.gap <= 1e-4 * result.exact.value
        assert result.best.costs[0] <= budget


def test_annealing_alone_comes_near_without_the_polish() -> None:
    problem = mini_problem(budget=8.0)
    exact = solve_exact(problem)
    annealer = Annealer(problem, AnnealingSettings())
    annealer.advance(annealer.total - 1)
    assert not annealer.done
    assert annealer.best.value >= exact.value * (1 - 1e-3)


@given(
    cuts=st.lists(st.integers(1, 3_000), max_size=30),
    seed=st.integers(0, 3),
    schedule=st.sampled_from(get_args(Schedule)),
    mode=st.sampled_from(get_args(Mode)),
    restarts=st.integers(0, 2),
)
@settings(max_examples=25, deadline=None)
def test_frames_do_not_change_the_run(
    cuts: list[int], seed: int, schedule: Schedule, mode: Mode, restarts: int
) -> None:
    problem = PROBLEM
    settings = replace(
        SHORT, steps=1_009, seed=seed, chains=2, schedule=schedule, mode=mode, restarts=restarts
    )
    whole = run(problem, settings)
    cut = Annealer(problem, settings)
    for frame in cuts:
        before = cut.proposals
        cut.advance(frame)
        assert cut.proposals == min(before + frame, cut.total)
    cut.advance(cut.total)
    assert (cut.best, cut.current) == (whole.best, whole.current)
    pd.testing.assert_frame_equal(cut.trace, whole.trace, check_exact=True)


PROBLEM = mini_problem()


def test_seeds_differ() -> None:
    traces = [run(PROBLEM, replace(SHORT, seed=seed)).trace for seed in (0, 1)]
    assert not traces[0]["current_value"].equals(traces[1]["current_value"])


def test_the_global_random_state_is_left_alone() -> None:
    np.random.seed(0)
    before = np.random.get_state()[1].copy()
    run(PROBLEM, SHORT)
    assert (np.random.get_state()[1] == before).all()


@pytest.mark.parametrize("schedule", ["geometric", "linear", "logarithmic"])
def test_temperature_and_acceptance_fall(schedule: str) -> None:
    settings = AnnealingSettings(
        steps=20_000, restarts=0, start_temperature=5.0, end_temperature=0.01, schedule=schedule
    )
    trace = run(PROBLEM, settings).trace
    assert (trace["temperature"].diff().dropna() <= 0).all()
    assert trace["temperature"].iloc[0] <= 5.0
    assert trace["temperature"].iloc[-1] == 0.01
    tenth = len(trace) // 10
    # The logarithmic schedule is nearly cold from the start, so its first row speaks for it.
    hot, cold = trace["acceptance"].iloc[0], trace["acceptance"].iloc[-tenth:].mean()
    assert hot > 2 * cold
    assert trace["acceptance"].between(0, 1).all()


def test_all_is_accepted_at_a_great_temperature_whatever_chain_it_falls_to() -> None:
    """So acceptance counts exactly the proposals of its own rows, over all chains."""
    hot = AnnealingSettings(
        steps=333, chains=3, restarts=0, start_temperature=1e12, end_temperature=1e12
    )
    annealer = run(PROBLEM, hot)
    assert annealer.total == 333 * 3 * len(PROBLEM.tables)
    assert (annealer.trace["acceptance"] == 1.0).all()
    assert annealer.trace["proposals"].diff().dropna().iloc[:-1].nunique() == 1


def test_the_first_proposals_are_made_at_the_start_temperature() -> None:
    hot = AnnealingSettings(steps=1_000, start_temperature=1e9, end_temperature=1e-9)
    annealer = Annealer(PROBLEM, hot)
    annealer.advance(annealer.total)
    trace = annealer.trace
    assert trace["acceptance"].iloc[0] == 1.0  # everything passes when it is hot enough


def test_the_trace_is_on_a_fixed_grid_and_ends_with_the_result() -> None:
    annealer = run(PROBLEM, SHORT)
    trace = annealer.trace
    assert len(trace) == RECORDS
    assert trace["proposals"].iloc[-1] == annealer.total == len(PROBLEM.tables) * SHORT.steps
    assert trace["best_value"].iloc[-1] == annealer.best.value
    assert trace["best_cost"].iloc[-1] == annealer.best.costs[0]
    assert trace["best_value"].dropna().is_monotonic_increasing
    assert (trace["best_cost"].dropna() <= PROBLEM.budget).all()


def test_contexts_that_cannot_meet_the_limit_get_no_chain() -> None:
    smallest = sorted(table.smallest_cost for table in PROBLEM.tables)
    problem = PROBLEM.within(smallest[1])
    annealer = run(problem, SHORT)
    assert annealer.total == 2 * SHORT.steps
    assert sorted(annealer.penalties) == [0, 1]


def test_an_infeasible_budget_is_refused_before_the_run() -> None:
    with pytest.raises(InfeasibleBudget):
        Annealer(PROBLEM.within(0.1), SHORT)


def test_no_result_before_the_end() -> None:
    annealer = Annealer(PROBLEM, SHORT)
    annealer.advance(10)
    with pytest.raises(RuntimeError, match="not done"):
        annealer.result()


def test_temperatures_left_open_are_filled_in_consistently() -> None:
    start, end = suggest_temperatures(PROBLEM)
    assert start > end > 0
    assert Annealer(PROBLEM, SHORT).settings.start_temperature == start
    low = Annealer(PROBLEM, replace(SHORT, start_temperature=end / 10)).settings
    assert low.end_temperature == low.start_temperature == end / 10
    high = Annealer(PROBLEM, replace(SHORT, end_temperature=start * 10)).settings
    assert high.end_temperature == high.start_temperature == start * 10


def test_suggested_temperatures_scale_with_the_objective() -> None:
    def scaled(factor: float) -> SearchProblem:
        objective = PROBLEM.objective
        tables = [{g: factor * v for g, v in t.items()} for t in objective.tables]
        return SearchProblem(replace(objective, tables=tables), PROBLEM.limits)

    once, tenfold = suggest_temperatures(scaled(1.0)), suggest_temperatures(scaled(10.0))
    assert tenfold == pytest.approx([10 * once[0], 10 * once[1]], rel=1e-6)


def test_a_limit_that_does_not_bind_has_no_price() -> None:
    table = PROBLEM.tables[0]
    assert limit_price(table, 1e6) == 0.0
    assert limit_price(table, table.smallest_cost) > 0


def test_the_price_minimises_the_lagrangian_dual() -> None:
    budget = 6.0
    for table in PROBLEM.tables:

        def dual(price: float, table=table) -> float:
            return (
                table.score_constant
                + price * (budget - table.cost_constant)
                + sum((s - price * c).max() for s, c in zip(table.scores, table.costs, strict=True))
            )

        price = limit_price(table, budget)
        assert all(dual(price) <= dual(price * f) + 1e-9 for f in np.linspace(0.5, 2.0, 61))


def test_a_penalty_of_ones_own_is_used() -> None:
    annealer = Annealer(PROBLEM, replace(SHORT, penalty=0.25))
    assert set(annealer.penalties.values()) == {(0.25,)}


def test_preparing_compiles_and_leaves_the_run_as_it_was() -> None:
    from foxnas_core.search.chain import compiled_chains

    run_chains = compiled_chains()
    annealer = Annealer(mini_problem(), SHORT)
    annealer.prepare()
    compiled = list(run_chains.signatures)
    assert compiled
    annealer.advance(annealer.total)
    assert run_chains.signatures == compiled
    assert annealer.result().to_dict() == run(mini_problem(), SHORT).result().to_dict()


# Restarts


def test_a_restart_is_another_run_that_the_best_outlives() -> None:
    once = run(PROBLEM, replace(SHORT, mode="teaching"))
    twice = run(PROBLEM, replace(SHORT, mode="teaching", restarts=1))
    assert twice.total == 2 * once.total
    half = twice.trace[twice.trace["proposals"] <= once.total]
    assert twice.best.value >= once.best.value
    # The first half is the run without restarts: all its proposals are the same.
    assert half["current_value"].iloc[-1] == once.trace["current_value"].iloc[-1]
    assert half["best_value"].iloc[-1] == once.trace["best_value"].iloc[-1]
    temperature = twice.trace["temperature"]
    assert (temperature.diff() > 0).sum() == 1  # hot again once
    assert temperature.max() <= twice.settings.start_temperature


def test_a_restart_does_not_repeat_the_run() -> None:
    chain = run(PROBLEM, replace(SHORT, restarts=1)).trace
    first, second = np.split(chain["current_value"].to_numpy(), 2)
    assert not (first == second).all()


# Teaching


@pytest.mark.parametrize("temperature", [1e-9, 0.5, 1e12])
def test_in_the_teaching_mode_no_step_leaves_the_budget(temperature: float) -> None:
    settings = replace(
        SHORT, mode="teaching", start_temperature=temperature, end_temperature=temperature
    )
    annealer = Annealer(PROBLEM, settings)
    assert annealer.best.costs[0] <= PROBLEM.budget  # it starts at a feasible one
    annealer.advance(annealer.total)
    assert (annealer.trace["current_cost"] <= PROBLEM.budget).all()
    assert set(annealer.penalties.values()) == {(np.inf,)}


def test_in_the_teaching_mode_nothing_is_polished() -> None:
    cold = AnnealingSettings(
        steps=300, mode="teaching", start_temperature=1e-9, end_temperature=1e-9
    )
    annealer = Annealer(PROBLEM, cold)
    annealer.advance(annealer.total - 1)
    last_but_one = annealer.best
    annealer.advance(1)
    # At zero temperature it climbs, and one step more changes one decision at most.
    assert annealer.best.value >= last_but_one.value
    assert annealer.best.value < search(PROBLEM, replace(cold, mode="full")).best.value


def test_a_chain_without_a_limit_does_not_start_at_the_optimum() -> None:
    problem = SearchProblem(PROBLEM.objective)
    annealer = Annealer(problem, replace(SHORT, mode="teaching"))
    assert annealer.current != solve_exact(problem)


# The adaptive schedule


def test_an_adaptive_run_accepts_what_it_wants_to() -> None:
    settings = AnnealingSettings(steps=100_000, chains=1, restarts=0, schedule="adaptive", seed=1)
    problem = PROBLEM.within(min(t.smallest_cost for t in PROBLEM.tables) * 1.5)
    annealer = run(problem, settings)
    assert len(annealer.penalties) == 1  # with one chain the trace is that chain's
    trace = annealer.trace
    progress = trace["proposals"] / annealer.total
    wanted = np.array([target_acceptance(p) for p in progress])
    level = progress.between(0.25, 0.65)
    assert trace["acceptance"][level].mean() == pytest.approx(0.44, abs=0.02)
    assert np.abs(trace["acceptance"] - wanted)[level].mean() < 0.05
    assert trace["acceptance"].iloc[-5:].mean() < 0.1
    start, end = annealer.settings.start_temperature, annealer.settings.end_temperature
    assert trace["temperature"].between(end, start).all()


def test_an_adaptive_schedule_starts_hotter_than_the_others() -> None:
    fixed, adaptive = suggest_temperatures(PROBLEM), suggest_temperatures(PROBLEM, "adaptive")
    assert adaptive[0] > fixed[0] and adaptive[1] == fixed[1]
    assert (
        Annealer(PROBLEM, replace(SHORT, schedule="adaptive")).settings.start_temperature
        == (adaptive[0])
    )


def test_an_adaptive_schedule_comes_as_near_as_a_fixed_one() -> None:
    problem = mini_problem(budget=8.0)
    exact = solve_exact(problem)
    annealer = Annealer(problem, AnnealingSettings(schedule="adaptive"))
    annealer.advance(annealer.total - 1)  # the polish is the last proposal's
    assert annealer.best.value >= exact.value * (1 - 1e-3)
