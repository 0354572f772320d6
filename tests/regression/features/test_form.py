import numpy as np
import pytest
from conftest import tiny_document
from hand import choice_space, hand_space
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, shipped_spaces, space_from_dict
from foxnas_core.regression.features import build_form, forms_of, independent_columns
from foxnas_core.regression.features.one_table import FEW
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.importing import published_space

TARGETS = ("accuracy", "latency_ms", "parameters")
# One of those that differ in their sizes or in their data set alone is enough.
_LEFT_OUT = ("fpnas-imagenet", "nasbench201-cifar100")
SPACES = {name: load_shipped(name) for name in shipped_spaces() if name not in _LEFT_OUT} | {
    "tiny": space_from_dict(tiny_document()),
    "published": published_space(),
}
forms_and_spaces = pytest.mark.parametrize(
    ("form", "space"),
    [(form, name) for name, space in SPACES.items() for form in forms_of(space)],
)


@forms_and_spaces
@pytest.mark.parametrize("target", TARGETS)
def test_every_form_has_full_rank(form: str, space: str, target: str) -> None:
    built = build_form(form, SPACES[space], target)
    x = built.matrix(SPACES[space].random_codes(4 * built.parameters + 100, seed=1))
    assert built.parameters == len(built.terms) == x.shape[1]
    assert share_of_its_own(x).min() > 1e-3


def share_of_its_own(columns: np.ndarray) -> np.ndarray:
    """How much of each column (of its length) is no sum of those before it; none where it is one.
    The forms of large spaces are too wide, and too sparse, for singular values."""
    unit = sparse.csr_array(columns / np.linalg.norm(columns, axis=0))
    try:
        return np.linalg.cholesky((unit.T @ unit).toarray()).diagonal()
    except np.linalg.LinAlgError:
        return np.zeros(columns.shape[1])


def test_a_column_that_is_a_sum_of_others_has_no_share_of_its_own():
    columns = np.random.default_rng(0).normal(size=(30, 5))
    assert share_of_its_own(columns).min() > 0.1
    columns[:, 4] = columns[:, 1] - 2 * columns[:, 3]
    assert share_of_its_own(columns).min() < 1e-6


@forms_and_spaces
@pytest.mark.parametrize("target", ["accuracy", "latency_ms"])
def test_each_term_reads_its_own_group_and_the_context_only(
    form: str, space: str, target: str
) -> None:
    searched = SPACES[space]
    built = build_form(form, searched, target)
    codes, others = (searched.random_codes(50, seed=seed) for seed in (1, 2))
    whole = built.matrix(codes)
    context = [d.group in searched.context for d in searched.decisions]
    for group in searched.additive_groups:
        own = np.array([d.group == group for d in searched.decisions])
        columns = built.columns_of(group)
        for elsewhere in (others, np.full_like(codes, -1)):
            mixed = np.where(own | context, codes, elsewhere)
            np.testing.assert_array_equal(built.matrix(mixed)[:, columns], whole[:, columns])
            np.testing.assert_array_equal(built.matrix(mixed, group), whole[:, columns])
        assert not built.matrix(np.where(own, -1, codes), group).any()
    constant = np.where(context, codes, -1)
    np.testing.assert_array_equal(built.matrix(constant, ""), whole[:, built.columns_of("")])
    named = sorted(i for g in ("", *searched.additive_groups) for i in built.columns_of(g))
    assert named == list(range(built.parameters))


@forms_and_spaces
@pytest.mark.parametrize("target", ["accuracy", "latency_ms"])
def test_few_rows_are_those_of_many(form: str, space: str, target: str) -> None:
    built = build_form(form, SPACES[space], target)
    codes = SPACES[space].random_codes(2 * FEW, seed=3)
    codes[-1] = -1
    many = built.matrix(codes)
    for rows in (slice(0, 1), slice(5, 5 + FEW), slice(2 * FEW - 2, 2 * FEW)):
        np.testing.assert_allclose(built.matrix(codes[rows]), many[rows], atol=1e-12)


