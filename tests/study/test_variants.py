import json

import pytest

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import load_shipped
from foxnas_core.study.variants import (
    MOST,
    VARIANTS,
    Variant,
    Variants,
)

MINI = load_shipped("foxnas-mini")
A, B = MINI.sample(2, seed=0)


def test_variants_keep_their_order_and_come_back_from_json():
    variants = Variants().having(" first try ", A).having("2nd_try", B)
    assert variants == Variants((Variant("first try", A), Variant("2nd_try", B)))
    assert VARIANTS.value(json.loads(VARIANTS.text(variants))) == variants
    assert tuple(variants.without("first try")) == variants.variants[1:]


@pytest.mark.parametrize(
    "name", ["", "  ", ".hidden", "../up", "a/b", "a\nb", "<b>", "é", "x" * 41, "-"]
)
def test_a_name_that_is_not_plain_is_refused(name):
    with pytest.raises(InvalidInput, match="can't name a variant"):
        Variants().having(name, A)


@pytest.mark.parametrize("name", ["mine", "Mine", "MINE "])
def test_two_of_one_name_are_refused(name):
    with pytest.raises(InvalidInput, match="already; take another name"):
        Variants((Variant("mine", A),)).having(name, B)


def test_there_are_only_so_many():
    variants = Variants(tuple(Variant(f"v{i}", A) for i in range(MOST)))
    with pytest.raises(InvalidInput, match=f"{MOST} variants already"):
        variants.having("more", B)


def test_an_unknown_one_can_not_be_deleted():
    with pytest.raises(MissingPart, match="no variant 'mine'"):
        Variants().without("mine")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"variants": [{"name": "x", "choices": {"s1_depth": None}}]},
        {"variants": [{"name": "../x", "choices": A.to_dict()}]},
        {"variants": [{"name": "x", "choices": A.to_dict()}] * 2},
    ],
)
def test_a_document_of_something_else_is_refused(change):
    with pytest.raises(ValueError):
        VARIANTS.value({"format": 1, "variants": []} | change)
