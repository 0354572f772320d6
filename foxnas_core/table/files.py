"""Measurement tables as files: parquet, which describes itself, and CSV for and from elsewhere.

A parquet file carries the space's fingerprint, the record and whether block order is known in its
schema.
"""

import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.checks import check_columns
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

_METADATA = b"foxnas"
_UNNAMED_INDEX = r"__index_level_\d+__"  # as pandas calls it
_FORMAT = 1
# What a spreadsheet takes for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MOST_CELLS = 100_000_000
# The same where somebody sends a file to a server, with the most bytes of its numbers and texts.
_MOST_SENT_CELLS, _MOST_SENT_BYTES = 20_000_000, 512 << 20
# What stands in a cell of a CSV file for nothing.
MISSING_TEXT = ["", "NA", "NaN", "nan", "null", "None"]


def as_csv(table: pd.DataFrame) -> bytes:
    """The table as CSV to read elsewhere, with text, the header's too, that a spreadsheet would
    take for a formula made harmless."""

    def harmless(cell: Any) -> Any:
        return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell

    return table.map(harmless).rename(columns=harmless).to_csv(index=False).encode()


def from_parquet(path: Path, space: SearchSpace) -> MeasurementTable:
    """A table of `space` from parquet, written by `to_parquet_bytes` or with the same columns.

    Raises `InvalidInput` where the file is missing, damaged or of another space.
    """
    frame, metadata = parquet_frame(str(path), content_of(path))
    return table_from_frame(
        space, frame, source=str(path), **parquet_options(str(path), metadata, space)
    )


def parquet_frame(source: str, content: bytes) -> tuple[pd.DataFrame, dict[str, Any]]:
    """The rows of a parquet file, numbered from 1, and the metadata that this product wrote.

    Raises `InvalidInput`, calling the file `source`, where it is no parquet or too large.
    """
    try:
        file = pq.ParquetFile(io.BytesIO(content))
        # A few kilobytes can unfold to more than the memory holds.
        cells = file.metadata.num_rows * file.metadata.num_columns
        if cells > _MOST_CELLS:
            raise InvalidInput(
                f"{source} has {cells:,} cells, more than the {_MOST_CELLS:,} that are read at "
                "once; split it into several files."
            )
        check_columns(source, file.schema_arrow.names)
        if _text_bytes(io.BytesIO(content), source) > _MOST_SENT_BYTES:
            raise InvalidInput(
                f"{source} unfolds to more than {_MOST_SENT_BYTES >> 20} MB of text; leave columns "
                "or rows out."
            )
        table = file.read()
        metadata = json.loads((table.schema.metadata or {}).get(_METADATA, b"{}"))
        if metadata != {}:
            _check_metadata(metadata)
        frame = table.to_pandas() if metadata else _plain_frame(table)
        check_no_twins(source, frame.columns)
    except FoxnasError:
        raise
    except Exception as error:  # pandas trusts its own metadata, and stumbles over what is wrong
        raise _no_parquet(source, error) from error
    return frame.set_axis(range(1, len(frame) + 1), axis="index"), metadata


def _plain_frame(table: pa.Table) -> pd.DataFrame:
    """The columns of a parquet file that others wrote, its index with them where it has a name:
    lists as such, bytes as text or as hexadecimal digits after 0x, decimals as numbers."""
    names = [name for name in table.column_names if not re.fullmatch(_UNNAMED_INDEX, name)]
    if len(set(names)) < len(names):
        return table.to_pandas(ignore_metadata=True)
    columns = {}
    for name in names:
        column = table.column(name)
        if pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        kind = column.type
        if pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
        if pa.types.is_nested(kind) or _is_binary(kind):
            cells = [_text_of(c) if isinstance(c, bytes) else c for c in column.to_pylist()]
            columns[name] = pd.Series(cells, dtype=object)
        else:
            columns[name] = column.to_pandas()
    return pd.DataFrame(columns | _counted_index(table, names), index=range(table.num_rows))


def _counted_index(table: pa.Table, names: list[str]) -> dict[str, range]:
    """The index where it has a name and counts evenly: pandas then keeps only how it counts."""
    index = (table.schema.pandas_metadata or {}).get("index_columns", [])
    found = {
        own["name"]: range(own["start"], own["stop"], own["step"])
        for own in index
        if isinstance(own, dict) and isinstance(own.get("name"), str) and own["name"] not in names
    }
    return {name: own for name, own in found.items() if len(own) == table.num_rows}


def _is_binary(kind: pa.DataType) -> bool:
    return (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_binary_view(kind)
    )


