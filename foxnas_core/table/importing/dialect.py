"""Text tables of any dialect as plain columns of text: what separates their cells, how they are
encoded, and which lines are no rows is found in the file, and told."""

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from foxnas_core.errors import InvalidInput
from foxnas_core.table.checks import check_columns

# The characters that may separate cells, and what sentences call them.
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "blanks"}
_ENCODINGS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",  # before that of UTF-16, which it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_SEP_LINE = re.compile(r'"?sep=(.)"?[,; ]*', re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?[\d.,]*\d[\d.,]*(e[-+]?\d+)?", re.IGNORECASE)
# Rows that are looked at to tell a separator, and that become columns at once.
_SAMPLED, _AT_ONCE = 200, 20_000
_MOST_LINES = 1_000_000


@dataclass(frozen=True, eq=False)
class TextTable:
    """All cells as text without blanks around it, missing where empty, indexed by the line that a
    row begins in; `told` says in sentences what the file was taken for where it is no plain CSV."""

    frame: pd.DataFrame
    told: tuple[str, ...] = ()


def read_text_table(source: str, content: bytes) -> TextTable:
    """The table that a text file holds; errors call it `source`.

    Before the header there may be comments, each a line that begins with #, empty lines, and a
    spreadsheet's "sep=;". Raises `InvalidInput` naming the line, and what was found there.
    """
    text, encoding = decoded(source, content)
    told = [f"Read as {encoding.upper()} text."] if encoding != "utf-8" else []
    if (count := text.count("\n")) > _MOST_LINES:
        raise InvalidInput(
            f"{source} has {count:,} lines, more than the {_MOST_LINES:,} that are read at once; "
            "split it into several files."
        )
    lines = text.split("\n")
    comments = _comments(lines)
    first, separator = _first_line(lines, comments)
    if first == len(lines):
        raise InvalidInput(
            f"{source} can't be read as CSV (no content); save it as comma-separated UTF-8 text "
            "with a header line."
        )
    separator = separator or _separator(source, lines, first, comments)
    if heading := _heading_in_comment(lines, first, comments, separator):
        first -= 1
        lines[first] = heading
        comments.discard(first)
    for number in comments:
        lines[number] = ""
    if separator != ",":
        told.append(f"Its columns are separated by {SEPARATORS.get(separator, repr(separator))}.")
    if dropped := [number + 1 for number in sorted(comments)]:
        told.append(f"Left out as comments: {_lines(dropped)}.")
    frame = _columns(source, lines, first, separator)
    return TextTable(*_without_row_numbers(frame, told))


def decoded(source: str, content: bytes) -> tuple[str, str]:
    """The text of a file, its lines ended by \\n, and its encoding, which a byte order mark tells
    where it is not UTF-8; raises `InvalidInput` naming the line that is none."""
    mark = next((mark for mark in _ENCODINGS if content.startswith(mark)), b"")
    encoding = _ENCODINGS.get(mark, "utf-8")
    try:
        text = content.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise InvalidInput(
            f"{source}, line {line}, is no valid {encoding.upper()} text; save it as UTF-8."
        ) from error
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise InvalidInput(
            f"{source}, line {line}, holds a NUL character, which no text has; save it as UTF-8 "
            "text."
        )
    return text, encoding


def _comments(lines: Sequence[str]) -> set[int]:
    """The positions of lines that are comments: they begin with #, within no quoted cell, and not
    all lines do."""
    marked = [number for number, line in enumerate(lines) if line.startswith("#")]
    if not marked:
        return set()
    open_before, quotes = set(), 0
    for number, line in enumerate(lines):
        if quotes % 2:
            open_before.add(number)
        elif line.startswith("#"):
            continue
        quotes += line.count('"')
    found = {number for number in marked if number not in open_before}
    plain = [n for n, line in enumerate(lines) if line.strip() and n not in found]
    body = [n for n in found if plain and n > plain[0]]
    # Where no row is without one, it is part of a name.
    return found - set(body) if body and len(plain) == 1 else found


def _first_line(lines: Sequence[str], comments: set[int]) -> tuple[int, str]:
    """The position of the first line that is neither empty nor a comment, after a spreadsheet's
    "sep=" where there is one, and the separator that this tells."""
    separator = ""
    for number, line in enumerate(lines):
        if not line.strip() or number in comments:
            continue
        if not separator and (told := _SEP_LINE.fullmatch(line)):
            separator = told[1]
            continue
        return number, separator
    return len(lines), separator


def _separator(source: str, lines: Sequence[str], first: int, comments: set[int]) -> str:
    """What separates cells: it divides the header, and every row into no more cells than that."""
    sample = [
        line
        for number, line in enumerate(lines[first : first + _SAMPLED], first)
        if line.strip() and number not in comments
    ]
    found: dict[str, tuple[bool, int]] = {}
    for separator in SEPARATORS:
        try:
            counts = [len(record) for record in _records(sample, separator, strict=False)]
        except csv.Error:
            continue
        if counts and counts[0] > 1 and (separator != " " or len(set(counts)) == 1):
            found[separator] = max(counts) <= counts[0] + 1, counts[0]
    if len(found) > 1 and " " in found:  # which names may hold
        del found[" "]
    suiting = {own: cells for own, (suits, cells) in found.items() if suits}
    if not found:
        return ","
    most = max(suiting.values(), default=0)
    best = [own for own, cells in suiting.items() if cells == most]
    if len(best) > 1:
        names = " or ".join(SEPARATORS[own] for own in best)
        raise InvalidInput(
            f"{source}, line {first + 1}, may be separated by {names}; say which in a line before "
            f"it (sep={best[-1]})."
        )
    return best[0] if best else max(found, key=lambda own: found[own][1])


