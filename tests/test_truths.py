"""The simulated truths that the product's promises are tried on."""

import numpy as np
import pytest
from conftest import DEMO

from benchmarks.truths import Truth
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import open_study


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return open_study(DEMO).space


def test_equal_seeds_measure_equal_tables(space: SearchSpace) -> None:
    codes = space.random_codes(50, seed=3)
    one, same = (Truth.of(space, 7).measure(codes, 1) for _ in range(2))
    assert one.fingerprint == same.fingerprint
    assert one.fingerprint != Truth.of(space, 8).measure(codes, 1).fingerprint
    assert one.fingerprint != Truth.of(space, 7).measure(codes, 2).fingerprint


@pytest.mark.parametrize("kind", ["mild, saturating", "mild, unbounded", "hard, saturating"])
def test_no_sum_over_stages_holds_them(space: SearchSpace, kind: str) -> None:
    """What a change of the first stage makes hangs on the last."""
    truth = Truth.kinds(space, 0)[kind]
    both = space.encode([space.extreme("smallest"), space.extreme("largest")])
    first, last = (np.array([d.group == group for d in space.decisions]) for group in ("s1", "s3"))
    corners = []
    for a in (0, 1):
        for b in (0, 1):
            code = both[1].copy()
            code[first], code[last] = both[a][first], both[b][last]
            corners.append(code)
    for values in truth.values(np.array(corners)):
        mixed = values[0] - values[1] - values[2] + values[3]
        assert abs(mixed) > 0.02 * np.ptp(values)


def test_latency_grows_with_every_choice(space: SearchSpace) -> None:
    truth = Truth.of(space, 1)
    codes = space.random_codes(300, seed=0)
    latency = truth.values(codes)[1]
    for position in (0, *truth.blocks.ravel().tolist()):
        more = codes.copy()
        can = (codes[:, position] >= 0) & (
            codes[:, position] < len(space.decisions[position].choices) - 1
        )
        more[can, position] += 1
        assert (truth.values(more)[1][can] > latency[can]).all()


def test_two_percent_are_outliers_and_accuracy_stays_below_its_ceiling(space: SearchSpace) -> None:
    truth = Truth.kinds(space, 2)["hard, saturating"]
    codes = space.random_codes(3000, seed=5)
    accuracy, latency = truth.values(codes)
    ratios = truth.measure(codes, 6).values("latency_ms") / latency
    assert 0.01 < (ratios > 1.15).mean() < 0.03
    assert (truth.measure(codes, 6, clean=True).values("latency_ms") / latency < 1.15).all()
    assert (accuracy < truth.ceiling).all()
