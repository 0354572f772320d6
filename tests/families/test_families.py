import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, shipped_spaces, space_from_dict

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
        "foxnas-cpu", "foxnas-mini", "foxnas-mini-cpu", "foxnas-tpu", "nasbench201",
        "ofa-mobilenetv3",
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
