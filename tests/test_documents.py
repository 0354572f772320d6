import json

import pytest

from foxnas_core.documents import anything, choices, number, parse_json, text, whole


@pytest.mark.parametrize(
    "content",
    ["", "{", "[NaN]", "[Infinity]", "[-Infinity]", "[1e999]", r'["\ud800"]', "[" * 100_000,
     "1" * 5000, b"\xff", b'["\\udfff"]', '["\ud800"]'],
)  # fmt: skip
def test_what_is_no_plain_json_is_refused(content):
    with pytest.raises(ValueError):
        parse_json(content)


def test_plain_json_is_read():
    assert parse_json(r'{"a": [1, -2.5, null, "é", "\u00e9", "\ud83d\ude00"]}') == {
        "a": [1, -2.5, None, "é", "é", "😀"]
    }


@pytest.mark.parametrize("value", [True, None, "3", [], float("nan"), float("inf"), 10**400])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError):
        number(value)
    with pytest.raises(ValueError):
        whole(value)


def test_numbers_stay_as_they_are():
    assert (number(3), number(2.5), whole(-4)) == (3, 2.5, -4)
    for value in (2.5, 10**30):
        with pytest.raises(ValueError):
            whole(value)


def test_what_nests_so_deeply_that_it_could_not_be_written_is_refused():
    deep = json.loads("[" * 900 + "]" * 900)
    with pytest.raises(ValueError, match="nests too deeply"):
        anything({"a": deep})
    assert anything({"a": [{"b": None}]}) == {"a": [{"b": None}]}


@pytest.mark.parametrize("value", [None, 3, b"a", "x" * 10_001])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(ValueError):
        text(value)


def test_choices_are_pairs_of_a_name_and_a_number_a_word_or_a_truth():
    told = {"a": 3, "b": "conv", "c": 1.5, "d": 2, "e": "true"}
    assert choices([["a", 3], ["b", "conv"], ["c", 1.5], ["d", 2.0], ["e", True]]) == told
    for wrong in ([[1, 3]], [["a", None]], [["a", [3]]], ["abc"]):
        with pytest.raises(ValueError):
            choices(wrong)
