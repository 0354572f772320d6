import functools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand import hand_space, noisy_table, saturating_table, table_of
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from benchmarks.optimum import GUARD, LEVEL, promises
from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.link import Link
from foxnas_core.search.calibration import (
    ADVISED,
    LEAST,
    SearchCalibration,
    calibrate,
    random_optima,
)
from foxnas_core.search.exact import Front, front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.table.measurements import MeasurementTable

MINI = load_shipped("foxnas-mini")
# Student's t on 4 degrees of freedom: 97.5 % and 95 % quantiles.
T_975, T_95 = 2.7764451051977934, 2.1318467863266495
# Mean .3; standard deviation √.025, for a new one √(.025 · 6/5) = √.03.
RESIDUALS = np.array([0.1, 0.2, 0.3, 0.4, 0.5])


@functools.cache
def split_table() -> tuple[MeasurementTable, MeasurementTable]:
    """Subnets to fit, and others that the fit does not know."""
    table = noisy_table(hand_space(), 400, seed=1)
    ids = table.frame["id"]
    known = ids.isin(sorted(set(ids))[:26]).to_numpy()
    others = ~known & ~ids.duplicated().to_numpy()
    return table.rows(known), table.rows(others & (others.cumsum() <= 8))


@functools.cache
def predictor(target: str) -> Predictor:
    return fit(split_table()[0], target, "per_layer", "none")


def calibrated(target: str, residuals: np.ndarray = RESIDUALS, link: Link | None = None):
    known = replace(predictor(target), link=link or Link())
    return SearchCalibration(known, residuals, pd.DataFrame())


# By hand


def test_shift_spread_and_interval_by_hand() -> None:
    found = calibrated("accuracy")
    assert found.count == 5
    assert found.shift == pytest.approx(0.3, abs=1e-9)
    assert found.spread == pytest.approx(np.sqrt(0.03), abs=1e-9)
    half = T_975 * np.sqrt(0.03)
    assert found.interval(70.0) == pytest.approx((70.3, 70.3 - half, 70.3 + half), abs=1e-9)
    half = T_95 * np.sqrt(0.03)
    assert found.interval(70.0, 0.9) == pytest.approx((70.3, 70.3 - half, 70.3 + half), abs=1e-9)


def test_a_latencys_residuals_are_shares_of_it() -> None:
    found = calibrated("latency_ms", RESIDUALS / 10)
    half = T_975 * np.sqrt(0.0003)
    expected = (20 * 1.03, 20 * (1.03 - half), 20 * (1.03 + half))
    assert found.interval(20.0) == pytest.approx(expected, abs=1e-9)


def test_an_interval_through_a_link_by_hand() -> None:
    """A ceiling of 90 and 20 points from there: 80 stands at 70 + 20 ln 2."""
    found = calibrated("accuracy", link=Link(70.0, 1 / 20))
    half = T_975 * np.sqrt(0.03)
    expected = [90 - 10 * np.exp(-offset / 20) for offset in (0.3, 0.3 - half, 0.3 + half)]
    assert found.interval(80.0) == pytest.approx(tuple(expected), abs=1e-9)
    # Near the ceiling the same residuals are worth less, and none reaches it.
    center, low, high = found.interval(89.9)
    assert low < center < high < 90
    assert high - low < 0.1


def test_the_guarded_budget_and_the_chance_by_hand() -> None:
    found = calibrated("latency_ms", RESIDUALS / 10)
    ratio = 1.03 + T_95 * np.sqrt(0.0003)
    assert found.guarded(50.0, 0.95) == pytest.approx(50 / ratio, abs=1e-9)
    assert found.guarded(50.0, 0.5) == pytest.approx(50 / 1.03, abs=1e-9)
    assert found.chance(50 / 1.03, 50.0) == pytest.approx(0.5, abs=1e-9)
    # A prediction of the budget itself: 3 % too slow in the middle.
    expected = stats.t.cdf(-0.03 / np.sqrt(0.0003), 4)
    assert found.chance(50.0, 50.0) == pytest.approx(expected, abs=1e-9)


