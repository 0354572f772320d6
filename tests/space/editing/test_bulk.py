"""Edits of many choices: what is asked for, nothing else, and a sentence for the rest."""

import pytest
from hand import choice_space, corner, hand_space
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.space.editing.bulk import Edited, set_choices, step_choices, turned

MINI = load_shipped("foxnas-mini")
SEEDS = st.integers(0, 10_000)


def set_role(space, before, role, value, groups) -> Edited:
    meant = [d for d in space.decisions if d.role == role and d.group in groups]
    return set_choices(space, before, meant, value)


@settings(deadline=None)
@given(SEEDS, st.sampled_from(["depth", "kernel", "expand", "resolution"]), st.integers(0, 3),
       st.sets(st.sampled_from(MINI.groups)))  # fmt: skip
def test_a_bulk_edit_sets_its_role_in_its_groups_and_keeps_the_rest(seed, role, which, groups):
    [before] = MINI.sample(1, seed=seed)
    meant = [d for d in MINI.decisions if d.role == role and d.group in groups]
    if not meant:
        assert set_role(MINI, before, role, 3, groups) == Edited(before)
        return
    value = meant[0].choices[which % len(meant[0].choices)]
    edited = set_role(MINI, before, role, value, groups)
    after = edited.architecture
    assert MINI.is_member(after)
    for decision in MINI.decisions:
        if decision.name not in after:
            continue
        if decision in meant:
            assert after[decision.name] == value
        else:
            assert after[decision.name] == before.get(decision.name, decision.choices[0])
    # Doing it again changes nothing.
    assert set_role(MINI, after, role, value, groups).architecture == after


def test_all_of_stage_3_to_kernel_5():
    edited = set_role(MINI, MINI.extreme("largest"), "kernel", 5, ["s3"])
    kernels = {n: v for n, v in edited.architecture.choices if n.endswith("kernel")}
    assert {v for n, v in kernels.items() if n.startswith("s3")} == {5}
    assert {v for n, v in kernels.items() if not n.startswith("s3")} == {7}
    assert edited.refused == ()


def test_blocks_that_are_off_stay_so_and_are_named():
    edited = set_role(MINI, MINI.extreme("smallest"), "kernel", 5, ["s3"])
    assert edited.architecture["s3b1_kernel"] == 5 and "s3b2_kernel" not in edited.architecture
    assert edited.refused == ("s3b2, s3b3 are off and stay so.",)
    [one] = set_role(hand_space(), hand_space().extreme("smallest"), "kernel", 7, ["p"]).refused
    assert one == "p2 is off and stays so."


def test_a_decision_without_the_choice_keeps_its_own_and_is_named():
    space = choice_space({"a": ("none", "skip"), "b": ("none", "conv")})
    edited = set_role(space, corner(space, -1), "operation", "skip", space.groups)
    assert edited.architecture.to_dict() == {"a": "skip", "b": "conv"}
    assert edited.refused == ("b stays at conv: it takes none, conv, not skip.",)


def test_choices_that_count_as_nothing_are_kept():
    space = choice_space({"a": (0, 1), "b": (0, 1)})
    start = space.architecture({"a": 1, "b": 0})
    edited = set_choices(space, start, [space.by_name["a"]], 0)
    assert edited.architecture.to_dict() == {"a": 0, "b": 0}


@settings(deadline=None)
@given(SEEDS, st.sampled_from(["kernel", "expand", "resolution"]))
def test_a_step_forward_and_one_back_is_no_step(seed, role):
    [before] = MINI.sample(1, seed=seed)
    meant = [d for d in MINI.decisions if d.role == role]
    there = step_choices(MINI, before, meant, 1).architecture
    assert there != before
    assert step_choices(MINI, there, meant, -1).architecture == before


def test_the_step_after_the_last_choice_is_the_first():
    largest = MINI.extreme("largest")
    edited = step_choices(MINI, largest, [MINI.by_name["s2_depth"]], 1)
    assert edited.architecture["s2_depth"] == 1 and "s2b2_kernel" not in edited.architecture


@settings(deadline=None)
@given(SEEDS, st.sampled_from(MINI.slots), st.booleans())
def test_turning_a_block_on_and_off_moves_the_depth_no_further_than_needed(seed, slot, on):
    [before] = MINI.sample(1, seed=seed)
    group, block = slot.split("b")
    if not on and block == "1":
        with pytest.raises(InvalidInput, match=f"{slot} can't be turned off"):
            turned(MINI, before, slot, on=on)
        return
    after = turned(MINI, before, slot, on=on)
    depth = before[f"{group}_depth"]
    wanted = max(depth, int(block)) if on else min(depth, int(block) - 1)
    assert after[f"{group}_depth"] == wanted
    assert (f"{slot}_kernel" in after) == on
    # All that was and still is there is as it was.
    for name, value in before.choices:
        if name != f"{group}_depth" and name in after:
            assert after[name] == value


def test_a_block_of_a_block_is_opened_through_both():
    def decision(name, choices, slot="", conditions=()):
        return {
            "name": name, "group": "g", "role": "operation", "choices": choices, "slot": slot,
            "conditions": [{"decision": d, "values": v} for d, v in conditions],
        }  # fmt: skip

    decisions = [
        decision("outer", ["no", "yes"]),
        decision("inner", ["no", "maybe", "yes"], "inner", [("outer", ["yes"])]),
        decision("last", ["x", "y"], "last", [("inner", ["maybe", "yes"])]),
    ]
    space = space_from_dict(
        {"format": 1, "family": "listed", "name": "nested", "decisions": decisions}
    )
    opened = turned(space, corner(space, 0), "last", on=True)
    assert opened.to_dict() == {"outer": "yes", "inner": "maybe", "last": "x"}
    assert turned(space, opened, "last", on=False).to_dict() == {"outer": "yes", "inner": "no"}
    with pytest.raises(InvalidInput, match="no block 'first'"):
        turned(space, opened, "first", on=True)
