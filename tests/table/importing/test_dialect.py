"""Text tables as spreadsheets and scripts write them: one table, whatever its dialect."""

import pandas as pd
import pytest
from hand import choice_space, hand_space

from foxnas_core.errors import InvalidInput
from foxnas_core.table.importing import ColumnMapping, dialect, read_content
from foxnas_core.table.importing.dialect import read_text_table

SPACE = choice_space({"k": (3, 5), "w": (0.65, 1)})
PLAIN = "k,w,accuracy,latency_ms\n3,0.65,60.25,4.0725\n5,1,61.04,1234.5\n"
SEMI = "k;w;accuracy;latency_ms\n3;0,65;60,25;4,0725\n5;1;61,04;1234,5\n"
EXPECTED = {
    "k": [3, 5], "w": [0.65, 1.0], "accuracy": [60.25, 61.04], "latency_ms": [4.0725, 1234.5],
}  # fmt: skip


def read(text: str | bytes, mapping: ColumnMapping | None = None, space=SPACE, name="t.csv"):
    content = text.encode() if isinstance(text, str) else text
    return read_content(name, content).table(space, mapping)


def refused(text: str | bytes, mapping: ColumnMapping | None = None, space=SPACE) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(text, mapping, space)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        SEMI,
        SEMI.replace(",", "."),
        SEMI.replace("1234,5", "1.234,5"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace(",", "  "),
        PLAIN.replace(",", ", "),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "sep=;\n" + SEMI,
        '"sep=,"\r\n' + PLAIN,
        "# measured on a phone\n\n" + PLAIN,
        PLAIN.replace("\n5", "\n# again, by hand\n5"),
        "# " + PLAIN,
        PLAIN.replace("\n", ",\n"),
        PLAIN.replace("1234.5", '"1,234.5"'),
        PLAIN.replace("1234.5", "1 234.5"),
        PLAIN.replace("60.25", "60.25 %").replace("61.04", "61.04%"),
        PLAIN.replace("4.0725", "4072.5 µs").replace("1234.5", "1.2345 s"),
        PLAIN.replace("\n3", "\n0,3").replace("\n5", "\n1,5").replace("k,w", ",k,w", 1),
        "\ufeff" + PLAIN,
        SEMI.encode("utf-16"),
        PLAIN.encode("utf-16-be").join([b"\xfe\xff", b""]),
        PLAIN.encode("utf-32"),
    ],
)
def test_one_table_in_any_dialect(text: str | bytes) -> None:
    frame = read(text).frame
    assert {name: frame[name].tolist() for name in EXPECTED} == EXPECTED


def test_what_a_file_was_taken_for_is_told() -> None:
    text = "# by hand\n" + SEMI
    table = read(text.encode("utf-16"))
    file = read_content("t.csv", text.encode("utf-16"))
    assert file.columns_read(table).told == (
        "Read as UTF-16 text.",
        "Its columns are separated by semicolons.",
        "Left out as comments: line 1.",
        "Its numbers have decimal commas.",
    )
    assert not read_text_table("t.csv", PLAIN.encode()).told


def test_more_lines_than_are_read_at_once_may_come_in_several_files(monkeypatch) -> None:
    monkeypatch.setattr(dialect, "_MOST_LINES", 2)
    told = refused(PLAIN + "3,5,1,2\n" * 3)
    assert "has 6 lines, more than the 2 that are read at once; split it into several" in told
    header, *rows = PLAIN.splitlines(keepends=True)
    assert [len(read(header + row)) for row in rows] == [1, 1]


UNSURE = 'k,w,accuracy,latency_ms\n3,1,70,"4,072"\n5,1,71,"5,125"\n'


def test_what_may_be_either_is_asked_and_the_advice_works() -> None:
    told = refused(UNSURE)
    assert "has the number '4,072', in which the comma may stand before decimals (4.072) or" in told
    assert "(--decimal comma or --decimal point)" in told
    for mark, expected in (("comma", [4.072, 5.125]), ("point", [4072, 5125])):
        assert read(UNSURE, ColumnMapping(decimal=mark)).values("latency_ms").tolist() == expected


