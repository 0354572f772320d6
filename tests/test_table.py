import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import DEMO, REPOSITORY, tiny_document
from hand import choice_space, hand_space, noisy_table, table_of
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.families import space_from_dict
from foxnas_core.table import (
    MeasurementTable,
    as_csv,
    check_bounds,
    count_rows,
    empty_table,
    parquet_frame,
    read_csv,
    read_table,
    table_from_frame,
)

SPACE = hand_space()
TINY = space_from_dict(tiny_document())


def rows(**changes: object) -> pd.DataFrame:
    """A shallow and a deep architecture with all their targets."""
    frame = pd.DataFrame(
        {
            "p_depth": [1, 2],
            "p1_kernel": [3, 5],
            "p2_kernel": [np.nan, 7],
            "q1_kernel": [7, 3],
            "accuracy": [70.5, 71.0],
            "latency_ms": [1.5, 2.5],
        }
    )
    return frame.assign(**changes)


def same(first: MeasurementTable, second: MeasurementTable) -> bool:
    pd.testing.assert_frame_equal(first.frame, second.frame)
    return (
        np.array_equal(first.codes, second.codes)
        and first.targets == second.targets
        and dict(first.record) == dict(second.record)
        and first.ordered == second.ordered
        and first.fingerprint == second.fingerprint
    )


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


# What a table is


def test_a_subnet_is_found_by_its_id() -> None:
    table = noisy_table(SPACE, 30)
    for architecture in table.architectures():
        assert table.measured(architecture.id) == architecture


def test_rows_become_codes_ids_and_targets() -> None:
    table = table_from_frame(SPACE, rows(note=["a", "b"], accuracy_std_error=[0.1, 0.2]))
    assert table.codes.tolist() == [[0, 0, -1, 2], [1, 1, 2, 0]]
    expected = [
        SPACE.architecture({"p_depth": 1, "p1_kernel": 3, "q1_kernel": 7}),
        SPACE.architecture({"p_depth": 2, "p1_kernel": 5, "p2_kernel": 7, "q1_kernel": 3}),
    ]
    assert table.architectures() == expected
    assert table.frame["id"].tolist() == [architecture.id for architecture in expected]
    assert [target.column for target in table.targets] == ["accuracy", "latency_ms"]
    assert [*table.frame.columns] == [
        "id", "p_depth", "p1_kernel", "p2_kernel", "q1_kernel",
        "accuracy", "accuracy_std_error", "latency_ms", "note",
    ]  # fmt: skip
    assert table.values("latency_ms").tolist() == [1.5, 2.5]
    assert table.frame["p2_kernel"].isna().tolist() == [True, False]
    assert len(table) == 2


@given(st.integers(0, 2**32 - 1), st.integers(1, 20))
def test_any_architectures_come_back_from_their_columns(seed: int, count: int) -> None:
    codes = TINY.random_codes(count, seed=seed)
    table = table_of(TINY, codes, accuracy=np.full(count, 70.0))
    np.testing.assert_array_equal(table.codes, codes)
    assert table.architectures() == TINY.decode(codes)


def test_an_unknown_target_is_refused_with_those_there_are() -> None:
    table = table_from_frame(SPACE, rows())
    with pytest.raises(InvalidInput, match="no target 'macs'; it has accuracy, latency_ms"):
        table.values("macs")
    with pytest.raises(InvalidInput, match="it has none yet"):
        empty_table(SPACE).values("accuracy")


def test_the_fingerprint_is_of_what_a_fit_reads() -> None:
    table = table_from_frame(SPACE, rows())
    assert table.fingerprint == table_from_frame(SPACE, rows(note="x")).fingerprint
    others = [
        table_from_frame(SPACE, rows(accuracy=[70.5, 71.1])),
        table_from_frame(SPACE, rows(p1_kernel=[3, 3])),
        table_from_frame(SPACE, rows(), ordered=False),
        table_from_frame(SPACE, rows().rename(columns={"latency_ms": "latency_ms:phone"})),
        table_from_frame(hand_space(resolutions=(8, 16)), rows(resolution=8)),
    ]
    assert len({other.fingerprint for other in others} - {table.fingerprint}) == len(others)


