"""Prices along a front: by hand, and what must hold of every front."""

import numpy as np
import pytest
from hypothesis import given, settings

from foxnas_core.search.exact import Front, front
from foxnas_core.search.prices import front_prices
from tests.search.additive import brute_force, small_problem
from tests.search.test_exact import SMALL


def hand_front(costs: list[float], values: list[float], target: str = "accuracy") -> Front:
    """A front of these points, of a problem of which only the targets are read."""
    problem = small_problem([2], 1, 0, whole=False, target=target, quantile=0.0)
    points = len(costs)
    return Front(
        problem, np.zeros(points, int), np.zeros((points, 1), int), np.array(values),
        np.array(costs),
    )  # fmt: skip


def test_prices_by_hand() -> None:
    """Gains 4, 1, 2, 1 over costs 1, 1, 1, 4: the second step lies under the hull."""
    found = front_prices(hand_front([1, 2, 3, 4, 8], [10, 14, 15, 17, 18]))
    assert found.corners.tolist() == [0, 1, 3, 4]
    assert found.price.tolist() == [4, 1, 2, 0.25]
    assert found.corner_price.tolist() == [4, 1.5, 0.25]
    assert found.hull_price.tolist() == [4, 1.5, 1.5, 0.25]
    # Heights above the diagonal: 4/8 - 1/7 = .36 and 7/8 - 3/7 = .45.
    assert found.knee == 3


def test_the_budgets_price_is_that_of_what_comes_next() -> None:
    found = front_prices(hand_front([1, 2, 3, 4, 8], [10, 14, 15, 17, 18]))
    expected = {0.5: 4, 1: 4, 1.9: 4, 2: 1.5, 3: 1.5, 4: 0.25, 7.9: 0.25, 8: 0, 9: 0}
    assert {budget: found.at(budget) for budget in expected} == expected


def test_less_is_better_gains_by_falling() -> None:
    found = front_prices(hand_front([1, 2], [0.5, 0.25], "cross_entropy"))
    assert found.gain.tolist() == [0.25] and found.price.tolist() == [0.25]


def test_a_front_of_one_or_two_points_has_no_knee() -> None:
    one = front_prices(hand_front([1], [10]))
    assert one.knee is None and len(one.price) == len(one.hull_price) == 0 and one.at(5) == 0
    assert front_prices(hand_front([1, 2], [10, 11])).knee is None


def test_costs_that_differ_by_rounding_are_one_point() -> None:
    found = front_prices(hand_front([5000, 5000 + 1e-9, 6000], [10, 11, 12]))
    assert found.points.tolist() == [1, 2]
    assert found.price == pytest.approx([1 / 1000])
    assert found.corners.tolist() == [1, 2]


@given(**SMALL)
@settings(max_examples=30, deadline=None)
def test_prices_pay_for_the_whole_gain_and_fall_on_the_hull(**drawn) -> None:
    problem = small_problem(
        drawn.pop("sizes"), drawn.pop("contexts"), drawn.pop("seed"), quantile=0.0, **drawn
    )
    found = front_prices(front(problem))
    total = found.worth[-1] - found.worth[found.points[0]]
    assert (found.price * found.cost).sum() == pytest.approx(total, abs=1e-9)
    assert (found.hull_price * found.cost).sum() == pytest.approx(total, abs=1e-9)
    assert (np.diff(found.hull_price) <= 0).all() and (np.diff(found.corner_price) < 0).all()
    assert (found.price > 0).all()


@given(**SMALL)
@settings(max_examples=25, deadline=None)
def test_the_hull_price_is_the_lagrangian_dual(**drawn) -> None:
    """At the price, no architecture at all is worth more than the corners on either side."""
    problem = small_problem(
        drawn.pop("sizes"), drawn.pop("contexts"), drawn.pop("seed"), quantile=0.0, **drawn
    )
    found = front_prices(front(problem))
    every = np.array([(score, cost) for score, cost, _, _ in brute_force(problem)])
    for corner, price in zip(found.corners, found.corner_price, strict=False):
        best = found.worth[corner] - price * found.front.costs[corner]
        assert (every[:, 0] - price * every[:, 1]).max() <= best + 1e-9


def test_the_knee_is_highest_above_the_diagonal() -> None:
    problem = small_problem([5, 5, 5], 1, 3, whole=False, target="accuracy", quantile=0.0)
    found = front_prices(front(problem))
    costs, worth = found.front.costs, found.worth
    height = (worth - worth[0]) / np.ptp(worth) - (costs - costs[0]) / np.ptp(costs)
    assert found.knee == np.argmax(height)