@given(st.floats(1, 1000), st.floats(0.05, 0.99), st.integers(0, 2**32 - 1))
def test_chance_and_guard_undo_each_other(budget: float, probability: float, seed: int) -> None:
    residuals = np.random.default_rng(seed).normal(0.02, 0.01, 20)
    found = calibrated("latency_ms", residuals)
    guarded = found.guarded(budget, probability)
    assert found.chance(guarded, budget) == pytest.approx(probability, abs=1e-9)
    # The surer one wants to be, the smaller the budget to search under.
    assert found.guarded(budget, (1 + probability) / 2) < guarded
    assert found.chance(0.99 * guarded, budget) > probability


@given(st.floats(60, 89), st.floats(0.05, 0.99), st.booleans())
def test_a_floor_is_guarded_by_searching_above_it(
    floor: float, probability: float, bent: bool
) -> None:
    found = calibrated("accuracy", link=Link(70.0, 1 / 20) if bent else Link())
    guarded = found.guarded(floor, probability)
    assert found.chance(guarded, floor) == pytest.approx(probability, abs=1e-6)
    assert found.guarded(floor, (1 + probability) / 2) > guarded
    # Half of the optima that are predicted lower by the mean residual measure less.
    lower = found.guarded(floor, 0.5)
    center, *_ = found.interval(lower)
    assert center == pytest.approx(floor, abs=1e-9)


def test_a_floor_at_the_ceiling_is_never_kept() -> None:
    found = calibrated("accuracy", link=Link(70.0, 1 / 20))
    assert found.chance(89.0, 90.0) == 0.0 and found.guarded(90.0, 0.9) == 90.0


def test_optima_that_all_differ_alike_leave_no_doubt() -> None:
    found = calibrated("latency_ms", np.full(6, 0.25))
    assert found.interval(10.0) == (12.5, 12.5, 12.5)
    assert found.guarded(10.0, 0.99) == pytest.approx(8.0)
    assert (found.chance(8.0, 10.0), found.chance(8.1, 10.0)) == (1.0, 0.0)


# From measurements


def test_residuals_are_measured_less_predicted() -> None:
    fitted, optima = split_table()
    predicted = predictor("accuracy").predict_codes(optima.codes)["value"].to_numpy()
    found = calibrate(predictor("accuracy"), optima, fitted)
    np.testing.assert_allclose(found.residuals, optima.values("accuracy") - predicted, atol=1e-9)
    assert found.table["id"].tolist() == optima.frame["id"].tolist()
    np.testing.assert_allclose(found.table["predicted"], predicted, atol=1e-9)
    np.testing.assert_array_equal(found.table["measured"], optima.values("accuracy"))
    np.testing.assert_allclose(found.table["residual"], found.residuals, atol=1e-9)

    by_latency = calibrate(predictor("latency_ms"), optima, fitted)
    predicted = predictor("latency_ms").predict_codes(optima.codes)["value"].to_numpy()
    expected = optima.values("latency_ms") / predicted - 1
    np.testing.assert_allclose(by_latency.residuals, expected, atol=1e-12)


def test_through_a_link_residuals_stand_on_its_scale() -> None:
    table = saturating_table(MINI, 300, seed=3)
    half = np.arange(300) < 280
    known = fit(table.rows(half), "accuracy", "per_layer", "saturating")
    assert known.ceiling is not None
    values = table.values("accuracy").copy()
    values[-1] = known.link.ceiling + 1  # measured above the ceiling
    optima = table_of(MINI, table.codes, accuracy=values).rows(~half)
    found = calibrate(known, optima, table.rows(half))
    predicted = known.predict_codes(optima.codes)["value"].to_numpy()
    expected = known.link.forward(values[~half]) - known.link.forward(predicted)
    assert np.isnan(expected[-1])
    np.testing.assert_allclose(found.residuals[:-1], expected[:-1], atol=1e-9)
    assert np.isfinite(found.residuals).all()
    assert found.residuals[-1] > 10 * np.abs(found.residuals[:-1]).max()
    # In the table they stand in points.
    np.testing.assert_allclose(found.table["residual"], values[~half] - predicted, atol=1e-9)
    assert all(end < known.link.ceiling for end in found.interval(float(predicted[0])))


