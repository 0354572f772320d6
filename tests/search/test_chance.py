"""The chance that a budget holds: by the calibration, and by the prediction distribution."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand import hand_space, noisy_table, saturating_table
from scipy import stats

from foxnas_core.regression import fit
from foxnas_core.regression.pairs import PairScatter
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.chance import Gains, chance_kept, chance_within
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem

TABLE = noisy_table(hand_space(), 120, seed=1)
ACCURACY, LATENCY = fit(TABLE, "accuracy", "per_layer", "none"), fit(TABLE, "latency_ms")
WHOLE = front(SearchProblem(ACCURACY, (Limit(LATENCY, 0.0),)))
POINTS = np.arange(len(WHOLE))


def test_a_calibration_speaks_where_there_is_one() -> None:
    residuals = np.array([0.01, 0.02, 0.03, 0.04, 0.05])
    found = SearchCalibration(LATENCY, residuals, pd.DataFrame())
    budgets = WHOLE.costs * 1.05
    expected = [found.chance(c, b) for c, b in zip(WHOLE.costs, budgets, strict=True)]
    assert chance_within(WHOLE, budgets, POINTS, found).tolist() == expected


def test_else_the_prediction_distribution_by_hand() -> None:
    budget = float(WHOLE.costs[2])
    rows = LATENCY.form.matrix(
        LATENCY.space.encode([WHOLE.candidate(p).architecture for p in POINTS])
    )
    variance = np.einsum("ij,jk,ik->i", rows, LATENCY.covariance, rows) + LATENCY.residual_variance
    expected = stats.t.cdf((budget - WHOLE.costs) / np.sqrt(variance), LATENCY.residual_df)
    found = chance_within(WHOLE, np.full(len(WHOLE), budget), POINTS)
    np.testing.assert_allclose(found, expected, atol=1e-9)
    assert found[2] == pytest.approx(0.5)


def test_the_chance_agrees_with_the_prediction_interval() -> None:
    row = LATENCY.predict([WHOLE.candidate(1).architecture], 0.9).iloc[0]
    budgets = row[["prediction_low", "prediction_high"]].to_numpy(float)
    found = chance_within(WHOLE, budgets, np.array([1, 1]))
    assert found == pytest.approx([0.05, 0.95])


def test_costs_known_exactly_hold_or_not() -> None:
    exact = replace(LATENCY, covariance=np.zeros_like(LATENCY.covariance), residual_variance=1e-30)
    whole = front(SearchProblem(ACCURACY, (Limit(exact, 0.0),)))
    budget = np.full(len(whole), whole.costs[1])
    found = chance_within(whole, budget, POINTS)
    assert found.tolist() == [1.0, 1.0, *[0.0] * (len(whole) - 2)]


def test_a_limit_is_kept_with_the_chance_of_the_front() -> None:
    budgets = WHOLE.costs * 1.02
    by_front = chance_within(WHOLE, budgets, POINTS)
    architectures = [WHOLE.candidate(p).architecture for p in POINTS]
    for architecture, budget, expected in zip(architectures, budgets, by_front, strict=True):
        found = chance_kept(Limit(LATENCY, float(budget)), architecture)
        assert found == pytest.approx(expected, abs=1e-9)
    floor = float(ACCURACY.predict([architectures[0]])["prediction_low"].iloc[0])
    assert chance_kept(Limit(ACCURACY, at_least=floor), architectures[0]) == pytest.approx(0.975)
    residuals = np.array([0.01, 0.02, 0.03, 0.04, 0.05])
    calibrated = SearchCalibration(LATENCY, residuals, pd.DataFrame())
    limit = Limit(LATENCY, float(budgets[0]))
    value = float(LATENCY.predict([architectures[0]])["value"].iloc[0])
    expected = calibrated.chance(value, limit.bound)
    assert chance_kept(limit, architectures[0], calibrated) == expected


def test_a_bound_at_the_ceiling_is_kept_by_none_or_all() -> None:
    bent = fit(saturating_table(hand_space(), 120), "accuracy", "per_layer", "saturating")
    largest = bent.space.extreme("largest")
    ceiling = bent.link.ceiling + 0.1
    assert chance_kept(Limit(bent, at_least=ceiling), largest) == 0
    assert chance_kept(Limit(bent, at_most=ceiling), largest) == 1


@pytest.mark.parametrize("predictor", [ACCURACY, LATENCY])
def test_the_chance_of_a_difference_by_hand(predictor) -> None:
    space = predictor.space
    before, after = space.extreme("smallest"), space.extreme("largest")
    [x, y] = predictor.form.matrix(space.encode([after, before]))
    # Two subnets that have as much in common have a quarter of the scatter of others.
    predictor = replace(predictor, pair_scatter=PairScatter(same=((9, 0.25),)))
    scatter = 0.25 * 2 * predictor.residual_variance
    variance = (x - y) @ predictor.covariance @ (x - y) + scatter
    difference = (x - y) @ predictor.estimates
    if predictor.target.direction == "min":
        difference = -difference
    for amount in (difference, difference - 0.2, difference + 0.1):
        expected = stats.t.cdf((difference - amount) / np.sqrt(variance), predictor.residual_df)
        assert Gains.over(predictor, before, [after]).chances(amount) == pytest.approx(expected)


def test_the_chance_of_a_difference_agrees_with_simulation_through_a_ceiling() -> None:
    bent = fit(saturating_table(hand_space(), 120), "accuracy", "per_layer", "saturating")
    # The ceiling held, so that what is drawn is the estimates and two measurements.
    bent = replace(bent, ceiling=None, pair_scatter=PairScatter())
    space = bent.space
    before, after = space.extreme("smallest"), space.extreme("largest")
    rows = bent.form.matrix(space.encode([after, before]))
    rng = np.random.default_rng(0)
    drawn = rng.multivariate_normal(bent.estimates, bent.covariance, 40_000) @ rows.T
    drawn += rng.normal(0, np.sqrt(bent.residual_variance), drawn.shape)
    values = bent.link.inverse(drawn)
    gain = values[:, 0] - values[:, 1]
    for amount in np.quantile(gain, [0.1, 0.5, 0.8]):
        expected = (gain >= amount).mean()
        assert Gains.over(bent, before, [after]).chances(float(amount)) == pytest.approx(
            expected, abs=0.02
        )


def test_exact_counts_are_better_or_not() -> None:
    exact = replace(LATENCY, covariance=np.zeros_like(LATENCY.covariance), residual_variance=1e-30)
    before, after = exact.space.extreme("largest"), exact.space.extreme("smallest")
    first, second = exact.predict([before, after])["value"]
    assert Gains.over(exact, before, [after]).chances(first - second) == 1
    assert Gains.over(exact, before, [after]).chances(first - second + 0.01) == 0
