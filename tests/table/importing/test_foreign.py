"""Tables of one's own: columns by their name or mapped, units told, JSON architectures."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import tiny_document
from hand import choice_space, hand_space, noisy_table

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.families.nasbench201.space import cell_string, numbered_cells, operations_of
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.files import to_parquet_bytes
from foxnas_core.table.importing import ColumnMapping, read_content, read_file
from foxnas_core.table.measurements import MeasurementTable

TINY = space_from_dict(tiny_document())
HAND = hand_space()


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_table_of_ones_own_is_read(name: str, tmp_path: Path) -> None:
    table = noisy_table(TINY, 20)
    frame = table.frame.drop(columns="id").assign(where="my phone")
    if name.endswith("csv"):
        frame.to_csv(tmp_path / name, index=False)
    else:
        frame.to_parquet(tmp_path / name, index=False)
    found = read_file(tmp_path / name).table(TINY)
    assert found.fingerprint == table.fingerprint
    assert found.ordered
    assert found.frame["where"].tolist() == ["my phone"] * 20


def own(folder: Path, frame: pd.DataFrame) -> Path:
    frame.to_csv(folder / "own.csv", index=False)
    return folder / "own.csv"


def test_fractions_are_no_percentages(tmp_path: Path) -> None:
    frame = noisy_table(TINY, 5).frame
    path = own(tmp_path, frame.assign(accuracy=frame["accuracy"] / 100))
    with pytest.raises(
        InvalidInput,
        match="looks like fractions; say that its unit is fraction",
    ):
        read_file(path).table(TINY)


def test_a_table_without_targets_or_rows_is_refused(tmp_path: Path) -> None:
    frame = noisy_table(TINY, 5).frame
    with pytest.raises(InvalidInput, match="has no target column; name at least one column"):
        read_file(own(tmp_path, frame.drop(columns=["accuracy", "latency_ms"]))).table(TINY)
    with pytest.raises(InvalidInput, match="has a header but no rows"):
        read_file(own(tmp_path, frame[:0])).table(TINY)


def test_a_table_of_ones_own_needs_a_space(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="its search space must be named"):
        read_file(own(tmp_path, noisy_table(TINY, 5).frame)).table(None)


def test_other_files_are_refused_by_their_name(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="name ends in .csv, .*, .yml, .pickle or .pkl"):
        read_file(tmp_path / "t.xlsx").table(TINY)


def test_a_missing_decision_is_named_with_how_to_map_it(tmp_path: Path) -> None:
    frame = noisy_table(TINY, 5).frame.drop(columns="s2_depth")
    with pytest.raises(InvalidInput) as caught:
        read_file(own(tmp_path, frame)).table(TINY)
    assert "own.csv lacks the column 's2_depth' of space 'tiny'" in str(caught.value)
    assert "(--map s2_depth=COLUMN); allowed in it: 1, 2." in str(caught.value)


# Columns of other names, other units


# Two of the hand space's subnets, by the words of someone else.
FOREIGN = "D,K1,K2,KQ,Top1,t [s]\n1,3,,7,0.705,0.0015\n2,5,7,3,0.71,0.0025\n"
COLUMNS = {
    "p_depth": "D", "p1_kernel": "K1", "p2_kernel": "K2", "q1_kernel": "KQ", "accuracy": "Top1",
    "latency_ms": "t [s]",
}  # fmt: skip
MAPPING = ColumnMapping(COLUMNS, {"accuracy": "fraction", "latency_ms": "s"})


def mapped(text: str, mapping: ColumnMapping = MAPPING, space: SearchSpace = HAND):
    return read_content("theirs.csv", text.encode()).table(space, mapping)


def test_mapped_columns_are_converted_by_their_units() -> None:
    table = mapped(FOREIGN)
    assert table.codes.tolist() == [[0, 0, -1, 2], [1, 1, 2, 0]]
    np.testing.assert_allclose(table.values("accuracy"), [70.5, 71.0], rtol=1e-15)
    np.testing.assert_allclose(table.values("latency_ms"), [1.5, 2.5], rtol=1e-15)
    assert table.record["imported_from"] == "theirs.csv"
    assert table.record["columns"] == COLUMNS
    assert table.record["units"] == {"accuracy": "fraction", "latency_ms": "s"}
    assert set(table.frame.columns).isdisjoint(COLUMNS.values())


@pytest.mark.parametrize(("unit", "factor"), [("ms", 1.0), ("s", 1000.0), ("us", 0.001)])
def test_each_latency_has_its_own_unit(unit: str, factor: float) -> None:
    text = FOREIGN.replace("t [s]", "phone").replace("Top1", "latency_ms")
    columns = {**COLUMNS, "latency_ms:my phone": "phone"}
    del columns["accuracy"], columns["latency_ms"]
    table = mapped(text, ColumnMapping(columns, {"latency_ms:my phone": unit}))
    assert [target.column for target in table.targets] == ["latency_ms", "latency_ms:my phone"]
    assert table.values("latency_ms").tolist() == [0.705, 0.71]
    expected = np.array([0.0015, 0.0025]) * factor
    np.testing.assert_allclose(table.values("latency_ms:my phone"), expected, rtol=1e-15)


@pytest.mark.parametrize("name", ["accuracy_std_error", "SE"])
def test_a_standard_error_follows_its_targets_unit(name: str) -> None:
    lines = FOREIGN.splitlines()
    text = "\n".join([f"{lines[0]},{name}", f"{lines[1]},0.01", f"{lines[2]},"])
    mapping = MAPPING
    if name == "SE":
        mapping = ColumnMapping({**COLUMNS, "accuracy_std_error": "SE"}, MAPPING.units)
    errors = mapped(text, mapping).frame["accuracy_std_error"]
    assert errors[0] == pytest.approx(1.0, rel=1e-15) and np.isnan(errors[1])


def test_columns_can_change_places() -> None:
    text = FOREIGN.replace("K1,K2,KQ", "q1_kernel,K2,p1_kernel")
    columns = {**COLUMNS, "p1_kernel": "q1_kernel", "q1_kernel": "p1_kernel"}
    swapped = mapped(text, ColumnMapping(columns, MAPPING.units))
    assert swapped.fingerprint == mapped(FOREIGN).fingerprint


def test_what_is_mapped_comes_before_a_column_of_that_name() -> None:
    lines = FOREIGN.splitlines()
    text = "\n".join([f"{lines[0]},accuracy", f"{lines[1]},1", f"{lines[2]},2"])
    assert mapped(text).fingerprint == mapped(FOREIGN).fingerprint


def test_percent_of_a_documented_name_may_be_told_to_be_fractions(tmp_path: Path) -> None:
    table = noisy_table(TINY, 20)
    frame = table.frame.assign(accuracy=table.frame["accuracy"] / 100)
    found = read_file(own(tmp_path, frame)).table(
        TINY, ColumnMapping(units={"accuracy": "fraction"})
    )
    np.testing.assert_allclose(found.values("accuracy"), table.values("accuracy"), rtol=1e-14)


@pytest.mark.parametrize(
    ("was", "now", "sentence"),
    [
        ("2,5,7,3", "2,5,9,3", "line 3, K2 (p2_kernel) is 9; allowed: 3, 5, 7."),
        ("2,5,7,3", "2,5,,3", "line 3, has no K2 (p2_kernel) although D (p_depth) is 2; allowed"),
        ("0.71,", "71,", "line 3, has Top1 (accuracy) = 71; it must be a fraction from 0 to 1."),
        ("0.71,", "71 p,", "line 3, has Top1 (accuracy) = 71 p; it must be a fraction from 0 to 1"),
        ("0.0025", "-1", "line 3, has t [s] (latency_ms) = -1; it must be a finite number above 0"),
    ],
)
def test_errors_name_the_files_column_line_and_value(was: str, now: str, sentence: str) -> None:
    assert was in FOREIGN
    with pytest.raises(InvalidInput) as caught:
        mapped(FOREIGN.replace(was, now))
    assert str(caught.value).startswith("theirs.csv, line ")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "units", "sentence"),
    [
        ({}, {"accuracy": "percent"}, "The unit of the column 't [s]' of theirs.csv, mapped to "
         "latency_ms, is not told; say whether it is in ms, s or us (--latency-unit UNIT)."),
        ({}, {"latency_ms": "s"}, "mapped to accuracy, is not told; say whether it is in percent "
         "or fraction (--accuracy-unit UNIT)."),
        ({}, {"accuracy": "percents"}, "accuracy can't be in 'percents'; allowed: percent, fracti"),
        ({}, {"energy_mj": "J"}, "'energy_mj' takes no unit; units are told of accuracy, dice"),
        ({}, {"latency_ms:gpu": "s"}, "A unit is told for latency_ms:gpu, but theirs.csv has no"),
        ({"p9_kernel": "KQ"}, {}, "'p9_kernel' can't be mapped to the column 'KQ' of theirs.csv: "
         "it is neither a decision of space 'hand' (p_depth, p1_kernel, p2_kernel, q1_kernel) nor"),
        ({"accuracy": "acc"}, {}, "theirs.csv has no column 'acc', which 'accuracy' is mapped to; "
         "it has D, K1, K2, KQ, Top1, t [s]."),
        ({"macs": "KQ"}, {}, "'q1_kernel' and 'macs' are both mapped to the column 'KQ'"),
    ],
)  # fmt: skip
def test_a_mapping_that_does_not_suit_is_refused(columns: dict, units: dict, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        mapped(FOREIGN, ColumnMapping({**COLUMNS, **columns}, units))
    assert sentence in str(caught.value)


def test_a_name_that_tells_the_unit_is_not_overruled_by_the_way() -> None:
    text = FOREIGN.replace("t [s]", "latency_ms")
    columns = {name: column for name, column in COLUMNS.items() if name != "latency_ms"}
    with pytest.raises(InvalidInput, match="in ms by its name, not in s; map it explicitly"):
        mapped(text, ColumnMapping(columns, MAPPING.units))
    explicit = ColumnMapping({**columns, "latency_ms": "latency_ms"}, MAPPING.units)
    assert mapped(text, explicit).fingerprint == mapped(FOREIGN).fingerprint


def test_further_columns_are_kept_as_numbers_or_text() -> None:
    lines = FOREIGN.splitlines()
    text = "\n".join([f"{lines[0]},runs,who,half", f"{lines[1]},3,me,1", f"{lines[2]},4,NA,NA"])
    frame = mapped(text).frame
    assert frame["runs"].tolist() == [3, 4] and frame["runs"].dtype == np.int64
    assert frame["who"].tolist()[0] == "me" and frame["who"].isna().tolist() == [False, True]
    assert frame["half"].tolist()[0] == 1.0 and np.isnan(frame["half"][1])


def test_ids_of_somebody_elses_are_kept_beside_our_own() -> None:
    lines = FOREIGN.splitlines()
    table = mapped("\n".join([f"{lines[0]},id", f"{lines[1]},net-1", f"{lines[2]},net-2"]))
    assert table.frame["id"].tolist() == mapped(FOREIGN).frame["id"].tolist()
    assert table.frame["original_id"].tolist() == ["net-1", "net-2"]


def test_an_id_of_ours_must_be_that_of_its_choices() -> None:
    ours = mapped(FOREIGN).frame["id"].tolist()
    lines = FOREIGN.splitlines()
    right = [f"{lines[0]},id", f"{lines[1]},{ours[0]}", f"{lines[2]},{ours[1]}"]
    assert mapped("\n".join(right)).frame["id"].tolist() == ours
    with pytest.raises(InvalidInput, match=f"line 3, has the id '{ours[0]}', but its choices have"):
        mapped("\n".join([*right[:2], f"{lines[2]},{ours[0]}"]))


# JSON architectures


def documents(table: MeasurementTable) -> list[dict]:
    """One document a row: the architecture, and its targets beside it."""
    values = zip(table.values("accuracy"), table.values("latency_ms"), strict=True)
    return [
        {"architecture": architecture.to_dict(), "accuracy": accuracy, "latency_ms": latency}
        for architecture, (accuracy, latency) in zip(table.architectures(), values, strict=True)
    ]


def flat(document: dict) -> dict:
    return {**document["architecture"], **{k: v for k, v in document.items() if k[:4] != "arch"}}


TABLE = noisy_table(TINY, 20)
DOCUMENTS = documents(TABLE)


def lines_of(rows: list[dict]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


@pytest.mark.parametrize("shape", ["nested", "flat"])
@pytest.mark.parametrize("name", ["t.jsonl", "t.json"])
def test_objects_become_rows(name: str, shape: str) -> None:
    rows = DOCUMENTS if shape == "nested" else [flat(d) for d in DOCUMENTS]
    content = lines_of(rows) if name == "t.jsonl" else json.dumps(rows).encode()
    table = read_content(name, content).table(TINY)
    assert table.fingerprint == TABLE.fingerprint
    pd.testing.assert_frame_equal(table.frame, TABLE.frame)


@pytest.mark.parametrize("column", ["architecture", "genes"])
@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_column_of_json_architectures_is_read(name: str, column: str, tmp_path: Path) -> None:
    frame = pd.DataFrame(DOCUMENTS)
    frame[column] = frame["architecture"].map(json.dumps)
    frame = frame[[column, "accuracy", "latency_ms"]]
    frame.to_csv(tmp_path / name) if name == "t.csv" else frame.to_parquet(tmp_path / name)
    mapping = ColumnMapping({"architecture": column} if column == "genes" else {})
    assert read_file(tmp_path / name).table(TINY, mapping).fingerprint == TABLE.fingerprint


def test_architectures_of_a_parquet_struct_are_read(tmp_path: Path) -> None:
    pd.DataFrame(DOCUMENTS).to_parquet(tmp_path / "t.parquet")
    assert read_file(tmp_path / "t.parquet").table(TINY).fingerprint == TABLE.fingerprint


def test_choices_for_what_is_inactive_are_dropped_as_in_any_json_architecture() -> None:
    full = [
        {**d, "architecture": {**TINY.extreme("largest").to_dict(), **d["architecture"]}}
        for d in DOCUMENTS
    ]
    assert full != DOCUMENTS
    assert read_content("t.jsonl", lines_of(full)).table(TINY).fingerprint == TABLE.fingerprint
    expected = [TINY.architecture(d["architecture"]) for d in full]
    assert expected == TABLE.architectures()


def test_a_choice_may_stand_beside_the_architecture() -> None:
    """As the input resolution often does."""
    rows = []
    for document in DOCUMENTS:
        choices = dict(document["architecture"])
        rows.append({"resolution": choices.pop("resolution"), **document, "architecture": choices})
    assert read_content("t.jsonl", lines_of(rows)).table(TINY).fingerprint == TABLE.fingerprint


HAND_ROW = {"architecture": {"p_depth": 1, "p1_kernel": 3, "q1_kernel": 7}, "accuracy": 70}


def hand_row(**choices: object) -> dict:
    return {**HAND_ROW, "architecture": {**HAND_ROW["architecture"], **choices}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        (hand_row(q1_kernel=4), "line 3, q1_kernel in the column 'architecture' is 4; allowed: 3"),
        (hand_row(p_depth=True), "p_depth in the column 'architecture' is True; allowed: 1, 2."),
        (hand_row(q1_kernel=[3]), "q1_kernel in the column 'architecture' is [3]; allowed: 3, 5"),
        (hand_row(q1_kernel=None), "line 3, has no q1_kernel in the column 'architecture'; allow"),
        (hand_row(p_depth=2), "has no p2_kernel in the column 'architecture' although p_depth in"),
        (hand_row(q9_kernel=3), "line 3, column 'architecture', gives 'q9_kernel', which is no"),
        ({**HAND_ROW, "accuracy": 170}, "line 3, has accuracy = 170; it must be a percentage from"),
        ({**HAND_ROW, "accuracy": {"a": 1}}, "line 3, has accuracy = {'a': 1}; it must be a perc"),
        ({**HAND_ROW, "accuracy": [70]}, "line 3, has accuracy = [70]; it must be a percentage"),
        ({**HAND_ROW, "accuracy": 10**400}, "it must be a percentage from 0 to 100."),
        ({**HAND_ROW, "accuracy": True}, "line 3, has accuracy = True; it must be a percentage"),
        ({"accuracy": 70}, "line 3, column 'architecture', is no JSON object; give each subnet"),
        ({**HAND_ROW, "architecture": "[1"}, "line 3, column 'architecture', is no valid JSON"),
        ({**HAND_ROW, "q1_kernel": 3}, "gives 'q1_kernel' both in a column of its own and in the"),
        ([1], "line 3, is no JSON object; give each subnet as one, of its choices and targets."),
    ],
)
def test_what_is_wrong_in_an_object_is_named(row: object, sentence: str) -> None:
    content = json.dumps(HAND_ROW) + "\n\n" + json.dumps(row) + "\n"
    with pytest.raises(InvalidInput) as caught:
        read_content("t.jsonl", content.encode()).table(HAND)
    assert str(caught.value).startswith("t.jsonl")
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("t.jsonl", b'{"a": 1}\n{"a": \n', "t.jsonl, line 2, is no valid JSON"),
        ("t.jsonl", b'{"a": "\xff"}', "t.jsonl, line 1, is no valid UTF-8 text"),
        ("t.jsonl", b'{"a": "\\ud800"}', "t.jsonl, line 1, is no valid UTF-8 text"),
        ("t.jsonl", b"\n\n", "t.jsonl holds no subnets; give each as one JSON object."),
        ("t.json", b"[]", "t.json holds no subnets; give each as one JSON object."),
        ("t.json", b'{"rows": []}', "t.json must hold a list of JSON objects, one a subnet"),
        ("t.json", b"[{}, 3]", "t.json, row 2, is no JSON object"),
        ("t.json", b"[" * 100_000, "nests too deeply"),
        ("t.json", b"", "t.json is no valid JSON"),
        ("t.csv", b"a,a\n1,2\n", "t.csv has the column 'a' twice; keep one."),
        ("t.parquet", b"PAR1", "t.parquet can't be read as parquet"),
        (
            "table",
            b"",
            "name ends in .csv, .tsv, .txt, .parquet, .jsonl, .json, .yaml, .yml, .pickle or .pkl",
        ),
    ],
)
def test_what_is_no_table_is_refused(name: str, content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_content(name, content)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_json_cell_over_many_lines_keeps_the_count_of_lines() -> None:
    frame = pd.DataFrame([HAND_ROW, HAND_ROW, hand_row(q1_kernel=4)])
    frame["architecture"] = frame["architecture"].map(lambda a: json.dumps(a, indent=1))
    text = frame.to_csv(index=False)
    [number] = [n for n, line in enumerate(text.splitlines(), 1) if '""q1_kernel"": 4' in line]
    with pytest.raises(InvalidInput) as caught:
        read_content("t.csv", text.encode()).table(HAND)
    # A row is named by the line that it begins in: "{" and three choices before it.
    assert f"t.csv, line {number - 3}, q1_kernel in the column" in str(caught.value)


def test_odd_further_values_do_not_stop_a_table_from_being_written(tmp_path: Path) -> None:
    odd = [None, 3, "x", [1, 2], {"a": 1}]
    rows = [{**HAND_ROW, "note": note} for note in odd]
    table = read_content("t.jsonl", lines_of(rows)).table(HAND)
    assert table.frame["note"].tolist()[1:] == ["3", "x", "[1, 2]", '{"a": 1}']
    (tmp_path / "t.parquet").write_bytes(to_parquet_bytes(table))
    assert read_file(tmp_path / "t.parquet").table(HAND).fingerprint == table.fingerprint


def test_words_that_look_like_numbers_or_gaps_stay_words() -> None:
    space = choice_space({"op": ("None", "3", "1e3", "NA")})
    rows = [{"architecture": {"op": op}, "accuracy": 70} for op in ("NA", "3", "1e3", "None")]
    table = read_content("t.jsonl", lines_of(rows)).table(space)
    assert table.frame["op"].tolist() == ["NA", "3", "1e3", "None"]


@pytest.mark.parametrize("as_number", [True, False])
@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl"])
def test_cells_may_be_written_as_their_benchmark_does(tmp_path, suffix, as_number):
    space = load_shipped("nasbench201")
    cells = numbered_cells()[40:44]
    written = list(range(40, 44)) if as_number else [cell_string(cell) for cell in cells]
    frame = pd.DataFrame({"arch": written, "accuracy": [71.0, 72.0, 73.0, 74.0]})
    file = tmp_path / f"cells{suffix}"
    write = {
        ".csv": lambda: frame.to_csv(file, index=False),
        ".parquet": lambda: frame.to_parquet(file),
        ".jsonl": lambda: frame.to_json(file, orient="records", lines=True),
    }
    write[suffix]()
    table = read_file(file).table(space, ColumnMapping({"architecture": "arch"}))
    assert [operations_of(a) for a in table.architectures()] == list(cells)
    assert table.values("accuracy").tolist() == [71, 72, 73, 74]


@pytest.mark.parametrize("text", ["|none~0|", "", "15625", "2.5"])
def test_a_cell_that_can_not_be_read_is_named_with_its_line(tmp_path, text):
    file = tmp_path / "cells.csv"
    pd.DataFrame({"architecture": ["7", text], "accuracy": [71.0, 72.0]}).to_csv(file, index=False)
    with pytest.raises(
        InvalidInput, match=r"line 3, column 'architecture', can't be read\. .*cell"
    ):
        read_file(file).table(load_shipped("nasbench201"))


def test_any_share_may_be_in_percent_and_is_refused_where_it_looks_otherwise(tmp_path):
    frame = noisy_table(TINY, 5).frame
    share = frame["accuracy"] / 100
    path = own(tmp_path, frame.drop(columns="accuracy").assign(dice=frame["accuracy"]))
    with pytest.raises(InvalidInput, match="it must be a fraction from 0 to 1"):
        read_file(path).table(TINY)
    found = read_file(path).table(TINY, ColumnMapping({}, {"dice": "percent"}))
    np.testing.assert_allclose(found.values("dice"), share)
    path = own(tmp_path, frame.assign(**{"accuracy:int8": share}))
    with pytest.raises(InvalidInput, match="fraction \\(--unit accuracy:int8=fraction\\)"):
        read_file(path).table(TINY)
    found = read_file(path).table(TINY, ColumnMapping({}, {"accuracy:int8": "fraction"}))
    np.testing.assert_allclose(found.values("accuracy:int8"), frame["accuracy"])
