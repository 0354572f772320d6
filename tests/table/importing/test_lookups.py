"""Look-up tables of costs by block become rows whose sums tell every network's cost."""

import json
import re

import numpy as np
import pytest
from hand import choice_space, hand_space

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of, load_shipped, space_from_dict
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


def by_hand(ratio: bool, architecture: dict, costs: dict) -> float:
    """What a network of `OFA` costs, by keys put together as their readers do."""

    def key(side, read, out, made, kernel, stride, squeezed, switched):
        after = -(-side // stride)
        told = f"expanded_conv-input:{side}x{side}x{read}-output:{after}x{after}x{out}"
        told += f"-expand:{made if ratio else read * made}-kernel:{kernel}-stride:{stride}"
        told += f"-idskip:{int(stride == 1 and read == out)}"
        return told if ratio else f"{told}-se:{squeezed}-hs:{switched}", after

    side = architecture["resolution"]
    keys = [f"Conv-input:{side}x{side}x3-output:{side // 2}x{side // 2}x16"]
    name, side = key(side // 2, 16, 16, 1, 3, 1, 0, 0)
    keys.append(name)
    read = 16
    for stage, (out, stride, squeezed, switched) in enumerate(((24, 2, 0, 0), (40, 2, 1, 1)), 1):
        for block in range(1, architecture[f"s{stage}_depth"] + 1):
            own = [architecture[f"s{stage}b{block}_{role}"] for role in ("expand", "kernel")]
            name, side = key(side, read, out, *own, stride if block == 1 else 1, squeezed, switched)
            keys.append(name)
            read = out
    keys.append(f"Conv_1-input:{side}x{side}x40-output:{side}x{side}x960")
    keys.append(f"AvgPool2D-input:{side}x{side}x960-output:1x1x960")
    keys += ["Conv_2-input:1x1x960-output:1x1x1280", "Logits-input:1x1x1280-output:1000"]
    return sum(costs[key]["mean"] for key in keys)


PUBLISHED = load_shipped("ofa-mobilenetv3").to_dict()
STAGES = PUBLISHED["stages"][:2]
OFA = space_from_dict(
    {**PUBLISHED, "resolutions": [128, 224], "stages": [
        {**STAGES[0], "depths": [2, 3]}, {**STAGES[1], "depths": [1, 2], "activation": "h_swish"},
    ]}
)  # fmt: skip


@pytest.mark.parametrize("ratio", [True, False], ids=["ProxylessNAS", "once-for-all"])
def test_tables_by_others_keys_tell_every_network(ratio: bool) -> None:
    """With ratios ProxylessNAS's, with channels once-for-all's; in s, beside other spaces' keys."""
    places = family_of(OFA).keyed_places(OFA)[0 if ratio else 1]
    rng = np.random.default_rng(1)
    costs = {name: {"mean": rng.uniform(0.1, 2), "count": 60} for name in blocks_of(places)}
    file = {**costs, "expanded_conv-input:7x7x999-output:7x7x999": {"mean": 1.0}}
    mapping = ColumnMapping({"latency_ms:phone": "cost"}, {"latency_ms:phone": "s"})
    table = read("t.yaml", json.dumps(file), OFA, mapping)
    known = choice_costs(table, "latency_ms:phone")
    assert isinstance(known, BlockCosts)
    for architecture in OFA.sample(8, seed=3):
        told = 1000 * by_hand(ratio, architecture.to_dict(), costs)
        assert known.sum(architecture) == pytest.approx(told)
    np.testing.assert_allclose(known.sums(table.codes), table.values("latency_ms:phone"))
    assert any("Left out: 1 costs of blocks" in said for said in table.record["read_as"])
    head = places[-1].blocks.values()
    lacking = {name: own for name, own in costs.items() if name not in head}
    with pytest.raises(InvalidInput, match="1 of .* have no cost, such as 'Logits-.*add them"):
        read("t.json", json.dumps(lacking), OFA, mapping)


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
        ({"k": {"3": 10**400, "5": 1}}, "000 as the cost of '3' in 'k'"),
        ({"k": {"3": float("nan"), "5": 1}}, "has nan as the cost of '3' in 'k'"),
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
