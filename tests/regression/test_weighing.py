"""Fits by relative errors."""

import functools
from dataclasses import replace

import numpy as np
import pytest
from conftest import DEMO

from benchmarks.truths import Truth
from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.coefficients import effect_rows
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import build_form
from foxnas_core.regression.inference import inference
from foxnas_core.regression.keeping import pack_predictor, unpack_predictor
from foxnas_core.regression.weighing import (
    LEAST_SQUARES,
    RELATIVE,
    Products,
    relative_residuals,
    weigh,
)
from foxnas_core.study import open_study
from foxnas_core.table.latency_verdicts import usable
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

SPACE = open_study(DEMO).space


@functools.cache
def measured(rows: int = 300) -> MeasurementTable:
    return Truth.of(SPACE, 3).measure(SPACE.random_codes(rows, seed=4), 5)


@functools.cache
def steps() -> Predictor:
    return fit(measured(), "latency_ms", "steps")


def redrawn(truth: Predictor, codes: np.ndarray, rng: np.random.Generator) -> MeasurementTable:
    """Rows about a fit taken for the truth: 2 % of scatter, and 2 % of rows too high by 40 %."""
    value = truth.form.matrix(codes) @ truth.estimates
    value = value * (1 + 0.02 * rng.standard_normal(len(codes)))
    value = np.where(rng.random(len(codes)) < 0.02, 1.4 * value, value)
    frame = measured().frame.iloc[:0][list(SPACE.by_name)]
    rows = [architecture.to_dict() for architecture in SPACE.decode(codes)]
    frame = frame.reindex(range(len(rows))).assign(
        **{name: [row.get(name) for row in rows] for name in frame}
    )
    return table_from_frame(SPACE, frame.assign(latency_ms=value))


def test_outliers_weigh_hardly_anything_and_small_costs_as_much_as_large_ones() -> None:
    form = build_form("per_layer", SPACE, "latency_ms")
    x = form.matrix(SPACE.random_codes(400, seed=1))
    rng = np.random.default_rng(2)
    true = 1 + 3 * x[:, 1]
    y = true * (1 + 0.01 * rng.standard_normal(len(x)))
    y[:8] *= 1.5
    relative = weigh(x, y) * true**2
    assert relative[:8].max() < 1e-3
    assert relative[8:].mean() > 0.8
    estimates = Products.of(x, y, weigh(x, y)).solve()
    np.testing.assert_allclose(x @ estimates, true, rtol=0.02)


def test_small_costs_are_predicted_better_than_by_least_squares() -> None:
    truth = Truth.of(SPACE, 3)
    codes = SPACE.random_codes(500, seed=9)
    latency = truth.values(codes)[1]
    low = latency < np.quantile(latency, 0.25)

    def error(predictor: Predictor) -> float:
        value = predictor.predict_codes(codes[low])["value"].to_numpy()
        return float(np.median(np.abs(value / latency[low] - 1)))

    squares = error(fit(measured(), "latency_ms", estimator=LEAST_SQUARES))
    assert error(fit(measured(), "latency_ms", "per_layer", "none", RELATIVE)) < 0.7 * squares
    assert error(steps()) < 0.25 * squares
    chosen = fit(measured(), "latency_ms")
    assert (chosen.form.name, chosen.estimator) == ("steps", RELATIVE)


