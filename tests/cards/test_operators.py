from dataclasses import replace

import pytest

from foxnas_core.cards import operators
from foxnas_core.cards.given import Given
from foxnas_core.errors import InvalidInput
from foxnas_core.explanation.edits import edit_effects
from foxnas_core.space.editing.bulk import turned


@pytest.fixture
def largest(full) -> Given:
    return replace(full, architecture=full.study.space.extreme("largest"))


def test_each_other_choice_of_a_block_is_told_with_its_interval_and_price(largest):
    table = operators.changes.compute(largest, chosen="block:s2b2").table
    space, now = largest.study.space, largest.subnet
    own = space.in_slot("s2b2")
    assert len(table) == sum(len(d.choices) - 1 for d in own) + 1
    off = table.iloc[-1]
    expected = edit_effects(
        largest.predictor("accuracy"), now, turned(space, now, "s2b2", on=False)
    )
    assert off["Top-1 accuracy"] == pytest.approx(expected.total)
    assert off["Top-1 accuracy low"] == pytest.approx(expected.low)
    assert off["points per ms"] == pytest.approx(abs(off["Top-1 accuracy"] / off["Latency"]))


def test_what_nothing_decides_on_changes_nothing(largest):
    assert operators.cell_at(largest, "block:stem") is None
    card = operators.changes.compute(largest, chosen="block:stem")
    assert card.table.empty and "alike in all subnets" in card.sentence
    assert operators.cell_at(largest, "node:10") in largest.study.space.slots


@pytest.mark.parametrize("chosen", ["block:none", "node:9999", "node:-1", "nonsense", "node:x"])
def test_what_the_graph_lacks_is_one_sentence(largest, chosen):
    with pytest.raises(InvalidInput, match="pick one of its blocks"):
        operators.details.compute(largest, chosen=chosen)


def test_blocks_that_the_start_has_otherwise_are_marked(largest):
    assert operators.differing(largest) == (frozenset(), ())
    space, now = largest.study.space, largest.subnet
    off = turned(space, now, "s2b3", on=False)
    edited = space.architecture({**off.to_dict(), "s1b1_kernel": 3})
    assert operators.differing(replace(largest, architecture=edited, start=now)) == (
        frozenset({"s1b1"}), ("s2b3",),
    )  # fmt: skip


def test_a_block_tells_its_price_and_each_weight(largest):
    card = operators.details.compute(largest, chosen="block:s2b1")
    assert any("s2b1: +" in point for point in card.points)
    assert card.table["what"].str.startswith("weights").sum() >= 3
    assert "kernel 7" in card.sentence and " k MACs (" in card.sentence
