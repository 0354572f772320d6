import functools

import numpy as np
import pandas as pd
import pytest
from hand import table_of
from scipy.special import stdtrit

from benchmarks.optimum import promises
from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.regression import fit
from foxnas_core.search.calibration import LEAST, SearchCalibration, calibrate, random_optima
from foxnas_core.search.exact import front
from foxnas_core.search.problem import Limit, SearchProblem

MINI = load_shipped("foxnas-mini")


@functools.cache
def fitted():
    from hand import noisy_table

    table = noisy_table(MINI, 300, seed=4)
    return table, fit(table, "accuracy", "per_layer", "none"), fit(table, "latency_ms", "per_layer")


def calibration(residuals: list[float], column: str = "accuracy") -> SearchCalibration:
    _, accuracy, latency = fitted()
    predictor = accuracy if column == "accuracy" else latency
    return SearchCalibration(predictor, np.array(residuals), pd.DataFrame())


def test_an_interval_by_hand() -> None:
    """Residuals -2, -1, 0: mean -1, sd 1, so -1 ± t(2) √(1 + 1/3)."""
    found = calibration([-2.0, -1.0, 0.0])
    half = 4.302652729911275 * np.sqrt(4 / 3)
    assert found.interval(90.0) == pytest.approx((89.0, 89.0 - half, 89.0 + half), abs=1e-9)


def test_latencies_are_off_by_a_ratio() -> None:
    found = calibration([0.1, 0.2, 0.3], "latency_ms")
    half = float(stdtrit(2, 0.975)) * 0.1 * np.sqrt(4 / 3)
    expected = (12.0, 10 * (1.2 - half), 10 * (1.2 + half))
    assert found.interval(10.0) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("probability", [0.5, 0.8, 0.95, 0.99])
def test_a_guarded_budget_is_kept_with_its_probability(probability: float) -> None:
    found = calibration([-0.02, 0.01, 0.0, 0.04, 0.03], "latency_ms")
    guarded = found.guarded(5.0, probability)
    assert found.chance(guarded, 5.0) == pytest.approx(probability, abs=1e-9)


def test_a_saturating_accuracy_is_promised_below_its_ceiling() -> None:
    from hand import saturating_table

    predictor = fit(saturating_table(MINI, 300, seed=1), "accuracy", "per_layer", "saturating")
    found = SearchCalibration(predictor, np.array([-1.0, 4.0, 9.0]), pd.DataFrame())
    center, low, high = found.interval(float(predictor.link.inverse(predictor.link.center)))
    assert low < center < high < predictor.link.ceiling


def test_random_optima_are_distinct_optima_of_budgets_and_seeded() -> None:
    _, accuracy, latency = fitted()
    whole = front(SearchProblem(accuracy, (Limit(latency, 0.0),)))
    found = random_optima(whole, 15, seed=3)
    assert len({c.architecture.id for c in found}) == 15
    assert [c.architecture for c in found] == [
        c.architecture for c in random_optima(whole, 15, seed=3)
    ]
    for candidate in found:
        assert whole.within(candidate.costs[0]).value == candidate.value


def test_optima_that_the_fit_knows_are_left_out() -> None:
    table, accuracy, _ = fitted()
    codes = np.vstack([table.codes[:4], MINI.random_codes(6, seed=99)])
    optima = table_of(MINI, codes, accuracy=np.full(10, 70.0), latency_ms=np.full(10, 20.0))
    found = calibrate(accuracy, optima, table)
    assert found.count == 6
    predicted = accuracy.predict_codes(codes[4:])["value"].to_numpy()
    np.testing.assert_allclose(found.residuals, 70.0 - predicted, atol=1e-9)
    with pytest.raises(InvalidInput, match=f"3 measured optima are too few.*at least {LEAST}"):
        calibrate(accuracy, optima.rows(np.arange(10) < 7), table)


def test_at_the_searched_optimum_only_calibrated_intervals_hold() -> None:
    """On truths that no additive form can hold: nominal 90 % for accuracy, 95 % for the budget."""
    space = load_shipped("foxnas-cpu")
    kept = pd.concat(promises(space, rows=300, seed=100 * run, searches=8) for run in range(6))
    shares = kept.astype(float).mean()
    assert shares["plain"] < 0.6
    assert shares["calibrated"] >= 0.85
    assert shares["within budget, guarded"] >= 0.85 > 0.75 > shares["within budget"]
