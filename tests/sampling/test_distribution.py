"""Distributions against enumeration, on spaces of at most 200 architectures with conditions."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.sampling.distribution import Distribution, factors_of, finest
from foxnas_core.space.search_space import SearchSpace


@st.composite
def spaces(draw) -> SearchSpace:
    """One or two groups of blocks, whose decisions may hang on those before them in the group."""
    decisions: list[dict] = []
    for group in ("g", "h")[: draw(st.integers(1, 2))]:
        own: list[dict] = []
        for number in range(draw(st.integers(1, 4))):
            decision = {
                "name": f"{group}{number}",
                "group": group,
                "role": "operation",
                "slot": draw(st.sampled_from(["", "a", "b"])),
                "choices": list("xyz"[: draw(st.integers(1, 3))]),
            }
            if own and draw(st.booleans()):
                parent = draw(st.sampled_from(own))
                values = draw(st.sets(st.sampled_from(parent["choices"]), min_size=1))
                condition = {"decision": parent["name"], "values": sorted(values)}
                decision["conditions"] = [condition]
            own.append(decision)
        decisions += own
    space = space_from_dict(
        {"format": 1, "family": "listed", "name": "drawn", "decisions": decisions}
    )
    assume(space.size <= 200)
    return space


def members(space: SearchSpace) -> np.ndarray:
    parts = itertools.product(*(list(space.group_options(group)) for group in space.groups))
    merged = ({name: v for part in p for name, v in part.items()} for p in parts)
    return space.encode([space.architecture(choices) for choices in merged])


def some(space: SearchSpace, seed: int, by="decision") -> Distribution:
    rng = np.random.default_rng(seed)
    flat = Distribution.uniform(space, by)
    return replace(flat, logits=tuple(rng.normal(0, 2, len(own)) for own in flat.logits))


BY = st.sampled_from(["decision", "slot", "group"])


@given(spaces(), st.integers(0, 99), BY)
def test_it_is_what_enumeration_says(space, seed, by):
    distribution, codes = some(space, seed, by), members(space)
    log_p = distribution.log_probability(codes)
    p = np.exp(log_p)
    assert p.sum() == pytest.approx(1, abs=1e-12)
    assert distribution.entropy == pytest.approx(-float(p @ log_p), abs=1e-12)
    [mode] = space.encode([distribution.mode()])
    assert distribution.log_probability(mode[None])[0] == pytest.approx(log_p.max(), abs=1e-12)


@given(spaces(), st.integers(0, 99), st.sampled_from(["slot", "group"]))
def test_joining_changes_no_probability(space, seed, by):
    fine, codes = some(space, seed), members(space)
    joint = fine.joined(by)
    np.testing.assert_allclose(
        joint.log_probability(codes), fine.log_probability(codes), rtol=0, atol=1e-12
    )
    assert joint.entropy == pytest.approx(fine.entropy, abs=1e-12)
    assert joint.joined("group").entropy == pytest.approx(fine.entropy, abs=1e-12)


@given(spaces(), st.integers(0, 99), BY)
def test_gradients_are_those_of_enumerated_probabilities(space, seed, by):
    distribution, codes = some(space, seed, by), members(space)
    weights = np.random.default_rng(seed).normal(size=len(codes))
    for place, gradient in enumerate(distribution.gradient(codes, weights)):
        for option in range(len(gradient)):
            values = []
            for step in (-1e-5, 1e-5):
                logits = [own.copy() for own in distribution.logits]
                logits[place][option] += step
                moved = replace(distribution, logits=tuple(logits))
                values.append(float(weights @ moved.log_probability(codes)))
            slope = (values[1] - values[0]) / 2e-5
            assert gradient[option] == pytest.approx(slope, abs=1e-5 * (1 + abs(weights).sum()))


@given(spaces(), st.integers(0, 99), BY)
def test_draws_are_members_as_often_as_they_are_probable(space, seed, by):
    distribution, codes = some(space, seed, by), members(space)
    drawn = distribution.draw(np.random.default_rng(seed), 4000)
    seen, counts = np.unique(drawn, axis=0, return_counts=True)
    assert {tuple(row) for row in seen.tolist()} <= {tuple(row) for row in codes.tolist()}
    p = np.exp(distribution.log_probability(seen))
    # Seven standard deviations, of up to 200 members in some hundred examples.
    assert (abs(counts - 4000 * p) <= 7 * np.sqrt(4000 * p * (1 - p)) + 7).all()


def test_the_demos_space_by_decision_block_and_stage():
    space = load_shipped("foxnas-mini")
    assert Distribution.uniform(space).parameters == 75
    assert len(factors_of(space, "slot")) == 4 + 9 and finest(space) == "slot"
    # By stage all options are alike, so every architecture of the space is.
    whole = Distribution.uniform(space, "group")
    assert whole.entropy == pytest.approx(np.log(space.size), abs=1e-12)
    assert finest(load_shipped("nasbench201")) == "group"


def test_only_what_is_allowed_is_drawn():
    space = load_shipped("foxnas-mini")
    allowed = {"s1_depth": (1,), "s2b1_kernel": (3, 7)}
    for by in ("decision", "slot", "group"):
        kept = Distribution.uniform(space, by, allowed)
        for architecture in space.decode(kept.draw(np.random.default_rng(0), 50)):
            assert architecture.get("s1_depth") == 1 and architecture.get("s2b1_kernel") in (3, 7)
        other = space.architecture({**kept.mode().to_dict(), "s2b1_kernel": 5})
        assert kept.log_probability(space.encode([other]))[0] == -np.inf


def test_too_many_options_are_refused():
    decisions = [
        {"name": f"d{i}", "group": "g", "role": "operation", "choices": list("abcde")}
        for i in range(12)
    ]
    space = space_from_dict(
        {"format": 1, "family": "listed", "name": "wide", "decisions": decisions}
    )
    with pytest.raises(InvalidInput, match=r"g has 244,140,625 options.*by themselves"):
        Distribution.uniform(space, "group")
    assert finest(space) == "decision"
    assert Distribution.uniform(space).entropy == pytest.approx(12 * np.log(5))


def test_what_is_drawn_together_is_not_taken_apart():
    space = load_shipped("foxnas-mini")
    with pytest.raises(InvalidInput, match="only by joining"):
        Distribution.uniform(space, "group").joined("slot")