@pytest.mark.parametrize(
    ("text", "said", "mended"),
    [
        (
            PLAIN.replace("4.0725", "4.0725 ms"),
            "line 3, has latency_ms = 1234.5, without a unit, which other cells of the column have",
            PLAIN.replace("4.0725", "4.0725 ms").replace("1234.5", "1234.5 ms"),
        ),
        (
            PLAIN.replace("4.0725", "4.0725 hours").replace("1234.5", "2 hours"),
            "in 'hours', which is no unit of latency_ms; allowed: ms, s, us",
            PLAIN,
        ),
        (
            PLAIN.replace("60.25", '"60,25"'),
            "whose decimals stand after different marks; write all numbers with a decimal point",
            PLAIN,
        ),
        (
            PLAIN.replace("60.25", "60,25"),
            "line 2, has 5 cells, and its header names 4 columns, which commas separate",
            SEMI,
        ),
        ("a;b,c\n1;2,3\n", "semicolons or commas", None),
    ],
)
def test_each_refusal_says_what_mends_it(text: str, said: str, mended: str | None) -> None:
    if mended is None:
        assert "separated by commas or semicolons; say which in a line before" in refused(text)
        assert read_text_table("t.csv", f"sep=;\n{text}".encode()).frame.columns.tolist() == [
            "a", "b,c",
        ]  # fmt: skip
        return
    assert said in refused(text)
    assert len(read(mended)) == 2


def test_units_in_cells_need_no_telling_and_contradict_no_telling() -> None:
    text = PLAIN.replace("latency_ms", "t").replace("4.0725", "4 ms").replace("1234.5", "5 ms")
    columns = {"latency_ms": "t"}
    assert read(text, ColumnMapping(columns)).values("latency_ms").tolist() == [4, 5]
    told = refused(text, ColumnMapping(columns, {"latency_ms": "s"}))
    assert "which is not in s, as was told; leave --latency-unit s out" in told


def test_counts_take_units() -> None:
    text = "k,w,parameters,macs\n3,1,5.3M,300\n5,1,6.1 M,420\n"
    table = read(text, ColumnMapping(units={"macs": "M"}))
    assert table.values("parameters").tolist() == [5.3e6, 6.1e6]
    assert table.values("macs").tolist() == [3e8, 4.2e8]
    bare = "k,w,p\n3,1,5.3\n5,1,6\n"
    told = refused(bare, ColumnMapping({"parameters": "p"}))
    assert "which is no count; say whether it is in k, M or G (--unit parameters=M)" in told
    mended = ColumnMapping({"parameters": "p"}, {"parameters": "M"})
    assert read(bare, mended).values("parameters").tolist() == [5.3e6, 6e6]


def test_gaps_are_gaps_and_rows_without_a_latency_are_rows() -> None:
    table = read("k,w,accuracy,latency_ms\n3,1,70,n/a\n5,1,-,4\n3,0.65,71,\n")
    assert table.known("accuracy") == 2 and table.known("latency_ms") == 1


@pytest.mark.parametrize("choices", [(3, 3.5, 4), ("3", "3.5", "4")])
@pytest.mark.parametrize("written", ["3", "3.0", '"3"'])
def test_a_number_is_one_choice_however_it_is_written(choices: tuple, written: str) -> None:
    space = choice_space({"r": choices})
    line = f'{{"r": {written}, "accuracy": 70}}'
    for name, text in (("t.jsonl", line), ("t.csv", f"r,accuracy\n{written},70\n")):
        assert read(text, space=space, name=name).architectures()[0]["r"] == choices[0]


@pytest.mark.parametrize("choices", [(True, False), ("True", "False"), ("true", "false")])
def test_true_and_false_are_choices(choices: tuple) -> None:
    space = choice_space({"se": choices})
    lines = '{"se": true, "accuracy": 70}\n{"se": "False", "accuracy": 71}\n'
    for name, text in (("t.jsonl", lines), ("t.csv", "se,accuracy\nTRUE,70\nfalse,71\n")):
        assert read(text, space=space, name=name).codes.tolist() == [[0], [1]]


def test_where_both_are_listed_each_is_itself() -> None:
    space = choice_space({"r": ("3", "3.0")})
    assert read("r,accuracy\n3.0,70\n3,71\n", space=space).codes.tolist() == [[1], [0]]


def test_padding_of_inactive_choices_is_dropped_in_csv_as_in_json() -> None:
    text = "p_depth,p1_kernel,p2_kernel,q1_kernel,accuracy\n1,3,0,7,70\n2,3,5,7,71\n"
    table = read(text, space=hand_space())
    assert [a.get("p2_kernel") for a in table.architectures()] == [None, 5]
    assert isinstance(table.frame, pd.DataFrame)
