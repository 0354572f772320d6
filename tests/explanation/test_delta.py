import functools
from dataclasses import replace

import numpy as np
import pytest
from hand import hand_space, saturating_table

from foxnas_core.explanation.delta import mean_prediction
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.link import Link

SPACE = hand_space()
CODES = SPACE.random_codes(40, seed=1)


@functools.cache
def predictor_of(link: str) -> Predictor:
    return fit(saturating_table(SPACE, 80), "accuracy", "per_layer", link)


@pytest.mark.parametrize("link", ["none", "saturating"])
def test_the_mean_prediction_moves_as_its_derivatives_say(link: str) -> None:
    predictor = predictor_of(link)
    rows = predictor.form.matrix(CODES)
    value, gradient, by_rate = mean_prediction(predictor, rows)
    assert value == pytest.approx(predictor.predict_codes(CODES)["value"].mean(), abs=1e-9)
    step = 1e-5
    for unit, derivative in zip(np.eye(predictor.parameters), gradient, strict=True):
        up, down = (
            mean_prediction(replace(predictor, estimates=predictor.estimates + s * unit), rows)[0]
            for s in (step, -step)
        )
        assert (up - down) / (2 * step) == pytest.approx(derivative, abs=1e-6)
    if link == "saturating":
        rate = predictor.link.rate
        up, down = (
            mean_prediction(replace(predictor, link=Link(predictor.link.center, rate + s)), rows)[0]
            for s in (1e-7, -1e-7)
        )
        assert (up - down) / 2e-7 == pytest.approx(by_rate, rel=1e-4)


def test_without_a_link_the_errors_are_those_of_combinations() -> None:
    predictor = predictor_of("none")
    rows = predictor.form.matrix(CODES)
    np.testing.assert_allclose(predictor.std_error(rows), predictor.combine(rows)[1])


def test_errors_of_predictions_hold_the_ceiling_as_their_intervals_do() -> None:
    """One subnet alone: the interval of a prediction on the link's scale, times its slope."""
    predictor = predictor_of("saturating")
    rows = predictor.form.matrix(CODES[:5])
    means = [mean_prediction(predictor, row[np.newaxis]) for row in rows]
    found = predictor.std_error(np.array([m[1] for m in means]), np.array([m[2] for m in means]))
    predicted = predictor.predict_codes(CODES[:5])
    eta, low = (predictor.link.forward(predicted[c]) for c in ("value", "low"))
    expected = (eta - low) / predictor.quantile() * predictor.link.slope(eta)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
