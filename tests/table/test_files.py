from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import DEMO, REPOSITORY, tiny_document
from hand import choice_space, hand_space, noisy_table, rows, same, table_of

from foxnas_core.errors import InvalidInput
from foxnas_core.families import space_from_dict
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.files import (
    as_csv,
    check_bounds,
    count_rows,
    from_parquet,
    parquet_frame,
    to_parquet_bytes,
)
from foxnas_core.table.importing import read_file
from foxnas_core.table.measurements import MeasurementTable, empty_table, table_from_frame

SPACE = hand_space()
TINY = space_from_dict(tiny_document())
HEADER = "p_depth,p1_kernel,p2_kernel,q1_kernel,accuracy,latency_ms\n"


def write(table: MeasurementTable, path: Path) -> None:
    is_csv = path.suffix == ".csv"
    path.write_bytes(
        table.frame.to_csv(index=False).encode() if is_csv else to_parquet_bytes(table)
    )


def read(path: Path, space: SearchSpace) -> MeasurementTable:
    """A table of a file with a column for each decision."""
    if path.suffix != ".csv":
        return from_parquet(path, space)
    return read_file(path).table(space)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize("ordered", [True, False])
def test_parquet_keeps_everything(ordered: bool, tmp_path: Path) -> None:
    record = {"device": "x", "campaigns": {"one": {"seed": 3}}}
    table = table_from_frame(
        SPACE, rows(note=["a", None], accuracy=[70.5, np.nan]), record=record, ordered=ordered
    )
    write(table, tmp_path / "t.parquet")
    again = read(tmp_path / "t.parquet", SPACE)
    assert same(again, table)
    assert (again.record, again.ordered) == (record, ordered)


def test_csv_keeps_rows_and_columns(tmp_path: Path) -> None:
    table = noisy_table(TINY, 30)
    write(table, tmp_path / "t.csv")
    assert same(read(tmp_path / "t.csv", TINY), table)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_choices_that_are_words_and_number_like_words_come_back(name: str, tmp_path: Path) -> None:
    space = choice_space({"op": ("None", "3", "1e3", "NA"), "other": ("a", "b")})
    codes = space.random_codes(40, seed=0)
    table = table_of(space, codes, accuracy=np.linspace(60, 70, 40))
    write(table, tmp_path / name)
    again = read(tmp_path / name, space)
    assert same(again, table)
    assert set(again.frame["op"]) == {"None", "3", "1e3", "NA"}


def test_an_empty_table_comes_back(tmp_path: Path) -> None:
    table = empty_table(SPACE, ["accuracy", "latency_ms:phone"])
    write(table, tmp_path / "t.parquet")
    again = read(tmp_path / "t.parquet", SPACE)
    assert len(again) == 0
    assert [target.column for target in again.targets] == ["accuracy", "latency_ms:phone"]
    assert again.architectures() == []
    assert again.fingerprint == table.fingerprint


def test_parquet_without_our_record_is_read_by_its_columns(tmp_path: Path) -> None:
    rows().to_parquet(tmp_path / "t.parquet", index=False)
    assert same(read(tmp_path / "t.parquet", SPACE), table_from_frame(SPACE, rows()))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (HEADER + "1,3,,7,70,1\n\n2,5,9,3,70,1\n", "line 4, 'p2_kernel' is 9; allowed: 3, 5, 7."),
        (HEADER + "1,big,,7,70,1\n", "line 2, 'p1_kernel' is 'big'; allowed: 3, 5, 7."),
        (HEADER + "1,3,,7,good,1\n", "line 2, has accuracy = good; it must be a percentage from"),
        (HEADER + "1,3,,7,70,inf\n", "line 2, has latency_ms = inf; it must be a finite number"),
        (HEADER + "1,3,,7,70,1,5\n", "line 2, has 7 cells, and its header names 6 columns, which"),
    ],
)
def test_csv_errors_name_file_and_line(text: str, sentence: str, tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", text)
    with pytest.raises(InvalidInput) as caught:
        read(path, SPACE)
    assert str(caught.value).startswith(f"{path}, {sentence}")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "can't be read as CSV"),
        (b"\xff\xfe\x00a,b\n", "is no valid UTF-16 text; save it as UTF-8."),
        (b"a\0,b\n1,2\n", "line 1, holds a NUL character"),
        (b'a,"b\nc"\n1,2\n', "names a column 'b\\nc'; leave line breaks"),
        (HEADER.encode() + b'1,3,,7,"70,1\n', "can't be read as CSV"),
        (HEADER.encode() + b"1,3,,7,70,1\n1,3,,7,70,1,1\n", "line 3, has 7 cells"),
        (b"p_depth,p_depth\n1,1\n", "has the column 'p_depth' twice; keep one"),
    ],
)
def test_what_is_no_csv_is_refused(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput) as caught:
        read(path, SPACE)
    assert str(caught.value).startswith(str(path))
    assert sentence in str(caught.value)


