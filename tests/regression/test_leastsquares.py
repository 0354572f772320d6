from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.regression.leastsquares import (
    CLEARLY,
    FOLDS,
    FoldedRows,
    clearly_above,
    deal_folds,
)

seeds = st.integers(0, 2**32 - 1)


def again(x: np.ndarray, y: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Predictions by fitting again without each fold."""
    predicted = np.empty_like(y)
    for number in np.unique(fold):
        held = fold == number
        estimates, *_ = np.linalg.lstsq(x[~held], y[~held], rcond=None)
        predicted[held] = x[held] @ estimates
    return predicted


@given(seeds)
def test_predictions_are_those_of_fits_without_each_fold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(60, 7)), rng.normal(size=60)
    fold = deal_folds(np.arange(60), seed)
    np.testing.assert_allclose(FoldedRows.of(x, fold).predict(y), again(x, y, fold), atol=1e-9)


def test_several_responses_are_predicted_as_each_alone() -> None:
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(80, 6)), rng.normal(size=(80, 4))
    folded = FoldedRows.of(x, deal_folds(np.arange(80), 3))
    together = folded.predict(y)
    np.testing.assert_allclose(together, again(x, y, folded.fold), atol=1e-9)
    for column in range(4):
        np.testing.assert_allclose(together[:, column], folded.predict(y[:, column]), atol=1e-12)


def test_one_row_a_fold_leaves_each_out_by_hand() -> None:
    """The mean of 1, 2 and 6 without each: 4, 3.5 and 1.5."""
    folded = FoldedRows.of(np.ones((3, 1)), np.arange(3))
    np.testing.assert_allclose(folded.predict(np.array([1.0, 2, 6])), [4, 3.5, 1.5], atol=1e-12)


def test_whole_numbers_are_not_rounded() -> None:
    folded = FoldedRows.of(np.ones((3, 1)), np.arange(3))
    np.testing.assert_allclose(folded.predict(np.array([1, 2, 6])), [4, 3.5, 1.5], atol=1e-12)


def test_what_a_fold_alone_tells_is_not_predicted_from_the_others() -> None:
    """Columns a and b differ in the first fold only; without it any split of their sum fits."""
    rng = np.random.default_rng(2)
    a = rng.normal(size=40)
    fold = np.arange(40) % 8
    b = np.where(fold == 0, rng.normal(size=40), a)
    x = np.column_stack([np.ones(40), a, b])
    y = 1 + 2 * a + 3 * b + rng.normal(size=40)
    folded = FoldedRows.of(x, fold)
    b[0] = a[0]  # but for one row of it
    x[0, 2] = a[0]
    folded = FoldedRows.of(x, fold)
    predicted, held = folded.predict(y), fold == 0
    np.testing.assert_array_equal(folded.alone, held & (a != b))
    assert np.isnan(predicted[folded.alone]).all()
    np.testing.assert_allclose(
        predicted[~folded.alone], again(x, y, fold)[~folded.alone], atol=1e-9
    )


@given(seeds, st.integers(1, 60), st.integers(1, 3))
def test_folds_keep_repeats_together_and_are_balanced(seed: int, distinct: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    ids = rng.permutation(np.repeat([f"id{i}" for i in range(distinct)], most))
    fold = deal_folds(ids, seed)
    numbers = {i: set(fold[ids == i]) for i in np.unique(ids)}
    assert all(len(found) == 1 for found in numbers.values())
    # Of the distinct architectures every fold has as many, but for one.
    sizes = Counter(number for [number] in numbers.values())
    assert len(sizes) == min(distinct, FOLDS)
    assert max(sizes.values()) - min(sizes.values()) <= 1


def test_folds_are_dealt_by_the_seed() -> None:
    ids = np.arange(100)
    first, same, other = (deal_folds(ids, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()
    assert len(np.unique(deal_folds(ids, 0, folds=4))) == 4


def test_the_fold_of_an_architecture_does_not_depend_on_the_order_of_rows() -> None:
    ids = np.array([f"id{i}" for i in range(50)])
    order = np.random.default_rng(0).permutation(50)
    np.testing.assert_array_equal(deal_folds(ids[order], 7), deal_folds(ids, 7)[order])


@pytest.mark.parametrize(("mean", "clear"), [(0.39, False), (0.41, True), (-1.0, False)])
def test_clearly_above_by_hand(mean: float, clear: bool) -> None:
    """100 differences of spread 2: their mean has a standard error of .2, twice that is .4."""
    assert CLEARLY == 2
    least = np.linspace(0, 5, 100)
    errors = least + mean + 2 * np.resize([1.0, -1.0], 100)
    assert clearly_above(errors, least) == clear


def test_nothing_is_clearly_above_itself() -> None:
    errors = np.random.default_rng(0).normal(size=50) ** 2
    assert not clearly_above(errors, errors)
    assert clearly_above(errors + 1e-6, errors)
