"""Where the files of an export go: a new folder or archive, all of them or none."""

import io
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from foxnas_core.errors import InvalidInput
from foxnas_core.export.formats import FileCheck
from foxnas_core.files import check_place, write_atomically


@dataclass(frozen=True)
class ExportedModel:
    """The exported files by name, and how each runnable one compared; `left_out` has a sentence for
    each format that can't be written here."""

    architecture_id: str
    files: Mapping[str, bytes]
    checks: tuple[FileCheck, ...]
    left_out: tuple[str, ...] = ()


def check_new(out: Path) -> None:
    """Raises `InvalidInput` where a folder to write to has content, a file stands there, or nothing
    can be written."""
    if out.suffix == ".zip" and out.exists():
        raise InvalidInput(f"{out} exists already; name a new archive for the export.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InvalidInput(f"{out} exists and is not empty; name a new folder for the export.")
    try:
        check_place(out / "export" if out.exists() else out)
    except OSError as error:
        raise _not_written(out, error) from error


def write_export(exported: ExportedModel, out: Path) -> None:
    """Write all files to a new folder or, where `out` ends in .zip, to a new archive: all or none.

    Raises `InvalidInput` where it exists with content, or can't be written.
    """
    check_new(out)
    try:
        if out.suffix == ".zip":
            write_atomically(out, zip_export(exported))
            return
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as temporary:
            ready = Path(temporary) / "export"
            ready.mkdir()
            for name, content in exported.files.items():
                (ready / name).write_bytes(content)
            ready.replace(out)
    except OSError as error:
        raise _not_written(out, error) from error


def zip_export(exported: ExportedModel) -> bytes:
    """All files as one ZIP archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in exported.files.items():
            archive.writestr(f"{exported.architecture_id}/{name}", content)
    return buffer.getvalue()


def _not_written(out: Path, error: OSError) -> InvalidInput:
    return InvalidInput(
        f"{out} can't be written ({error.strerror or error}); name a folder in a place where this "
        "user may write, and which has space."
    )