# Round trips


@pytest.mark.parametrize("ordered", [True, False])
def test_parquet_keeps_everything(ordered: bool, tmp_path: Path) -> None:
    record = {"device": "x", "campaigns": {"one": {"seed": 3}}}
    table = table_from_frame(
        SPACE, rows(note=["a", None], accuracy=[70.5, np.nan]), record=record, ordered=ordered
    )
    table.write(tmp_path / "t.parquet")
    again = read_table(tmp_path / "t.parquet", SPACE)
    assert same(again, table)
    assert (again.record, again.ordered) == (record, ordered)


def test_csv_keeps_rows_and_columns(tmp_path: Path) -> None:
    table = noisy_table(TINY, 30)
    table.write(tmp_path / "t.csv")
    assert same(read_table(tmp_path / "t.csv", TINY), table)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_choices_that_are_words_and_number_like_words_come_back(name: str, tmp_path: Path) -> None:
    space = choice_space({"op": ("None", "3", "1e3", "NA"), "other": ("a", "b")})
    codes = space.random_codes(40, seed=0)
    table = table_of(space, codes, accuracy=np.linspace(60, 70, 40))
    table.write(tmp_path / name)
    again = read_table(tmp_path / name, space)
    assert same(again, table)
    assert set(again.frame["op"]) == {"None", "3", "1e3", "NA"}


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_an_empty_table_comes_back(name: str, tmp_path: Path) -> None:
    table = empty_table(SPACE, ["accuracy", "latency_ms:phone"])
    table.write(tmp_path / name)
    again = read_table(tmp_path / name, SPACE)
    assert len(again) == 0
    assert [target.column for target in again.targets] == ["accuracy", "latency_ms:phone"]
    assert again.architectures() == []
    assert again.fingerprint == table.fingerprint


def test_parquet_without_our_record_is_read_by_its_columns(tmp_path: Path) -> None:
    rows().to_parquet(tmp_path / "t.parquet", index=False)
    assert same(read_table(tmp_path / "t.parquet", SPACE), table_from_frame(SPACE, rows()))


