import itertools
from dataclasses import replace

import numpy as np
import pytest
from hand import choice_space, hand_space

from foxnas_core.explanation.blocks import belonging, blocks_of, joint_states
from foxnas_core.families import load_shipped
from foxnas_core.regression.features import build_form, forms_of
from foxnas_core.regression.features.interactions import product_of
from foxnas_core.space.coding.parts import by_what_they_read, sample_codes

MINI = load_shipped("foxnas-mini")


def names(form: str, target: str = "accuracy", space=MINI) -> list[str]:
    return [block.name for block in blocks_of(build_form(form, space, target))]


@pytest.mark.parametrize("target", ["accuracy", "latency_ms", "parameters"])
def test_slots_are_blocks_where_the_form_tells_them_apart(target: str) -> None:
    expected = ["resolution", *MINI.slots]
    # What only counts over slots adds up over them too.
    for form in ("per_layer", "block_state", "stage_counts", "choice_counts"):
        assert names(form, target) == expected


def test_slots_that_a_form_takes_jointly_are_one_block() -> None:
    assert names("foxnas") == [
        "resolution", "s1b1", "s1b2–s1b3", "s2b1", "s2b2–s2b3", "s3b1", "s3b2–s3b3",
    ]  # fmt: skip


def test_groups_without_slots_are_blocks() -> None:
    space = choice_space({"edge1": ("none", "skip"), "edge2": ("none", "conv"), "fixed": ("x",)})
    blocks = blocks_of(build_form("per_layer", space, "accuracy"))
    assert [(b.name, b.decisions, b.terms) for b in blocks] == [
        ("edge1", (0,), (1,)),
        ("edge2", (1,), (2,)),
    ]


@pytest.mark.parametrize("form", forms_of(MINI))
@pytest.mark.parametrize("target", ["accuracy", "latency_ms"])
def test_a_block_is_moved_by_its_own_decisions_alone(form: str, target: str) -> None:
    """Of two subnets at one resolution that differ in some blocks, only those blocks' parts
    differ; together the parts make the whole row but the intercept."""
    whole = build_form(form, MINI, target)
    built, origins = whole.apart
    blocks = blocks_of(built)
    codes = MINI.random_codes(200, seed=5)
    codes[:, 0] = 2
    estimates = np.random.default_rng(0).normal(size=whole.parameters)
    expected = whole.matrix(codes) @ estimates
    estimates = estimates[origins]
    rows = built.matrix(codes)
    parts = rows @ (belonging(built) * estimates).T
    np.testing.assert_allclose(parts.sum(axis=1) + estimates[0], expected, atol=1e-9)
    states, _ = joint_states(codes, blocks)
    for number in range(len(blocks)):
        for state in np.unique(states[:, number]):
            same = parts[states[:, number] == state, number]
            assert np.ptp(same) < 1e-9
    assert (np.ptp(parts, axis=0)[1:] > 1e-3).all()


def test_of_many_blocks_that_terms_connect_those_of_a_group_are_one() -> None:
    """All pairs of slots, two slots a group of eight: groups; all pairs of thirteen groups: one."""
    for groups, slots, expected in ((8, 2, [f"g{i}" for i in range(8)]), (13, 1, None)):
        space = choice_space({f"d{i}": (0, 1) for i in range(groups * slots)})
        decisions = tuple(
            replace(d, group=f"g{i // slots}", slot=d.name if slots > 1 else "")
            for i, d in enumerate(space.decisions)
        )
        space = replace(space, decisions=decisions)
        form = build_form("per_layer", space, "accuracy")
        pairs = [
            product_of(left, right, "", sample_codes(space), np.empty((1000, 0)))
            for left, right in itertools.pairwise(form.parts[1:])
        ]
        parts = by_what_they_read(space, [*form.parts, *filter(None, pairs)])
        terms = tuple(term for part in parts for term in part.terms)
        found = blocks_of(replace(form, parts=tuple(parts), terms=terms))
        assert [b.name for b in found] == (expected or [" + ".join(f"g{i}" for i in range(13))])


def test_joint_states_stand_for_codes() -> None:
    space = hand_space()
    codes = space.random_codes(50, seed=0)
    blocks = blocks_of(build_form("per_layer", space, "accuracy"))
    assert [block.name for block in blocks] == ["p1", "p2", "q1"]  # the depth is p2's being off
    numbers, states = joint_states(codes, blocks)
    assert states[1].tolist() == [[-1], [0], [1], [2]]
    for column, (block, own) in enumerate(zip(blocks, states, strict=True)):
        np.testing.assert_array_equal(own[numbers[:, column]], codes[:, list(block.decisions)])
