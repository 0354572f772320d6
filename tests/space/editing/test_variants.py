import json

import pytest

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import load_shipped
from foxnas_core.space.editing.variants import (
    MOST,
    Variant,
    variants_from_dict,
    variants_to_dict,
    with_variant,
    without_variant,
)

MINI = load_shipped("foxnas-mini")
A, B = MINI.sample(2, seed=0)


def test_variants_keep_their_order_and_come_back_from_json():
    variants = with_variant(with_variant((), " first try ", A), "2nd_try", B)
    assert variants == (Variant("first try", A), Variant("2nd_try", B))
    document = json.loads(json.dumps(variants_to_dict(variants)))
    assert variants_from_dict(document, MINI) == variants
    assert without_variant(variants, "first try") == variants[1:]


@pytest.mark.parametrize(
    "name", ["", "  ", ".hidden", "../up", "a/b", "a\nb", "<b>", "é", "x" * 41, "-"]
)
def test_a_name_that_is_not_plain_is_refused(name):
    with pytest.raises(InvalidInput, match="can't name a variant"):
        with_variant((), name, A)


@pytest.mark.parametrize("name", ["mine", "Mine", "MINE "])
def test_two_of_one_name_are_refused(name):
    with pytest.raises(InvalidInput, match="already; take another name"):
        with_variant((Variant("mine", A),), name, B)


def test_there_are_only_so_many():
    variants = tuple(Variant(f"v{i}", A) for i in range(MOST))
    with pytest.raises(InvalidInput, match=f"{MOST} variants already"):
        with_variant(variants, "more", B)


def test_an_unknown_one_can_not_be_deleted():
    with pytest.raises(MissingPart, match="no variant 'mine'"):
        without_variant((), "mine")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"variants": [{"name": "x", "choices": {"s1_depth": 9}}]},
        {"variants": [{"name": "../x", "choices": A.to_dict()}]},
        {"variants": [{"name": "x", "choices": A.to_dict()}] * 2},
    ],
)
def test_a_document_of_something_else_is_refused(change):
    with pytest.raises(InvalidInput):
        variants_from_dict({"format": 1, "variants": []} | change, MINI)
