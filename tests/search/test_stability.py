"""How sure an optimum's choices are, held against fits of drawn coefficients and by hand."""

import functools
from dataclasses import replace

import numpy as np
import pytest
from hand import hand_space, noisy_table, saturating_table, two_block_space
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit
from foxnas_core.search.exact import Front, front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.stability import draw_estimates, resampled_fronts
from tests.search.additive import mini_problem, solve_exact

MINI = load_shipped("foxnas-mini")


@functools.cache
def pair() -> tuple[Predictor, Predictor]:
    table = noisy_table(hand_space(resolutions=(16, 32)), 120, seed=1, noise=3.0)
    return fit(table, "accuracy", "per_layer", "none"), fit(table, "latency_ms", "per_layer")


def front_of(accuracy: Predictor, latency: Predictor) -> Front:
    return front(SearchProblem(accuracy, (Limit(latency, 0.0),)))


def sure(predictor: Predictor) -> Predictor:
    return replace(predictor, covariance=np.zeros_like(predictor.covariance))


@given(st.floats(0, 1))
@settings(max_examples=10, deadline=None)
def test_without_uncertainty_every_choice_is_optimal_always(share: float) -> None:
    whole = front_of(*map(sure, pair()))
    budget = float(whole.costs[0] + share * np.ptp(whole.costs))
    found = resampled_fronts(whole, draws=3).at(budget)
    assert found.share == 1 and found.distinct == 1 and found.infeasible == 0
    assert (found.decisions["share"] == 1).all() and (found.decisions["next"] == "").all()
    assert (found.choices["share"] == 1).all()
    assert found.optimum == whole.within(budget)


def test_each_resample_is_the_exact_optimum_of_its_own_coefficients() -> None:
    """The optima of the fast way are those of predictors that have the drawn estimates."""
    accuracy, latency = pair()
    whole = front_of(accuracy, latency)
    budget = float(whole.costs.mean())
    found = resampled_fronts(whole, draws=15, seed=4).at(budget)
    rng = np.random.default_rng(4)
    drawn = [draw_estimates(predictor, 15, rng) for predictor in (accuracy, latency)]
    expected = []
    for first, second in zip(*drawn, strict=True):
        limit = Limit(replace(latency, estimates=second), budget)
        problem = SearchProblem(replace(accuracy, estimates=first), (limit,))
        expected.append(solve_exact(problem).architecture)
    assert list(found.architectures) == expected
    assert found.distinct == len(set(expected)) > 1
    assert found.share == np.mean([a == found.optimum.architecture for a in expected])


def test_shares_count_resamples() -> None:
    whole = front_of(*pair())
    found = resampled_fronts(whole, draws=40).at(float(whole.costs.mean()))
    for row in found.decisions.itertuples():
        taken = [str(a.get(row.decision, "off")) for a in found.architectures]
        assert row.share == pytest.approx(taken.count(row.chosen) / 40)
        assert row.chosen == str(found.optimum.architecture.get(row.decision, "off"))
        if row.next:
            others = [value for value in taken if value != row.chosen]
            assert others.count(row.next) / 40 == pytest.approx(row[8])
            assert others.count(row.next) == max(others.count(value) for value in others)
    sums = found.choices.groupby("decision")["share"].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(len(whole.problem.space.decisions)))


def test_a_coin_toss_between_two_kernels_by_hand() -> None:
    """With a budget for all, kernel 7 is optimal in q1 where its drawn effect beats the others:
    for two equal estimates of equal variance in half of the draws."""
    table = noisy_table(two_block_space(), 60, seed=0)
    accuracy, latency = (fit(table, t, "per_layer", "none") for t in ("accuracy", "latency_ms"))
    names = [term.name for term in accuracy.form.terms]
    estimates = np.zeros(len(names))
    # Sum to zero: 5 and 7 gain 1 each, 3 loses 2.
    estimates[[names.index("q1_kernel=5"), names.index("q1_kernel=7")]] = 1.0
    estimates[names.index("p1_kernel=7")] = 50.0
    covariance = np.zeros((len(names), len(names)))
    for name in ("q1_kernel=5", "q1_kernel=7"):
        covariance[names.index(name), names.index(name)] = 0.01
    even = replace(accuracy, estimates=estimates, covariance=covariance)
    found = resampled_fronts(front_of(even, sure(latency)), draws=400, seed=1).at(1e6)
    kernels = found.choices[found.choices["decision"] == "q1_kernel"].set_index("choice")["share"]
    assert set(kernels.index) == {"5", "7"}
    assert stats.binomtest(round(400 * kernels["7"]), 400).pvalue > 0.001
    p1 = found.decisions.set_index("decision").loc["p1_kernel"]
    assert (p1["chosen"], p1["share"], p1["next"]) == ("7", 1.0, "")


def test_draws_have_the_estimates_mean_and_the_ts_spread() -> None:
    accuracy, _ = pair()
    accuracy = replace(accuracy, rows=accuracy.parameters + 12)  # few degrees of freedom
    drawn = draw_estimates(accuracy, 40_000, np.random.default_rng(0))
    std_error = np.sqrt(np.diag(accuracy.covariance))
    scaled = (drawn - accuracy.estimates) / std_error
    assert np.abs(scaled.mean(axis=0)).max() < 0.03
    inside = (np.abs(scaled) < accuracy.quantile(0.95)).mean(axis=0)
    assert np.abs(inside - 0.95).max() < 0.006
    spread = np.cov(drawn, rowvar=False) / np.outer(std_error, std_error)
    expected = accuracy.covariance / np.outer(std_error, std_error) * 12 / 10
    np.testing.assert_allclose(spread, expected, atol=0.06)


def test_budgets_that_a_draw_cannot_meet_are_counted() -> None:
    whole = front_of(*pair())
    found = resampled_fronts(whole, draws=60)
    tight, loose = found.at(float(whole.costs[0])), found.at(float(whole.costs[-1]))
    assert 0 < tight.infeasible < 60
    assert len(tight.architectures) == 60 - tight.infeasible
    assert loose.infeasible == 0
    with pytest.raises(InfeasibleBudget):
        found.at(float(whole.costs[0]) - 1)


def test_a_saturating_link_moves_no_optimum_of_its_own() -> None:
    table = saturating_table(MINI, 300, seed=3)
    accuracy = fit(table, "accuracy", "per_layer", "saturating")
    assert accuracy.ceiling is not None
    latency = fit(table, "latency_ms", "per_layer")
    whole = front_of(sure(accuracy), sure(latency))
    assert resampled_fronts(whole, draws=2).at(float(whole.costs.mean())).share == 1
    assert resampled_fronts(front_of(accuracy, latency), draws=5).at(1e6).distinct >= 1


def test_draws_are_seeded_and_reported() -> None:
    whole = front_of(*pair())
    done: list[int] = []
    one = resampled_fronts(whole, draws=12, seed=1, report=done.append)
    same, other = (resampled_fronts(whole, draws=12, seed=seed) for seed in (1, 2))
    budget = float(whole.costs.mean())
    assert done == list(range(1, 13)) and one.draws == 12
    assert one.at(budget).architectures == same.at(budget).architectures
    assert one.at(budget).architectures != other.at(budget).architectures


def test_only_regressions_have_coefficients() -> None:
    with pytest.raises(InvalidInput, match="fitted regressions"):
        resampled_fronts(front(mini_problem()))
