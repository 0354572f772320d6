import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hand import hand_space
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, shipped_spaces
from foxnas_core.space.decisions import Condition, Decision, check_choice
from foxnas_core.space.search_space import SearchSpace

# Two groups; in the first, a depth of 1 or 2 opens slot b2.
SMALL = SearchSpace(
    "small",
    "listed",
    (
        Decision("size", "input", "resolution", (8, 16)),
        Decision("depth", "s1", "depth", (1, 2)),
        Decision("b1", "s1", "operation", ("conv", "pool"), "b1"),
        Decision(
            "b2", "s1", "operation", ("conv", "pool", "skip"), "b2", (Condition("depth", (2,)),)
        ),
        Decision("edge", "s2", "operation", ("a", "b", "c")),
    ),
    context=("input",),
)
EVERY = [
    SMALL.architecture({k: v for part in parts for k, v in part.items()})
    for parts in itertools.product(*(list(SMALL.group_options(g)) for g in SMALL.groups))
]
SPACES = [SMALL, *(load_shipped(name) for name in shipped_spaces())]


def architectures(space: SearchSpace):
    return st.integers(0, 2**32 - 1).map(
        lambda seed: space.draw(np.random.default_rng(seed), "decisions")
    )


def test_size_is_the_number_of_distinct_architectures():
    # s1: 2 options at depth 1, 2 × 3 at depth 2; s2: 3; input: 2.
    assert SMALL.size == 2 * (2 + 6) * 3 == len(EVERY) == len(set(EVERY))


def test_size_of_the_published_space_is_exact():
    per_stage = sum(12**depth for depth in (2, 3, 4))
    assert load_shipped("foxnas-cpu").size == per_stage**5 * 6


def test_inactive_decisions_are_canonicalised_away():
    shallow = {"size": 8, "depth": 1, "b1": "conv", "edge": "a"}
    with_rest = SMALL.architecture({**shallow, "b2": "skip"})
    assert with_rest == SMALL.architecture(shallow)
    assert "b2" not in with_rest


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"edge": "z"}, "'edge' is 'z'; allowed: a, b, c"),
        ({"edge": None}, "lacks a choice for 'edge'"),
        ({"colour": 1}, "'colour' is no decision"),
        ({"depth": 2}, "lacks a choice for 'b2'"),
        ({"size": "9"}, "'size' is '9'"),
        ({"size": True}, "'size' is True"),
    ],
)
def test_wrong_choices_are_named(change, words):
    choices = {"size": 8, "depth": 1, "b1": "conv", "edge": "a"} | change
    with pytest.raises(InvalidInput, match=words):
        SMALL.architecture({k: v for k, v in choices.items() if v is not None})


def test_whole_floats_and_numpy_integers_count_as_the_choice():
    decision = SMALL.by_name["size"]
    for value in (8.0, np.int64(8), np.float64(8)):
        assert check_choice(decision, value) == 8
        assert type(check_choice(decision, value)) is int


@pytest.mark.parametrize("space", SPACES, ids=lambda s: s.name)
@given(data=st.data())
def test_codes_and_dictionaries_round_trip(space, data):
    architecture = data.draw(architectures(space))
    assert space.decode(space.encode([architecture])) == [architecture]
    assert space.architecture(architecture.to_dict()) == architecture
    assert space.is_member(architecture)


def test_neighbours_are_one_edit_away_and_symmetric():
    neighbours = {a: SMALL.neighbours(a) for a in EVERY}
    for architecture, around in neighbours.items():
        assert architecture not in around
        assert len(around) == len(set(around))
        for other in around:
            assert SMALL.is_member(other)
            assert architecture in neighbours[other]
            both = set(architecture) & set(other)
            changed = [name for name in both if architecture[name] != other[name]]
            assert len(changed) == 1
            if set(architecture) != set(other):
                assert changed == ["depth"]


def test_neighbours_of_one_architecture_by_hand():
    architecture = SMALL.architecture({"size": 8, "depth": 1, "b1": "conv", "edge": "a"})
    # size 16; depth 2 with three operations in b2; b1 pool; edge b or c.
    assert len(SMALL.neighbours(architecture)) == 1 + 3 + 1 + 2


