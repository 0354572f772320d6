"""Every refusal of a table says what to do; each is done here, and then the table comes in."""

import json
import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import pandas as pd
import pytest
from hand import hand_space, noisy_table

from foxnas_core.errors import InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.files import to_parquet_bytes
from foxnas_core.table.importing import ColumnMapping, read_content
from foxnas_core.table.measurements import MeasurementTable

SPACE = hand_space()
OFA = load_shipped("ofa-mobilenetv3")
STUDY = noisy_table(SPACE, 6)
HEADER = "p_depth,p1_kernel,p2_kernel,q1_kernel"
ROWS = f"{HEADER},accuracy\n1,3,,3,70.1\n2,5,3,5,71.2\n"


@dataclass(frozen=True)
class Brought:
    """A file, what was told of its columns, and the study that it is joined to, if to one."""

    content: str | bytes
    columns: dict[str, str] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    decimal: str = ""
    name: str = "t.csv"
    joined: bool = False
    space: SearchSpace | None = SPACE

    def table(self) -> MeasurementTable:
        own = self.content.encode() if isinstance(self.content, str) else self.content
        mapping = ColumnMapping(self.columns, self.units, self.decimal)
        file = read_content(self.name, own).of(self.space)
        return file.joined(STUDY, mapping) if self.joined else file.table(self.space, mapping)


def rows(header: str, *cells: str) -> str:
    """Two rows, of which each has its cells behind the choices."""
    one, other = ("1,3,,3", "2,5,3,5")
    return f"{HEADER},{header}\n{one},{cells[0]}\n{other},{cells[-1]}\n"


