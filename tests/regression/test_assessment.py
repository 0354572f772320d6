import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from foxnas_core.regression import assessment
from foxnas_core.regression.assessment import kendall_tau

values = st.lists(st.integers(-4, 4) | st.floats(-1e9, 1e9), min_size=2, max_size=40)


@given(values, st.randoms(use_true_random=False))
def test_kendalls_tau_is_that_of_scipy(first: list[float], chance):
    second = [chance.choice([value, -value, 0.0, chance.random()]) for value in first]
    found = kendall_tau(np.array(first, float), np.array(second))
    assert found == pytest.approx(kendalltau(first, second).statistic, rel=1e-15, nan_ok=True)


def test_many_pairs_are_left_to_scipy(monkeypatch):
    first, second = np.random.default_rng(0).random((2, 30))
    here = kendall_tau(first, second)
    monkeypatch.setattr(assessment, "_ALL_PAIRS", 10)
    assert kendall_tau(first, second) == here