@pytest.mark.parametrize("by", ["decisions", "balanced", "architectures"])
def test_samples_are_distinct_members_repeat_by_seed_and_grow_at_the_end(by):
    sample = SMALL.sample(20, seed=3, by=by)
    assert len(set(sample)) == 20 and all(SMALL.is_member(a) for a in sample)
    assert sample == SMALL.sample(20, seed=3, by=by)
    assert sample[:10] == SMALL.sample(10, seed=3, by=by)
    assert sample != SMALL.sample(20, seed=4, by=by)


def test_a_sample_of_the_whole_space_holds_it_all_and_one_more_is_refused():
    assert set(SMALL.sample(SMALL.size, seed=0)) == set(EVERY)
    with pytest.raises(InvalidInput, match="48 architectures"):
        SMALL.sample(SMALL.size + 1, seed=0)


def test_sampling_leaves_out_the_excluded():
    taken = [a.id for a in EVERY[:40]]
    assert {a.id for a in SMALL.sample(8, seed=0, exclude=taken)} == {a.id for a in EVERY[40:]}


def test_shares_of_depth_are_those_promised():
    space = load_shipped("foxnas-cpu")
    rng = np.random.default_rng(0)
    shares = {
        by: Counter(space.draw(rng, by)["s1_depth"] for _ in range(1500))
        for by in ("decisions", "balanced", "architectures")
    }
    expected = {
        "decisions": (1 / 3, 1 / 3, 1 / 3),
        "balanced": (0.2, 0.3, 0.5),
        "architectures": tuple(12**d / (12**2 + 12**3 + 12**4) for d in (2, 3, 4)),
    }
    for by, probabilities in expected.items():
        for depth, p in zip((2, 3, 4), probabilities, strict=True):
            # Four standard errors of a share of 1500 draws.
            assert abs(shares[by][depth] / 1500 - p) < 4 * math.sqrt(p * (1 - p) / 1500) + 1e-9


def test_extremes():
    sized = hand_space(resolutions=(24, 12))
    assert sized.extreme("largest").to_dict() == {
        "resolution": 24, "p_depth": 2, "p1_kernel": 7, "p2_kernel": 7, "q1_kernel": 7,
    }  # fmt: skip
    assert sized.extreme("smallest").to_dict() == {
        "resolution": 12, "p_depth": 1, "p1_kernel": 3, "q1_kernel": 3,
    }  # fmt: skip


def test_operations_have_no_extremes():
    with pytest.raises(InvalidInput, match="has no largest architecture: not all of its choices"):
        SMALL.extreme("largest")


def test_fingerprint_ignores_the_name_and_sees_every_choice():
    renamed = SearchSpace("other", "listed", SMALL.decisions, SMALL.context)
    fewer = SearchSpace("small", "listed", SMALL.decisions[:-1], SMALL.context)
    assert renamed.fingerprint == SMALL.fingerprint != fewer.fingerprint


@pytest.mark.parametrize(
    ("decisions", "words"),
    [
        ((Decision("a", "g", "x", (1,)), Decision("a", "g", "x", (1,))), "twice"),
        ((Decision("a", "g", "x", ()),), "at least one choice"),
        ((Decision("a", "g", "x", (1, 1)),), "no choice twice"),
        ((Decision("a", "g", "x", (1, 2), "", (Condition("b", (1,)),)),), "must come before"),
        (
            (
                Decision("b", "other", "x", (1, 2)),
                Decision("a", "g", "x", (1, 2), "", (Condition("b", (1,)),)),
            ),
            "same group",
        ),
    ],
)
def test_ill_formed_spaces_are_refused(decisions, words):
    with pytest.raises(InvalidInput, match=words):
        SearchSpace("bad", "listed", decisions)


def test_ids_of_codes_are_those_of_the_architectures() -> None:
    # More choices than are joined at once, and decisions that are not in the order of their names.
    many = Decision("many", "s3", "operation", tuple(range(5000)))
    wide = SearchSpace("wide", "listed", (*SMALL.decisions, many, Decision("a", "s4", "x", ("é",))))
    for space in (SMALL, wide, load_shipped("foxnas-cpu"), SearchSpace("empty", "listed", ())):
        codes = space.random_codes(300, seed=0)
        assert space.ids(codes) == [a.id for a in space.decode(codes)]