def test_rows_that_the_fit_knows_are_left_out() -> None:
    fitted, optima = split_table()
    both = optima.with_rows(fitted.frame[:10])
    assert len(both) == len(optima) + 10
    found = calibrate(predictor("accuracy"), both, fitted)
    assert found.table["id"].tolist() == optima.frame["id"].tolist()


def test_rows_without_the_target_are_left_out() -> None:
    fitted, optima = split_table()
    accuracy = optima.values("accuracy").copy()
    accuracy[[1, 4]] = np.nan
    holed = table_of(optima.space, optima.codes, accuracy=accuracy)
    found = calibrate(predictor("accuracy"), holed, fitted)
    assert found.count == len(optima) - 2
    with pytest.raises(InvalidInput, match="^0 measured optima are too few"):
        calibrate(predictor("latency_ms"), holed, fitted)


@pytest.mark.parametrize("count", [0, LEAST - 1])
def test_too_few_optima_say_how_many_there_are_and_are_needed(count: int) -> None:
    fitted, optima = split_table()
    few = optima.rows(np.arange(len(optima)) < count)
    with pytest.raises(
        InvalidInput,
        match=f"^{count} measured optima are too few.*least {LEAST}.*and {ADVISED} adv",
    ):
        calibrate(predictor("accuracy"), few, fitted)
    enough = optima.rows(np.arange(len(optima)) < LEAST)
    assert calibrate(predictor("accuracy"), enough, fitted).count == LEAST


# Optima to measure


@functools.cache
def whole_front() -> Front:
    table = noisy_table(MINI, 300, seed=2)
    accuracy, latency = (fit(table, t, "per_layer") for t in ("accuracy", "latency_ms"))
    return front(SearchProblem(accuracy, (Limit(latency, 0.0),)))


def test_random_optima_are_distinct_and_on_the_front() -> None:
    found = random_optima(whole_front(), ADVISED, seed=1)
    assert len({candidate.architecture.id for candidate in found}) == len(found) == ADVISED
    points = {
        (float(c), float(v)) for c, v in zip(whole_front().costs, whole_front().values, strict=True)
    }
    assert all((candidate.costs[0], candidate.value) in points for candidate in found)
    costs = np.array([candidate.costs[0] for candidate in found])
    # From all of the front, not from one end of it.
    low, high = np.quantile(whole_front().costs, [0.2, 0.8])
    assert costs.min() < low and costs.max() > high


def test_random_optima_are_seeded() -> None:
    one, same, other = (
        [c.architecture.id for c in random_optima(whole_front(), 8, seed=s)] for s in (4, 4, 5)
    )
    assert one == same != other


def test_a_front_of_few_points_has_few_optima() -> None:
    accuracy, latency = predictor("accuracy"), predictor("latency_ms")
    small = front(SearchProblem(accuracy, (Limit(latency, 0.0),)))
    found = random_optima(small, 60, seed=0)
    assert 1 < len(found) <= len(small) < 60


# The promise


def test_the_calibrated_interval_and_the_guard_keep_what_the_plain_ones_break() -> None:
    """Twelve searches on each of four simulated truths, which no additive form can hold."""
    space = load_shipped("foxnas-cpu")
    kept = pd.concat(promises(space, rows=300, seed=100 * run, searches=12) for run in range(4))
    shares = kept.astype(float).mean()
    assert (LEVEL, GUARD) == (0.9, 0.95)
    assert shares["calibrated"] >= 0.85
    assert shares["plain"] < 0.6
    assert shares["within budget, guarded"] >= 0.85
    assert shares["within budget, guarded"] > shares["within budget"] + 0.25
    # At the price of a fraction of a point.
    assert 0 < shares["accuracy given up by the guard"] < 0.3
