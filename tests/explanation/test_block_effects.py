import functools

import numpy as np
import pytest
from hand import choice_space, hand_space, noisy_table, saturating_table, table_of

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.block_effects import (
    block_effects,
    block_prices,
    common_block_effects,
    mean_block_effects,
)
from foxnas_core.explanation.blocks import blocks_of
from foxnas_core.explanation.shapley import block_shapley
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import build_form

MINI = load_shipped("foxnas-mini")
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


@functools.cache
def joined() -> Predictor:
    """A fit that takes both blocks of a stage together."""
    form = build_form("interactions", SPACE, "accuracy", (("p1_kernel", "p2_kernel"),))
    return fit(TABLE, "accuracy", form, "none")


def test_blocks_that_one_form_joins_are_one_for_all() -> None:
    latency = predictor_of("latency_ms", "none")
    assert [b.name for b in blocks_of(joined().form)] == ["resolution", "p1–p2", "q1"]
    # In either order of predictors.
    for predictors in ((joined(), latency), (latency, joined())):
        found = common_block_effects(predictors, architecture=BACKGROUND[7], background=BACKGROUND)
        assert found["block"].tolist() == ["resolution", "p1–p2", "q1"]
        for predictor in predictors:
            eta = predictor.form.matrix(TABLE.codes) @ predictor.estimates
            total = found[predictor.target.column].sum()
            assert total == pytest.approx(eta[7] - eta.mean(), abs=1e-9)
    own = block_effects(latency, architecture=BACKGROUND[7], background=BACKGROUND)
    both = own[own["block"].isin(["p1", "p2"])]
    assert found["latency_ms"][1] == pytest.approx(both["value"].sum())
    # Their estimates are correlated, so the interval is its own.
    half = found["latency_ms_high"][1] - found["latency_ms"][1]
    alone = (both["high"] - both["value"]).to_numpy()
    assert half <= alone.sum() + 1e-12


def test_of_one_predictor_common_blocks_are_its_own() -> None:
    predictor = predictor_of("accuracy", "saturating")
    own = block_effects(predictor, architecture=BACKGROUND[2], background=BACKGROUND)
    found = common_block_effects([predictor], architecture=BACKGROUND[2], background=BACKGROUND)
    assert found["block"].tolist() == own["block"].tolist()
    for column, name in (("value", ""), ("low", "_low"), ("high", "_high")):
        np.testing.assert_allclose(found[f"accuracy{name}"], own[column], rtol=1e-12)


def test_an_empty_background_is_refused() -> None:
    predictor = predictor_of("accuracy", "none")
    with pytest.raises(InvalidInput, match="background"):
        block_effects(predictor, architecture=BACKGROUND[0], background=[])
    with pytest.raises(InvalidInput, match="background"):
        mean_block_effects(predictor, background=[])
    with pytest.raises(InvalidInput, match="background"):
        common_block_effects([predictor], architecture=BACKGROUND[0], background=[])


P1, P2, Q1 = np.array([0, 1, 3.0]), 2 + np.array([0, 0.5, 1]), np.array([0, -1, -2.0])


@pytest.mark.parametrize("form", ["per_layer", "block_state", "stage_counts"])
def test_a_block_is_worth_what_it_adds_by_hand(form: str) -> None:
    space = hand_space()
    codes = space.random_codes(80, seed=4)
    p1, p2, q1 = codes[:, -3:].T
    latency = 10 + P1[p1] + np.where(p2 >= 0, P2[p2], 0) + Q1[q1]
    predictor = fit(table_of(space, codes, latency_ms=latency), "latency_ms", form)
    one = space.architecture({"p_depth": 2, "p1_kernel": 7, "p2_kernel": 5, "q1_kernel": 7})
    found = block_prices(predictor, architecture=one)
    assert found["block"].tolist() == ["p1", "p2", "q1", ""]
    assert found["slots"].tolist() == [("p1",), ("p2",), ("q1",), ()]
    assert found["against"].tolist() == ["kernel 3", "off", "kernel 3", ""]
    assert found["whole"].tolist() == [False, True, False, False]
    # Last what every subnet has: all but the second block of p.
    assert found["value"].tolist() == pytest.approx([3, 2.5, -2, 10 + 3 - 2], abs=1e-9)
    small = space.architecture({"p_depth": 1, "p1_kernel": 3, "q1_kernel": 3})
    found = block_prices(predictor, architecture=small)
    assert found["block"].tolist() == ["p1", "q1", ""]
    assert found["value"].tolist() == pytest.approx([0, 0, 10], abs=1e-9)


@pytest.mark.parametrize("form", ["per_layer", "block_state", "stage_counts", "foxnas"])
def test_whole_prices_and_the_rest_are_the_prediction_at_any_resolution(form: str) -> None:
    table = noisy_table(MINI, 400)
    predictor = fit(table, "latency_ms", form)
    for one in table.architectures()[:4]:
        found = block_prices(predictor, architecture=one)
        whole = found[found["whole"]]
        total = whole["value"].sum() + found["value"].iloc[-1]
        assert total == pytest.approx(predictor.predict([one])["value"].iloc[0])
        assert ((found["low"] <= found["value"]) & (found["value"] <= found["high"])).all()
        slots = [slot for own in found["slots"] for slot in own]
        on = [s for s in MINI.slots if any(d.name in one for d in MINI.in_slot(s))]
        assert set(on) <= set(slots) and len(slots) == len(set(slots))


def test_a_group_without_slots_is_held_against_its_first_choice() -> None:
    space = choice_space({"edge0": ("none", "skip"), "edge1": ("none", "skip", "conv")})
    codes = space.random_codes(40, seed=1)
    table = table_of(space, codes, latency_ms=1.0 + codes[:, 1])
    one = space.architecture({"edge0": "skip", "edge1": "conv"})
    found = block_prices(fit(table, "latency_ms"), architecture=one)
    assert found["slots"].tolist() == [("edge0",), ("edge1",), ()]
    assert found["against"].tolist() == ["operation none", "operation none", ""]
    assert found["value"].tolist() == pytest.approx([0, 2, 3], abs=1e-9)
