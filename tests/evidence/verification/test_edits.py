import numpy as np
import pytest
from hand import choice_space, hand_space
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.verification.edits import editable, random_edit, random_edits


@given(st.integers(0, 1000), st.integers(1, 6))
def test_each_pair_is_one_edit_apart_and_the_first_of_more_are_those_of_fewer(seed, count):
    space = hand_space(resolutions=(16, 32))
    pairs = random_edits(space, count, seed=seed)
    assert pairs == random_edits(space, 8, seed=seed)[:count]
    for before, after in pairs:
        assert after in space.neighbours(before)


def test_every_decision_is_edited_alike():
    space = choice_space({"few": ("a", "b"), "many": tuple("abcdefghij"), "none": ("a",)})
    rng = np.random.default_rng(0)
    edited = [
        next(name for name in space.by_name if before[name] != after[name])
        for before, after in (random_edit(space, rng) for _ in range(600))
    ]
    assert set(edited) == {"few", "many"}
    assert abs(edited.count("few") - 300) < 4 * np.sqrt(150)


def test_a_space_without_a_choice_is_one_sentence():
    with pytest.raises(InvalidInput, match="no edit to test"):
        random_edits(choice_space({"only": ("a",)}), 1, seed=0)


@given(st.integers(0, 500))
def test_what_can_be_edited_is_each_active_decision_to_its_other_choices(seed):
    space = hand_space()
    [before] = space.sample(1, seed=seed)
    found = editable(space, before)
    assert set(found) == set(before)
    for name, others in found.items():
        assert {*others, before[name]} == set(space.by_name[name].choices)
        assert before[name] not in others
    one = choice_space({"only": ("a",)})
    assert editable(one, one.architecture({"only": "a"})) == {}
