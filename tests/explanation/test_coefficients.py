import functools

import numpy as np
import pandas as pd
import pytest
from conftest import tiny_document
from hand import choice_space, hand_space, noisy_table, table_of

from foxnas_core.explanation.coefficients import KEYS, choice_effects, side_by_side, slot_grid
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import forms_of
from foxnas_core.regression.inference import inference

# What the blocks of the hand-made space are worth by kernel 3, 5, 7, and p2 by being there.
P1, P2, Q1 = np.array([0, 1, 3.0]), 2 + np.array([0, 0.5, 1]), np.array([0, -1, -2.0])
MINI = load_shipped("foxnas-mini")


def blocks(codes: np.ndarray) -> np.ndarray:
    """The worth of the last four columns of codes of the hand-made space."""
    p1, p2, q1 = codes[:, -3:].T
    return P1[p1] + np.where(p2 >= 0, P2[p2], 0) + Q1[q1]


@functools.cache
def exact(form: str) -> Predictor:
    space = hand_space()
    codes = space.random_codes(80, seed=4)
    return fit(table_of(space, codes, accuracy=70 + blocks(codes)), "accuracy", form)


@pytest.mark.parametrize("form", ["per_layer", "block_state", "stage_counts"])
def test_every_form_fills_the_same_table_by_hand(form: str) -> None:
    effects = choice_effects(exact(form))
    assert [*effects.columns] == [*KEYS, "effect", "low", "high", "p_adjusted", "stars"]
    assert effects[KEYS].to_numpy().tolist() == [
        ["p", "p1", 1, "p1_kernel", "kernel", 5, 3],
        ["p", "p1", 1, "p1_kernel", "kernel", 7, 3],
        ["p", "p2", 2, "p_depth", "depth", 2, 1],
        ["p", "p2", 2, "p2_kernel", "kernel", 5, 3],
        ["p", "p2", 2, "p2_kernel", "kernel", 7, 3],
        ["q", "q1", 1, "q1_kernel", "kernel", 5, 3],
        ["q", "q1", 1, "q1_kernel", "kernel", 7, 3],
    ]
    # A second block of average kernel adds 2 + (0 + .5 + 1) / 3.
    expected = [1, 3, 2.5, 0.5, 1, -1, -2]
    assert effects["effect"].tolist() == pytest.approx(expected, abs=1e-9)


def test_per_layer_effects_are_the_coefficients_with_their_intervals() -> None:
    predictor = fit(noisy_table(hand_space(), 60), "accuracy", "per_layer")
    effects = choice_effects(predictor, inference(predictor, level=0.9))
    coefficients = predictor.coefficients(level=0.9).iloc[1:]
    for ours, theirs in (("effect", "estimate"), ("low", "low"), ("high", "high")):
        np.testing.assert_allclose(effects[ours], coefficients[theirs], atol=1e-12)


def test_an_effect_is_the_mean_over_the_slots_other_choices() -> None:
    """Only kernel 5 with expand ratio 2 is worth anything: 4."""
    space = space_from_dict(tiny_document(resolutions=[8]))
    codes = space.random_codes(300, seed=0)
    worth = sum(
        4.0 * ((codes[:, kernel] == 1) & (codes[:, kernel + 1] == 1)) for kernel in (1, 3, 6, 8)
    )
    predictor = fit(table_of(space, codes, accuracy=60 + worth), "accuracy", "block_state")
    effects = choice_effects(predictor).set_index("decision")["effect"]
    for slot in ("s1b1", "s1b2", "s2b1", "s2b2"):
        assert effects[f"{slot}_kernel"] == pytest.approx(2, abs=1e-9)
        assert effects[f"{slot}_expand"] == pytest.approx(2, abs=1e-9)
    assert effects["s1_depth"] == pytest.approx(1, abs=1e-9)


@functools.cache
def scaled() -> Predictor:
    """Latency of blocks that costs 10 + 4 each, times the pixels, and .25 for p2 at any size."""
    space = hand_space(resolutions=(12, 24))
    codes = space.random_codes(120, seed=1)
    share = np.where(codes[:, 0] == 0, 0.25, 1.0)
    latency = 3 + share * (10 + blocks(codes)) + 0.25 * (codes[:, 3] >= 0)
    return fit(table_of(space, codes, latency_ms=latency), "latency_ms", "per_layer")


@pytest.mark.parametrize(
    ("at", "share"), [((), 0.625), ((("resolution", 24),), 1.0), ((("resolution", 12),), 0.25)]
)
def test_effects_of_blocks_are_averaged_over_the_resolutions_or_told_at_one(at, share) -> None:
    effects = choice_effects(scaled(), at=at).set_index(["decision", "choice"])["effect"]
    assert effects["p1_kernel", 7] == pytest.approx(3 * share, abs=1e-9)
    assert effects["q1_kernel", 5] == pytest.approx(-1 * share, abs=1e-9)
    assert effects["p_depth", 2] == pytest.approx(2.5 * share + 0.25, abs=1e-9)
    # What is fixed has no effect.
    assert (("resolution", 24) in effects.index) == (not at)


def test_the_effect_of_the_resolution_is_that_on_an_average_architecture() -> None:
    first = choice_effects(scaled()).iloc[0]
    assert (first["decision"], first["choice"], first["reference"]) == ("resolution", 24, 12)
    # Campaigns draw the second of two depths in 5 of 7 cases.
    average = 10 + P1.mean() + P2.mean() * 5 / 7 + Q1.mean()
    # Over 2000 random architectures, of standard deviation 1.9.
    assert first["effect"] == pytest.approx(0.75 * average, abs=0.15)