@pytest.mark.parametrize("form", forms_of(SPACES["foxnas-mini"]))
def test_block_columns_grow_with_the_number_of_pixels(form: str) -> None:
    space = SPACES["foxnas-mini"]
    built = build_form(form, space, "latency_ms")
    codes = space.random_codes(200, seed=3)
    choices = space.by_name["resolution"].choices
    codes[:, 0] = len(choices) - 1
    largest = built.matrix(codes)
    scaled = np.array([term.scaled for term in built.terms])
    # But for steps of one resolution.
    alike = np.array(["@" not in term.name for term in built.terms])
    assert {built.terms[i].name for i in np.flatnonzero(~scaled)} >= {"intercept"}
    for code, resolution in enumerate(choices):
        codes[:, 0] = code
        share = (resolution / max(choices)) ** 2
        grown, same = scaled & alike, ~scaled & alike
        np.testing.assert_allclose(built.matrix(codes)[:, grown], share * largest[:, grown])
        np.testing.assert_array_equal(built.matrix(codes)[:, same], largest[:, same])
    codes[:, 0] = -1  # an unknown context stands for the largest
    np.testing.assert_array_equal(built.matrix(codes), largest)


def test_scaled_forms_keep_a_fixed_cost_for_every_block_that_can_be_off() -> None:
    space = SPACES["foxnas-mini"]
    fixed = [t.name for t in build_form("per_layer", space, "latency_ms").terms if not t.scaled]
    assert fixed == ["intercept", *(f"s{s}b{b}_on_fixed" for s in (1, 2, 3) for b in (2, 3))]
    assert not any(t.scaled for t in build_form("per_layer", space, "accuracy").terms)


def test_the_number_of_weights_does_not_depend_on_the_resolution() -> None:
    space = SPACES["foxnas-mini"]
    built = build_form("per_layer", space, "parameters")
    assert not any(term.decision == "resolution" for term in built.terms)


def test_per_layer_coding_by_hand() -> None:
    space = hand_space()
    built = build_form("per_layer", space, "accuracy")
    assert [(t.name, t.group, t.slot, t.decision) for t in built.terms] == [
        ("intercept", "", "", ""),
        ("p1_kernel=5", "p", "p1", "p1_kernel"),
        ("p1_kernel=7", "p", "p1", "p1_kernel"),
        ("p2_on", "p", "p2", ""),
        ("p2_kernel=5", "p", "p2", "p2_kernel"),
        ("p2_kernel=7", "p", "p2", "p2_kernel"),
        ("q1_kernel=5", "q", "q1", "q1_kernel"),
        ("q1_kernel=7", "q", "q1", "q1_kernel"),
    ]
    architectures = [
        {"p_depth": 1, "p1_kernel": 3, "q1_kernel": 5},
        {"p_depth": 2, "p1_kernel": 5, "p2_kernel": 3, "q1_kernel": 7},
        {"p_depth": 2, "p1_kernel": 7, "p2_kernel": 7, "q1_kernel": 3},
    ]
    codes = space.encode([space.architecture(choices) for choices in architectures])
    assert built.matrix(codes).tolist() == [
        [1, -1, -1, 0, 0, 0, 1, 0],
        [1, 1, 0, 1, -1, -1, 0, 1],
        [1, 0, 1, 1, 0, 1, -1, -1],
    ]


def test_contrasts_are_shown_against_the_first_choice_by_hand() -> None:
    built = build_form("per_layer", hand_space(), "accuracy")
    fitted = np.array([10.0, 1, 2, 5, -1, 4, 0.5, 0])
    # The first choice of p1 is worth -(1 + 2), that of p2 -(-1 + 4), that of q1 -(0.5 + 0).
    assert (built.shown @ fitted).tolist() == [10, 1 + 3, 2 + 3, 5, -1 + 3, 4 + 3, 1, 0.5]