def test_writing_leaves_nothing_beside_the_file(tmp_path: Path) -> None:
    table_from_frame(SPACE, rows()).write(tmp_path / "t.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["t.parquet"]


# Appending


def test_appended_rows_follow_the_old_ones() -> None:
    table = table_from_frame(SPACE, rows(note="old"), record={"one": 1})
    longer = table.with_rows(rows(macs=[5.0, 6.0], accuracy=[60.0, 61.0]), record={"two": 2})
    assert longer.values("accuracy").tolist() == [70.5, 71.0, 60.0, 61.0]
    assert longer.values("macs")[2:].tolist() == [5.0, 6.0]
    assert np.isnan(longer.values("macs")[:2]).all()
    assert longer.frame["note"].isna().tolist() == [False, False, True, True]
    assert longer.architectures() == table.architectures() * 2
    assert (dict(longer.record), dict(table.record)) == ({"two": 2}, {"one": 1})
    assert len(table) == 2
    assert dict(table.with_rows(rows()).record) == {"one": 1}


def test_appending_in_parts_equals_building_at_once() -> None:
    whole = noisy_table(TINY, 20)
    frame = whole.frame.drop(columns="id")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        parts = empty_table(TINY).with_rows(frame[:7]).with_rows(frame[7:])
        assert same(parts.with_rows(frame[:0]), whole)


def test_appending_another_kind_of_values_is_refused() -> None:
    table = table_from_frame(SPACE, rows(note=["a", "b"]))
    with pytest.raises(InvalidInput, match="another kind of values .* in 'note' than the table"):
        table.with_rows(rows(note=[1, 2]))


def test_appending_to_a_table_of_unknown_order_keeps_it_so() -> None:
    table = table_from_frame(SPACE, rows(), ordered=False)
    assert not table.with_rows(rows()).ordered


def test_a_wrong_row_is_named_and_nothing_is_appended() -> None:
    table = table_from_frame(SPACE, rows())
    with pytest.raises(InvalidInput, match="The new rows, row 2, 'p1_kernel' is 4; allowed: 3, 5"):
        table.with_rows(rows(p1_kernel=[3, 4]))
    assert len(table) == 2


# What does not fit


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"p1_kernel": [3, 4]}, "row 1, 'p1_kernel' is 4; allowed: 3, 5, 7."),
        ({"p1_kernel": [3, None]}, "row 1, has no p1_kernel; allowed: 3, 5, 7."),
        (
            {"p2_kernel": [5, 7]},
            "row 0, has p2_kernel = 5 although p_depth is 1, which leaves it out; leave the cell "
            "empty.",
        ),
        (
            {"p2_kernel": [np.nan, np.nan]},
            "row 1, has no p2_kernel although p_depth is 2; allowed: 3, 5, 7.",
        ),
        (
            {"accuracy": [70.5, 101]},
            "row 1, has accuracy = 101.0; it must be a percentage from 0 to 100.",
        ),
        (
            {"latency_ms": [0.0, 1]},
            "row 0, has latency_ms = 0.0; it must be a finite number above 0.",
        ),
        (
            {"latency_ms": [1, np.inf]},
            "row 1, has latency_ms = inf; it must be a finite number above 0.",
        ),
        (
            {"latency_ms": [1, np.nan]},
            "row 1, has no latency_ms; measure it again or leave the row out.",
        ),
        (
            {"accuracy:int8": [0.1, -0.1]},
            "row 1, has accuracy:int8 = -0.1; it must be a percentage from 0 to 100.",
        ),
        (
            {"accuracy_drop:int8": [-0.1, 100.5]},
            "row 1, has accuracy_drop:int8 = 100.5; it must be a number from -100 to 100.",
        ),
        (
            {"accuracy_std_error": [0.1, -0.1]},
            "row 1, has accuracy_std_error = -0.1; it must be a finite number of at least 0.",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_sentence(changes: dict, sentence: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        table_from_frame(SPACE, rows(**changes))
    assert str(caught.value) == f"The table, {sentence}"


def test_a_missing_decision_is_named() -> None:
    with pytest.raises(InvalidInput, match="lacks the column 'q1_kernel' of space 'hand'"):
        table_from_frame(SPACE, rows().drop(columns="q1_kernel"))
    # A column that is nowhere active may be left out.
    shallow = rows()[:1].drop(columns="p2_kernel")
    assert table_from_frame(SPACE, shallow).codes.tolist() == [[0, 0, -1, 2]]


def test_an_id_of_other_choices_is_refused() -> None:
    ids = table_from_frame(SPACE, rows()).frame["id"]
    assert len(table_from_frame(SPACE, rows(id=[ids[0], None]))) == 2
    with pytest.raises(InvalidInput, match=f"row 1, has the id '{ids[0]}', but its choices have"):
        table_from_frame(SPACE, rows(id=[ids[0], ids[0]]))


HEADER = "p_depth,p1_kernel,p2_kernel,q1_kernel,accuracy,latency_ms\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEADER + "1,3,,7,70,1\n\n2,5,9,3,70,1\n", "line 4, 'p2_kernel' is 9; allowed: 3, 5, 7."),
        (HEADER + "1,big,,7,70,1\n", "line 2, 'p1_kernel' is 'big'; allowed: 3, 5, 7."),
        (HEADER + "1,3,,7,good,1\n", "line 2, has accuracy = good; it must be a percentage from"),
        (HEADER + "1,3,,7,70,NaN\n", "line 2, has latency_ms = NaN; it must be a finite number"),
        (HEADER + "1,3,,7,70,\n", "line 2, has no latency_ms; measure it again or leave the row"),
        (HEADER + "1,3,,7,70,1,5\n", "line 2, has more cells than the header has columns; name"),
    ],
)
def test_csv_errors_name_file_and_line(text: str, sentence: str, tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", text)
    with pytest.raises(InvalidInput) as caught:
        read_table(path, SPACE)
    assert str(caught.value).startswith(f"{path}, {sentence}")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "can't be read as CSV"),
        (b"\xff\xfe\x00a,b\n", "can't be read as CSV"),
        (HEADER.encode() + b'1,3,,7,"70,1\n', "can't be read as CSV"),
        (HEADER.encode() + b"1,3,,7,70,1\n1,3,,7,70,1,1\n", "line 3, saw 7"),
        (b"p_depth,p_depth\n1,1\n", "has the column 'p_depth' twice; keep one"),
        (HEADER.replace(",", ";").encode(), "lacks the column 'p_depth'"),
    ],
)
def test_what_is_no_csv_is_refused(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        read_table(path, SPACE)
    assert str(caught.value).startswith(str(path))
    assert sentence in str(caught.value)


def test_cells_that_spreadsheets_write_are_understood(tmp_path: Path) -> None:
    """A byte order mark, numbers with a decimal point, empty last lines, an unknown accuracy."""
    text = "\ufeff" + HEADER + "1.0,3.0,,7,,1\n,,,,,\n"
    table = read_table(written(tmp_path / "t.csv", text), SPACE)
    assert table.codes.tolist() == [[0, 0, -1, 2]]
    assert np.isnan(table.values("accuracy")).all()


@pytest.mark.parametrize("kept", [0, 4, 50, 0.5, -1])
def test_a_truncated_parquet_is_one_sentence(kept: float, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table_from_frame(SPACE, rows()).write(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))] if kept == 0.5 else whole[: int(kept)])
    with pytest.raises(InvalidInput, match="can't be read as parquet.*damaged or cut short"):
        read_table(path, SPACE)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_missing_file_is_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"There is no file .*t\.\w+; check the path"):
        read_table(tmp_path / name, SPACE)