def test_cells_that_spreadsheets_write_are_understood(tmp_path: Path) -> None:
    """A byte order mark, numbers with a decimal point, empty last lines, an unknown accuracy."""
    text = "\ufeff" + HEADER + "1.0,3.0,,7,,1\n,,,,,\n"
    table = read(written(tmp_path / "t.csv", text), SPACE)
    assert table.codes.tolist() == [[0, 0, -1, 2]]
    assert np.isnan(table.values("accuracy")).all()


@pytest.mark.parametrize("kept", [0, 4, 50, 0.5, -1])
def test_a_truncated_parquet_is_one_sentence(kept: float, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write(table_from_frame(SPACE, rows()), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole))] if kept == 0.5 else whole[: int(kept)])
    with pytest.raises(InvalidInput, match="can't be read as parquet.*damaged or cut short"):
        read(path, SPACE)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_missing_file_is_one_sentence(name: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"There is no file .*t\.\w+; check the path"):
        read(tmp_path / name, SPACE)


def test_parquet_of_another_space_is_refused(tmp_path: Path) -> None:
    write(table_from_frame(SPACE, rows()), tmp_path / "t.parquet")
    with pytest.raises(InvalidInput, match=r"holds subnets of space 'hand' \(\w+\), not of 'tiny'"):
        read(tmp_path / "t.parquet", TINY)


def test_parquet_of_a_later_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write(table_from_frame(SPACE, rows()), path)
    content = pq.read_table(path)
    old = content.schema.metadata[b"foxnas"]
    later = old.replace(b'"format": 1', b'"format": 2')
    assert later != old
    pq.write_table(content.replace_schema_metadata({b"foxnas": later}), path)
    with pytest.raises(InvalidInput, match="has format 2; this version reads 1"):
        read(path, SPACE)


@pytest.mark.parametrize("record", [b"[1]", b"3", b"null", b'{"format": 1}', b"{", b"\xff"])
def test_parquet_with_a_damaged_record_is_one_sentence(record: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write(table_from_frame(SPACE, rows()), path)
    content = pq.read_table(path)
    pq.write_table(content.replace_schema_metadata({b"foxnas": record}), path)
    with pytest.raises(InvalidInput, match="can't be read as parquet.*damaged or cut short"):
        read(path, SPACE)


def test_a_measurement_that_failed_is_a_hole_in_our_own_table(tmp_path: Path) -> None:
    """A hole in what was measured here is known; in a table made elsewhere it is a mistake."""
    holed = table_from_frame(SPACE, rows(latency_ms=[1.5, np.nan]), holes=True)
    write(holed, tmp_path / "t.parquet")
    assert same(read(tmp_path / "t.parquet", SPACE), holed)
    with pytest.raises(InvalidInput, match="has no latency_ms"):
        table_from_frame(SPACE, rows(latency_ms=[1.5, np.nan]))


def test_rows_are_counted_by_the_footer(tmp_path):
    table = noisy_table(hand_space(), 12)
    write(table, tmp_path / "t.parquet")
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
        read(tmp_path / "t.csv", SPACE)


def test_parquet_with_one_name_twice_is_one_sentence(tmp_path: Path) -> None:
    table = pa.table([[1], [2]], names=["accuracy", "accuracy"])
    pq.write_table(table, tmp_path / "twice.parquet")
    with pytest.raises(InvalidInput, match="has the column 'accuracy' twice; keep one"):
        parquet_frame("twice.parquet", (tmp_path / "twice.parquet").read_bytes())


def test_parquet_as_pandas_leaves_it_is_read(tmp_path: Path) -> None:
    """A named index, lists, categories, decimals, and ids of bytes."""
    frame = pd.DataFrame(
        {
            "list": [[1, 2], None],
            "kind": pd.Categorical(["a", "b"]),
            "accuracy": [Decimal("70.5"), Decimal("71.25")],
            "id": [b"\xff\xfe", b"ab"],
        },
        index=pd.Index(["x", "y"], name="net"),
    )
    frame.to_parquet(tmp_path / "t.parquet")
    found, _ = parquet_frame("t.parquet", (tmp_path / "t.parquet").read_bytes())
    assert found.to_dict("list") == {
        "list": [[1, 2], None], "kind": ["a", "b"], "accuracy": [70.5, 71.25],
        "id": ["0xfffe", "ab"], "net": ["x", "y"],
    }  # fmt: skip


@pytest.mark.parametrize("index", [pd.RangeIndex(8, 24, 8, name="width"), pd.RangeIndex(2)])
def test_an_index_that_counts_is_read_where_it_has_a_name(index: pd.RangeIndex, tmp_path: Path):
    pd.DataFrame({"accuracy": [70.0, 71.0]}, index=index).to_parquet(tmp_path / "t.parquet")
    found, _ = parquet_frame("t.parquet", (tmp_path / "t.parquet").read_bytes())
    expected = {"accuracy": [70.0, 71.0]} | ({"width": [8, 16]} if index.name else {})
    assert found.to_dict("list") == expected


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
    sources = [*(REPOSITORY / "pages").rglob("*.py"), *(REPOSITORY / "foxnas_core").rglob("*.py")]
    writers = {path: path.read_text().count(".to_csv(") for path in sources}
    writing = {path.relative_to(REPOSITORY): count for path, count in writers.items() if count}
    assert writing == {Path("foxnas_core/table/files.py"): 1}