@pytest.mark.parametrize("target", TARGETS)
def test_a_shown_contrast_is_the_difference_its_choice_makes(target: str) -> None:
    space = SPACES["foxnas-mini"]
    built = build_form("per_layer", space, target)
    fitted = np.random.default_rng(0).normal(size=built.parameters)
    shown = built.shown @ fitted
    largest = space.extreme("largest").to_dict()
    for term, value in zip(built.terms, shown, strict=True):
        if term.contrast:
            decision = space.by_name[term.decision]
            choice = next(c for c in decision.choices if term.name.endswith(f"={c}"))
            pair = [
                space.architecture(largest | {term.decision: chosen})
                for chosen in (decision.choices[0], choice)
            ]
            first, second = built.matrix(space.encode(pair)) @ fitted
            assert second - first == pytest.approx(value, abs=1e-12)


def test_block_states_by_hand() -> None:
    built = build_form("block_state", SPACES["tiny"], "accuracy")
    names = [term.name for term in built.terms if term.slot == "s1b2"]
    assert names == [
        "s1b2_on",
        "s1b2[kernel=3,expand=2]",
        "s1b2[kernel=5,expand=1]",
        "s1b2[kernel=5,expand=2]",
    ]
    space = SPACES["tiny"]
    largest = space.extreme("largest").to_dict()

    def row(**changes: int) -> list[float]:
        codes = space.encode([space.architecture(largest | changes)])
        return built.matrix(codes)[0, [t.slot == "s1b2" for t in built.terms]].tolist()

    assert row(s1b2_kernel=5, s1b2_expand=1) == [1, 0, 1, 0]
    assert row(s1b2_kernel=3, s1b2_expand=1) == [1, -1, -1, -1]
    assert row(s1_depth=1) == [0, 0, 0, 0]


def counted(form: str, **blocks: tuple[int, int]) -> dict[str, float]:
    """Columns of the published space's third stage by term, with its blocks (kernel, expand)."""
    space = SPACES["published"]
    choices = space.extreme("smallest").to_dict() | {"s3_depth": len(blocks)}
    for block, (kernel, expand) in blocks.items():
        choices |= {f"s3{block}_kernel": kernel, f"s3{block}_expand": expand}
    target = "latency_ms" if form == "foxnas" else "accuracy"
    built = build_form(form, space, target)
    row = built.matrix(space.encode([space.architecture(choices)]))[0]
    return {t.name: v for t, v in zip(built.terms, row, strict=True) if t.group == "s3" and v}


def test_stage_counts_by_hand() -> None:
    assert counted("stage_counts", b1=(5, 4), b2=(3, 2), b3=(7, 6), b4=(3, 2)) == {
        "s3b1[kernel=5,expand=4]": 1,
        "s3_count[kernel=3,expand=2]": 2,
        "s3_count[kernel=7,expand=6]": 1,
    }


def test_the_published_formula_by_hand() -> None:
    assert counted("foxnas", b1=(5, 4), b2=(3, 2), b3=(7, 6), b4=(5, 4)) == {
        "s3_depth": 4,
        "s3_mean_expand": (2 + 6 + 4) / 3,
        "s3_mean_kernel": (3 + 7 + 5) / 3,
        "s3_transition_expand": 4,
        "s3_transition_kernel": 5,
        "s3_depth*mean_expand": 4 * (2 + 6 + 4) / 3,
        "s3_depth*mean_kernel": 4 * (3 + 7 + 5) / 3,
    }


def test_the_published_formulae_have_their_number_of_terms() -> None:
    """35 for latency and 40 for accuracy, besides the intercept."""
    space = SPACES["published"]
    assert build_form("foxnas", space, "latency_ms").parameters == 1 + 35
    accuracy = build_form("foxnas", space, "accuracy")
    assert accuracy.parameters == 1 + 40
    assert [t.name for t in accuracy.terms if t.group == "s1"][5:] == [
        "s1_total_expand", "s1_depth*total_expand", "s1_depth*mean_kernel",
    ]  # fmt: skip


