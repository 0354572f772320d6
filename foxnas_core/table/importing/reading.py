"""From the bytes of a file to rows with its own columns, nothing renamed and nothing checked."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.table.checks import check_columns
from foxnas_core.table.files import check_no_twins, parquet_frame
from foxnas_core.table.importing.dialect import decoded, read_text_table

PICKLED = (".pickle", ".pkl")  # a published benchmark
TEXTS = (".csv", ".tsv", ".txt")
YAML = (".yaml", ".yml")  # look-up tables alone
SUFFIXES = (*TEXTS, ".parquet", ".jsonl", ".json", *YAML, *PICKLED)
# What a column of JSON architectures is called.
ARCHITECTURE = "architecture"


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of a file: `frame` is indexed by what `row_word` counts (lines or rows).

    In a text file all cells are text. `metadata` is what this product wrote into a parquet file,
    and `told` what a file was taken for, in sentences.
    """

    frame: pd.DataFrame
    row_word: str
    told: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


def read_rows(source: str, content: bytes) -> Rows:
    """The rows of a file of one of `SUFFIXES`, which errors call `source`.

    Raises `InvalidInput` naming the file, and the line where one is at fault.
    """
    suffix = PurePath(source).suffix.lower()
    if suffix in TEXTS:
        text = read_text_table(source, content)
        rows = Rows(text.frame, "line", told=text.told)
    elif suffix == ".parquet":
        frame, metadata = parquet_frame(source, content)
        rows = Rows(frame, "row", metadata=metadata)
    elif suffix == ".jsonl":
        rows = Rows(_framed(_from_lines(source, content), source, "line"), "line")
    elif suffix == ".json":
        rows = Rows(_framed(_from_list(source, content), source, "row"), "row")
    else:
        raise InvalidInput(
            f"{source} must be a table whose name ends in {', '.join(SUFFIXES[:-1])} or "
            f"{SUFFIXES[-1]}."
        )
    if not len(rows.frame):
        raise InvalidInput(f"{source} has a header but no rows; add the measured subnets.")
    columns = rows.frame.columns.map(str)
    check_no_twins(source, columns)
    rows.frame.columns = columns
    return rows


def parse_document(source: str, content: bytes) -> Any:
    """The JSON of a file; raises `InvalidInput` naming the file."""
    return _parsed(decoded(source, content)[0], source)


def parse_object(text: str, where: str) -> dict[str, Any]:
    """A JSON object; raises `InvalidInput` that begins with `where`."""
    return _object(_parsed(text, where), where)


def _object(document: Any, where: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise InvalidInput(
            f"{where} is no JSON object; give each subnet as one, of its choices and targets."
        )
    return document


def parse_objects(texts: Sequence[str], where: Callable[[int], str]) -> list[dict[str, Any]]:
    """One JSON object a text; raises `InvalidInput` that begins with `where` of its position."""
    # At once is thrice as quick; one by one finds out which is wrong.
    if all(text[:1] == "{" and text[-1:] == "}" and "\\u" not in text for text in texts):
        with suppress(ValueError, RecursionError):
            documents = json.loads(f"[{','.join(texts)}]")
            if len(documents) == len(texts):
                return documents
    return [parse_object(text, where(position)) for position, text in enumerate(texts)]


def _parsed(text: str, where: str) -> Any:
    try:
        document = json.loads(text)
        if "\\u" in text:
            # Half of a surrogate pair passes for text until something is to be written.
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeError as error:
        raise InvalidInput(f"{where} is no valid UTF-8 text; save it as such.") from error
    except RecursionError as error:
        raise InvalidInput(f"{where} nests too deeply; give choices and targets only.") from error
    except ValueError as error:
        raise InvalidInput(f"{where} is no valid JSON ({error}); mend it.") from error
    return document


def _from_lines(source: str, content: bytes) -> dict[int, dict[str, Any]]:
    lines = {
        number: line.strip()
        for number, line in enumerate(decoded(source, content)[0].split("\n"), start=1)
        if line.strip()
    }
    numbers = list(lines)
    documents = parse_objects(
        list(lines.values()), lambda position: f"{source}, line {numbers[position]},"
    )
    return dict(zip(numbers, documents, strict=True))


def _from_list(source: str, content: bytes) -> dict[int, dict[str, Any]]:
    documents = parse_document(source, content)
    if not isinstance(documents, list):
        raise InvalidInput(
            f"{source} must hold a list of JSON objects, one a subnet; put [ and ] around them, or "
            "name it .jsonl and write one a line."
        )
    return {
        number: _object(document, f"{source}, row {number},")
        for number, document in enumerate(documents, start=1)
    }


def _framed(documents: Mapping[int, dict[str, Any]], source: str, row_word: str) -> pd.DataFrame:
    """One row an object, one column a key, the values as they came."""
    if not documents:
        raise InvalidInput(f"{source} holds no subnets; give each as one JSON object.")
    check_columns(source, dict.fromkeys(key for document in documents.values() for key in document))
    # As objects, so that whole numbers beside missing ones are not turned into 3.0.
    return pd.DataFrame(list(documents.values()), index=list(documents), dtype=object)
