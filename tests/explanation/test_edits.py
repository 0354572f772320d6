import functools
from dataclasses import replace

import numpy as np
import pytest
from hand import hand_space, noisy_table, saturating_table
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.explanation.edits import edit_effects, path_effects
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import build_form, forms_of
from foxnas_core.regression.link import Link
from foxnas_core.regression.pairs import PairScatter

MINI = load_shipped("foxnas-mini")


@functools.cache
def predictor_of(form: str, target: str, link: str = "none") -> Predictor:
    found = fit(saturating_table(MINI, 500, seed=1), target, form, link)
    assert found.link.is_identity == (link == "none")
    return found


@pytest.mark.parametrize("form", forms_of(MINI))
@pytest.mark.parametrize(
    ("target", "link"), [("accuracy", "none"), ("accuracy", "saturating"), ("latency_ms", "none")]
)
@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_edits_add_up_to_the_difference(form: str, target: str, link: str, seed: int) -> None:
    predictor = predictor_of(form, target, link)
    before, after = MINI.decode(MINI.random_codes(2, seed=seed))
    effects = edit_effects(predictor, before, after)
    first, second = predictor.predict([before, after])["value"]
    assert effects.total == pytest.approx(second - first, abs=1e-9)
    assert effects.table["effect"].sum() == pytest.approx(effects.total, abs=1e-9)
    assert effects.low <= effects.total <= effects.high
    assert effects.table["edit"].is_unique
    assert (effects.table["edit"] != "").all()


@pytest.mark.parametrize("form", forms_of(MINI))
def test_a_single_edit_is_the_whole_difference(form: str) -> None:
    predictor = predictor_of(form, "latency_ms")
    before = MINI.extreme("largest")
    for changes in ({"s2b2_kernel": 3}, {"s1_depth": 2}, {"resolution": 18}, {"s3b1_expand": 1}):
        after = MINI.architecture(before.to_dict() | changes)
        effects = edit_effects(predictor, before, after)
        [edit] = effects.table.to_dict("records")
        whole = (effects.total, effects.low, effects.high)
        assert (edit["effect"], edit["low"], edit["high"]) == pytest.approx(whole, abs=1e-9)


def hand_edits(before: dict, after: dict, level: float = 0.95):
    space = hand_space()
    predictor = fit(noisy_table(space, 60), "accuracy", "per_layer")
    effects = edit_effects(predictor, space.architecture(before), space.architecture(after), level)
    return predictor.coefficients(level).set_index("term"), effects


SHALLOW = {"p_depth": 1, "p1_kernel": 3, "q1_kernel": 7}
DEEP = {"p_depth": 2, "p1_kernel": 5, "p2_kernel": 7, "q1_kernel": 7}


def test_edits_by_hand() -> None:
    coefficients, effects = hand_edits(SHALLOW, DEEP, 0.9)
    assert effects.table[["edit", "group", "slot"]].to_numpy().tolist() == [
        ["p1 kernel 3 → 5", "p", "p1"],
        ["p2 added (kernel 7)", "p", "p2"],
    ]
    changed, added = effects.table.to_dict("records")
    # From the first choice to another: the coefficient with its own interval.
    ends = (("effect", "estimate"), ("average_low", "low"), ("average_high", "high"))
    for ours, theirs in ends:
        assert changed[ours] == pytest.approx(coefficients.loc["p1_kernel=5", theirs], abs=1e-9)
    # A block of average kernel, plus kernel 7's distance from the average of 0, k5 and k7.
    shown = coefficients["estimate"]
    five, seven = shown["p2_kernel=5"], shown["p2_kernel=7"]
    by_hand = shown["p2_on"] + seven - (0 + five + seven) / 3
    assert added["effect"] == pytest.approx(by_hand, abs=1e-9)


def test_undoing_edits_turns_the_signs() -> None:
    _, there = hand_edits(SHALLOW, DEEP)
    _, back = hand_edits(DEEP, SHALLOW)
    assert back.table["edit"].tolist() == ["p1 kernel 5 → 3", "p2 removed"]
    np.testing.assert_allclose(back.table["effect"], -there.table["effect"], atol=1e-9)
    np.testing.assert_allclose(back.table["low"], -there.table["high"], atol=1e-9)
    assert (back.total, back.low) == pytest.approx((-there.total, -there.high), abs=1e-9)


def test_the_resolution_changes_first() -> None:
    """So the block's edit is counted at the new resolution, where it costs more."""
    predictor = predictor_of("per_layer", "latency_ms")
    small = MINI.extreme("smallest")
    middle = MINI.architecture(small.to_dict() | {"resolution": 28})
    after = MINI.architecture(middle.to_dict() | {"s1b1_kernel": 7})
    values = predictor.predict([small, middle, after])["value"].to_numpy()
    table = edit_effects(predictor, small, after).table
    assert table["edit"].tolist() == ["resolution 12 → 28", "s1b1 kernel 3 → 7"]
    assert table["effect"].tolist() == pytest.approx(np.diff(values).tolist(), abs=1e-9)


