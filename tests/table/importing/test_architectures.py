"""Architectures as other tools write them, in a column or in lists of their own."""

import json

import pandas as pd
import pytest
from conftest import tiny_document
from hand import hand_space

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.table.importing import read_content
from foxnas_core.table.measurements import MeasurementTable

OFA = load_shipped("ofa-mobilenetv3")
ARCHITECTURE = OFA.sample(1, seed=0)[0]
HAND = hand_space()


def lists_of(padded: bool, resolution: object) -> dict:
    """The architecture as once-for-all's code writes it."""
    depths = [int(ARCHITECTURE[f"s{s}_depth"]) for s in range(1, 6)]
    slots = [
        f"s{s}b{b}" for s, d in enumerate(depths, 1) for b in range(1, (4 if padded else d) + 1)
    ]
    return {
        "wid": None,
        "ks": [ARCHITECTURE.get(f"{slot}_kernel", 3) for slot in slots],
        "e": [ARCHITECTURE.get(f"{slot}_expand", 0) for slot in slots],
        "d": depths,
        "r": resolution,
    }


def read(rows: list[dict], space, name: str = "t.jsonl") -> MeasurementTable:
    frame = pd.DataFrame(rows)
    content = "\n".join(map(json.dumps, rows)) if name == "t.jsonl" else frame.to_csv(index=False)
    return read_content(name, content.encode()).table(space)


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("how", ["columns", "object", "text"])
@pytest.mark.parametrize("name", ["t.jsonl", "t.csv"])
def test_once_for_alls_lists_are_read(padded: bool, how: str, name: str) -> None:
    resolution = ARCHITECTURE["resolution"]
    own = lists_of(padded, [resolution] if padded else resolution)
    row = {
        "columns": own,
        "object": {"architecture": own},
        "text": {"architecture": str(own)},
    }[how]
    table = read([{**row, "accuracy": 75.0}], OFA, name)
    assert table.architectures() == [ARCHITECTURE]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"d": [2, 3]}, "'d' has 2 depths; the space 'ofa-mobilenetv3' has 5 stages"),
        ({"ks": [3] * 7}, "'ks' has 7 entries; give 20, one for each block"),
        ({"e": 6}, "'e' is 6; give a list"),
    ],
)
def test_lists_of_another_length_are_one_sentence(change: dict, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read([{**lists_of(True, 224), **change, "accuracy": 75.0}], OFA)
    assert said in str(caught.value) and "line 1" in str(caught.value)


@pytest.mark.parametrize(
    "written",
    ["(2, 3, 5, 7)", "[2, 3, 5, 7]", [2, 3, 5, 7],
     "{'p_depth': 2, 'p1_kernel': 3, 'p2_kernel': 5, 'q1_kernel': 7}"],
)  # fmt: skip
def test_tuples_lists_and_dictionaries_as_text(written: object) -> None:
    table = read([{"architecture": written, "accuracy": 70.0}], HAND)
    assert table.codes.tolist() == [[1, 0, 1, 2]]
    with pytest.raises(InvalidInput, match="list of 2, and the space 'hand' has 4 decisions"):
        read([{"architecture": "(2, 3)", "accuracy": 70.0}], HAND)


@pytest.mark.parametrize("written", [[0] * 21 + [8], str([0] * 21 + [8]), str((0,) * 21 + (8,))])
def test_fbnets_index_lists(written: object) -> None:
    table = read([{"architecture": written, "accuracy": 70.0}], load_shipped("fbnet-imagenet"))
    assert set(table.codes[0, :21]) == {0} and table.codes[0, 21] == 8


def test_a_cells_operations_by_name_but_not_by_numbers() -> None:
    names = ["nor_conv_3x3", "none", "skip_connect", "none", "nor_conv_1x1", "avg_pool_3x3"]
    space = load_shipped("nasbench201")
    table = read([{"architecture": names, "accuracy": 70.0}], space)
    assert [table.architectures()[0][d.name] for d in space.decisions] == names
    with pytest.raises(InvalidInput, match="give the names of its 6 operations"):
        read([{"architecture": [1, 2, 3, 4, 0, 1], "accuracy": 70.0}], space)


def test_nothing_that_is_written_runs() -> None:
    space = space_from_dict(tiny_document())
    with pytest.raises(InvalidInput, match="no valid JSON"):
        read([{"architecture": "{__import__('os').getpid(): 1}", "accuracy": 70.0}], space)
