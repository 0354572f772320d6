"""Writing files so that a reader never sees half of one; opening archives of unknown origin."""

import errno
import os
import shlex
import struct
import tempfile
import zipfile
from pathlib import Path
from typing import BinaryIO

_ENTRY = 512  # bytes of a zip's directory that are allowed for each file in it


def write_atomically(path: Path, content: bytes | str) -> None:
    """Write a temporary file beside `path`, then rename it into place; makes folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_beside(path, content)


def write_beside(path: Path, content: bytes | str) -> None:
    """The same in a folder that is there, as OSError says of one that is not."""
    data = content.encode() if isinstance(content, str) else content
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp gives 0600; a study is shared like any other file.
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def check_place(path: Path) -> None:
    """Raises OSError where no file can be written at `path`, whose folders need not be there."""
    there = next(place for place in path.absolute().parents if place.exists())
    with tempfile.TemporaryFile(dir=there):
        pass


def check_file(path: Path) -> Path:
    """The same path; raises OSError where it is a folder, a pipe or a device, which would be waited
    for."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is a folder, a pipe or a device", str(path))
    return path


def typed(path: Path) -> str:
    """A path as one types it in the shell in which the program was started."""
    found, here = path.resolve(), Path.cwd().resolve()
    return shlex.quote(str(found.relative_to(here) if found.is_relative_to(here) else found))


def open_zip(file: BinaryIO, most_files: int) -> zipfile.ZipFile:
    """A zip archive to read, whose directory is not larger than so many files need.

    Python reads the whole directory at once, so it is looked at before. Nothing may follow it: no
    comment, no second directory, none of archives above 4 GB. Raises `zipfile.BadZipFile`.
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(max(0, end - 42))
    tail = file.read()
    file.seek(0)
    record = tail[-22:]
    if len(record) < 22 or record[:4] != b"PK\x05\x06" or record[20:] != b"\0\0":
        raise zipfile.BadZipFile("it is cut short, or no zip")
    if tail[:-22][-20:-16] == b"PK\x06\x07":
        raise zipfile.BadZipFile("it is one of more than 4 GB")
    count, size = struct.unpack("<HL", record[10:16])
    if count > most_files or size > most_files * _ENTRY:
        raise zipfile.BadZipFile(f"it holds more than {most_files:,} files")
    return zipfile.ZipFile(file)
