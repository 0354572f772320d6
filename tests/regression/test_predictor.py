import functools
import json
import pickle
from dataclasses import replace

import numpy as np
import pytest
from hand import hand_space, noisy_table, saturating_table, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit, predictor_summary
from foxnas_core.regression.inference import inference
from foxnas_core.regression.link import Link
from foxnas_core.table.measurements import MeasurementTable

MINI = load_shipped("foxnas-mini")
COLUMNS = ["prediction_low", "low", "value", "high", "prediction_high"]


@functools.cache
def table() -> MeasurementTable:
    return saturating_table(MINI, 400, seed=1)


@functools.cache
def saturating() -> Predictor:
    return fit(table(), "accuracy", "per_layer", "saturating")


@functools.cache
def without_ceiling() -> Predictor:
    """The saturating link fitted to an accuracy that adds up, so that no ceiling is within."""
    return fit(
        noisy_table(hand_space(), 80, seed=3, noise=3.0), "accuracy", "per_layer", "saturating"
    )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), level=st.floats(0.5, 0.999))
def test_intervals_hold_their_value_and_stay_below_the_ceiling(seed: int, level: float) -> None:
    predictor = saturating()
    predicted = predictor.predict_codes(MINI.random_codes(30, seed=seed), level)[COLUMNS].to_numpy()
    assert np.isfinite(predicted).all()
    assert (np.diff(predicted, axis=1) > 0).all()
    assert (predicted < predictor.link.ceiling).all()


def test_values_are_the_sum_of_effects_through_the_link() -> None:
    predictor = saturating()
    codes = MINI.random_codes(50, seed=2)
    eta = predictor.form.matrix(codes) @ predictor.estimates
    s = predictor.link.ceiling - predictor.link.center
    expected = predictor.link.ceiling - s * np.exp(-(eta - predictor.link.center) / s)
    np.testing.assert_allclose(predictor.predict_codes(codes)["value"], expected, atol=1e-9)
    np.testing.assert_allclose(predictor.predict(MINI.decode(codes))["value"], expected, atol=1e-9)
    np.testing.assert_allclose(predictor.combine(predictor.form.matrix(codes))[0], eta, atol=1e-12)


def test_a_known_ceiling_is_found_and_what_lies_below_it_predicted() -> None:
    predictor = saturating()
    assert predictor.ceiling is not None
    assert predictor.ceiling.low < 90 < predictor.ceiling.high
    assert predictor.link.ceiling == predictor.ceiling.value
    assert predictor.r2 > 0.98
    accuracy = table().values("accuracy")
    fitted = predictor.predict_codes(table().codes)["value"].to_numpy()
    np.testing.assert_allclose(
        predictor.r2,
        1 - ((accuracy - fitted) ** 2).sum() / ((accuracy - accuracy.mean()) ** 2).sum(),
    )
    assert predictor.held_out.shape == (400,)
    error = np.sqrt(np.mean((accuracy - predictor.held_out) ** 2))
    assert predictor.cv.rmse == pytest.approx(error, abs=1e-12)


def test_a_split_adds_up_on_the_scale_of_the_link() -> None:
    predictor = saturating()
    codes = MINI.random_codes(20, seed=5)
    for context in MINI.context_options():
        split = predictor.split(context)
        total = split.constant + sum(split.group_values(g, codes) for g in MINI.additive_groups)
        codes[:, 0] = MINI.by_name["resolution"].choices.index(context["resolution"])
        np.testing.assert_allclose(
            predictor.link.inverse(total), predictor.predict_codes(codes)["value"], atol=1e-9
        )


def numerical_std_errors(predictor: Predictor, codes: np.ndarray) -> np.ndarray:
    """By the delta method with numerical derivatives of the prediction in the target's unit, as
    standard errors on the link's scale.

    Estimates and rate vary: the estimates by the residuals, and with the rate by refitting.
    """
    found = predictor.ceiling
    assert found is not None
    x, y = predictor.form.matrix(table().codes), table().values("accuracy")
    rows, link = predictor.form.matrix(codes), predictor.link

    def refitted(rate: float) -> np.ndarray:
        moved = Link(link.center, rate)
        b, *_ = np.linalg.lstsq(x, moved.forward(y), rcond=None)
        return moved.inverse(rows @ b)

    step = 1e-5 * link.rate
    by_rate = (refitted(link.rate + step) - refitted(link.rate - step)) / (2 * step)
    eta = rows @ predictor.estimates
    step = 1e-4
    slope = (link.inverse(eta + step) - link.inverse(eta - step)) / (2 * step)
    # The covariance of the estimates at this rate is that of least squares.
    own = predictor.residual_variance * np.linalg.inv(x.T @ x)
    variance = slope**2 * np.einsum("ij,jk,ik->i", rows, own, rows)
    variance += found.rate_variance * by_rate**2
    return np.sqrt(variance) / slope


