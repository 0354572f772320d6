"""A folder of studies: what there is, copies, new names, the trash, and studies as one file."""

from foxnas_core.study.library.archive import (
    Content,
    bring_in,
    content_of,
    pack,
    write_archive,
    write_file,
)
from foxnas_core.study.library.shelf import (
    Entry,
    create,
    duplicate,
    entry_of,
    rename,
    shelf,
    study_at,
)
from foxnas_core.study.library.trash import Trashed, delete, discard, restore, trashed

__all__ = [
    "Content",
    "Entry",
    "Trashed",
    "bring_in",
    "content_of",
    "create",
    "delete",
    "discard",
    "duplicate",
    "entry_of",
    "pack",
    "rename",
    "restore",
    "shelf",
    "study_at",
    "trashed",
    "write_archive",
    "write_file",
]
