"""Forms with terms across stages: what they are made of, how they are fitted and explained."""

import functools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.blocks import blocks_of
from foxnas_core.explanation.coefficients import choice_effects
from foxnas_core.explanation.edits import edit_effects
from foxnas_core.explanation.shapley import block_shapley
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.assessment import Data, assess
from foxnas_core.regression.features import build_form, forms_across
from foxnas_core.regression.inference import inference
from foxnas_core.regression.keeping import pack_predictor, unpack_predictor
from foxnas_core.regression.shrinking import pool
from foxnas_core.table.measurements import MeasurementTable
from tests.hand import table_of

MINI = load_shipped("foxnas-mini")
FORMS = tuple(forms_across(MINI))


@functools.cache
def measured(rows: int = 300) -> MeasurementTable:
    """Accuracy that each further block raises the less, the more there are elsewhere."""
    codes = MINI.random_codes(rows, seed=1)
    blocks = [(codes[:, MINI.decisions.index(d)]) for d in MINI.decisions if d.role == "depth"]
    kernels = [
        (codes[:, MINI.decisions.index(d)] > 0) for d in MINI.decisions if d.role == "kernel"
    ]
    deep, large = sum(blocks), np.sum(kernels, axis=0)
    noise = np.random.default_rng(2).normal(0, 0.2, rows)
    return table_of(MINI, codes, accuracy=80 + deep + 0.3 * large - 0.3 * deep**2 + noise)


@functools.cache
def predictor_of(form: str, link: str = "none") -> Predictor:
    return fit(measured(), "accuracy", form, link)


@pytest.mark.parametrize("form", FORMS)
def test_terms_are_told_apart_and_named(form: str) -> None:
    built = build_form(form, MINI, "accuracy")
    x = built.matrix(MINI.random_codes(600, seed=1))
    assert np.linalg.matrix_rank(x) == built.parameters
    labels = [term.label for term in built.terms]
    assert len({*labels}) == len(labels)
    assert "s1: blocks × s2: mean kernel" in labels
    assert {*built.couplings} == {"s1 + s2", "s1 + s3", "s2 + s3"}


def test_the_order_of_blocks_is_read_by_the_first_alone() -> None:
    first, second = (
        MINI.architecture(
            MINI.extreme("largest").to_dict() | {"s1b2_kernel": k, "s1b3_kernel": 10 - k}
        )
        for k in (3, 7)
    )
    for form, same in zip(FORMS, (False, True), strict=True):
        built = build_form(form, MINI, "accuracy")
        before, after = (built.matrix(MINI.encode([own])) for own in (first, second))
        assert np.allclose(before, after, atol=1e-12) == same == built.order_free


@pytest.mark.parametrize(
    ("space", "target", "why"),
    [
        ("nasbench201", "accuracy", "has not two of them; choose per_layer"),
        ("foxnas-mini", "latency_ms", "grows with the number of pixels"),
    ],
)
def test_what_can_not_have_them_is_refused(space: str, target: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        build_form(FORMS[0], load_shipped(space), target)


def test_they_are_pooled_by_squares_alone() -> None:
    with pytest.raises(InvalidInput, match="too few|at least half of them"):
        fit(measured(60), "accuracy", FORMS[0])


def test_held_out_rows_are_predicted_by_the_ridge_of_the_others() -> None:
    data = Data.of(measured(), "accuracy")
    found = assess(data, build_form(FORMS[0], MINI, "accuracy"), "none", seed=3)
    additive = assess(data, build_form("per_layer", MINI, "accuracy"), "none", seed=3)
    errors = [float(np.mean((data.y - own.held_out) ** 2)) for own in (found, additive)]
    assert errors[0] < 0.8 * errors[1]
    _, folded = data.folded(x := found.form.matrix(data.codes), 3)
    held = folded.fold == 0
    rest = x[~held].T @ x[~held] + found.penalty
    own = x[held] @ np.linalg.solve(rest, x[~held].T @ data.y[~held])
    np.testing.assert_allclose(found.held_out[held], own, atol=1e-6)


def test_every_kind_of_interval_is_that_of_the_ridge() -> None:
    predictor, table = predictor_of(FORMS[0]), measured()
    x = predictor.form.matrix(table.codes)
    unscaled = np.linalg.inv(x.T @ x + predictor.penalty)
    y = predictor.link.forward(table.values("accuracy"))
    doubt = pool(predictor.form, x, table.values("accuracy")).doubt(x, y)
    np.testing.assert_allclose(
        predictor.covariance, predictor.residual_variance * unscaled + doubt, atol=1e-9
    )
    assert 0 < predictor.residual_df < predictor.rows
    for kind in ("ordinary", "hc3"):
        found = inference(predictor, kind, table=table).intervals(np.eye(predictor.parameters))
        assert (found["std_error"] > 0).all()


def test_a_fit_is_kept_to_the_last_digit() -> None:
    predictor = predictor_of(FORMS[0])
    again = unpack_predictor(pack_predictor(predictor, "key"), "key", MINI)
    codes = MINI.random_codes(20, seed=5)
    np.testing.assert_array_equal(
        again.predict_codes(codes).to_numpy(), predictor.predict_codes(codes).to_numpy()
    )


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_edits_add_up_to_the_difference(form: str, seed: int) -> None:
    predictor = predictor_of(form)
    before, after = MINI.decode(MINI.random_codes(2, seed=seed))
    effects = edit_effects(predictor, before, after)
    first, second = predictor.predict([before, after])["value"]
    assert effects.table["effect"].sum() == pytest.approx(second - first, abs=1e-9)


@pytest.mark.parametrize(("link", "error"), [("none", 1e-9), ("saturating", 0.03)])
def test_each_block_has_the_shapley_value_of_all_coalitions(link: str, error: float) -> None:
    predictor = predictor_of(FORMS[0], link)
    blocks = blocks_of(predictor.form)
    assert [block.name for block in blocks] == ["resolution", *MINI.slots]
    theirs, ours = measured().codes[:6], MINI.random_codes(1, seed=6)
    found = block_shapley(
        predictor, architectures=MINI.decode(ours), background=MINI.decode(theirs)
    )
    count, size = len(blocks), 1 << len(blocks)
    codes = np.repeat(theirs[np.newaxis], size, axis=0)
    taken = (np.arange(size)[:, np.newaxis] >> np.arange(count)) % 2 == 1
    for number, block in enumerate(blocks):
        own = list(block.decisions)
        codes[np.ix_(taken[:, number], range(len(theirs)), own)] = ours[0, own]
    eta = predictor.form.matrix(codes.reshape(-1, codes.shape[-1])) @ predictor.estimates
    worth = predictor.link.inverse(eta).reshape(size, -1).mean(axis=1)
    sizes = taken.sum(axis=1)
    expected = [
        sum(
            (worth[c | 1 << number] - worth[c]) / (count * math.comb(count - 1, sizes[c]))
            for c in np.flatnonzero(~taken[:, number])
        )
        for number in range(count)
    ]
    np.testing.assert_allclose(found.values.iloc[0], expected, atol=error)
    assert found.values.sum(axis=1).iloc[0] == pytest.approx(worth[-1] - worth[0], abs=1e-9)
    assert found.base == pytest.approx(worth[0], abs=1e-9)


def test_every_choice_is_told() -> None:
    told = choice_effects(predictor_of(FORMS[0]))
    assert {*told["decision"]} == {*MINI.by_name}