def test_operations_without_slots_have_effects_of_their_own() -> None:
    space = choice_space({"edge1": ("none", "skip", "conv"), "edge2": ("none", "skip", "conv")})
    codes = space.random_codes(40, seed=0)
    worth = np.array([0, 1, 5.0])
    table = table_of(space, codes, accuracy=60 + worth[codes[:, 0]] - worth[codes[:, 1]])
    effects = choice_effects(fit(table, "accuracy"))
    assert effects["position"].tolist() == [0] * 4
    assert effects["choice"].tolist() == ["skip", "conv"] * 2
    assert effects["effect"].tolist() == pytest.approx([1, 5, -1, -5], abs=1e-9)


@pytest.mark.parametrize("form", forms_of(MINI))
def test_every_form_explains_every_decision_of_the_small_space(form: str) -> None:
    table = noisy_table(MINI, 500)
    effects = choice_effects(fit(table, "latency_ms", form))
    assert set(effects["decision"]) == set(MINI.by_name)
    assert len(effects) == sum(len(d.choices) - 1 for d in MINI.decisions)
    assert (effects["low"] < effects["effect"]).all()
    assert (effects["effect"] < effects["high"]).all()


def test_each_step_of_the_depth_is_the_block_that_it_opens() -> None:
    predictor = fit(noisy_table(MINI, 500), "accuracy", "per_layer")
    effects = choice_effects(predictor)
    steps = effects[effects["decision"] == "s2_depth"]
    assert steps[["slot", "choice", "reference"]].to_numpy().tolist() == [
        ["s2b2", 2, 1],
        ["s2b3", 3, 2],
    ]
    blocks = predictor.coefficients().set_index("term").loc[["s2b2_on", "s2b3_on"]]
    np.testing.assert_allclose(steps["effect"], blocks["estimate"], atol=1e-9)
    np.testing.assert_allclose(steps["low"], blocks["low"], atol=1e-9)


def test_each_step_of_the_depth_adds_one_average_block_to_the_counts() -> None:
    predictor = fit(noisy_table(MINI, 500), "accuracy", "stage_counts")
    coefficients = predictor.coefficients().set_index("term")["estimate"]
    average = coefficients[coefficients.index.str.startswith("s2_count[")].mean()
    effects = choice_effects(predictor).set_index(["decision", "choice"])["effect"]
    assert effects["s2_depth"].tolist() == pytest.approx([average, average], abs=1e-9)


def test_what_depends_on_the_depth_is_averaged_over_depths_as_they_are_drawn() -> None:
    """Depths 2 and 3 are drawn as 3 to 5. Kernel 7 instead of 3 in a stage's second block adds 4 to
    the sum of kernels after the first: 4 to their mean at depth 2, 2 at depth 3."""
    predictor = fit(noisy_table(MINI, 500), "accuracy", "foxnas")
    estimate = predictor.coefficients().set_index("term")["estimate"]
    mean, product = estimate["s1_mean_kernel"], estimate["s1_depth*mean_kernel"]
    effects = choice_effects(predictor).set_index(["decision", "choice"])["effect"]
    by_hand = (3 * 4 * (mean + 2 * product) + 5 * 2 * (mean + 3 * product)) / 8
    assert effects["s1b2_kernel", 7] == pytest.approx(by_hand, abs=1e-9)
    assert effects["s1b3_kernel", 7] == pytest.approx(2 * (mean + 3 * product), abs=1e-9)


def test_predictors_stand_side_by_side() -> None:
    table = noisy_table(MINI, 500)
    latency = fit(table, "latency_ms")
    weights = table_of(MINI, table.codes, parameters=table.values("latency_ms"))
    predictors = latency, fit(weights, "parameters")
    joined = side_by_side({p.target.column: choice_effects(p) for p in predictors})
    assert [*joined.columns] == [
        *KEYS,
        *(
            target + end
            for target in ("latency_ms", "parameters")
            for end in ("", "_low", "_high", "_p_adjusted", "_stars")
        ),
    ]  # fmt: skip
    own = choice_effects(latency)
    pd.testing.assert_frame_equal(joined[KEYS], own[KEYS])
    np.testing.assert_allclose(joined["latency_ms_low"], own["low"])
    # The number of weights has no term for the resolution.
    missing = joined["parameters"].isna()
    assert joined["decision"][missing].unique().tolist() == ["resolution"]


def test_the_grid_shows_the_last_choice_against_the_first() -> None:
    effects = choice_effects(exact("per_layer"))
    grid = slot_grid(effects, "kernel")
    assert (grid.index.tolist(), grid.columns.tolist()) == (["p", "q"], [1, 2])
    assert grid.loc["p"].tolist() == pytest.approx([3, 1])
    assert grid.loc["q", 1] == pytest.approx(-2)
    assert np.isnan(grid.loc["q", 2])
    steps = slot_grid(side_by_side({"accuracy": effects}), "depth", "accuracy")
    assert steps.loc["p", 2] == pytest.approx(2.5)
    assert steps.isna().sum().sum() == 3
    assert slot_grid(effects, "expand").isna().all(axis=None)
