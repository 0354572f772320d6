"""Pins and forbidden choices as they are typed."""

import itertools

import pytest
from hand import hand_space

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.search.restriction import (
    allowed_choices,
    choices_that_keep,
    choices_that_take,
    restricted,
)
from foxnas_core.space.search_space import SearchSpace

SPACE = load_shipped("foxnas-mini")


def test_pairs_add_up_over_patterns() -> None:
    found = allowed_choices(
        SPACE, [("s2*_kernel", "3, 5"), ("s2b1_kernel", "5,7")], [("resolution", "12")]
    )
    assert found["s2b1_kernel"] == (5,)
    kernels = {n: c for n, c in found.items() if n.endswith("kernel") and n != "s2b1_kernel"}
    assert set(kernels) == {
        d.name for d in SPACE.in_group("s2") if d.role == "kernel" and d.name != "s2b1_kernel"
    }
    assert set(kernels.values()) == {(3, 5)}
    others = tuple(c for c in SPACE.by_name["resolution"].choices if c != 12)
    assert found["resolution"] == others and 12 in SPACE.by_name["resolution"].choices
    assert allowed_choices(SPACE, [], []) == {}


@pytest.mark.parametrize(
    ("allow", "forbid", "words"),
    [
        ([("s9*", "3")], [], "'s9*'"),
        ([("s2b1_kernel", "4")], [], "allowed: 3, 5, 7"),
        ([("s2b1_kernel", "3")], [("*kernel", "3")], "Nothing is left"),
        ([], [("s2b1_kernel", "3,x")], "'x'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(allow, forbid, words) -> None:
    with pytest.raises(InvalidInput) as caught:
        allowed_choices(SPACE, allow, forbid)
    assert words in str(caught.value)


def kept_by(space: SearchSpace, allowed) -> list:
    """Every architecture of a small space that keeps to what is allowed where it is active."""
    parts = [list(space.group_options(group)) for group in space.groups]
    everything = [
        space.architecture({k: v for part in chosen for k, v in part.items()})
        for chosen in itertools.product(*parts)
    ]
    return [a for a in everything if all(a.get(n) in (*c, None) for n, c in allowed.items())]


def nested_space() -> SearchSpace:
    """`b` is active for two choices of `a`, `c` for one of `b` and two of `a`, `d` always."""

    def decision(name: str, choices: list, *conditions: tuple[str, list]) -> dict:
        listed = [{"decision": parent, "values": values} for parent, values in conditions]
        return {"name": name, "group": "g", "role": name, "choices": choices, "conditions": listed}

    return space_from_dict(
        {"format": 1, "family": "listed", "name": "nested", "decisions": [
            decision("a", [1, 2, 3]), decision("b", [1, 2], ("a", [2, 3])),
            decision("c", [1, 2], ("b", [2]), ("a", [1, 2])), decision("d", [1, 2]),
        ]}
    )  # fmt: skip


@pytest.mark.parametrize("names", [("a",), ("b",), ("c",), ("d",), ("b", "c"), ("c", "d")])
def test_what_is_kept_stays_and_the_architecture_with_it(names) -> None:
    space = nested_space()
    for base in kept_by(space, {}):
        allowed = restricted(space, choices_that_keep(space, base, names))
        kept = kept_by(space, allowed)
        assert base in kept
        assert all(a.get(name) == base.get(name) for a in kept for name in names)


def test_in_stages_nothing_else_is_kept() -> None:
    space = hand_space(resolutions=(16, 32))
    for base in kept_by(space, {}):
        for name in space.by_name:
            kept = kept_by(space, choices_that_keep(space, base, [name]))
            assert kept == [a for a in kept_by(space, {}) if a.get(name) == base.get(name)]


def test_what_is_taken_is_active() -> None:
    space = nested_space()
    for decision in space.decisions:
        for value in decision.choices:
            kept = kept_by(space, choices_that_take(space, decision, value))
            assert kept == [a for a in kept_by(space, {}) if a.get(decision.name) == value]
    with pytest.raises(InvalidInput, match="allowed: 1, 2"):
        choices_that_take(space, space.by_name["b"], 7)
