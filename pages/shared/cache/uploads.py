"""Files that somebody uploaded.

They are large and of use to one visitor, so few are kept, and not for long. Their bytes are known
by their digest.
"""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property

import streamlit as st

from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.importing import ColumnMapping, ForeignFile, read_content
from foxnas_core.table.measurements import MeasurementTable


@dataclass(frozen=True)
class Upload:
    """A file that somebody uploaded: its name and its bytes."""

    name: str
    content: bytes = field(repr=False)

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.content).hexdigest()


_BY = {
    Upload: lambda upload: (upload.name, upload.digest),
    SearchSpace: lambda space: space.fingerprint,
    ColumnMapping: lambda mapping: (dict(mapping.columns), dict(mapping.units), mapping.decimal),
}


@st.cache_resource(max_entries=2, ttl=1800, show_spinner="Reading the file …", hash_funcs=_BY)
def foreign_of(upload: Upload) -> ForeignFile:
    """The uploaded file with its own columns; raises as `read_content`."""
    return read_content(upload.name, upload.content)


@st.cache_resource(max_entries=4, ttl=1800, show_spinner="Checking the rows …", hash_funcs=_BY)
def imported_of(
    upload: Upload, space: SearchSpace, mapping: ColumnMapping | None
) -> MeasurementTable:
    """The checked table of an uploaded file; raises as `ForeignFile.table`."""
    return foreign_of(upload).of(space).table(space, mapping)
