import pytest
from hand import hand_document

from foxnas_core.errors import InvalidInput
from foxnas_core.families import space_from_dict


@pytest.mark.parametrize(
    "field, value",
    [
        ("name", ""), ("name", 3), ("name", "a\nb"), ("name", "x" * 201), ("group", None),
        ("role", []), ("slot", 3), ("choices", []), ("choices", [3, 3]), ("choices", "abc"),
        ("choices", [[3]]), ("choices", [3, "3"]),
        ("choices", [10**30]), ("choices", [""]), ("choices", {"a": 1}), ("conditions", 3),
        ("conditions", [{"decision": "p_depth", "values": [7]}]),
        ("conditions", [{"decision": "p_depth", "values": [[2]]}]),
        ("conditions", ["p_depth"]),
    ],
)  # fmt: skip
def test_a_wrong_decision_is_one_sentence(field, value):
    document = hand_document()
    document["decisions"][2][field] = value
    with pytest.raises(InvalidInput, match="hand"):
        space_from_dict(document)


@pytest.mark.parametrize(
    "changes",
    [
        {"decisions": []}, {"decisions": 3}, {"decisions": [3]}, {"context": 3},
        {"context": ["nowhere"]}, {"context": [["p"]]}, {"family": ["listed"]}, {"name": "a\nb"},
        {"name": "x" * 101},
    ],
)  # fmt: skip
def test_a_wrong_document_is_one_sentence(changes):
    with pytest.raises(InvalidInput):
        space_from_dict(hand_document() | changes)


def test_a_space_whose_options_can_not_be_listed_is_refused():
    def decision(name, group, choices, **further):
        return {"name": name, "group": group, "role": "r", "choices": choices, **further}

    one, two = (decision(name, "g", list(range(400))) for name in "ab")
    governed = decision(
        "c", "g", [0, 1],
        conditions=[{"decision": "a", "values": [0]}, {"decision": "b", "values": [0]}],
    )  # fmt: skip
    for decisions in (
        [one, two, governed],
        [decision(f"d{k}", "g", [0, 1]) for k in range(201)],
        [decision(f"d{k}", f"g{k}", [0, 1]) for k in range(1001)],
        [decision("d", "g", list(range(10_001)))],
    ):
        with pytest.raises(InvalidInput, match="is too large: at most 1,000 decisions"):
            space_from_dict(hand_document() | {"decisions": decisions})
