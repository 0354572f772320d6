import functools

import numpy as np
import pytest
from conftest import tiny_document
from hand import choice_space, hand_space
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.regression.features import BASES, Form, Pair, build_form, candidate_pairs
from foxnas_core.table.importing import published_space

SPACES = {
    "foxnas-mini": load_shipped("foxnas-mini"),
    "tiny": space_from_dict(tiny_document()),
    "published": published_space(),
    "hand": hand_space(resolutions=(12, 24)),
}
MINI = SPACES["foxnas-mini"]
TARGETS = ("accuracy", "latency_ms", "parameters")
every_case = pytest.mark.parametrize(
    ("name", "space", "target"),
    [(name, space, target) for name in BASES for space in SPACES for target in TARGETS],
)


@functools.cache
def codes_of(space: str) -> np.ndarray:
    return SPACES[space].random_codes(1500, seed=4)


def added(form: Form, pair: Pair) -> Form:
    return build_form(form.name, form.space, form.target.column, (*form.pairs, pair))


@every_case
def test_every_pair_adds_columns_that_the_form_tells_apart(
    name: str, space: str, target: str
) -> None:
    codes = codes_of(space)
    base = build_form(name, SPACES[space], target)
    x = base.matrix(codes)
    q, _ = np.linalg.qr(x)
    for pair, part in candidate_pairs(name, SPACES[space], target).items():
        new = part.columns(codes.astype(np.intp))
        if part.terms[0].scaled:
            new = new * base.scale(codes.astype(np.intp))[:, np.newaxis]
        rest = new - q @ (q.T @ new)
        sizes = np.linalg.svd(rest / np.linalg.norm(new, axis=0), compute_uv=False)
        assert sizes[-1] > 1e-3, pair  # else the whole would not have full rank
        assert len(part.terms) == new.shape[1] > 0


@every_case
def test_every_pair_names_one_stage(name: str, space: str, target: str) -> None:
    searched = SPACES[space]
    for part in candidate_pairs(name, searched, target).values():
        [group] = {term.group for term in part.terms}
        assert group in searched.additive_groups
        read = {searched.decisions[position].group for position in part.positions}
        assert read - set(searched.context) == {group}


@every_case
def test_the_resolution_takes_part_where_it_does_not_scale_the_target(
    name: str, space: str, target: str
) -> None:
    pairs = candidate_pairs(name, SPACES[space], target)
    with_context = [pair for pair in pairs if "resolution" in pair]
    varies = "resolution" in SPACES[space].by_name and (
        len(SPACES[space].by_name["resolution"].choices) > 1
    )
    # Latency grows with the pixels, and the number of weights does not depend on them.
    assert bool(with_context) == (target == "accuracy" and varies)
    present = ("_on", "_count")
    assert all(left == "resolution" and right.endswith(present) for left, right in with_context)
    scaled = {term.scaled for part in pairs.values() for term in part.terms}
    assert scaled == ({True} if target == "latency_ms" and varies else {False})


def test_the_candidates_of_a_small_space_by_hand() -> None:
    assert list(candidate_pairs("interactions", hand_space(), "accuracy")) == [
        ("p1_kernel", "p2_on"), ("p1_kernel", "p2_kernel"),
    ]  # fmt: skip
    with_resolution = hand_space(resolutions=(12, 24))
    assert list(candidate_pairs("interactions", with_resolution, "accuracy")) == [
        ("p1_kernel", "p2_on"), ("p1_kernel", "p2_kernel"), ("resolution", "p2_on"),
    ]  # fmt: skip
    assert list(candidate_pairs("count_interactions", with_resolution, "accuracy")) == [
        ("p1_kernel", "p_count"), ("p1_kernel", "p_kernels"), ("resolution", "p_count"),
    ]  # fmt: skip
    # One decision a group: nothing within a stage to pair.
    assert not candidate_pairs("interactions", choice_space({"a": ("x", "y")}), "accuracy")


def test_product_columns_by_hand() -> None:
    """Contrasts multiply as they are; a presence is centered at how often it is sampled."""
    space = hand_space()
    form = build_form("interactions", space, "accuracy", [("p1_kernel", "p2_kernel")])
    names = [term.name for term in form.terms]
    at = [i for i, name in enumerate(names) if "*" in name]
    assert [names[i] for i in at] == [
        "p1_kernel=5*p2_kernel=5", "p1_kernel=5*p2_kernel=7",
        "p1_kernel=7*p2_kernel=5", "p1_kernel=7*p2_kernel=7",
    ]  # fmt: skip
    # The codes are depth, p1, p2 and q1.
    codes = np.array([[1, 0, 0, 0], [1, 1, 2, 0], [1, 2, 0, 1], [0, 1, -1, 0]], dtype=np.int16)
    assert form.matrix(codes)[:, at].tolist() == [
        [1, 1, 1, 1],  # (-1, -1) × (-1, -1)
        [0, 1, 0, 0],  # (1, 0) × (0, 1)
        [0, 0, -1, -1],  # (0, 1) × (-1, -1)
        [0, 0, 0, 0],  # no second block
    ]

    form = build_form("interactions", space, "accuracy", [("p1_kernel", "p2_on")])
    at = [i for i, term in enumerate(form.terms) if "*" in term.name]
    columns = form.matrix(codes)[:, at]
    # Half of the architectures sampled have a second block, to within their number.
    share = 1 - columns[1, 0]
    assert share == pytest.approx(0.5, abs=0.05)
    kernels = np.array([[-1, -1], [1, 0], [0, 1], [1, 0]])
    expected = kernels * np.array([[1], [1], [1], [0]]) - kernels * share
    np.testing.assert_allclose(columns, expected, atol=1e-12)


