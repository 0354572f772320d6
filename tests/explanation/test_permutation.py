import functools

import numpy as np
import pandas as pd
import pytest
from hand import hand_space, saturating_table, table_of

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.permutation import (
    block_dependence,
    partial_dependences,
    permutation_lens,
)
from foxnas_core.explanation.shapley import block_shapley
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import forms_of

SPACE = hand_space(resolutions=(12, 24))
TABLE = saturating_table(SPACE, 90)
BACKGROUND = TABLE.architectures()
KINDS = [("accuracy", "none"), ("accuracy", "saturating"), ("latency_ms", "none")]


@functools.cache
def predictor_of(target: str, link: str) -> Predictor:
    return fit(TABLE, target, "per_layer", link)


def test_shuffling_one_block_by_hand() -> None:
    """Without noise, and with q1 alone worth anything, a shuffled value misses the true one by
    the difference of two random ones: its mean square is twice the variance."""
    space = hand_space()
    codes = space.random_codes(400, seed=1)
    worth = np.array([0, 1, 3.0])[codes[:, 3]]
    table = table_of(space, codes, accuracy=70 + worth)
    found = permutation_lens(fit(table, "accuracy", "per_layer"), table)
    assert found.rmse == pytest.approx(0, abs=1e-9)
    assert found.table["block"].tolist() == ["p1", "p2", "q1"]
    assert found.table["value"].tolist()[:2] == pytest.approx([0, 0], abs=1e-9)
    assert found.table["value"].iloc[2] == pytest.approx(np.sqrt(2 * worth.var()), rel=0.02)


@pytest.mark.parametrize(("target", "link"), KINDS)
def test_the_table_sums_the_repeats_up(target: str, link: str) -> None:
    predictor = predictor_of(target, link)
    found = permutation_lens(predictor, TABLE, repeats=12, seed=5)
    assert found.repeats.shape == (12, 4)
    assert found.repeats.columns.tolist() == found.table["block"].tolist()
    np.testing.assert_allclose(found.table["value"], found.repeats.mean())
    np.testing.assert_allclose(found.table["high"], found.repeats.quantile(0.975))
    again = permutation_lens(predictor, TABLE, repeats=12, seed=5)
    pd.testing.assert_frame_equal(found.repeats, again.repeats)
    other = permutation_lens(predictor, TABLE, repeats=12, seed=6)
    assert not found.repeats.equals(other.repeats)
    residuals = TABLE.values(target) - predictor.predict_codes(TABLE.codes)["value"]
    assert found.rmse == pytest.approx(np.sqrt((residuals**2).mean()), abs=1e-9)


def test_rows_that_were_not_measured_are_left_out() -> None:
    accuracy = TABLE.values("accuracy").copy()
    accuracy[::3] = np.nan
    table = table_of(SPACE, TABLE.codes, accuracy=accuracy)
    kept = table_of(SPACE, TABLE.codes[~np.isnan(accuracy)], accuracy=accuracy[~np.isnan(accuracy)])
    found, expected = (permutation_lens(fit(t, "accuracy"), t) for t in (table, kept))
    pd.testing.assert_frame_equal(found.table, expected.table)


@pytest.mark.parametrize(("target", "link"), KINDS)
def test_partial_dependence_is_the_mean_prediction_of_changed_subnets(
    target: str, link: str
) -> None:
    predictor = predictor_of(target, link)
    found = partial_dependences(predictor, background=BACKGROUND)
    assert found["decision"].unique().tolist() == list(SPACE.by_name)
    found = found.set_index(["decision", "choice"])
    for decision, choice in (
        ("resolution", 24), ("p1_kernel", 5), ("p2_kernel", 7), ("p_depth", 1), ("q1_kernel", 3)
    ):  # fmt: skip
        having = [a for a in BACKGROUND if decision in a]
        changed = [_with(a, decision, choice) for a in having]
        expected = predictor.predict(changed)["value"].mean()
        row = found.loc[(decision, choice)]
        assert row["value"] == pytest.approx(expected, abs=1e-9)
        assert row["rows"] == len(having)
    assert ((found["low"] < found["value"]) & (found["value"] < found["high"])).all()


