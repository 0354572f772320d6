import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau

from foxnas_core.devices.ranks import rank_correlation, rank_correlations


def test_one_pair_of_six_by_hand():
    found = rank_correlation(np.array([1.0, 2, 3, 4, 5, np.nan]), np.array([1.0, 3, 2, 4, 5, 9]))
    assert (found.tau, found.rows) == (pytest.approx(0.8), 5)
    assert -1 < found.low < 0.8 < found.high < 1


@given(st.lists(st.integers(0, 6), min_size=8, max_size=30), st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_the_interval_holds_tau_and_turns_round_with_it(values, seed):
    one = np.array(values, dtype=float)
    other = np.random.default_rng(seed).permutation(one) + one
    found, turned = rank_correlation(one, other), rank_correlation(one, -other)
    if not np.ptp(one) or not np.ptp(other):
        assert np.isnan(found.tau)
        return
    assert found.tau == pytest.approx(kendalltau(one, other).statistic)
    assert found.low <= found.tau <= found.high
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_independent_columns_spread_as_the_textbook_says():
    rng, rows = np.random.default_rng(0), 900
    found = rank_correlation(*rng.normal(size=(2, rows)))
    half = 1.96 * np.sqrt(2 * (2 * rows + 5) / (9 * rows * (rows - 1)))
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_the_spread_of_many_is_told_by_some():
    rng = np.random.default_rng(1)
    one = rng.normal(size=4000)
    found = rank_correlation(one, one + rng.normal(size=4000))
    # Of normal columns correlated by the root of a half (Kendall and Gibbons, section 10.7).
    half = 1.96 * 2 * np.sqrt((1 / 9 - (2 / np.pi * np.arcsin(np.sqrt(1 / 8))) ** 2) / 4000)
    assert found.tau == pytest.approx(0.5, abs=0.02) and found.rows == 4000
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)


def test_every_pair_stands_once():
    same = np.arange(6.0)
    found = rank_correlations({"a": same, "b": -same, "c": np.full(6, np.nan)})
    assert found[["first", "second"]].to_numpy().tolist() == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert found.loc[0, ["tau", "low", "high"]].tolist() == pytest.approx([-1, -1, -1])
    assert found["tau"].isna().tolist() == [False, True, True]
