import json

import pytest
from hand import hand_space

from foxnas_core.errors import InvalidInput
from foxnas_core.families import (
    architecture_from_text,
    family_of,
    load_shipped,
    shipped_spaces,
    space_from_dict,
)

NAS_BENCH_201 = {
    "format": 1,
    "name": "nas-bench-201",
    "family": "listed",
    "decisions": [
        {
            "name": f"edge{i}",
            "group": f"edge{i}",
            "role": "operation",
            "slot": f"edge{i}",
            "choices": ["none", "skip", "conv1", "conv3", "pool"],
        }
        for i in range(6)
    ],
}


def test_these_spaces_are_shipped():
    assert shipped_spaces() == [
        "darts", "fbnet-cifar100", "fbnet-imagenet", "fbnetv2-imagenet", "fbnetv2-mini",
        "foxnas-cpu", "foxnas-mini", "foxnas-mini-cpu", "foxnas-tpu", "fpnas-imagenet",
        "nasbench201", "nasbench201-cifar100", "nasbench201-imagenet16", "ofa-mobilenetv3",
        "ofa-proxyless", "vnas", "volumetric-mini",
    ]  # fmt: skip


@pytest.mark.parametrize("name", shipped_spaces())
def test_shipped_spaces_round_trip(name):
    space = load_shipped(name)
    assert space.name == name
    assert space_from_dict(space.to_dict()) == space


def test_a_listed_space_needs_nothing_but_its_decisions():
    space = space_from_dict(NAS_BENCH_201)
    assert space.size == 5**6
    again = space_from_dict(space.to_dict())
    assert again.fingerprint == space.fingerprint
    assert again.sample(3, seed=0) == space.sample(3, seed=0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"format": 2}, "format 2"),
        ({"family": "resnet"}, "'resnet'"),
        ({"name": ""}, "needs a name"),
        ({"decisions": [{"name": "a"}]}, "lists its decisions wrongly"),
        ({"decisions": None}, "lists its decisions wrongly"),
    ],
)
def test_wrong_documents_are_named(change, words):
    with pytest.raises(InvalidInput, match=words):
        space_from_dict(NAS_BENCH_201 | change)


def test_no_object_and_an_unknown_name_are_refused():
    with pytest.raises(InvalidInput, match="JSON object"):
        space_from_dict([])  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="foxnas-cpu"):
        load_shipped("nothing")


@pytest.mark.parametrize("space", [hand_space(), load_shipped("nasbench201")], ids=lambda s: s.name)
def test_an_architecture_is_read_however_it_is_written(space):
    [one] = space.sample(1, seed=3)
    ways = [json.dumps(one.to_dict()), json.dumps({"architecture": one.to_dict()})]
    ways.append(json.dumps({"best": {"id": one.id, "architecture": one.to_dict()}}))  # a search's
    if family_of(space).notation:
        ways.append(family_of(space).write(space, one))
    for text in ways:
        assert architecture_from_text(space, text) == one


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("foxnas-mini", "4", "must be one JSON object"),
        ("foxnas-mini", "|none~0|", "no valid JSON; give one object"),
        ("nasbench201", "{", "no valid JSON; give one object"),
        ("nasbench201", "[1]", "is no cell"),
        ("nasbench201", '{"edge_0_1": "conv"}', "'edge_0_1' is 'conv'"),
    ],
)
def test_what_is_no_architecture_is_refused_in_a_sentence(name, text, words):
    with pytest.raises(InvalidInput, match=words):
        architecture_from_text(load_shipped(name), text)