def test_counts_are_squared_about_their_mean_by_hand() -> None:
    """Stages of one to three blocks: the count of further ones is 0, 1 or 2."""
    pair = ("s1_count", "s1_count")
    assert pair in candidate_pairs("count_interactions", MINI, "accuracy")
    form = build_form("count_interactions", MINI, "accuracy", [pair])
    [at] = [i for i, term in enumerate(form.terms) if "*" in term.name]
    assert form.terms[at].name == "s1_count*s1_count"
    count = [i for i, term in enumerate(form.terms) if term.name == "s1_count"]
    x = form.matrix(codes_of("foxnas-mini"))
    further = x[:, count[0]]
    assert set(further) == {0, 1, 2}
    mean = further.mean()
    # (k - m)² for the m of another sample: its values at 0, 1 and 2 tell m, and agree.
    at_0, at_1, at_2 = (set(x[further == k, at]) for k in (0, 1, 2))
    assert len(at_0) == len(at_1) == len(at_2) == 1
    [m0], [m1], [m2] = at_0, at_1, at_2
    assert np.sqrt(m0) == pytest.approx(mean, abs=0.1)
    center = np.sqrt(m0)
    assert (m1, m2) == pytest.approx(((1 - center) ** 2, (2 - center) ** 2), abs=1e-12)


def test_a_count_of_one_block_has_no_square() -> None:
    assert ("p_count", "p_count") not in candidate_pairs(
        "count_interactions", hand_space(), "accuracy"
    )


@functools.cache
def with_pairs(name: str, target: str) -> Form:
    candidates = list(candidate_pairs(name, MINI, target))
    return build_form(name, MINI, target, candidates[::5])


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("target", ["accuracy", "latency_ms"])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_columns_of_a_stage_read_that_stage_and_the_context_only(
    name: str, target: str, seed: int
) -> None:
    """So that a prediction is a sum over groups, whatever the estimates."""
    form = with_pairs(name, target)
    codes, others = MINI.random_codes(12, seed=seed), MINI.random_codes(12, seed=seed ^ 1)
    estimates = np.random.default_rng(seed).normal(size=form.parameters)
    context = np.array([d.group in MINI.context for d in MINI.decisions])
    total = form.matrix(np.where(context, codes, -1), "") @ estimates[form.columns_of("")]
    for group in MINI.additive_groups:
        own = np.array([d.group == group for d in MINI.decisions])
        mixed = form.matrix(np.where(own | context, codes, others), group)
        total = total + mixed @ estimates[form.columns_of(group)]
    np.testing.assert_allclose(total, form.matrix(codes) @ estimates, atol=1e-9)


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("target", ["accuracy", "latency_ms"])
def test_many_pairs_together_have_full_rank(name: str, target: str) -> None:
    form = with_pairs(name, target)
    base = build_form(name, MINI, target)
    x = form.matrix(codes_of("foxnas-mini"))
    assert np.linalg.matrix_rank(x) == form.parameters > base.parameters
    assert len({term.name for term in form.terms}) == form.parameters
    # What the base had is there as it was.
    at = [[term.name for term in form.terms].index(term.name) for term in base.terms]
    np.testing.assert_array_equal(x[:, at], base.matrix(codes_of("foxnas-mini")))
    assert all(f"{left} × {right}".replace("_", " ") in form.note for left, right in form.pairs)


def test_a_form_is_joint_where_a_term_reads_several_blocks() -> None:
    per_layer = build_form("per_layer", MINI, "accuracy")
    none = build_form("interactions", MINI, "accuracy")
    assert not per_layer.joint and not none.joint
    assert not added(none, ("s1b2_kernel", "s1b2_expand")).joint  # one block's own
    assert added(none, ("s1b1_kernel", "s1b2_kernel")).joint
    assert added(none, ("s1b1_expand", "s1b3_on")).joint
    assert build_form("choice_counts", MINI, "accuracy").joint  # blocks in no order
    assert not build_form("block_state", MINI, "accuracy").joint


def test_interactions_within_a_block_stand_with_it() -> None:
    form = build_form(
        "interactions",
        MINI,
        "accuracy",
        [("s1b2_kernel", "s1b2_expand"), ("s1b1_expand", "s1b3_on")],
    )
    slots = {t.name: t.slot for t in form.terms if "*" in t.name}
    assert slots["s1b2_kernel=5*s1b2_expand=2"] == "s1b2"
    assert slots["s1b1_expand=2*s1b3_on"] == ""


def test_pairs_that_are_none_of_the_space_add_nothing() -> None:
    base = build_form("interactions", MINI, "accuracy")
    for pair in (("s1b1_kernel", "s2b1_kernel"), ("no", "such")):
        assert added(base, pair).parameters == base.parameters