def test_parquet_of_another_space_is_refused(tmp_path: Path) -> None:
    table_from_frame(SPACE, rows()).write(tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match=r"holds subnets of space 'hand' \(\w+\), not of 'tiny'"):
        read_table(tmp_path / "t.parquet", TINY)


def test_parquet_of_a_later_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    table_from_frame(SPACE, rows()).write(path)
    content = pq.read_table(path)
    old = content.schema.metadata[b"foxnas"]
    later = old.replace(b'"format": 1', b'"format": 2')
    assert later != old
    pq.write_table(content.replace_schema_metadata({b"foxnas": later}), path)
    with pytest.raises(InvalidInput, match="has format 2; this version reads 1"):
        read_table(path, SPACE)


@pytest.mark.parametrize("record", [b"[1]", b"3", b'{"format": 1}', b"{", b"\xff"])
@pytest.mark.parametrize("key", [b"foxnas", b"pandas"])
def test_parquet_with_a_damaged_record_is_one_sentence(
    key: bytes, record: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "t.parquet"
    table_from_frame(SPACE, rows()).write(path)
    content = pq.read_table(path)
    pq.write_table(content.replace_schema_metadata({key: record}), path)
    with pytest.raises(InvalidInput, match="can't be read as parquet.*damaged or cut short"):
        read_table(path, SPACE)


def test_a_measurement_that_failed_is_a_hole_in_our_own_table(tmp_path: Path) -> None:
    """A hole in what was measured here is known; in a table made elsewhere it is a mistake."""
    holed = table_from_frame(SPACE, rows(latency_ms=[1.5, np.nan]), holes=True)
    holed.write(tmp_path / "t.parquet")
    assert same(read_table(tmp_path / "t.parquet", SPACE), holed)
    with pytest.raises(InvalidInput, match="has no latency_ms"):
        table_from_frame(SPACE, rows(latency_ms=[1.5, np.nan]))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({}, [False, False, False]),
        ({"campaigns": ["search-1"]}, [False, False, False]),
        ({"campaigns": {"b": "search"}}, [False, False, False]),
        (
            {"campaigns": {"a": {"origin": "design"}, "b": {"origin": "search"}}},
            [False, True, False],
        ),
    ],
)
def test_rows_of_an_origin_are_those_whose_campaign_names_it(record, expected):
    table = noisy_table(hand_space(), 3)
    marked = replace(table, frame=table.frame.assign(campaign=["a", "b", None]), record=record)
    assert marked.of_origin("search").tolist() == expected
    assert replace(table, record=record).of_origin("search").tolist() == [False] * 3


