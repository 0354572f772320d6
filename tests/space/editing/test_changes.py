"""What changes from subnet to subnet: complete, and in words."""

import itertools

from hand import choice_space, hand_space
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.families import load_shipped
from foxnas_core.search.exact import front
from foxnas_core.space.editing.changes import changes_between, in_words, told_units
from tests.search.additive import mini_problem

MINI = load_shipped("foxnas-mini")


def words(space, before: dict, after: dict) -> str:
    one, other = (space.architecture(choices) for choices in (before, after))
    return in_words(space, changes_between(space, one, other))


@given(st.integers(0, 10_000))
def test_changes_applied_in_sequence_give_the_next(seed: int) -> None:
    before, after = MINI.sample(2, seed=seed)
    choices = before.to_dict()
    for change in changes_between(MINI, before, after):
        assert choices.get(change.decision.name) == change.before
        choices.pop(change.decision.name, None)
        if change.after is not None:
            choices[change.decision.name] = change.after
    assert choices == after.to_dict()
    assert MINI.architecture(choices) == after


def test_steps_along_a_front_lead_from_its_first_to_its_last() -> None:
    found = front(mini_problem())
    architectures = [found.candidate(point).architecture for point in range(0, len(found), 40)]
    choices = architectures[0].to_dict()
    for before, after in itertools.pairwise(architectures):
        changes = changes_between(MINI, before, after)
        assert changes and in_words(MINI, changes) != "nothing"
        for change in changes:
            choices[change.decision.name] = change.after
    kept = {name: value for name, value in choices.items() if value is not None}
    assert kept == architectures[-1].to_dict()


def test_a_change_is_said_as_people_say_it() -> None:
    space = hand_space(resolutions=(16, 32))
    start = {"resolution": 16, "p_depth": 1, "p1_kernel": 3, "q1_kernel": 5}
    deep = start | {"p_depth": 2, "p2_kernel": 7}
    assert words(space, start, start | {"q1_kernel": 7}) == "q1 kernel 5 → 7"
    assert words(space, start, start | {"resolution": 32}) == "resolution 16 → 32"
    # That the depth changes goes without saying.
    assert words(space, start, deep) == "p2 added (kernel 7)"
    assert words(space, deep, start | {"p1_kernel": 5}) == "p1 kernel 3 → 5; p2 removed"
    assert words(space, start, start) == "nothing"


def test_what_one_change_of_depth_turns_is_told_together() -> None:
    first = {d.name: d.choices[0] for d in MINI.decisions}
    shallow, deep = (MINI.architecture(first | {"s2_depth": depth}) for depth in (1, 3))
    assert in_words(MINI, changes_between(MINI, deep, shallow)) == "s2b2 and s2b3 removed"
    both = "s2b2 added (kernel 3, expand 1) with s2b3 (kernel 3, expand 1)"
    assert in_words(MINI, changes_between(MINI, shallow, deep)) == both


def test_several_choices_of_a_block_are_one_block() -> None:
    before, after = (
        MINI.architecture({d.name: d.choices[which] for d in MINI.decisions}) for which in (0, -1)
    )
    same = after.to_dict() | {"s2b1_kernel": before["s2b1_kernel"], "s2b1_expand": 1}
    changes = changes_between(MINI, after, MINI.architecture(same))
    assert list(told_units(MINI, changes)) == ["s2b1"]
    assert in_words(MINI, changes).startswith("s2b1 kernel 7 → 3, expand")


def test_a_space_without_blocks_names_its_decisions() -> None:
    space = choice_space({"edge0": ("none", "conv"), "edge1": ("skip", "conv")})
    one = {"edge0": "none", "edge1": "skip"}
    assert words(space, one, one | {"edge1": "conv"}) == "edge1 skip → conv"
