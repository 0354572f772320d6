import numpy as np
import pytest
from hand import table_of

from foxnas_core.families import load_shipped
from foxnas_core.features import build_form
from foxnas_core.regression import fit
from foxnas_core.regression.interactions import select_interactions
from foxnas_core.regression.leastsquares import deal_folds
from foxnas_core.table import MeasurementTable

MINI = load_shipped("foxnas-mini")
PAIRS = (("s1b1_kernel", "s1b1_expand"), ("resolution", "s2b2_on"), ("s3b1_expand", "s3b2_on"))
PLAIN = build_form("interactions", MINI, "accuracy")


def made(pairs, *, seed: int = 0, rows: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes, values and folds of subnets whose accuracy these interactions make up."""
    codes = MINI.random_codes(rows, seed=seed)
    x = build_form("interactions", MINI, "accuracy", pairs).matrix(codes)
    rng = np.random.default_rng(seed + 50)
    truth = x[:, 1:] @ rng.normal(0, 1, x.shape[1] - 1)
    y = 60 + 5 * truth / truth.std() + rng.normal(0, 0.2, rows)
    return codes, y, deal_folds(np.arange(rows), seed)


def test_the_interactions_that_made_the_data_are_found() -> None:
    codes, y, fold = made(PAIRS)
    assert set(select_interactions(PLAIN, codes, y, fold).pairs) == set(PAIRS)


def test_where_effects_only_add_up_none_is_taken_but_by_chance() -> None:
    found = [len(select_interactions(PLAIN, *made((), seed=s)).pairs) for s in range(12)]
    # Two standard errors are exceeded in 2.5 % of draws; three of twelve would be a fault.
    assert sum(n > 0 for n in found) <= 2


def test_a_held_out_prediction_does_not_depend_on_its_own_fold() -> None:
    codes, y, fold = made(PAIRS)
    before = select_interactions(PLAIN, codes, y, fold)
    changed = y + np.where(fold == 3, np.random.default_rng(1).normal(0, 0.5, len(y)), 0.0)
    after = select_interactions(PLAIN, codes, changed, fold)
    own = fold == 3
    assert len(before.pairs) == len(after.pairs)
    np.testing.assert_allclose(after.held_out[own], before.held_out[own], atol=1e-6)
    assert np.abs(after.held_out[~own] - before.held_out[~own]).max() > 1e-3


def test_held_out_predictions_are_those_of_fitting_again_without_the_fold() -> None:
    """Where every fold takes the same interactions, which these data make plain."""
    codes, y, fold = made(PAIRS)
    found = select_interactions(PLAIN, codes, y, fold)
    x = build_form("interactions", MINI, "accuracy", PAIRS).matrix(codes)
    expected = np.empty(len(y))
    for number in range(10):
        own = fold == number
        estimates, *_ = np.linalg.lstsq(x[~own], y[~own], rcond=None)
        expected[own] = x[own] @ estimates
    np.testing.assert_allclose(found.held_out, expected, atol=1e-5)


@pytest.mark.parametrize("target", ["accuracy", "latency_ms"])
def test_a_fit_with_interactions_is_still_a_sum_over_groups(target: str) -> None:
    codes, y, _ = made(PAIRS)
    table: MeasurementTable = table_of(MINI, codes, accuracy=y, latency_ms=y)
    pairs = PAIRS if target == "accuracy" else (PAIRS[0], PAIRS[2])
    predictor = fit(table, target, build_form("interactions", MINI, target, pairs), "none")
    assert predictor.form.pairs == pairs and predictor.form.joint
    some = MINI.random_codes(30, seed=9)
    for context in MINI.context_options():
        some[:, 0] = MINI.decisions[0].choices.index(context["resolution"])
        split = predictor.split(context)
        total = split.constant + sum(split.group_values(g, some) for g in MINI.additive_groups)
        np.testing.assert_allclose(total, predictor.predict_codes(some)["value"], atol=1e-9)
