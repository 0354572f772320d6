"""The loops as Python runs them make what the compiled ones make, to the last bit."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.search import chain, compiling
from foxnas_core.search.annealing import Annealer
from foxnas_core.search.polish import polish
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.schedule import AnnealingSettings
from tests.search.additive import (
    LIMITED,
    SIDES,
    brute_force,
    limited_problem,
    mini_problem,
    small_problem,
)


def run(problem: SearchProblem, settings: AnnealingSettings, *, compiled: bool) -> Annealer:
    annealer = Annealer(problem, settings)
    annealer._compiled = compiled
    annealer._run_chains = annealer._loop()
    annealer.advance(annealer.total)
    return annealer


def same(problem: SearchProblem, settings: AnnealingSettings) -> bool:
    one, other = (run(problem, settings, compiled=compiled) for compiled in (True, False))
    for name in ("options", "now", "met", "counts", "random", "temperatures", "champion_totals"):
        arrays = (getattr(annealer._arrays, name) for annealer in (one, other))
        assert np.array_equal(*arrays, equal_nan=True), name
    return one.result().to_dict() == other.result().to_dict()


@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    contexts=st.integers(1, 3),
    seed=st.integers(0, 100_000),
    whole=st.booleans(),
    quantile=st.one_of(st.none(), st.floats(0, 1)),
    steps=st.integers(1, 300),
    chains=st.integers(1, 3),
    schedule=st.sampled_from(["geometric", "adaptive", "linear", "logarithmic"]),
    mode=st.sampled_from(["full", "teaching"]),
    restarts=st.integers(0, 2),
)
@settings(max_examples=25, deadline=None)
def test_runs_are_equal(sizes, contexts, seed, whole, quantile, **how) -> None:
    problem = small_problem(
        sizes, contexts, seed, whole=whole, target="accuracy", quantile=quantile
    )
    assert same(problem, AnnealingSettings(seed=seed, **how))


@pytest.mark.parametrize("mode", ["full", "teaching"])
@pytest.mark.parametrize("schedule", ["geometric", "adaptive"])
def test_runs_of_a_fitted_study_are_equal(mode: str, schedule: str) -> None:
    settings = AnnealingSettings(steps=4000, chains=2, restarts=1, seed=3)
    assert same(mini_problem(), replace(settings, mode=mode, schedule=schedule))


@given(
    **{name: LIMITED[name] for name in LIMITED if name != "sides"},
    sides=st.lists(SIDES, min_size=2, max_size=3),
    steps=st.integers(1, 200),
)
@settings(max_examples=10, deadline=None)
def test_runs_under_several_limits_are_equal(steps: int, **drawn) -> None:
    assert same(limited_problem(**drawn), AnnealingSettings(steps=steps, restarts=1, seed=2))


def test_a_run_longer_than_its_parts_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chain, "_TOGETHER", 7)
    assert same(mini_problem(), AnnealingSettings(steps=500, restarts=1, seed=4))


@given(
    seed=st.integers(0, 10_000),
    whole=st.booleans(),
    sizes=st.sampled_from([[7], [6, 5], [4, 3, 5], [3, 4, 3, 3]]),
)
@settings(max_examples=15, deadline=None)
def test_exchanges_are_equal(seed: int, whole: bool, sizes: list[int]) -> None:
    problem = small_problem(sizes, 1, seed, whole=whole, target="accuracy", quantile=0.5)
    table = problem.tables[0]
    for _, cost, _, options in brute_force(problem)[::7]:
        if cost <= problem.budget:
            polished = [
                polish(table, np.array(options), problem.budget, compiled=compiled)
                for compiled in (True, False)
            ]
            assert np.array_equal(*polished)


def test_the_generator_is_splitmix64() -> None:
    """The first numbers of the published reference implementation from seed 1234567."""
    state = np.array([1234567], np.uint64)
    assert chain.draws(state, 3).tolist() == [
        6457827717110365317, 3203168211198807973, 9817491932198370423,
    ]  # fmt: skip


def test_a_short_run_compiles_nothing_and_a_second_one_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_made", 0)
    assert not compiling.compiling_pays(600_000, 100)
    assert compiling.compiling_pays(600_000, 100)
    monkeypatch.setattr(compiling, "_made", 0)
    assert compiling.compiling_pays(10, 1_000_000)


def test_a_folder_that_cannot_be_written_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_cache(*, cache: bool = False, **options: Any) -> Any:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return lambda function: function

    monkeypatch.setattr("numba.njit", without_cache)
    assert compiling.compiled(len) is len