def _with(architecture, decision: str, choice: int):
    choices = architecture.to_dict() | {decision: choice}
    if choices["p_depth"] == 1:
        choices.pop("p2_kernel", None)
    return SPACE.architecture(choices)


def test_a_greater_depth_opens_blocks_like_those_measured() -> None:
    """p2's kernel 7 is worth 10 and measured in a quarter of the subnets that have p2."""
    space = hand_space()
    codes = space.random_codes(2000, seed=3)
    codes[:, 2] = np.where(codes[:, 2] == 2, np.where(np.arange(2000) % 2, 2, 0), codes[:, 2])
    kernel = codes[:, 2]
    table = table_of(space, codes, accuracy=50 + 10.0 * (kernel == 2))
    found = partial_dependences(
        fit(table, "accuracy", "per_layer"), background=table.architectures()
    ).set_index(["decision", "choice"])["value"]
    share = (kernel == 2).sum() / (kernel >= 0).sum()
    assert found["p_depth", 1] == pytest.approx(50, abs=1e-9)
    assert found["p_depth", 2] == pytest.approx(50 + 10 * share, abs=0.3)


@pytest.mark.parametrize(("target", "link"), KINDS)
def test_the_interval_is_that_of_the_averaged_rows(target: str, link: str) -> None:
    predictor = predictor_of(target, link)
    found = partial_dependences(predictor, background=BACKGROUND, level=0.9)
    row = found[(found["decision"] == "q1_kernel") & (found["choice"] == 5)].iloc[0]
    rows = predictor.form.matrix(SPACE.encode([_with(a, "q1_kernel", 5) for a in BACKGROUND]))
    _, [std_error] = predictor.combine(rows.mean(axis=0, keepdims=True))
    half = predictor.quantile(0.9) * std_error
    # Through the link the slope varies over the subnets, which the mean one tells nearly.
    exact = link == "none"
    slope = float(np.mean(predictor.link.slope(rows @ predictor.estimates)))
    assert row["high"] - row["value"] == pytest.approx(half * slope, rel=1e-9 if exact else 0.3)


@pytest.mark.parametrize(("target", "link"), KINDS)
def test_dependence_on_a_block_is_a_swap_in_all_subnets(target: str, link: str) -> None:
    predictor = predictor_of(target, link)
    one = SPACE.architecture(
        {"resolution": 24, "p_depth": 2, "p1_kernel": 3, "p2_kernel": 5, "q1_kernel": 7}
    )
    found = block_dependence(predictor, architecture=one, background=BACKGROUND).set_index("block")
    mean = predictor.predict(BACKGROUND)["value"].mean()
    for block, decisions in (
        ("resolution", {"resolution": 24}),
        ("p1", {"p1_kernel": 3}),
        ("p2", {"p_depth": 2, "p2_kernel": 5}),
        ("q1", {"q1_kernel": 7}),
    ):
        swapped = [SPACE.architecture(a.to_dict() | decisions) for a in BACKGROUND]
        expected = predictor.predict(swapped)["value"].mean() - mean
        assert found.loc[block, "value"] == pytest.approx(expected, abs=1e-9)
    if (target, link) == ("accuracy", "none"):
        shapley = block_shapley(predictor, architectures=[one], background=BACKGROUND)
        np.testing.assert_allclose(found["value"], shapley.values.iloc[0], atol=1e-9)


@pytest.mark.parametrize("form", forms_of(load_shipped("foxnas-mini")))
def test_every_form_goes_through_all_of_it(form: str) -> None:
    space = load_shipped("foxnas-mini")
    table = saturating_table(space, 400)
    predictor = fit(table, "latency_ms", form)
    background = table.architectures()[:50]
    found = partial_dependences(predictor, background=background)
    assert set(found["decision"]) == set(space.by_name)
    local = block_dependence(predictor, architecture=background[0], background=background)
    importance = permutation_lens(predictor, table, repeats=2)
    assert local["block"].tolist() == importance.table["block"].tolist()
    assert (importance.table["value"] > 0).all()


def test_an_empty_background_is_refused() -> None:
    predictor = predictor_of("accuracy", "none")
    with pytest.raises(InvalidInput, match="background"):
        partial_dependences(predictor, background=[])
    with pytest.raises(InvalidInput, match="background"):
        block_dependence(predictor, architecture=BACKGROUND[0], background=[])
