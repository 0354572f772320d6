"""Terms that are shrunk towards those alike."""

import numpy as np
import pytest
from conftest import DEMO

from benchmarks.truths import Truth
from foxnas_core.regression.features import build_form
from foxnas_core.regression.shrinking import pool, shrink
from foxnas_core.regression.weighing import Products, told
from foxnas_core.study import open_study

SPACE = open_study(DEMO).space
FORM = build_form("steps", SPACE, "latency_ms")
FREE = np.array([not term.group for term in FORM.terms])


def measured(rows: int) -> tuple[np.ndarray, np.ndarray]:
    table = Truth.of(SPACE, 3).measure(SPACE.random_codes(rows, seed=4), 5)
    return FORM.matrix(table.codes), table.values("latency_ms")


def evidence(products: Products, penalty: np.ndarray) -> float:
    """The log of the marginal likelihood, but for what no penalty changes, the free terms and the
    scale integrated out."""
    own = penalty[np.ix_(~FREE, ~FREE)]
    estimates = products.solve(penalty)
    rest = products.square - estimates @ products.moment
    determinants = np.linalg.slogdet(own)[1] - np.linalg.slogdet(products.gram + penalty)[1]
    return (determinants - (products.rows - FREE.sum()) * np.log(rest)) / 2


def test_the_penalty_has_the_largest_evidence_of_its_multiples() -> None:
    x, y = measured(200)
    weights, penalty = shrink(FORM, x, y)
    products = Products.of(x, y, weights)
    told = [evidence(products, factor * penalty) for factor in (0.4, 1.0, 2.5)]
    assert told[1] == max(told)


def test_what_the_context_alone_decides_is_not_shrunk() -> None:
    penalty = shrink(FORM, *measured(200))[1]
    assert FREE.any() and not penalty[FREE].any() and not penalty[:, FREE].any()
    assert np.linalg.eigvalsh(penalty[np.ix_(~FREE, ~FREE)]).min() > 0


@pytest.mark.parametrize("rows", [100, 400])
def test_blocks_that_are_alike_are_found_so(rows: int) -> None:
    """Of one cost a pixel for each expand ratio whatever the block, few rows tell it of all."""
    codes = SPACE.random_codes(rows, seed=7)
    x = FORM.matrix(codes)
    true = np.array(
        [1.0 if FREE[i] else 0.5 * term.name.count("expand>=") for i, term in enumerate(FORM.terms)]
    )
    noise = 0.01 * np.random.default_rng(8).standard_normal(rows)
    y = x @ true * (1 + noise)
    weights, penalty = shrink(FORM, x, y)
    products = Products.of(x, y, weights)
    tried = FORM.matrix(SPACE.random_codes(500, seed=9))
    np.testing.assert_allclose(tried @ products.solve(penalty), tried @ true, rtol=0.03)
    assert told(products.gram, penalty).sum() < 70 < FORM.parameters


def test_more_rows_are_shrunk_less() -> None:
    taken = []
    for rows in (100, 800):
        x, y = measured(rows)
        weights, penalty = shrink(FORM, x, y)
        taken.append(float(told(Products.of(x, y, weights).gram, penalty).sum()))
    assert taken[0] < 80 < taken[1] < FORM.parameters


def test_doubt_of_the_ridge_is_of_how_estimates_move_with_it() -> None:
    form = build_form("across_stages", SPACE, "accuracy")
    table = Truth.of(SPACE, 3).measure(SPACE.random_codes(200, seed=4), 5)
    x, y = form.matrix(table.codes), table.values("accuracy")
    pooling = pool(form, x, y)

    def estimates(ridge: np.ndarray) -> np.ndarray:
        return np.linalg.solve(x.T @ x + pooling.prior.penalty(ridge), x.T @ y)

    levels = len(pooling.ridge)
    nudged = [pooling.ridge * np.exp(1e-4 * np.eye(levels)[k]) for k in range(levels)]
    ways = np.array([estimates(own) - estimates(pooling.ridge) for own in nudged]).T / 1e-4
    # The expected information of the restricted likelihood of rows whose covariance is V.
    free = pooling.prior.free

    def spread(ridge: np.ndarray) -> np.ndarray:
        prior = np.linalg.inv(pooling.prior.penalty(ridge)[np.ix_(~free, ~free)])
        return np.eye(len(y)) + x[:, ~free] @ prior @ x[:, ~free].T

    inverse = np.linalg.inv(spread(pooling.ridge))
    mixed = inverse @ x[:, free]
    rest = inverse - mixed @ np.linalg.solve(x[:, free].T @ mixed, mixed.T)
    parts = [rest @ (spread(own) - spread(pooling.ridge)) / 1e-4 for own in nudged]
    information = np.array([[np.trace(a @ b) / 2 for a in parts] for b in parts])
    information += np.eye(levels) / 20
    told = ways @ np.linalg.solve(information, ways.T)
    np.testing.assert_allclose(pooling.doubt(x, y), told, atol=1e-3 * np.abs(told).max())
