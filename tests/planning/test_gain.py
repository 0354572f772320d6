import functools

import numpy as np
import pytest
from hand import hand_space, noisy_table, table_of

from foxnas_core.explanation.coefficients import choice_effects
from foxnas_core.planning.coordinate_exchange import next_batch
from foxnas_core.planning.gain import DRAWS, ExpectedGain, expected_gain
from foxnas_core.regression import fit
from foxnas_core.table.measurements import MeasurementTable

SPACE = hand_space(resolutions=(8, 16))


@functools.cache
def table() -> MeasurementTable:
    """Different subnets, so that each row counts."""
    drawn = noisy_table(SPACE, 60, seed=4)
    single = drawn.rows(~drawn.frame["id"].duplicated().to_numpy())
    return single.rows(np.arange(len(single)) < 30)


@functools.cache
def gain(target: str = "accuracy", count: int = 5) -> ExpectedGain:
    predictor = fit(table(), target, "per_layer", "none")
    batch = next_batch(predictor.form, table().codes, count, seed=1)
    return expected_gain(predictor, table().codes, batch, seed=1)


def appended(target: str, count: int = 5):
    """The fit of the same form once the batch has been measured."""
    form = fit(table(), target, "per_layer", "none").form
    batch = next_batch(form, table().codes, count, seed=1)
    values = np.random.default_rng(0).normal(50, 5, count)
    codes = np.vstack([table().codes, batch.codes])
    both = {c: np.append(table().values(c), values) for c in ("accuracy", "latency_ms")}
    return fit(table_of(SPACE, codes, **both), target, "per_layer", "none")


@pytest.mark.parametrize("target", ["accuracy", "latency_ms"])
def test_what_is_expected_comes_true_when_the_rows_are_appended(target):
    before, after = fit(table(), target, "per_layer", "none"), appended(target)
    found = gain(target)
    scale = np.sqrt(before.residual_variance / after.residual_variance)
    assert np.allclose(found.coefficients["std_error"], before.coefficients()["std_error"])
    assert np.allclose(
        found.coefficients["expected"], scale * after.coefficients()["std_error"], rtol=1e-6
    )
    for predictor, column, factor in ((before, "std_error", 1.0), (after, "expected", scale)):
        effects = choice_effects(predictor)
        half = (effects["high"] - effects["low"]) / 2 / predictor.quantile()
        assert np.allclose(found.effects[column], factor * half, rtol=1e-6)
    for part in (found.effects, found.coefficients):
        assert np.allclose(part["ratio"], part["expected"] / part["std_error"])
        assert (part["ratio"] <= 1 + 1e-12).all()


def test_rows_of_one_subnet_that_err_together_count_once():
    codes, values = table().codes, table().values("accuracy")
    three = table_of(SPACE, np.repeat(codes, 3, axis=0), accuracy=np.repeat(values, 3))
    predictor = fit(three, "accuracy", "per_layer", "none")
    batch = next_batch(predictor.form, codes, 5, seed=1)
    found = expected_gain(predictor, three.codes, batch, seed=1)
    assert np.allclose(found.coefficients["std_error"], gain().coefficients["std_error"])
    assert np.allclose(found.coefficients["ratio"], gain().coefficients["ratio"])


def test_the_curve_falls_from_1_to_the_whole_batch():
    curve = gain().curve
    assert curve["rows"].tolist() == [0, 1, 2, 3, 4, 5]
    assert (curve.iloc[0, 1:] == 1).all()
    for column in ("batch", "random"):
        assert (np.diff(curve[column]) <= 1e-12).all()
    assert np.isclose(curve["batch"].iloc[-1], gain().effects["ratio"].mean())
    assert (curve["random_low"] <= curve["random"] + 1e-12).all()
    assert (curve["random"] <= curve["random_high"] + 1e-12).all()
    assert gain().narrower == 1 - curve["batch"].iloc[-1]


def test_random_batches_are_those_that_measuring_draws():
    """By hand: the covariance after each of the random batches."""
    form = fit(table(), "accuracy", "per_layer", "none").form
    rows = form.matrix(table().codes)
    left = SPACE.size - len(set(table().frame["id"]))
    drawn = SPACE.encode(SPACE.sample(left, seed=1, exclude=table().frame["id"].tolist()))
    log_dets = []
    for number in range(DRAWS):
        own = form.matrix(drawn[(number * left // DRAWS + np.arange(5)) % left])
        log_dets.append(np.linalg.slogdet(rows.T @ rows + own.T @ own)[1])
    batch = next_batch(form, table().codes, 5, seed=1)
    expected = np.exp((np.mean(log_dets) - batch.log_det) / form.parameters)
    assert np.isclose(gain().efficiency, expected)
    assert gain().efficiency < 1


def test_equal_rows_are_the_first_random_ones_that_tell_as_much():
    found = gain("latency_ms")
    assert found.equal_rows is None or found.equal_rows > 5
    # Against the curve: fewer random rows than the batch has tell less than it does.
    assert found.narrower > found.narrower_by_random


def test_a_minute_is_shared_by_the_rows_measured_in_it():
    own, random = gain().per_minute(seconds=24.0)  # 5 rows in 2 minutes
    assert np.isclose(own, gain().narrower / 2)
    assert np.isclose(random, gain().narrower_by_random / 2)
