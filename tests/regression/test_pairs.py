"""What pairs of rows tell of differences, where it is known how they err."""

import numpy as np
import pytest
from hand import hand_space

from foxnas_core.families import load_shipped
from foxnas_core.regression.pairs import PairScatter, differing

MINI = load_shipped("foxnas-mini")
CODES = MINI.random_codes(500, seed=0, by="balanced")


def test_differences_are_counted_apart_from_the_context() -> None:
    before = MINI.encode([MINI.extreme("smallest")] * 3)
    after = before.copy()
    places = [MINI.decisions.index(MINI.by_name[name]) for name in ("resolution", "s1b1_kernel")]
    after[1, places[1]] = 2
    after[2, places] = 2
    distance, apart = differing(MINI, before, after)
    assert distance.tolist() == [0, 1, 1] and apart.tolist() == [False, False, True]
    scatter = PairScatter(same=((3, 0.5), (9, 0.7)), other=((4, 1.2),))
    assert scatter.shares(MINI, before, after).tolist() == [0.0, 0.5, 1.2]
    assert PairScatter().shares(MINI, before, after).tolist() == [0.0, 1.0, 1.0]
    # Beyond the farthest pairs their share stands.
    far = MINI.encode([MINI.extreme("largest")] * 3)
    assert scatter.shares(MINI, before, far).tolist() == [1.2] * 3


def test_independent_errors_make_every_share_about_one() -> None:
    errors = np.random.default_rng(0).normal(0, 3, len(CODES))
    errors[:5] = np.nan  # rows that no fit could predict
    found = PairScatter.of(MINI, CODES, errors)
    for shares in (found.same, found.other):
        assert len(shares) > 2
        assert [share for _, share in shares] == pytest.approx([1.0] * len(shares), abs=0.3)
        assert [most for most, _ in shares] == sorted(most for most, _ in shares)


def test_errors_that_the_resolution_shares_cancel_within_it() -> None:
    rng = np.random.default_rng(1)
    errors = np.array([-2.0, 0.0, 2.0])[CODES[:, 0]] + rng.normal(0, 0.5, len(CODES))
    found = PairScatter.of(MINI, CODES, errors)
    assert max(share for _, share in found.same) < 0.3
    assert min(share for _, share in found.other) > 0.8


def test_outliers_do_not_decide() -> None:
    rng = np.random.default_rng(2)
    errors = rng.normal(0, 1, len(CODES))
    errors[rng.choice(len(CODES), 5, replace=False)] += 100
    shares = [share for _, share in PairScatter.of(MINI, CODES, errors).same]
    assert shares == pytest.approx([1.0] * len(shares), abs=0.3)


@pytest.mark.parametrize("errors", [np.zeros(40), np.ones(0), np.full(40, np.nan)])
def test_nothing_to_tell_leaves_independent_errors(errors) -> None:
    codes = hand_space().random_codes(len(errors), seed=0)
    assert PairScatter.of(hand_space(), codes, errors) == PairScatter()
