"""Which content of a study a page shows, and keeping what follows from that by it.

What follows from tables' content alone is kept by that, so that copies of a study share it. Other
files are told apart by their stamps.
"""

import hashlib
import inspect
import os
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import streamlit as st

from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import Study
from foxnas_core.study.goals import Goals
from foxnas_core.table.files import count_rows
from foxnas_core.table.measurements import MeasurementTable
from pages.shared import choices

Stamp = tuple[tuple[str | int, ...], ...]
# By file, what identifies its content; of those that a fit reads.
Version = tuple[tuple[str, str], ...]
# That, and the number of rows, if it can be told.
Shown = tuple[Version, int | None]
_Function = TypeVar("_Function", bound=Callable[..., Any])


class TableChanged(InvalidInput):
    """The table that a page began with is not there any more."""


def settle(study: Study) -> None:
    """Begin a page: whatever it shows from here on is of the table that the study has now."""
    for _ in range(3):
        choices.remember("versions", {str(study.folder): version_on_disk(study)})
        try:
            table_of(study)
        except TableChanged:  # while it was read
            continue
        except FoxnasError:  # which the page says where it matters
            pass
        return


def drawn(study: Study) -> Shown:
    """The table that the page shows."""
    with suppress(FoxnasError):
        return version_of(study), len(table_of(study))
    return version_of(study), None


def on_disk(study: Study) -> Shown:
    """The table on disk; an empty version where the study is gone."""
    version = version_on_disk(study)
    digests = dict(version)
    if "measurements.parquet" not in digests:
        return version, 0
    with suppress(FoxnasError):
        return version, _rows(str(study.table_file), digests["measurements.parquet"])
    return version, None


def stamp_of(study: Study, *names: str) -> Stamp:
    """Changes whenever one of the files does, a table among them by its content."""
    stamps: list[tuple[str | int, ...]] = []
    for name in names:
        path = study.folder / name
        with suppress(OSError):
            if path.suffix == ".parquet":
                stamps.append((name, _digest_of(path)))
                continue
            status = path.stat()
            stamps.append((name, status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(stamps)


def export_stamp(study: Study) -> Stamp:
    """Changes whenever a file that exported files are made of does."""
    return stamp_of(study, "space.json", "supernet.safetensors", "images.npz")


def version_of(study: Study) -> Version:
    """What identifies the content of the files that a fit reads: of those that this page began
    with, so that all it shows is of one table."""
    kept: dict[str, Version] = choices.remembered("versions") or {}
    folder = str(study.folder)
    if folder not in kept:
        kept = {**kept, folder: version_on_disk(study)}
        choices.remember("versions", kept)
    return kept[folder]


def version_on_disk(study: Study) -> Version:
    """The same of the files that are there now."""
    found = []
    for name in ("space.json", "measurements.parquet"):
        with suppress(OSError):
            found.append((name, _digest_of(study.folder / name)))
    return tuple(found)


def _digest_of(path: Path) -> str:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        return _digest(str(path), status.st_ino, status.st_mtime_ns, status.st_size, file)


@st.cache_resource(max_entries=256, show_spinner=False)
def _digest(path: str, node: int, changed: int, size: int, _file: BinaryIO) -> str:
    """Of the content that the other arguments identify: files are replaced, never changed."""
    return hashlib.file_digest(_file, "sha256").hexdigest()


@st.cache_resource(max_entries=256, show_spinner=False)
def _rows(path: str, digest: str) -> int:
    return count_rows(Path(path))


def cached(
    *files: str, table: bool = True, entries: int = 16, spinner: bool | str = False
) -> Callable[[_Function], _Function]:
    """Keep what a function computes from a study and further arguments, for all sessions.

    A study counts by the content of its `table` (and space) and by the stamps of `files`.
    """

    def content(study: Study) -> tuple[Version, Goals, Stamp]:
        return version_of(study) if table else (), study.goals, stamp_of(study, *files)

    def told(value: Any, others: list[Any]) -> Any:
        """What a value counts by, of plain types alone; what is of others is added to those."""
        if isinstance(value, Study):
            return content(value)
        if isinstance(value, tuple):
            return tuple(told(one, others) for one in value)
        if value is None or isinstance(value, str | int | float):
            return value
        others.append(value)
        return ...

    def decorate(function: _Function) -> _Function:
        signature = inspect.signature(function)

        # Streamlit hashes plain values one by one, each slower than all of them as one text.
        def computed(_given: tuple[Any, ...], key: Any) -> Any:
            return function(*_given)

        # By which its results are told from others', and what a spinner names.
        for name in ("__module__", "__name__", "__qualname__"):
            setattr(computed, name, getattr(function, name))
        kept = st.cache_resource(
            computed,
            max_entries=entries,
            show_spinner=spinner,
            hash_funcs={
                Study: content,
                Goals: Goals.to_dict,
                Architecture: choices.as_text,
                SearchSpace: lambda space: space.fingerprint,
            },
        )

        @wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            # Streamlit tells a default that is given from one that is left out.
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            others: list[Any] = []
            text = repr(told(given.args, others))
            return kept(given.args, (text, others) if others else text)

        return called  # type: ignore[return-value]

    return decorate


@cached(entries=8)
def table_of(study: Study) -> MeasurementTable:
    """The measurement table, with sizes where it tells of no quality; raises as `Study.table`."""
    from foxnas_core.regression.counting import with_sizes

    table = with_sizes(study.table())
    if version_on_disk(study) != version_of(study):
        raise TableChanged(
            f"The table of {study.name} was changed while this page was drawn; reload the page."
        )
    return table