def test_nothing_changed_costs_nothing() -> None:
    _, effects = hand_edits(DEEP, DEEP)
    assert effects.table.empty
    assert (effects.total, effects.low, effects.high) == (0, 0, 0)


def test_through_a_link_the_difference_is_shared_in_proportion() -> None:
    predictor = predictor_of("per_layer", "accuracy", "saturating")
    before = MINI.extreme("smallest")
    after = MINI.architecture(before.to_dict() | {"s1b1_kernel": 7, "s2b1_expand": 4})
    effects = edit_effects(predictor, before, after)
    shares = edit_effects(replace(predictor, link=Link()), before, after)
    ratio = effects.table["effect"] / shares.table["effect"]
    assert ratio.tolist() == pytest.approx([effects.total / shares.total] * 2, abs=1e-9)
    # Near the bottom a point of effect is worth more than one at the average subnet.
    assert effects.total > shares.total


@pytest.mark.parametrize("scale", [1.0, 1e-7, 0.0])
def test_intervals_through_a_link_are_those_of_the_delta_method(scale: float) -> None:
    """Derivatives by finite differences; a difference of nothing at all included."""
    predictor = predictor_of("per_layer", "accuracy", "saturating")
    predictor = replace(predictor, ceiling=None)
    before = MINI.extreme("smallest")
    after = MINI.architecture(before.to_dict() | {"s1b1_kernel": 7, "s2b1_kernel": 7})
    names = [term.name for term in predictor.form.terms]
    estimates = predictor.estimates.copy()
    first = [i for i, name in enumerate(names) if name.startswith("s1b1_kernel")]
    second = [i for i, name in enumerate(names) if name.startswith("s2b1_kernel")]
    # The second edit undoes the first but for `scale`.
    estimates[second] = -estimates[first] * (1 - scale)

    def found(shift: np.ndarray):
        return edit_effects(replace(predictor, estimates=estimates + shift), before, after)

    derivatives = []
    step = 1e-4
    for unit in np.eye(len(names)):
        up, down = found(step * unit).table["effect"], found(-step * unit).table["effect"]
        derivatives.append((up - down).to_numpy() / (2 * step))
    gradient = np.array(derivatives).T
    std_error = np.sqrt(np.einsum("ij,jk,ik->i", gradient, predictor.covariance, gradient))
    table = found(np.zeros(len(names))).table
    expected = (table["effect"] - predictor.quantile() * std_error).tolist()
    assert table["average_low"].tolist() == pytest.approx(expected, rel=1e-5)
    assert table["effect"].sum() == pytest.approx(found(np.zeros(len(names))).total, abs=1e-12)


def test_an_uncertain_ceiling_is_in_the_interval() -> None:
    """Var = g'Σg + Var(rate)·h(2 g'pull + h), h = ∂effect/∂rate by finite differences."""
    predictor = predictor_of("per_layer", "accuracy", "saturating")
    ceiling = predictor.ceiling
    assert ceiling is not None and ceiling.rate_variance > 0
    before = MINI.extreme("smallest")
    after = MINI.architecture(before.to_dict() | {"s1b1_kernel": 7, "s2b1_expand": 4})

    def effects(**changes) -> np.ndarray:
        found = edit_effects(replace(predictor, **changes), before, after)
        return np.array([*found.table["effect"], found.total])

    gradient = (
        np.array(
            [
                effects(estimates=predictor.estimates + 1e-4 * unit)
                - effects(estimates=predictor.estimates - 1e-4 * unit)
                for unit in np.eye(predictor.parameters)
            ]
        ).T
        / 2e-4
    )
    center, rate = predictor.link.center, predictor.link.rate
    by_rate = (
        effects(link=Link(center, rate + 1e-6)) - effects(link=Link(center, rate - 1e-6))
    ) / 2e-6
    variance = np.einsum("ij,jk,ik->i", gradient, predictor.covariance, gradient)
    variance += ceiling.rate_variance * by_rate * (2 * gradient @ ceiling.pull + by_rate)
    expected = effects() - predictor.quantile() * np.sqrt(variance)
    found = edit_effects(predictor, before, after)
    assert [*found.table["average_low"], found.average_low] == pytest.approx(
        expected.tolist(), rel=1e-5
    )