def _text_of(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"0x{content.hex()}"


def parquet_options(source: str, metadata: Mapping[str, Any], space: SearchSpace) -> dict[str, Any]:
    """What the metadata of `parquet_frame` says to `table_from_frame`.

    Raises `InvalidInput` where the file is of another space or a later format.
    """
    if metadata and metadata["format"] != _FORMAT:
        raise InvalidInput(
            f"{source} has format {metadata['format']}; this version reads {_FORMAT}."
        )
    if metadata and metadata["space"] != space.fingerprint:
        raise InvalidInput(
            f"{source} holds subnets of space {metadata['space_name']!r} ({metadata['space']}), "
            f"not of {space.name!r} ({space.fingerprint}); use it with the study it belongs to."
        )
    return {
        "record": metadata.get("record"),
        "ordered": metadata.get("ordered", True),
        "holes": bool(metadata),
    }


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or not isinstance(metadata.get("format"), int):
        raise ValueError("its record is not what this product writes")
    kinds = {"space": str, "space_name": str, "record": dict, "ordered": bool}
    if metadata["format"] == _FORMAT and not all(
        isinstance(metadata.get(name), kind) for name, kind in kinds.items()
    ):
        raise ValueError("its record is not what this product writes")


def to_parquet_bytes(table: MeasurementTable) -> bytes:
    """The table as one self-describing parquet file."""
    metadata = {
        "format": _FORMAT,
        "space": table.space.fingerprint,
        "space_name": table.space.name,
        "targets": [target.column for target in table.targets],
        "record": dict(table.record),
        "ordered": table.ordered,
    }
    content = pa.Table.from_pandas(table.frame, preserve_index=False)
    content = content.replace_schema_metadata(
        {**(content.schema.metadata or {}), _METADATA: json.dumps(metadata).encode()}
    )
    buffer = io.BytesIO()
    pq.write_table(content, buffer, compression="zstd")
    return buffer.getvalue()


def count_rows(path: Path) -> int:
    """The rows of a parquet file, by its footer alone; 0 where there is no file.

    Raises `InvalidInput` where it can't be read.
    """
    if not path.exists():
        return 0
    return int(_opened(path).metadata.num_rows)


def columns_of(path: Path) -> list[str]:
    """The names of a parquet file's columns, by its footer alone; none where there is no file.

    Raises `InvalidInput` where it can't be read.
    """
    return list(_opened(path).schema_arrow.names) if path.exists() else []


def check_bounds(path: Path) -> None:
    """Raises `InvalidInput` for a parquet file that is damaged, or unfolds to more than a server
    should hold: a few kilobytes of one can be gigabytes of repeated text."""
    metadata = _opened(path).metadata
    cells = metadata.num_rows * metadata.num_columns
    # Not by column: pyarrow ends the process where a column of a broken footer is asked for.
    size = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
    flat = all(not pa.types.is_nested(field.type) for field in _opened(path).schema_arrow)
    if flat and cells <= _MOST_SENT_CELLS and size <= _MOST_SENT_BYTES:
        size += _text_bytes(path, str(path))
    if not flat or cells > _MOST_SENT_CELLS or size > _MOST_SENT_BYTES:
        raise InvalidInput(
            f"{path} has lists in its cells, or unfolds to more than {_MOST_SENT_CELLS:,} cells or "
            f"{_MOST_SENT_BYTES >> 20} MB; leave columns or rows out."
        )


def _text_bytes(file: Path | io.BytesIO, source: str) -> int:
    """The bytes of all texts of a parquet file, each repetition counted, none of them made."""
    total = 0
    try:
        kinds = pq.ParquetFile(file).schema_arrow
        flat = [
            f for f in kinds if not (pa.types.is_primitive(f.type) or pa.types.is_nested(f.type))
        ]
        texts = [f.name for f in flat if not pa.types.is_decimal(f.type)]
        for column in pq.ParquetFile(file, read_dictionary=texts).read(columns=texts).columns:
            for chunk in column.chunks:
                if not pa.types.is_dictionary(chunk.type):  # nothing but missing values
                    continue
                each = pc.binary_length(chunk.dictionary.cast(pa.large_binary()))
                total += pc.sum(each.take(chunk.indices)).as_py() or 0
    except (pa.ArrowException, OSError, ValueError, LookupError, TypeError) as error:
        raise _no_parquet(source, error) from error
    return total


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _no_parquet(str(path), error) from error


def _no_parquet(source: str, error: Exception) -> InvalidInput:
    return InvalidInput(
        f"{source} can't be read as parquet ({_first_line(error)}); it is damaged or cut short, so "
        "restore a copy or make it again."
    )


def content_of(path: Path) -> bytes:
    """The bytes of a file; raises `InvalidInput` where it can't be read."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise InvalidInput(f"{path} is no file, but a folder, a pipe or a device; name a file.")
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise InvalidInput(f"There is no file {path}; check the path.") from error
    except OSError as error:
        raise InvalidInput(f"{path} can't be read ({error.strerror}).") from error


def check_no_twins(source: str, columns: pd.Index) -> None:
    """Raises `InvalidInput` where two columns have one name."""
    if columns.has_duplicates:
        twice = columns[columns.duplicated()][0]
        raise InvalidInput(f"{source} has the column {twice!r} twice; keep one.")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or ["no content"])[0].rstrip(".")