@pytest.mark.parametrize(("form", "rows"), [("per_layer", 300), ("steps", 200), ("steps", 300)])
def test_intervals_of_effects_and_predictions_hold(form: str, rows: int) -> None:
    truth = fit(measured(600), "latency_ms", form, "none", RELATIVE)
    tried = SPACE.random_codes(300, seed=1)
    value = truth.form.matrix(tried) @ truth.estimates
    effects = effect_rows(truth.form)[1]
    held = []
    rng = np.random.default_rng(0)
    for run in range(8):
        table = redrawn(truth, SPACE.random_codes(rows, seed=run), rng)
        predictor = fit(table, "latency_ms", form, "none", RELATIVE)
        found = predictor.predict_codes(tried)
        new = value * (1 + 0.02 * rng.standard_normal(len(value)))
        inside = inference(predictor).intervals(effects)
        held.append(
            (
                ((found["low"] <= value) & (value <= found["high"])).mean(),
                ((found["prediction_low"] <= new) & (new <= found["prediction_high"])).mean(),
                ((inside["low"] <= effects @ truth.estimates)
                 & (effects @ truth.estimates <= inside["high"])).mean(),
            )
        )  # fmt: skip
    assert min(np.mean(held, axis=0)) > 0.9


def test_robust_kinds_of_interval_hold_too() -> None:
    truth = fit(measured(600), "latency_ms", "per_layer", "none", RELATIVE)
    effects = effect_rows(truth.form)[1]
    true = effects @ truth.estimates
    rng = np.random.default_rng(1)
    for kind in ("hc3", "bootstrap"):
        held = []
        for run in range(4):
            table = redrawn(truth, SPACE.random_codes(500, seed=run), rng)
            predictor = fit(table, "latency_ms", "per_layer", "none", RELATIVE)
            found = inference(predictor, kind, table=table, seed=run).intervals(effects)
            held.append(((found["low"] <= true) & (true <= found["high"])).mean())
        assert np.mean(held) > 0.91, kind


def test_a_latency_interval_never_reaches_below_0() -> None:
    found = steps().predict_codes(SPACE.random_codes(1000, seed=2), 0.999)
    assert (found["prediction_low"] > 0).all()
    assert (found["value"] > 0).all()


@pytest.mark.parametrize("form", ["per_layer", "steps"])
def test_what_is_kept_of_a_relative_fit_is_read_as_it_was(form: str) -> None:
    made = fit(measured(), "latency_ms", form, "none", RELATIVE)
    again = unpack_predictor(pack_predictor(made, "key"), "key", SPACE)
    assert again.estimator == RELATIVE and again.residual_df == made.residual_df
    codes = SPACE.random_codes(20, seed=0)
    assert again.predict_codes(codes).equals(made.predict_codes(codes))
    np.testing.assert_array_equal(again.weights, made.weights)


def test_only_measured_costs_have_relative_errors() -> None:
    with pytest.raises(InvalidInput, match="accuracy has no relative errors"):
        fit(measured(), "accuracy", "per_layer", "none", RELATIVE)
    with pytest.raises(InvalidInput, match="'steps' .* by relative errors only"):
        fit(measured(), "latency_ms", "steps", "none", LEAST_SQUARES)
    with pytest.raises(InvalidInput, match="no estimator; choose least_squares, relative"):
        fit(measured(), "latency_ms", "per_layer", "none", "ridge")
    with pytest.raises(InvalidInput, match="at least half of them, but only 40"):
        fit(measured().rows(np.arange(300) < 40), "latency_ms", "steps")


def test_the_demo_is_predicted_within_2_percent_where_it_is_quickest() -> None:
    table = open_study(DEMO).table()
    table = table.rows(usable(table, "latency_ms"))
    y = table.values("latency_ms")
    predictor = fit(table, "latency_ms")
    low = y <= np.quantile(y, 0.25)
    errors = np.abs(relative_residuals(y, predictor.held_out))[low]
    assert np.median(errors) < 0.015
    other = fit(table, "latency_ms", estimator=LEAST_SQUARES)
    assert np.median(np.abs(relative_residuals(y, other.held_out))[low]) > 0.03


def test_a_predictor_without_weights_scatters_alike_everywhere() -> None:
    plain = replace(steps(), weights=None)
    eta = np.array([0.01, 0.1])
    np.testing.assert_allclose(plain.scatter(eta), steps().residual_variance)
    np.testing.assert_allclose(steps().scatter(eta), steps().residual_variance * eta**2)
