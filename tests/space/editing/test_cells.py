from hand import choice_space, hand_space, two_block_space

from foxnas_core.families import load_shipped, shipped_spaces, space_from_dict
from foxnas_core.space.editing.cells import cells_of, roles_of


def test_a_cell_is_a_slot_or_what_concerns_the_whole_group():
    found = cells_of(hand_space(resolutions=(8, 12)))
    assert [(c.name, c.group, c.slot) for c in found] == [
        ("input", "input", ""), ("p", "p", ""), ("p1", "p", "p1"), ("p2", "p", "p2"),
        ("q1", "q", "q1"),
    ]  # fmt: skip
    assert [d.name for d in found[1].decisions] == ["p_depth"]


def test_each_decision_is_in_one_cell_and_names_are_unique():
    spaces = [load_shipped(name) for name in shipped_spaces()]
    for space in (*spaces, hand_space(), two_block_space(), choice_space({"a": (1, 2), "b": (1,)})):
        found = cells_of(space)
        assert sorted(d.name for c in found for d in c.decisions) == sorted(space.by_name)
        assert len({c.name for c in found}) == len(found)


def test_a_group_named_like_a_slot_keeps_a_name_of_its_own():
    decisions = [
        {"name": "a", "group": "x", "role": "operation", "choices": [1, 2]},
        {"name": "b", "group": "x", "role": "kernel", "choices": [3, 5], "slot": "x"},
    ]
    document = {"format": 1, "family": "listed", "name": "alike", "decisions": decisions}
    assert [c.name for c in cells_of(space_from_dict(document))] == ["x as a whole", "x"]


def test_a_cell_is_on_while_any_decision_is():
    space = hand_space()
    shallow, deep = space.extreme("smallest"), space.extreme("largest")
    on = {c.name: (c.is_on(shallow), c.is_on(deep)) for c in cells_of(space)}
    assert on["p2"] == (False, True) and on["p1"] == on["p"] == (True, True)


def test_roles_gather_the_decisions_of_cells():
    found = roles_of(cells_of(hand_space()))
    assert list(found) == ["depth", "kernel"]
    assert [d.name for d in found["kernel"]] == ["p1_kernel", "p2_kernel", "q1_kernel"]
