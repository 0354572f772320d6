"""Tables made elsewhere: FOX-NAS's published columns, one column a decision, JSON architectures.

A file is read as it is (`reading`), its columns are given their meaning and units (`mapping`), and
what comes out is a checked measurement table. docs/importing.md describes the layouts.
"""

from foxnas_core.table.importing.foreign import ForeignFile, read_content, read_file
from foxnas_core.table.importing.mapping import (
    ColumnMapping,
    ColumnsRead,
    needs_unit,
    suggest_mapping,
)
from foxnas_core.table.importing.published import published_space
from foxnas_core.table.importing.reading import ARCHITECTURE, SUFFIXES

__all__ = [
    "ARCHITECTURE",
    "SUFFIXES",
    "ColumnMapping",
    "ColumnsRead",
    "ForeignFile",
    "needs_unit",
    "published_space",
    "read_content",
    "read_file",
    "suggest_mapping",
]