def _heading_in_comment(
    lines: Sequence[str], first: int, comments: set[int], separator: str
) -> str:
    """The header within the comment just above the first row, as NumPy writes it; "" where the row
    is a header itself."""
    row = next(_records(lines[first:], separator, strict=False), [])
    if first - 1 not in comments or not any(_NUMBER.fullmatch(cell.strip()) for cell in row):
        return ""
    text = lines[first - 1].lstrip("# ")
    cells = next(_records([text], separator, strict=False), [])
    return text if len(cells) == len(row) else ""


def _records(lines: Sequence[str], separator: str, strict: bool = True) -> Iterator[list[str]]:
    if separator == " ":
        lines = [line.strip() for line in lines]
    return csv.reader(
        (f"{line}\n" for line in lines), delimiter=separator, skipinitialspace=True, strict=strict
    )


def _columns(source: str, lines: Sequence[str], first: int, separator: str) -> pd.DataFrame:
    """The cells below a header at the position `first`, by line."""
    width, begins, pieces = 0, [], []
    header: list[str] = []

    def rows() -> Iterator[list[str]]:
        reader = _records(lines[first:], separator)
        begin = first + 1
        for record in reader:
            if len(record) > width and any(cell.strip() for cell in record[width:]):
                check_columns(source, record)
                raise InvalidInput(_too_many(source, begin, record, header, separator))
            if any(cell.strip() for cell in record):
                begins.append(begin)
                yield (record + [""] * width)[:width]
            begin = first + reader.line_num + 1  # type: ignore[attr-defined]

    try:
        reader = _records(lines[first:], separator)
        header = [name.strip() for name in next(reader)]
        check_columns(source, header)
        while header and not header[-1]:
            header.pop()
        width = len(header)
        found = rows()
        next(found)  # the header
        begins.clear()
        while piece := list(islice(found, _AT_ONCE)):
            columns = [pa.array(column, pa.large_string()) for column in zip(*piece, strict=True)]
            pieces.append(pa.Table.from_arrays(columns, names=list(map(str, range(width)))))
    except csv.Error as error:
        raise InvalidInput(
            f"{source} can't be read as CSV ({error}); save it as comma-separated UTF-8 text with "
            "a header line."
        ) from error
    _check_header(source, header)
    own: dict[int, pd.Series] = {at: pd.Series([], dtype="str") for at in range(width)}
    if pieces:
        for at, column in enumerate(pa.concat_tables(pieces).columns):
            cells = pc.utf8_trim_whitespace(column)
            own[at] = pc.if_else(pc.equal(cells, ""), None, cells).to_pandas().astype("str")
    frame = pd.DataFrame(own, index=range(len(begins)))
    return frame.set_axis(begins, axis="index").set_axis(header, axis="columns")


def _check_header(source: str, header: Sequence[str]) -> None:
    for name in header:
        if name and list(header).count(name) > 1:
            raise InvalidInput(f"{source} has the column {name!r} twice; keep one.")


def _too_many(
    source: str, line: int, record: Sequence[str], header: Sequence[str], separator: str
) -> str:
    sentence = (
        f"{source}, line {line}, has {len(record)} cells, and its header names {len(header)} "
        f"columns, which {SEPARATORS.get(separator, repr(separator))} separate; name every column"
    )
    if separator == ",":
        sentence += ", and where commas are decimal marks separate columns by semicolons"
    return f"{sentence}."


def _without_row_numbers(
    frame: pd.DataFrame, told: list[str]
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The frame without columns that have no name: empty ones, and one that counts rows, which is
    told. Others are called by their place."""
    names = list(frame.columns)
    kept = []
    for at, name in enumerate(names):
        if name:
            kept.append(at)
            continue
        cells = frame.iloc[:, at]
        if len(frame) and not cells.notna().any():
            continue
        numbers = pd.to_numeric(cells, errors="coerce")
        if len(frame) and (numbers.diff().iloc[1:] == 1).all() and numbers.iloc[0] in (0, 1):
            told.append(f"Left out the column without a name that counts the rows (no. {at + 1}).")
            continue
        names[at] = f"column {at + 1}"
        kept.append(at)
    frame = frame.set_axis(names, axis="columns").iloc[:, kept]
    return frame, tuple(told)


def _lines(numbers: Sequence[int]) -> str:
    shown = ", ".join(map(str, numbers[:5]))
    more = f" and {len(numbers) - 5:,} more" if len(numbers) > 5 else ""
    return f"line{'s' if len(numbers) > 1 else ''} {shown}{more}"
