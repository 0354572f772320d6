import functools
import math
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from conftest import DEMO
from hand import choice_space, hand_space, noisy_table, saturating_table, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.blocks import apart, blocks_of
from foxnas_core.explanation.shapley import block_shapley
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import build_form, forms_of
from foxnas_core.regression.link import Link
from foxnas_core.space.coding.parts import by_what_they_read
from foxnas_core.space.coding.terms import Lookup, Part, Product, Term, constant
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import open_study
from foxnas_core.table.measurements import MeasurementTable
from tests.search.additive import listed_space

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
    blocks, space = blocks_of(predictor.form), predictor.space
    opening = [i for i, d in enumerate(space.decisions) if d.role == "depth"]  # read by no term

    def worth(coalition: int) -> float:
        codes = theirs.copy()
        for number, block in enumerate(blocks):
            if coalition >> number & 1:
                codes[:, list(block.decisions)] = ours[list(block.decisions)]
        codes[:, opening] = -1
        return float(
            predictor.link.inverse(predictor.form.matrix(codes) @ predictor.estimates).mean()
        )

    worths = [worth(coalition) for coalition in range(1 << len(blocks))]
    values = np.zeros(len(blocks))
    for coalition, value in enumerate(worths):
        weight = 1 / (len(blocks) * math.comb(len(blocks) - 1, coalition.bit_count() % len(blocks)))
        for number in range(len(blocks)):
            if not coalition >> number & 1:
                values[number] += weight * (worths[coalition | 1 << number] - value)
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
    """b·(x - x̄) over all of the background."""
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


# Each is a set of decisions of `listed_space` that a term reads together: the first is the context.
TOGETHER = st.sets(st.integers(0, 5), min_size=1, max_size=3)


def random_predictor(
    space: SearchSpace, read: Sequence[set[int]], rate: float, seed: int
) -> Predictor:
    """A prediction of products of random functions, one of each decision of a set of `read`."""
    rng = np.random.default_rng(seed)
    parts: list[Part] = [constant("intercept", "Intercept")]
    for number, positions in enumerate(read):
        name = f"t{number} {sorted(positions)}"
        factors: list[Part] = []
        for position in sorted(positions):
            decision = space.decisions[position]
            group = "" if decision.group in space.context else decision.group
            term = Term(name, group, "", decision.name, name)
            size = len(decision.choices)
            table = rng.normal(size=(size + 1, 1))
            factors.append(Lookup((term,), ((position,),), (size,), table))
        last, zero = factors[-1].terms, np.zeros(1)
        parts.append(reduce(lambda a, b, last=last: Product(last, a, b, (0,), zero, zero), factors))
    parts = by_what_they_read(space, parts)
    form = build_form("per_layer", space, "accuracy")
    form = replace(form, terms=tuple(t for p in parts for t in p.terms), parts=tuple(parts))
    fitted = fit(
        table_of(space, space.random_codes(60, seed=1), accuracy=rng.random(60)),
        "accuracy",
        "per_layer",
        "none",
    )
    return replace(fitted, form=form, estimates=rng.normal(size=len(parts)), link=Link(1.0, rate))


@settings(max_examples=15, deadline=None)
@given(
    st.lists(TOGETHER, min_size=1, max_size=8),
    st.sampled_from([0.0, 0.05, 0.4]),
    st.integers(0, 99),
)
def test_values_of_terms_over_any_blocks_are_those_of_all_coalitions(
    read: list[set[int]], rate: float, seed: int
) -> None:
    space = listed_space([3, 2, 2, 3, 2], 3)
    predictor = random_predictor(space, read, rate, seed)
    codes = space.random_codes(9, seed=seed)
    every = space.decode(codes)
    found = block_shapley(predictor, architectures=every[:2], background=every[2:])
    for values, ours in zip(found.values.to_numpy(), codes[:2], strict=True):
        np.testing.assert_allclose(values, by_coalitions(predictor, ours, codes[2:]), atol=1e-11)


# What the demo's predictors are, with the interactions that were chosen for it.
PAIRS = (("resolution", "s2b2_on"), ("s3b1_kernel", "s3b2_on"), ("resolution", "s3b2_on"))
SHIPPED = [
    ("accuracy", "interactions", "none"),
    ("accuracy", "interactions", "saturating"),
    ("accuracy", "foxnas", "saturating"),
    ("latency_ms", "stage_counts", "none"),
    ("latency_ms:int8", "stage_counts", "none"),
    ("latency_ms:openvino", "foxnas", "none"),
]


@functools.cache
def demo_table() -> MeasurementTable:
    return open_study(DEMO).table()


@pytest.mark.parametrize(("target", "form", "link"), SHIPPED)
def test_values_of_the_demo_are_those_of_all_coalitions(target: str, form: str, link: str) -> None:
    table = demo_table()
    space, every = table.space, table.architectures()
    pairs = PAIRS if form == "interactions" else ()
    predictor = fit(table, target, build_form(form, space, target, pairs), link)
    assert predictor.link.is_identity == (link == "none")
    found = block_shapley(predictor, architectures=every[:2], background=every[::60])
    for values, ours in zip(found.values.to_numpy(), table.codes, strict=False):
        expected = by_coalitions(predictor, ours, table.codes[::60])
        np.testing.assert_allclose(values, expected, atol=1e-9)
    # Of two subnets that differ in resolution only, all is the resolution's.
    choices = space.by_name["resolution"].choices
    largest, smallest = (
        space.architecture(every[4].to_dict() | {"resolution": choice})
        for choice in (choices[-1], choices[0])
    )
    own = block_shapley(predictor, architectures=[largest], background=[smallest]).values.iloc[0]
    assert own.drop("resolution").abs().max() < 1e-12
    assert own["resolution"] > 0


def test_blocks_that_do_the_same_are_worth_the_same() -> None:
    space = listed_space([2, 2, 2], 2)
    codes = space.option_codes(space.decisions)
    predictor = random_predictor(space, [{1, 2}, {3}], 0.3, seed=4)
    # Both factors the same, so that neither block can be told from the other.
    product = predictor.form.parts[1]
    assert isinstance(product, Product) and isinstance(product.right, Lookup)
    left = replace(product.right, reads=((1,),))
    parts = (predictor.form.parts[0], replace(product, left=left), predictor.form.parts[2])
    predictor = replace(predictor, form=replace(predictor.form, parts=parts))
    every = space.decode(codes)
    same = [a for a, c in zip(every, codes, strict=True) if c[1] == c[2]]
    found = block_shapley(predictor, architectures=same, background=every).values
    np.testing.assert_allclose(found["g0"], found["g1"], atol=1e-12)
    assert found["g0"].abs().max() > 1e-3


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


@settings(max_examples=10, deadline=None)
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