def test_rows_are_counted_by_the_footer(tmp_path):
    table = noisy_table(hand_space(), 12)
    table.write(tmp_path / "t.parquet")
    assert count_rows(tmp_path / "t.parquet") == 12 and count_rows(tmp_path / "none") == 0
    (tmp_path / "t.parquet").write_bytes(b"PAR1")
    with pytest.raises(InvalidInput, match="can't be read as parquet"):
        count_rows(tmp_path / "t.parquet")


def test_texts_count_as_often_as_they_stand_there(tmp_path):
    path = tmp_path / "t.parquet"

    def write(rows: int) -> None:
        indices = pa.array([0] * rows, pa.int32())
        repeated = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * 1_000_000]))
        pq.write_table(pa.table({"note": repeated}), path, compression="zstd", store_schema=False)

    write(600)
    assert path.stat().st_size < 100_000
    with pytest.raises(InvalidInput, match="unfolds to more than"):
        check_bounds(path)
    write(5)
    check_bounds(path)


def test_the_shipped_tables_keep_the_bounds():
    for name in ("measurements.parquet", "optima.parquet"):
        check_bounds(DEMO / name)


@pytest.mark.parametrize("place", ["header", "first row"])
def test_more_columns_than_are_read_are_one_sentence(place: str, tmp_path: Path) -> None:
    lines = ["accuracy,latency_ms", "70,1", "71,2"]
    lines[0 if place == "header" else 1] += ",1" * 100_000
    (tmp_path / "t.csv").write_text("\n".join(lines))
    with pytest.raises(InvalidInput, match="t.csv has 100,002 columns, more than the 2,000"):
        read_csv(tmp_path / "t.csv")


def test_parquet_with_one_name_twice_or_of_an_odd_kind_is_one_sentence(tmp_path: Path) -> None:
    table = pa.table([[1], [2]], names=["accuracy", "accuracy"])
    pq.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(InvalidInput, match="has the column 'accuracy' twice; keep one"):
        parquet_frame("twice.parquet", (tmp_path / "twice.parquet").read_bytes())
    table = pa.Table.from_pandas(pd.DataFrame({"id": pd.Series(["a"], dtype="str")}))
    table = table.set_column(0, "id", pa.array([{"a": 1}]))  # which pandas's own record denies
    pq.write_table(table, tmp_path / "odd.parquet")
    with pytest.raises(InvalidInput, match="odd.parquet can't be read as parquet"):
        parquet_frame("odd.parquet", (tmp_path / "odd.parquet").read_bytes())


def test_formulas_in_csv_are_made_harmless() -> None:
    table = pd.DataFrame(
        {
            "a": ["=1+1", "-2", "@x", "fine", "", "\tx"],
            "=b": [-1.5, 2, 3, 4, 5, 6],
            3: list("+-012="),
        }
    )
    lines = as_csv(table).decode().splitlines()
    assert lines == [
        "a,'=b,3", "'=1+1,-1.5,'+", "'-2,2.0,'-", "'@x,3.0,0", "fine,4.0,1", ",5.0,2",
        "'\tx,6.0,'=",
    ]  # fmt: skip


def test_whatever_writes_a_csv_for_others_makes_formulas_harmless() -> None:
    """A measurement table's own CSV, which is read again, is the one exception."""
    sources = [*(REPOSITORY / "pages").rglob("*.py"), *(REPOSITORY / "foxnas_core").rglob("*.py")]
    writers = {path.name: path.read_text().count(".to_csv(") for path in sources}
    assert {name: count for name, count in writers.items() if count} == {"table.py": 2}
