"""What is told of sums of blocks is what they were made with."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.devices.blocks import sums_of_blocks
from foxnas_core.errors import InvalidInput

RNG = np.random.default_rng(3)
SUMS = RNG.uniform(5, 50, 40)


def judged(measured, sums=SUMS):
    return sums_of_blocks("latency_ms", measured, sums, blocks=26, least=0.01)


@settings(max_examples=10)
@given(constant=st.floats(-1, 1), factor=st.floats(0.5, 1.5))
def test_a_line_is_found_again(constant, factor):
    found = judged(constant + factor * SUMS)
    assert found.constant.value == pytest.approx(constant, abs=1e-9)
    assert found.factor.value == pytest.approx(factor, abs=1e-9)
    assert found.near_line == 1 and found.verdict != "not additive"


def test_verdicts_by_how_sums_were_made():
    noise = 1 + RNG.normal(0, 0.01, 40)
    assert judged(SUMS * noise).verdict == "additive"
    calls = judged((SUMS - 25 * 0.06) * noise)
    assert calls.verdict == "additive but for a constant" and calls.near < 0.9
    assert calls.constant.low < -1.5 < calls.constant.high
    assert calls.call == pytest.approx(0.06, rel=0.2)
    assert judged(SUMS * RNG.uniform(0.6, 1.2, 40)).verdict == "not additive"


def test_intervals_hold_the_median_and_shrink_with_networks():
    measured = SUMS * RNG.normal(0.9, 0.05, 40)
    few, many = judged(measured[:10], SUMS[:10]).ratio, judged(measured).ratio
    assert few.low <= few.value <= few.high and many.high - many.low < few.high - few.low


@pytest.mark.parametrize("sums", [SUMS[:4], np.full(10, 3.0)])
def test_too_few_networks_are_refused(sums):
    with pytest.raises(InvalidInput, match="networks"):
        judged(sums, sums)
