"""Limits and allowed choices: read from an address as written, and never half understood."""

import pytest
from conftest import run_page

from foxnas_core.errors import InvalidInput
from foxnas_core.search.limits import in_words
from foxnas_core.study import open_study
from foxnas_core.table.metrics import metric_of
from pages.shared.limits import (
    Terms,
    limited_targets,
    parse_kept,
    parse_limits,
    units_of,
)
from tests.conftest import DEMO

COLUMNS = ("parameters", "latency_ms:int8")


@pytest.fixture(scope="module")
def table():
    return open_study(DEMO).table()


def test_limits_are_read_by_column():
    assert parse_limits("", COLUMNS) == {}
    text = "parameters:2e5,latency_ms:int8:0.1"
    assert parse_limits(text, COLUMNS) == {"parameters": 2e5, "latency_ms:int8": 0.1}


def test_a_column_that_is_not_here_is_left_out():
    assert parse_limits("macs:3,parameters:4", COLUMNS) == {"parameters": 4.0}


@pytest.mark.parametrize("text", ["parameters", "parameters:many", ":3", "parameters:nan"])
def test_what_is_no_limit_is_named(text):
    with pytest.raises(InvalidInput, match=r"no limit; write a column and a number"):
        parse_limits(text, COLUMNS)


def test_choices_are_kept_by_group_and_role(table):
    kept = parse_kept("s2.kernel:5+3,input.resolution:28", table.space)
    assert kept == {"s2.kernel": (3, 5), "input.resolution": (28,)}
    allowed = dict(Terms(kept=tuple(kept.items())).allowed(table.space))
    blocks = [d.name for d in table.space.decisions if (d.group, d.role) == ("s2", "kernel")]
    assert len(blocks) > 1
    assert allowed == {"resolution": (28,), **dict.fromkeys(blocks, (3, 5))}


@pytest.mark.parametrize(
    ("text", "message"),
    [("s9.kernel:3", "'s9.kernel' is no decision"), ("s2.kernel:4", "s2.kernel can't be '4'"),
     ("s2.kernel:", "s2.kernel can't be ''")],
)  # fmt: skip
def test_what_the_space_lacks_is_named(table, text, message):
    with pytest.raises(InvalidInput, match=message):
        parse_kept(text, table.space)


def test_costs_can_be_limited_beside_the_latency(table):
    found = limited_targets(table, "latency_ms")
    assert all(t.direction == "min" for t in found)
    columns = {t.column for t in found}
    assert columns >= {"parameters", "macs", "latency_ms:int8"}
    assert not columns & {"latency_ms", "cross_entropy", "accuracy"}


def test_limits_are_told_with_their_side_and_unit():
    limits = [
        (metric_of("parameters"), 20_000.0, "at_most"), (metric_of("accuracy"), 85.0, "at_least"),
    ]  # fmt: skip
    assert in_words(limits) == ["at most 20.0 k parameters", "at least 85.00 % top-1 accuracy"]


def test_blocks_and_other_decisions_with_a_choice_can_be_kept(table):
    units = units_of(table.space)
    assert list(units)[:3] == ["resolution", "s1_depth", "s1b1"]
    assert [d.name for d in units["s1b1"]] == ["s1b1_kernel", "s1b1_expand"]
    kept = [d.name for decisions in units.values() for d in decisions]
    assert sorted(kept) == sorted(d.name for d in table.space.decisions if len(d.choices) > 1)


def test_a_search_can_keep_a_floor_on_another_quality(studies):
    page = run_page("pages/3_Search.py?limits=accuracy:int8:85", study="demo")
    assert not page.exception
    [least] = [n for n in page.number_input if n.key == "most-accuracy:int8"]
    assert "at least" in least.label and least.value == 85
    assert any("at least 85" in said.value for said in page.markdown)
