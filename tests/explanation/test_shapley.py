import functools
import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hand import choice_space, hand_space, noisy_table, saturating_table, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.blocks import apart, blocks_of
from foxnas_core.explanation.shapley import block_shapley, product_shapley
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import forms_of
from foxnas_core.regression.link import Link

MINI = load_shipped("foxnas-mini")
BACKGROUND = MINI.decode(MINI.random_codes(350, seed=2))
EXPLAINED = MINI.decode(MINI.random_codes(5, seed=3))


@functools.cache
def predictor_of(form: str, target: str, link: str = "none") -> Predictor:
    found = fit(saturating_table(MINI, 500, seed=1), target, form, link)
    assert found.link.is_identity == (link == "none")
    return found


KINDS = [("accuracy", "none"), ("accuracy", "saturating"), ("latency_ms", "none")]


def by_coalitions(predictor: Predictor, ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Shapley values (blocks,) of the codes `ours` against rows `theirs`, by their definition."""
    blocks = blocks_of(predictor.form)
    depths = [i for i, d in enumerate(predictor.space.decisions) if d.role == "depth"]
    numbers = range(len(blocks))

    def worth(coalition: frozenset[int]) -> float:
        codes = theirs.copy()
        for number in coalition:
            own = list(blocks[number].decisions)
            codes[:, own] = ours[own]
        codes[:, depths] = -1  # read by no term
        rows = predictor.form.matrix(codes)
        return float(predictor.link.inverse(rows @ predictor.estimates).mean())

    worths = {
        frozenset(c): worth(frozenset(c))
        for size in range(len(blocks) + 1)
        for c in itertools.combinations(numbers, size)
    }
    values = np.zeros(len(blocks))
    for coalition, value in worths.items():
        for number in set(numbers) - coalition:
            weight = 1 / (len(blocks) * math.comb(len(blocks) - 1, len(coalition)))
            values[number] += weight * (worths[coalition | {number}] - value)
    return values


@pytest.mark.parametrize("form", forms_of(MINI))
@pytest.mark.parametrize(("target", "link"), KINDS)
def test_values_add_up_to_the_prediction_less_the_background(
    form: str, target: str, link: str
) -> None:
    predictor = predictor_of(form, target, link)
    found = block_shapley(predictor, architectures=EXPLAINED, background=BACKGROUND)
    base = predictor.predict(BACKGROUND)["value"].mean()
    assert found.base == pytest.approx(base, abs=1e-9)
    difference = predictor.predict(EXPLAINED)["value"].to_numpy() - base
    np.testing.assert_allclose(found.values.sum(axis=1), difference, atol=1e-9)
    assert found.values.index.tolist() == [architecture.id for architecture in EXPLAINED]


@pytest.mark.parametrize("form", forms_of(MINI))
@pytest.mark.parametrize("target", ["accuracy", "parameters"])
def test_without_scale_or_link_a_block_is_worth_its_columns_distance_from_their_mean(
    form: str, target: str
) -> None:
    """b·(x - x̄) over all of the background, more rows than shap keeps by itself."""
    table = noisy_table(MINI, 500, seed=1)
    if target == "parameters":
        table = table_of(MINI, table.codes, parameters=table.values("latency_ms"))
    predictor = fit(table, target, form, "none")
    found = block_shapley(predictor, architectures=EXPLAINED, background=BACKGROUND).values
    predictor = apart(predictor)
    x, rows = (predictor.form.matrix(MINI.encode(a)) for a in (EXPLAINED, BACKGROUND))
    single = predictor.estimates * (x - rows.mean(axis=0))
    for block in blocks_of(predictor.form):
        own = single[:, list(block.terms)].sum(axis=1)
        np.testing.assert_allclose(found[block.name], own, atol=1e-9)


@pytest.mark.parametrize("form", ["per_layer", "block_state"])
@pytest.mark.parametrize(("target", "link"), KINDS)
@pytest.mark.parametrize("resolutions", [(), (12, 18, 24)])
def test_values_are_those_of_the_definition(
    form: str, target: str, link: str, resolutions: tuple[int, ...]
) -> None:
    space = hand_space(resolutions=resolutions)
    table = saturating_table(space, 90, seed=2)
    predictor = fit(table, target, form, link)
    background = table.codes[:12]
    codes = space.random_codes(4, seed=9)
    found = block_shapley(
        predictor, architectures=space.decode(codes), background=space.decode(background)
    )
    assert found.values.columns.tolist() == [
        *["resolution"][: len(resolutions)], "p1", "p2", "q1",
    ]  # fmt: skip
    for values, ours in zip(found.values.to_numpy(), codes, strict=True):
        np.testing.assert_allclose(values, by_coalitions(predictor, ours, background), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.floats(1e-3, 0.09))
def test_a_product_game_is_integrated_exactly(seed: int, blocks: int, rate: float) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = rng.normal(0, 2, (2, blocks)), rng.normal(0, 2, (3, blocks))
    link = Link(75.0, rate)
    found = product_shapley(ours, theirs, 74.0, link)
    for values, one in zip(found, ours, strict=True):
        expected = np.zeros(blocks)
        for order in itertools.permutations(range(blocks)):
            now = theirs.copy()
            for block in order:
                before = link.inverse(74.0 + now.sum(axis=1)).mean()
                now[:, block] = one[block]
                expected[block] += link.inverse(74.0 + now.sum(axis=1)).mean() - before
        np.testing.assert_allclose(values, expected / math.factorial(blocks), atol=1e-9)


def test_two_blocks_through_a_link_by_hand() -> None:
    """Ceiling 70, center 60: the prediction is 70 - 10 exp(-(η - 60) / 10).

    Background a=0, b=0: η = 60, 60 %. With a, η = 60 + 10 ln 2: 65 %. With b, η = 60 + 10 ln 4:
    67.5 %. With both, 68.75 %. So a is worth (5 + 1.25) / 2 and b (7.5 + 3.75) / 2.
    """
    space = choice_space({"a": (0, 1), "b": (0, 1)})
    codes = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 3, dtype=np.int16)
    eta = 60 + 10 * np.log(2) * codes[:, 0] + 10 * np.log(4) * codes[:, 1]
    predictor = fit(table_of(space, codes, accuracy=eta), "accuracy", link="none")
    predictor = replace(predictor, link=Link(60.0, 0.1))
    none, both = space.decode(codes[[0, 3]])
    found = block_shapley(predictor, architectures=[both, none], background=[none])
    assert found.values.columns.tolist() == ["a", "b"]
    assert found.base == pytest.approx(60, abs=1e-9)
    assert found.values.iloc[0].tolist() == pytest.approx([3.125, 5.625], abs=1e-9)
    assert found.values.iloc[1].tolist() == pytest.approx([0, 0], abs=1e-9)
    # Against both subnets at once, each with half of the weight.
    found = block_shapley(predictor, architectures=[both], background=[none, both])
    assert found.values.iloc[0].tolist() == pytest.approx([3.125 / 2, 5.625 / 2], abs=1e-9)


def test_a_resolution_and_a_block_by_hand() -> None:
    """At 24 px a subnet takes 8 ms and 4 ms for the block, a quarter of both at 12 px.

    From (12 px, without) at 2 ms to (24 px, with) at 12 ms: the block is worth 1 at 12 px and 4 at
    24 px, 2.5 on average; the resolution 6 without and 9 with the block, 7.5.
    """
    space = hand_space(resolutions=(12, 24))
    codes = space.random_codes(80, seed=4)
    share = np.where(codes[:, 0] == 0, 0.25, 1.0)
    latency = share * (8 + 4 * (codes[:, 4] == 1))
    predictor = fit(table_of(space, codes, latency_ms=latency), "latency_ms", "per_layer")
    before, after = (
        space.architecture({"resolution": r, "p_depth": 1, "p1_kernel": 3, "q1_kernel": q})
        for r, q in ((12, 3), (24, 5))
    )
    found = block_shapley(predictor, architectures=[after], background=[before])
    assert found.base == pytest.approx(2, abs=1e-9)
    assert found.values.iloc[0].to_dict() == pytest.approx(
        {"resolution": 7.5, "p1": 0, "p2": 0, "q1": 2.5}, abs=1e-9
    )


@pytest.mark.parametrize("form", forms_of(MINI))
def test_a_link_that_does_not_bend_is_the_plain_sum(form: str) -> None:
    predictor = predictor_of(form, "accuracy")
    both = [
        block_shapley(p, architectures=EXPLAINED, background=BACKGROUND)
        for p in (predictor, replace(predictor, link=Link(75.0, 1e-12)))
    ]
    np.testing.assert_allclose(both[1].values, both[0].values, atol=1e-8)
    assert both[1].base == pytest.approx(both[0].base, abs=1e-8)


@pytest.mark.parametrize(("target", "link"), KINDS)
def test_values_do_not_depend_on_the_coding(target: str, link: str) -> None:
    """Per layer or as states of a block, fitted to what both can express."""
    space = hand_space(resolutions=(12, 24))
    table = saturating_table(space, 90, seed=3)
    fits = [fit(table, target, form, link) for form in ("per_layer", "block_state")]
    found = [
        block_shapley(p, architectures=table.architectures(), background=table.architectures())
        for p in fits
    ]
    np.testing.assert_allclose(found[0].values, found[1].values, atol=1e-8)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_block_as_in_the_background_is_worth_nothing(seed: int) -> None:
    """Through the link: a block that both subnets share is a dummy player."""
    predictor = predictor_of("per_layer", "accuracy", "saturating")
    codes = MINI.random_codes(2, seed=seed)
    one, other = MINI.decode(codes)
    found = block_shapley(predictor, architectures=[one], background=[other]).values.iloc[0]
    for block in blocks_of(predictor.form):
        own = list(block.decisions)
        if (codes[0, own] == codes[1, own]).all():
            assert found[block.name] == pytest.approx(0, abs=1e-12)
    whole = predictor.predict([one, other])["value"]
    assert found.sum() == pytest.approx(whole[0] - whole[1], abs=1e-9)


def test_blocks_by_hand() -> None:
    """Kernel 3, 5, 7 is worth 0, 1, 3 in p1 and 2, 2.5, 3 in p2; nothing in q1."""
    space = hand_space()
    codes = space.random_codes(80, seed=4)
    p1, p2 = np.array([0, 1, 3.0])[codes[:, 1]], np.array([2, 2.5, 3, 0])[codes[:, 2]]
    table = table_of(space, codes, accuracy=70 + p1 + p2)
    one = space.architecture({"p_depth": 2, "p1_kernel": 7, "p2_kernel": 5, "q1_kernel": 3})
    for form in ("per_layer", "block_state"):
        found = block_shapley(
            fit(table, "accuracy", form), architectures=[one], background=table.architectures()
        )
        assert found.values.columns.tolist() == ["p1", "p2", "q1"]
        assert found.values.loc[one.id].tolist() == pytest.approx(
            [3 - p1.mean(), 2.5 - p2.mean(), 0], abs=1e-9
        )
        assert found.base == pytest.approx(70 + p1.mean() + p2.mean(), abs=1e-9)
        assert found.importance().tolist() == pytest.approx(
            [3 - p1.mean(), abs(2.5 - p2.mean()), 0], abs=1e-9
        )


def test_an_empty_background_is_refused() -> None:
    with pytest.raises(InvalidInput, match="at least one background architecture"):
        block_shapley(predictor_of("per_layer", "accuracy"), architectures=EXPLAINED, background=[])