def test_standard_errors_below_an_uncertain_ceiling_are_those_of_the_delta_method() -> None:
    predictor = saturating()
    codes = MINI.random_codes(60, seed=7)
    rows = predictor.form.matrix(codes)
    eta = rows @ predictor.estimates
    found = predictor.std_error(rows, predictor.link.rate_pull(eta))
    np.testing.assert_allclose(found, numerical_std_errors(predictor, codes), rtol=1e-4)
    # The intervals are built on them.
    predicted = predictor.predict_codes(codes, 0.9)
    half = predictor.quantile(0.9) * found
    np.testing.assert_allclose(predicted["low"], predictor.link.inverse(eta - half), atol=1e-9)
    wide = predictor.quantile(0.9) * np.sqrt(found**2 + predictor.residual_variance)
    np.testing.assert_allclose(
        predicted["prediction_high"], predictor.link.inverse(eta + wide), atol=1e-9
    )


def test_the_covariance_includes_the_ceilings() -> None:
    predictor = saturating()
    found = predictor.ceiling
    assert found is not None
    x = predictor.form.matrix(table().codes)
    own = predictor.residual_variance * np.linalg.inv(x.T @ x)
    own += found.rate_variance * np.outer(found.pull, found.pull)
    np.testing.assert_allclose(predictor.covariance, own, rtol=1e-6, atol=1e-12)


def test_a_predictor_below_a_ceiling_pickles() -> None:
    predictor = saturating()
    again = pickle.loads(pickle.dumps(predictor))
    codes = MINI.random_codes(20, seed=8)
    assert again.predict_codes(codes).equals(predictor.predict_codes(codes))
    assert again.coefficients().equals(predictor.coefficients())
    assert again.link == predictor.link
    for name in ("value", "low", "high", "p", "rate_variance"):
        assert getattr(again.ceiling, name) == getattr(predictor.ceiling, name)
    np.testing.assert_array_equal(again.held_out, predictor.held_out)
    # What is inferred from it is the same too.
    one, other = (
        inference(p, "bootstrap", table=table()).intervals(p.form.shown[:3])
        for p in (predictor, again)
    )
    assert one.equals(other)


def test_the_summary_tells_the_ceiling() -> None:
    predictor = saturating()
    assert predictor.ceiling is not None
    summary = json.loads(json.dumps(predictor_summary(predictor), allow_nan=False))
    assert summary["ceiling"] == {
        "value": predictor.ceiling.value,
        "low": predictor.ceiling.low,
        "high": predictor.ceiling.high,
        "p": predictor.ceiling.p,
    }
    assert predictor_summary(fit(table(), "latency_ms", "per_layer"))["ceiling"] is None


def test_an_infinite_end_of_the_ceilings_interval_is_null() -> None:
    predictor = without_ceiling()
    assert predictor.ceiling is not None and np.isinf(predictor.ceiling.high)
    summary = json.loads(json.dumps(predictor_summary(predictor), allow_nan=False))
    assert summary["ceiling"]["high"] is None
    assert summary["ceiling"]["low"] == predictor.ceiling.low


def test_a_ceiling_found_nowhere_still_makes_a_strict_summary() -> None:
    """Effects that grow with accuracy: the most likely ceiling is none at all."""
    space = hand_space()
    plain = noisy_table(space, 80, seed=3, noise=0.5)
    accuracy = 2 * (plain.values("accuracy") / 10) ** 2 - 30
    predictor = fit(
        table_of(space, plain.codes, accuracy=accuracy), "accuracy", "per_layer", "saturating"
    )
    assert predictor.ceiling is not None and np.isinf(predictor.ceiling.value)
    assert predictor.link.is_identity
    assert np.isfinite(predictor.predict_codes(plain.codes)).all(axis=None)
    json.dumps(predictor_summary(predictor), allow_nan=False)


def test_degrees_of_freedom_may_be_given() -> None:
    predictor = saturating()
    assert predictor.residual_df == 400 - predictor.parameters
    few = replace(predictor, df=5)
    assert few.residual_df == 5
    assert few.quantile() > predictor.quantile()


def test_a_context_is_checked_through_the_link_too() -> None:
    with pytest.raises(InvalidInput, match="choose one of"):
        saturating().split({"resolution": 13})


def test_only_what_is_counted_and_adds_up_is_exact() -> None:
    space = hand_space()
    counted = noisy_table(space, 80, seed=3, noise=0.0)
    assert fit(counted, "latency_ms", "per_layer").is_exact
    assert not fit(noisy_table(space, 80, seed=3, noise=1e-4), "latency_ms", "per_layer").is_exact
    assert not saturating().is_exact
