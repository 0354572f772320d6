"""Options and neighbours agree with the search space's own, slower listing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.search.options import allowed_options, full_codes, group_codes, group_neighbours
from foxnas_core.space.search_space import SearchSpace


def nested_space() -> SearchSpace:
    """Conditions on conditions, and a governing decision with several steps."""
    return space_from_dict(
        {
            "format": 1,
            "family": "listed",
            "name": "nested",
            "context": ["in"],
            "decisions": [
                {"name": "r", "group": "in", "role": "resolution", "choices": [1, 2]},
                {"name": "a", "group": "g", "role": "depth", "choices": [0, 1, 2, 3]},
                {"name": "b", "group": "g", "role": "operation", "choices": ["x", "y", "z"],
                 "conditions": [{"decision": "a", "values": [1, 3]}]},
                {"name": "c", "group": "g", "role": "operation", "choices": [5, 6],
                 "conditions": [{"decision": "b", "values": ["y", "z"]},
                                {"decision": "a", "values": [1]}]},
                {"name": "d", "group": "g", "role": "operation", "choices": [7, 8]},
                {"name": "e", "group": "h", "role": "operation", "choices": ["only"]},
            ],
        }
    )  # fmt: skip


SPACES = [nested_space(), load_shipped("foxnas-mini")]


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_options_are_those_of_the_space_in_its_order(space: SearchSpace) -> None:
    for group in space.groups:
        names = [d.name for d in space.in_group(group)]
        expected = [
            tuple(space.by_name[n].choices.index(option[n]) if n in option else -1 for n in names)
            for option in space.group_options(group)
        ]
        assert [tuple(row) for row in group_codes(space, group).tolist()] == expected


def test_options_of_the_published_stage_are_all_there_and_distinct() -> None:
    space = load_shipped("foxnas-cpu")
    codes = group_codes(space, "s3")
    assert len(codes) == space.group_size("s3") == len(np.unique(codes, axis=0))


def test_equal_stages_share_one_copy() -> None:
    space = load_shipped("foxnas-cpu")
    assert group_neighbours(space, "s2") is group_neighbours(space, "s5")


def test_full_codes_hold_one_group_only() -> None:
    space = load_shipped("foxnas-mini")
    codes = full_codes(space, "s2")
    own = [d.group == "s2" for d in space.decisions]
    assert (codes[:, own] == group_codes(space, "s2")).all()
    assert (codes[:, ~np.array(own)] == -1).all()


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
def test_neighbours_are_those_of_the_space(space: SearchSpace) -> None:
    for group in space.groups:
        options = list(space.group_options(group))
        position = {tuple(option.items()): i for i, option in enumerate(options)}
        neighbours = group_neighbours(space, group)
        for i in range(0, len(options), max(1, len(options) // 200)):
            expected = {
                position[tuple(n.items())] for n in space.group_neighbours(group, options[i])
            }
            assert neighbours.of(i).tolist() == sorted(expected)


def test_neighbours_are_symmetric_and_connect_all_options() -> None:
    space = load_shipped("foxnas-mini")
    neighbours = group_neighbours(space, "s1")
    pairs = {(i, int(j)) for i in range(space.group_size("s1")) for j in neighbours.of(i)}
    assert pairs == {(j, i) for i, j in pairs}
    reached, frontier = {0}, [0]
    while frontier:
        frontier = [int(j) for i in frontier for j in neighbours.of(i) if int(j) not in reached]
        reached.update(frontier)
    assert len(reached) == space.group_size("s1")


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_whatever_is_left_out_every_allowed_option_can_be_reached(data) -> None:
    space = nested_space()
    allowed = {
        d.name: tuple(data.draw(st.lists(st.sampled_from(d.choices), min_size=1, unique=True)))
        for d in space.in_group("g")
    }
    allowed = {n: tuple(c for c in space.by_name[n].choices if c in v) for n, v in allowed.items()}
    kept = allowed_options(space, "g", allowed)
    options = [o for o in space.group_options("g") if all(v in allowed[n] for n, v in o.items())]
    names = [d.name for d in space.in_group("g")]
    expected = [
        [space.by_name[n].choices.index(o[n]) if n in o else -1 for n in names] for o in options
    ]
    assert group_codes(space, "g")[kept].tolist() == expected
    within = group_neighbours(space, "g", allowed)
    everywhere = group_neighbours(space, "g")
    reached, frontier = {0}, [0]
    while frontier:
        frontier = [int(j) for i in frontier for j in within.of(i) if int(j) not in reached]
        reached.update(frontier)
    assert reached == set(range(len(kept)))
    # An edit that was one before still is.
    position = {int(option): i for i, option in enumerate(kept)}
    for i, option in enumerate(kept):
        before = {position[int(j)] for j in everywhere.of(int(option)) if int(j) in position}
        assert before <= set(within.of(i).tolist())


def test_a_group_too_large_to_list_is_refused_by_name() -> None:
    space = space_from_dict(
        {"format": 1, "family": "listed", "name": "huge", "decisions": [
            {"name": f"d{i}", "group": "all", "role": "operation", "choices": list(range(9))}
            for i in range(22)
        ]}
    )  # fmt: skip
    with pytest.raises(InvalidInput, match=r"'all'.*'huge'"):
        group_codes(space, "all")