def test_an_interaction_belongs_to_the_edit_that_moves_it_or_has_a_row_of_its_own() -> None:
    pairs = (("s3b1_kernel", "s3b2_on"), ("resolution", "s2b2_on"))
    form = build_form("interactions", MINI, "accuracy", pairs)
    predictor = fit(noisy_table(MINI, 400, seed=3), "accuracy", form, "none")
    largest = MINI.extreme("largest")

    def edits(**changes: int) -> list[str]:
        after = MINI.architecture({**largest.to_dict(), **changes})
        found = edit_effects(predictor, largest, after)
        both = predictor.predict([largest, after])["value"]
        assert found.table["effect"].sum() == pytest.approx(both[1] - both[0], abs=1e-9)
        return found.table["edit"].tolist()

    assert edits(s3b1_kernel=3) == ["s3b1 kernel 7 → 3"]
    assert edits(s2_depth=1) == ["s2b2 removed", "s2b3 removed"]
    assert edits(s3b1_kernel=3, s3_depth=1) == [
        "s3b1 kernel 7 → 3", "s3b2 removed", "s3b3 removed", "s3b1 × s3b2 together",
    ]  # fmt: skip


@pytest.mark.parametrize(("target", "link"), [("accuracy", "saturating"), ("latency_ms", "none")])
@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 6))
def test_the_steps_of_a_path_add_up_to_its_difference(
    target: str, link: str, seed: int, steps: int
) -> None:
    predictor = predictor_of("per_layer", target, link)
    path = MINI.decode(MINI.random_codes(steps + 1, seed=seed))
    effects = path_effects(predictor, path)
    values = predictor.predict(path)["value"].to_numpy()
    assert effects.table["effect"].tolist() == pytest.approx(np.diff(values).tolist(), abs=1e-9)
    assert effects.total == pytest.approx(values[-1] - values[0], abs=1e-9)
    whole = edit_effects(predictor, path[0], path[-1])
    assert (effects.low, effects.high) == pytest.approx((whole.low, whole.high))


def test_each_step_of_a_path_is_told_with_its_interval() -> None:
    predictor = predictor_of("per_layer", "latency_ms")
    start = MINI.extreme("smallest")
    first = MINI.architecture(start.to_dict() | {"s1b1_kernel": 7})
    second = MINI.architecture(first.to_dict() | {"s1b1_kernel": 3, "resolution": 18})
    effects = path_effects(predictor, [start, first, second])
    assert effects.table["edit"].tolist() == [
        "s1b1 kernel 3 → 7", "resolution 12 → 18; s1b1 kernel 7 → 3",
    ]  # fmt: skip
    assert effects.table["group"].tolist() == ["s1", ""]
    one = edit_effects(predictor, start, first)
    assert effects.table.loc[0, ["effect", "low", "high"]].tolist() == [
        one.total, one.low, one.high,
    ]  # fmt: skip


def test_a_path_of_one_is_no_change_and_an_empty_one_is_none() -> None:
    predictor = predictor_of("per_layer", "latency_ms")
    effects = path_effects(predictor, [MINI.extreme("smallest")])
    assert len(effects.table) == 0 and effects.total == effects.low == effects.high == 0.0
    with pytest.raises(ValueError, match="at least one"):
        path_effects(predictor, [])


def test_this_edit_scatters_as_pairs_that_differ_as_much() -> None:
    """Beside the variance of the mean, a share of that of two measurements: that of its distance,
    which is another one where the resolution changes as well."""
    predictor = replace(
        predictor_of("per_layer", "accuracy", "none"),
        pair_scatter=PairScatter(same=((1, 0.25), (9, 0.5)), other=((9, 1.5),)),
    )
    before = MINI.extreme("smallest")
    one = MINI.architecture(before.to_dict() | {"s1b1_kernel": 7})
    two = MINI.architecture(one.to_dict() | {"s2b1_kernel": 7})
    far = MINI.architecture(two.to_dict() | {"resolution": 28})

    def scatter(low: float, high: float, least: float, most: float) -> float:
        wide, narrow = ((end / 2 / predictor.quantile()) ** 2 for end in (high - low, most - least))
        return (wide - narrow) / (2 * predictor.residual_variance)

    for after, share in ((one, 0.25), (two, 0.5), (far, 1.5)):
        found = edit_effects(predictor, before, after)
        ends = found.low, found.high, found.average_low, found.average_high
        assert scatter(*ends) == pytest.approx(share)
    # Of a way there, each step by its own distance; of its parts, the context by itself.
    columns = ["low", "high", "average_low", "average_high"]
    steps = path_effects(predictor, [before, one, two, far]).table[columns].to_numpy()
    assert [scatter(*ends) for ends in steps] == pytest.approx([0.25, 0.25, 1.5])
    parts = edit_effects(predictor, before, far).table[columns].to_numpy()
    assert [scatter(*ends) for ends in parts] == pytest.approx([1.5, 0.5, 0.5])
    same = edit_effects(predictor, before, before)
    assert (same.low, same.high) == (0.0, 0.0)
