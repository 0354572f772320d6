"""Which content of a study a page shows: its files' stamps, its table's version.

A stamp is read as part of the key only. Architectures come as JSON, which Streamlit can hash. What
follows from a table's content alone is kept by that, so that copies of a study share it: their
`_folder` only says where it may be read.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import streamlit as st

from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.study.storage import Study, open_study
from foxnas_core.table.files import count_rows
from foxnas_core.table.measurements import MeasurementTable
from pages.shared import choices

Stamp = tuple[tuple[str, int, int, int], ...]
# By file, what identifies its content; of those that a fit reads.
Version = tuple[tuple[str, str], ...]
# That, and the number of rows, if it can be told.
Shown = tuple[Version, int | None]


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


def table_of(study: Study) -> MeasurementTable:
    """The measurement table; raises as `Study.table`."""
    return cached_table(str(study.folder), version_of(study))


def stamp_of(study: Study, *names: str) -> Stamp:
    """Changes whenever one of the files does."""
    stamps = []
    for name in names:
        path = study.folder / name
        if path.exists():
            status = path.stat()
            stamps.append((name, status.st_ino, status.st_mtime_ns, status.st_size))
    return tuple(stamps)


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
        with suppress(OSError), (study.folder / name).open("rb") as file:
            status = os.fstat(file.fileno())
            identity = (str(study.folder / name), status.st_ino, status.st_mtime_ns, status.st_size)
            found.append((name, _digest(*identity, file)))
    return tuple(found)


@st.cache_resource(max_entries=256, show_spinner=False)
def _digest(path: str, node: int, changed: int, size: int, _file: BinaryIO) -> str:
    """Of the content that the other arguments identify: files are replaced, never changed."""
    return hashlib.file_digest(_file, "sha256").hexdigest()


@st.cache_resource(max_entries=256, show_spinner=False)
def _rows(path: str, digest: str) -> int:
    return count_rows(Path(path))


@st.cache_resource(max_entries=8, show_spinner=False)
def cached_table(_folder: str, stamp: Version) -> MeasurementTable:
    study = open_study(Path(_folder))
    table = study.table()
    if version_on_disk(study) != stamp:
        raise TableChanged(
            f"The table of {study.name} was changed while this page was drawn; reload the page."
        )
    return table