@pytest.mark.parametrize("form", forms_of(SPACES["foxnas-mini"]))
def test_only_order_free_forms_overlook_the_order_of_blocks(form: str) -> None:
    space = SPACES["published"]
    largest = space.extreme("largest").to_dict()
    pair = [
        space.architecture(largest | {"s2b2_kernel": kernel, "s2b3_kernel": 8 - kernel})
        for kernel in (3, 5)
    ]
    built = build_form(form, space, "latency_ms")
    one, other = built.matrix(space.encode(pair))
    assert (
        np.array_equal(one, other) == built.order_free == (form in forms_of(space, ordered=False))
    )


def test_a_decision_of_one_choice_has_no_term() -> None:
    space = choice_space({"a": ("x",), "b": ("x", "y")})
    built = build_form("per_layer", space, "accuracy")
    assert [term.name for term in built.terms] == ["intercept", "b=y"]
    assert built.matrix(space.random_codes(3, seed=0)).shape == (3, 2)


def test_spaces_without_slots_have_one_contrast_a_choice() -> None:
    """Six edges of five operations: 1 + 6 · 4 parameters in every form but FOX-NAS's."""
    space = choice_space({f"edge{i}": ("none", "skip", "c1", "c3", "pool") for i in range(6)})
    codes = space.random_codes(400, seed=0)
    for form in ("per_layer", "block_state", "stage_counts"):
        built = build_form(form, space, "accuracy")
        assert built.parameters == np.linalg.matrix_rank(built.matrix(codes)) == 25


def test_terms_stand_stage_by_stage_and_block_by_block() -> None:
    built = build_form("per_layer", SPACES["foxnas-mini"], "accuracy")
    slots = list(dict.fromkeys(term.slot for term in built.terms if term.slot))
    assert slots == [f"s{stage}b{block}" for stage in (1, 2, 3) for block in (1, 2, 3)]
    places = [slots.index(term.slot) for term in built.terms if term.slot]
    assert places == sorted(places)


@pytest.mark.parametrize("form", ["per_layer", "foxnas", "choice_counts", "across_stages"])
def test_values_are_columns_times_weights_and_equal_where_those_are(form: str) -> None:
    space = load_shipped("foxnas-mini")
    built = build_form(form, space, "accuracy")
    codes = space.random_codes(300, seed=4).astype(np.intp)
    rng = np.random.default_rng(0)
    for part in built.parts:
        weights = rng.normal(size=len(part.terms))
        columns, values = part.columns(codes), part.values(codes, weights)
        np.testing.assert_allclose(values, columns @ weights, atol=1e-12)
        if isinstance(part, Lookup):
            assert len(np.unique(values)) <= len(np.unique(columns, axis=0))


def test_what_can_not_be_built_says_so() -> None:
    space = choice_space({"a": ("x", "y")})
    with pytest.raises(InvalidInput, match="'cubic' is no form; choose per_layer, block_state"):
        build_form("cubic", space, "accuracy")
    with pytest.raises(InvalidInput, match="'top1' is no target"):
        build_form("per_layer", space, "top1")
    with pytest.raises(InvalidInput, match=r"family 'mbconv', and.*choose per_layer, block_st"):
        build_form("foxnas", space, "accuracy")


@given(st.integers(0, 2**32 - 1))
def test_independent_columns_span_what_all_of_them_span(seed: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(30, 4))
    columns = np.hstack([base, base @ rng.normal(size=(4, 3))])[:, rng.permutation(7)]
    kept = independent_columns(columns)
    assert kept.sum() == 4
    assert kept[:4].all()  # no four of them are dependent
    assert np.linalg.matrix_rank(columns[:, kept]) == 4


def test_a_space_read_twice_has_equal_forms() -> None:
    first, second = (space_from_dict(tiny_document()) for _ in range(2))
    assert isinstance(first, SearchSpace)
    assert build_form("per_layer", first, "accuracy") == build_form("per_layer", second, "accuracy")