def parquet(frame: pd.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.to_parquet(buffer)
    return buffer.getvalue()


def json_rows(*documents: dict[str, Any]) -> str:
    return "\n".join(map(json.dumps, documents))


CHOICES = {"p_depth": 1, "p1_kernel": 3, "q1_kernel": 3}
IDS = STUDY.frame["id"].tolist()
FLAT = parquet(pd.DataFrame({**CHOICES, "accuracy": [70.0]}))
LISTS = {
    "ks": [3] * 20, "e": [3] * 20, "d": [2, 2, 2, 2, 2], "r": [224], "accuracy": 70.0,
}  # fmt: skip
# Five commas and five semicolons a line.
EITHER = f"{HEADER.replace(',', ';')};accuracy;a,b,c,d,e,f\n1;3;;3;70;1,2,3,4,5,6\n"
# What is refused, what the sentence advises, and that followed.
ADVICE: dict[str, tuple[Brought, str, Brought]] = {
    "no content": (Brought(""), "save it as comma-separated UTF-8 text", Brought(ROWS)),
    "no UTF-8": (Brought(ROWS.encode() + b"\xff"), "save it as UTF-8", Brought(ROWS)),
    "NUL": (Brought(ROWS + "\0"), "save it as UTF-8", Brought(ROWS)),
    "two separators": (Brought(EITHER), "in a line before it (sep=;)", Brought(f"sep=;\n{EITHER}")),
    "too many cells": (Brought(ROWS + "1,3,,3,70,1\n"), "line 4", Brought(ROWS)),
    "a column twice": (Brought(rows("accuracy,accuracy", "1,2")), "keep one", Brought(ROWS)),
    "no rows": (Brought(f"{HEADER},accuracy\n"), "add the measured subnets", Brought(ROWS)),
    "a table of another kind": (
        Brought(ROWS, name="t.xlsx"), "must be a table whose name ends in", Brought(ROWS)
    ),
    "both marks": (
        Brought(rows("accuracy,macs", '70.1,"1.000,5"', '71.2,"1,000.5"')),
        "write all numbers with a decimal point",
        Brought(rows("accuracy,parameters", "70.1,1000", "71.2,1000")),
    ),
    "commas of thousands or decimals": (
        Brought(rows("accuracy,parameters", '70,"4,072"')),
        "--decimal comma or --decimal point",
        Brought(rows("accuracy,parameters", '70,"4,072"'), decimal="point"),
    ),
    "no target": (Brought(rows("x", "1")), "--map accuracy=COLUMN", Brought(
        rows("x", "70"), {"accuracy": "x"}, {"accuracy": "percent"})),
    "no unit": (
        Brought(rows("x", "1.5"), {"accuracy": "x"}),
        "say whether it is in percent or fraction",
        Brought(rows("x", "0.5"), {"accuracy": "x"}, {"accuracy": "fraction"}),
    ),
    "an unknown unit": (
        Brought(rows("x", "1.5"), {"latency_ms": "x"}, {"latency_ms": "hours"}),
        "allowed: ms, s, us",
        Brought(rows("x", "1.5"), {"latency_ms": "x"}, {"latency_ms": "us"}),
    ),
    "a unit of what is not there": (
        Brought(ROWS, units={"latency_ms": "s"}),
        "map one to it",
        Brought(rows("x", "1.5"), {"latency_ms": "x"}, {"latency_ms": "s"}),
    ),
    "a unit against the name": (
        Brought(rows("latency_ms", "1.5"), units={"latency_ms": "s"}),
        "--map latency_ms=latency_ms",
        Brought(rows("latency_ms", "1.5"), {"latency_ms": "latency_ms"}, {"latency_ms": "s"}),
    ),
    "no such column": (
        Brought(ROWS, {"latency_ms": "x"}, {"latency_ms": "s"}),
        "it has",
        Brought(rows("x", "1.5"), {"latency_ms": "x"}, {"latency_ms": "s"}),
    ),
    "one column for two": (
        Brought(rows("x", "1.5"), {"latency_ms": "x", "latency_ms:b": "x"}, {"latency_ms": "s"}),
        "map each to its own",
        Brought(rows("x,y", "1.5,2"), {"latency_ms": "x", "latency_ms:b": "y"},
                {"latency_ms": "s", "latency_ms:b": "s"}),
    ),
    "fractions": (
        Brought(rows("accuracy", "0.7")),
        "--accuracy-unit fraction",
        Brought(rows("accuracy", "0.7"), units={"accuracy": "fraction"}),
    ),
    "no counts": (
        Brought(rows("macs", "1.5")), "--unit macs=M", Brought(rows("macs", "1.5"), {},
                                                               {"macs": "M"}),
    ),
    "a choice that is none": (
        Brought(rows("accuracy", "70").replace("1,3,,3", "1,4,,3")), "allowed: 3, 5", Brought(ROWS)
    ),
    "a missing choice": (
        Brought(rows("accuracy", "70").replace("2,5,3,5", "2,5,,5")), "p2_kernel", Brought(ROWS)
    ),
    "text for a number": (
        Brought(rows("accuracy", "70", "good")), "line 3", Brought(ROWS)
    ),
    "a decision twice": (
        Brought(json_rows({"architecture": CHOICES, "p_depth": 1, "accuracy": 70.0}),
                name="t.jsonl"),
        "keep one",
        Brought(json_rows({"architecture": CHOICES, "accuracy": 70.0}), name="t.jsonl"),
    ),
    "no such decision": (
        Brought(json_rows({"architecture": {**CHOICES, "z": 1}, "accuracy": 70.0}), name="t.jsonl"),
        "its decisions are",
        Brought(json_rows({"architecture": CHOICES, "accuracy": 70.0}), name="t.jsonl"),
    ),
    "an architecture that is none": (
        Brought(json_rows({"architecture": 7, "accuracy": 70.0}), name="t.jsonl"),
        "give each subnet as one, of its choices and targets",
        Brought(json_rows({"architecture": CHOICES, "accuracy": 70.0}), name="t.jsonl"),
    ),
    "JSON that is none": (
        Brought("{,}", name="t.jsonl"), "mend it",
        Brought(json_rows({**CHOICES, "accuracy": 70.0}), name="t.jsonl"),
    ),
    "one object": (
        Brought(json_rows({**CHOICES, "accuracy": 70.0}), name="t.json"),
        "put [ and ] around them, or name it .jsonl",
        Brought(f"[{json_rows({**CHOICES, 'accuracy': 70.0})}]", name="t.json"),
    ),
    "lists that are too short": (
        Brought(json.dumps({**LISTS, "d": [2]}), name="t.jsonl", space=OFA),
        "has 5 stages",
        Brought(json.dumps(LISTS), name="t.jsonl", space=OFA),
    ),
    "an id that is another's": (
        Brought(rows("id,accuracy", f"{IDS[0]},70", f"{IDS[0]},71")),
        "leave out the column 'id'",
        Brought(ROWS),
    ),
    "parquet that is none": (Brought(b"PAR1", name="t.parquet"), "t.parquet", Brought(
        FLAT, name="t.parquet")),
    "another space's table": (
        Brought(to_parquet_bytes(noisy_table(hand_space(resolutions=(8, 9)), 3)),
                name="t.parquet"),
        "use it with the study it belongs to",
        Brought(to_parquet_bytes(STUDY), name="t.parquet"),
    ),
    "a space that must be named": (
        Brought(ROWS, space=None), "its search space must be named", Brought(ROWS)
    ),
    "a cost that is missing": (
        Brought('{"latency_ms": {"q1_kernel": {"3": 1}}}', name="t.json"),
        "has no cost of 5 in 'q1_kernel'; add it",
        Brought('{"latency_ms": {"q1_kernel": {"3": 1, "5": 2, "7": 3}}}', name="t.json"),
    ),
    "nothing to join": (
        Brought(f"id,x\n{IDS[0]},1\n", joined=True),
        "map one (--map latency_ms:DEVICE=COLUMN)",
        Brought(f"id,x\n{IDS[0]},1\n", {"latency_ms:b": "x"}, {"latency_ms:b": "ms"}, joined=True),
    ),
    "no key to join by": (
        Brought(f"theirs,latency_ms:b\n{IDS[0]},1\n", joined=True),
        "--map id=COLUMN",
        Brought(f"theirs,latency_ms:b\n{IDS[0]},1\n", {"id": "theirs"}, joined=True),
    ),
    "a subnet that the study lacks": (
        Brought(f"id,latency_ms:b\n{IDS[0]},1\n{'0' * 12},1\n", joined=True),
        "leave the row out",
        Brought(f"id,latency_ms:b\n{IDS[0]},1\n", joined=True),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ADVICE)
def test_what_the_refusal_advises_helps(name: str) -> None:
    refused, said, followed = ADVICE[name]
    with pytest.raises(InvalidInput, match=re.escape(said)) as caught:
        refused.table()
    assert str(caught.value).isprintable() and len(str(caught.value)) <= 400
    assert len(followed.table())
