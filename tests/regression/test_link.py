import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.regression.link import Link

centers = st.floats(-100, 100)
rates = st.floats(1e-3, 0.2)
# What is left between center and ceiling, as a share: 1 at the center, 0 at the ceiling.
shares = st.floats(0.02, 4)
# Steps of central differences by η or the target, and by the rate.
STEP, RATE_STEP = 1e-5, 1e-6


def value_of(link: Link, share: float) -> float:
    return link.center + (1 - share) / link.rate


@given(centers, rates, shares)
def test_there_and_back(center: float, rate: float, share: float) -> None:
    link = Link(center, rate)
    value = value_of(link, share)
    assert link.inverse(link.forward(value)) == pytest.approx(value, abs=1e-9 / rate)
    assert link.forward(link.inverse(value)) == pytest.approx(value, abs=1e-9 / rate)


def test_the_formula_by_hand() -> None:
    """c = 70 and s = 20: at 80 half of s is left, at 85 a quarter, at 50 twice."""
    link = Link(70.0, 1 / 20)
    assert link.ceiling == pytest.approx(90, abs=1e-12)
    values = np.array([70, 80, 85, 50.0])
    eta = 70 + 20 * np.log([1, 2, 4, 0.5])
    np.testing.assert_allclose(link.forward(values), eta, atol=1e-12)
    np.testing.assert_allclose(link.inverse(eta), values, atol=1e-12)
    np.testing.assert_allclose(link.slope(eta), [1, 0.5, 0.25, 2], atol=1e-12)


@given(centers, rates, shares)
def test_the_slope_is_the_derivative(center: float, rate: float, share: float) -> None:
    link = Link(center, rate)
    eta = float(link.forward(value_of(link, share)))
    numerical = (link.inverse(eta + STEP) - link.inverse(eta - STEP)) / (2 * STEP)
    assert link.slope(eta) == pytest.approx(float(numerical), rel=1e-6, abs=1e-6)


@given(centers, st.floats(0, 0.2))
def test_at_the_center_the_scale_is_the_targets_own(center: float, rate: float) -> None:
    link = Link(center, rate)
    assert link.slope(center) == 1
    assert link.forward(center) == link.inverse(center) == center


@given(centers, st.floats(-50, 50))
def test_no_rate_is_the_identity_and_small_rates_come_near_it(
    center: float, distance: float
) -> None:
    value, none = center + distance, Link(center, 0.0)
    assert none.is_identity and none.ceiling == np.inf
    assert none.forward(value) == none.inverse(value) == value
    assert none.slope(value) == 1
    for rate in (1e-4, 1e-6, 1e-8):
        near = Link(center, rate)
        assert not near.is_identity
        # η = y + rate (y - c)² / 2 + …
        bound = rate * distance**2 + 1e-15 / rate + 1e-12
        assert abs(near.forward(value) - value) <= bound
        assert abs(near.inverse(value) - value) <= bound
        assert near.slope(value) == pytest.approx(1, abs=60 * rate)


@given(centers, rates, shares, shares)
def test_more_is_more_on_both_scales(center: float, rate: float, one: float, other: float) -> None:
    link = Link(center, rate)
    low, high = (value_of(link, share) for share in (max(one, other), min(one, other)))
    if high - low > 1e-9:
        assert link.forward(low) < link.forward(high)
        assert link.inverse(low) < link.inverse(high)


@given(centers, rates)
def test_nothing_reaches_the_ceiling(center: float, rate: float) -> None:
    link = Link(center, rate)
    assert link.ceiling == pytest.approx(center + 1 / rate)
    span = 1 / rate
    values = center + span * np.array([0.5, 1 + 1e-12, 1.5, 3])
    assert np.isnan(link.forward(values)).tolist() == [False, True, True, True]
    etas = center + span * np.array([0.0, 1, 5, 30])
    assert (link.inverse(etas) < link.ceiling).all()


def test_any_shape_goes_through() -> None:
    link = Link(70.0, 0.02)
    values = np.linspace(60, 80, 6).reshape(2, 3)
    assert link.forward(values).shape == link.slope(values).shape == (2, 3)
    assert link.inverse(link.forward(70)).shape == ()


@given(centers, rates, shares)
def test_the_pull_is_the_numerical_derivative(center: float, rate: float, share: float) -> None:
    """(∂y/∂rate) / (∂y/∂η) at fixed η."""
    link = Link(center, rate)
    eta = link.forward(np.array([value_of(link, share)]))
    step = RATE_STEP * rate
    by_rate = (Link(center, rate + step).inverse(eta) - Link(center, rate - step).inverse(eta)) / (
        2 * step
    )
    size = max(1.0, float((eta - center)[0] ** 2))
    assert link.rate_pull(eta)[0] == pytest.approx(
        float((by_rate / link.slope(eta))[0]), abs=1e-4 * (size + 1e-4 / rate**2)
    )


@given(centers, rates, shares)
def test_the_push_is_the_numerical_derivative(center: float, rate: float, share: float) -> None:
    """∂η/∂rate at fixed y."""
    link = Link(center, rate)
    value = np.array([value_of(link, share)])
    step = RATE_STEP * rate
    numerical = (
        Link(center, rate + step).forward(value) - Link(center, rate - step).forward(value)
    ) / (2 * step)
    exact = float(link.rate_push(value)[0])
    assert exact == pytest.approx(float(numerical[0]), rel=1e-4, abs=1e-4 * (1 + 1e-4 / rate**2))


@given(centers, st.floats(-30, 30), st.sampled_from([0.0, 1e-12, 1e-8, 3e-8, 1e-6]))
def test_pull_and_push_go_over_into_their_limits(
    center: float, distance: float, rate: float
) -> None:
    """At rate 0 they are -d²/2 and d²/2, and nothing is lost between there and the formula."""
    link, at = Link(center, rate), np.array([center + distance])
    bound = 1e-4 * (distance**2 + 1e-2)
    assert link.rate_pull(at)[0] == pytest.approx(-(distance**2) / 2, abs=bound)
    assert link.rate_push(at)[0] == pytest.approx(distance**2 / 2, abs=bound)


@given(centers, rates, shares)
def test_pull_and_push_undo_each_other(center: float, rate: float, share: float) -> None:
    """A value that stays where it is while the rate moves has an η that moves against the pull."""
    link = Link(center, rate)
    value = np.array([value_of(link, share)])
    push, pull = link.rate_push(value), link.rate_pull(link.forward(value))
    assert push[0] == pytest.approx(-pull[0], rel=1e-6, abs=1e-6 / rate**2)
