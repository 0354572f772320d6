"""The chance that a budget holds: by the calibration, and by the prediction distribution."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand import hand_space, noisy_table
from scipy import stats

from foxnas_core.regression import fit
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.chance import chance_within
from foxnas_core.search.exact import front
from foxnas_core.search.problem import Limit, SearchProblem

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
