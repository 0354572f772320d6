"""Look-up tables of costs by block become rows whose sums tell every network's cost."""

import json
import re

import numpy as np
import pytest
from hand import choice_space, hand_space

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of, load_shipped
from foxnas_core.table.additive import blocks_of
from foxnas_core.table.importing import ColumnMapping, read_content
from foxnas_core.table.sums import BlockCosts, choice_costs

FBNET = load_shipped("fbnet-imagenet")
COSTS = np.random.default_rng(0).uniform(0.1, 2, (22, 9)).round(3)
BY_NAME = {
    d.name: dict(zip(d.choices, own.tolist(), strict=True))
    for d, own in zip(FBNET.decisions, COSTS, strict=True)
}
MAPPING = ColumnMapping({"latency_ms:phone": "cost"}, {"latency_ms:phone": "ms"})


def read(name: str, text: str, space, mapping=None):
    return read_content(name, text.encode()).of(space).table(space, mapping)


YAML = "".join(
    f"{name}:\n" + "".join(f"  {op}: {{mean: {cost}, count: 50}}\n" for op, cost in own.items())
    for name, own in BY_NAME.items()
)


@pytest.mark.parametrize(
    ("name", "text", "mapping", "fixed"),
    [
        ("t.json", json.dumps(BY_NAME), MAPPING, 0),
        ("t.json", json.dumps({"latency_ms:phone": {"stem": 1.5, **BY_NAME}}), None, 1.5),
        ("t.json", json.dumps(COSTS.tolist()), MAPPING, 0),
        ("t.yaml", YAML, MAPPING, 0),
    ],
)
def test_every_network_is_told_by_the_table(name, text, mapping, fixed) -> None:
    table = read(name, text, FBNET, mapping)
    costs = choice_costs(table, "latency_ms:phone")
    codes = FBNET.random_codes(50, seed=9)
    expected = fixed + COSTS[np.arange(22), codes].sum(axis=1)
    assert costs is not None
    np.testing.assert_allclose(costs.sums(codes), expected, rtol=1e-9)


def test_costs_of_blocks_are_kept_by_their_names() -> None:
    """Of a family whose blocks several decisions make."""
    space = load_shipped("fbnetv2-mini")
    names = blocks_of(family_of(space).places(space))
    costs = {name: float(place) for place, name in enumerate(names, 1)}
    known = choice_costs(read("t.json", json.dumps({"latency_ms": costs}), space), "latency_ms")
    assert isinstance(known, BlockCosts) and known.costs == costs
    head, *others = reversed(names)
    for document, said in (
        ({"latency_ms": {name: 1.0 for name in others}}, f"have no cost, such as '{head}'"),
        ({"latency_ms": {**costs, "k9": 1.0}}, "'k9', which is no block of space"),
        ({"latency_ms": {**costs, head: "dear"}}, f"'dear' as the cost of '{head}'"),
        (costs, "does not say what they are"),
    ):
        with pytest.raises(InvalidInput, match=re.escape(said)):
            read("t.yaml", json.dumps(document), space)


def test_blocks_of_a_slot_and_depths_that_leave_some_out() -> None:
    document = {
        "p_depth": {"1": 0.0, "2": 0.5}, "p1": {"k3": 1, "k5": 2, "k7": 3},
        "p2_kernel": [10, 20, 30], "q1": {"3": 4, "5": 5, "7": 6},
    }  # fmt: skip
    space = hand_space()
    table = read("t.json", json.dumps({"latency_ms": document}), space)
    assert len(table) == space.size
    found = dict(zip(table.frame["id"], table.values("latency_ms"), strict=True))
    deep = space.architecture({"p_depth": 2, "p1_kernel": 3, "p2_kernel": 5, "q1_kernel": 7})
    flat = space.architecture({"p_depth": 1, "p1_kernel": 7, "q1_kernel": 3})
    assert (found[deep.id], found[flat.id]) == (27.5, 7)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"k": {"3": 1.0}}, "has no cost of 5 in 'k'; add it"),
        ({"k": {"3": 1.0, "5": 2.0}, "z": {"a": 1}}, "'z', which is neither a decision nor a slot"),
        ({"k": {"3": 1.0, "9": 2.0}}, "'k' is '9'; allowed: 3, 5"),
        ({"k": {"3": "dear", "5": 1}}, "has 'dear' as the cost of '3' in 'k'"),
    ],
)
def test_what_is_missing_or_no_cost_is_one_sentence(document: dict, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read("t.json", json.dumps(document), choice_space({"k": (3, 5)}), MAPPING)
    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["a: [", "[" * 5000, "!!python/object/apply:os.getcwd []", "3"])
def test_what_is_no_look_up_table_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read("t.yaml", text, choice_space({"k": (3, 5)}), MAPPING)
    assert "\n" not in str(caught.value)
