import functools

import numpy as np
import pytest
from hand import hand_space, saturating_table

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.block_effects import block_effects, mean_block_effects
from foxnas_core.explanation.blocks import blocks_of
from foxnas_core.explanation.shapley import block_shapley
from foxnas_core.regression import Predictor, fit

SPACE = hand_space(resolutions=(12, 24))
TABLE = saturating_table(SPACE, 90)
BACKGROUND = TABLE.architectures()
KINDS = [("accuracy", "none"), ("accuracy", "saturating"), ("latency_ms", "none")]


@functools.cache
def predictor_of(target: str, link: str) -> Predictor:
    return fit(TABLE, target, "per_layer", link)


@pytest.mark.parametrize(("target", "link"), KINDS)
def test_contributions_add_up_on_the_scale_of_the_link(target: str, link: str) -> None:
    predictor = predictor_of(target, link)
    one = BACKGROUND[7]
    found = block_effects(predictor, architecture=one, background=BACKGROUND)
    assert found["block"].tolist() == ["resolution", "p1", "p2", "q1"]
    eta = predictor.form.matrix(TABLE.codes) @ predictor.estimates
    assert found["value"].sum() == pytest.approx(eta[7] - eta.mean(), abs=1e-9)
    assert ((found["low"] <= found["value"]) & (found["value"] <= found["high"])).all()


def test_of_a_plain_sum_they_are_the_shapley_values() -> None:
    predictor = predictor_of("accuracy", "none")
    shapley = block_shapley(predictor, architectures=BACKGROUND, background=BACKGROUND)
    one = block_effects(predictor, architecture=BACKGROUND[3], background=BACKGROUND)
    np.testing.assert_allclose(one["value"], shapley.values.iloc[3], atol=1e-9)
    every = mean_block_effects(predictor, background=BACKGROUND)
    np.testing.assert_allclose(every["value"], shapley.importance(), atol=1e-9)


def test_the_interval_is_that_of_the_combination_of_terms() -> None:
    predictor = predictor_of("accuracy", "none")
    rows = predictor.form.matrix(TABLE.codes)
    block = blocks_of(predictor.form)[1]
    difference = np.zeros((1, predictor.parameters))
    own = list(block.terms)
    difference[0, own] = (rows[5] - rows.mean(axis=0))[own]
    [value], [std_error] = predictor.combine(difference)
    found = block_effects(
        predictor, architecture=BACKGROUND[5], background=BACKGROUND, level=0.9
    ).iloc[1]
    half = predictor.quantile(0.9) * std_error
    assert found[["value", "low", "high"]].tolist() == pytest.approx(
        [value, value - half, value + half], abs=1e-9
    )


@pytest.mark.parametrize(("target", "link"), KINDS)
def test_the_mean_over_the_space_is_that_of_its_subnets(target: str, link: str) -> None:
    predictor = predictor_of(target, link)
    single = [
        block_effects(predictor, architecture=a, background=BACKGROUND)["value"] for a in BACKGROUND
    ]
    found = mean_block_effects(predictor, background=BACKGROUND)
    np.testing.assert_allclose(found["value"], np.abs(single).mean(axis=0), atol=1e-9)
    assert (found["low"] >= 0).all()


def test_an_empty_background_is_refused() -> None:
    predictor = predictor_of("accuracy", "none")
    with pytest.raises(InvalidInput, match="background"):
        block_effects(predictor, architecture=BACKGROUND[0], background=[])
    with pytest.raises(InvalidInput, match="background"):
        mean_block_effects(predictor, background=[])
