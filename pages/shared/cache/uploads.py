"""Files that somebody uploaded.

They are large and of use to one visitor, so few are kept, and not for long. Their bytes are known
by their digest.
"""

import hashlib
import json
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


def foreign_of(upload: Upload) -> ForeignFile:
    """The uploaded file with its own columns; raises as `read_content`."""
    return _foreign(upload.name, upload.digest, upload)


@st.cache_resource(max_entries=2, ttl=1800, show_spinner="Reading the file …")
def _foreign(name: str, digest: str, _upload: Upload) -> ForeignFile:
    return read_content(name, _upload.content)


def imported_of(
    upload: Upload, space: SearchSpace, mapping: ColumnMapping | None
) -> MeasurementTable:
    """The checked table of an uploaded file; raises as `ForeignFile.table`."""
    told = (dict(mapping.columns), dict(mapping.units)) if mapping else None
    key = json.dumps([space.to_dict(), told])
    return _imported(upload.name, upload.digest, key, upload, space, mapping)


@st.cache_resource(max_entries=4, ttl=1800, show_spinner="Checking the rows …")
def _imported(
    name: str,
    digest: str,
    key: str,
    _upload: Upload,
    _space: SearchSpace,
    _mapping: ColumnMapping | None,
) -> MeasurementTable:
    return _foreign(name, digest, _upload).table(_space, _mapping)
