"""A study as one file: a zip of its parts and of `manifest.json`, which names each with its digest.

`manifest.json` is {"format": 1, "kind": "foxnas-study", "study": name, "files": [{"name", "bytes",
"sha256"}]}. Nothing is compressed, since tables and images are already, so that the same study
gives the same bytes anywhere. An archive may come from anybody: whatever it holds is checked before
the study can be seen.
"""

import hashlib
import io
import json
import os
import stat
import struct
import tempfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from foxnas_core.documents import parse_json
from foxnas_core.errors import FoxnasError, InvalidInput, NotWritable
from foxnas_core.files import open_zip
from foxnas_core.study import Study, check_parts, open_study
from foxnas_core.study.library.placing import CHUNK, fill, new_folder
from foxnas_core.study.parts import collections, file_limits, opened_parts, part_limit

_MANIFEST = "manifest.json"
_KIND, _FORMAT = "foxnas-study", 1
_MOST_MANIFEST = 1 << 20
MOST_BYTES = 2 << 30
_MOST_RATIO = 200  # of what is worth compressing; a bomb's is about 1000
# Whether the name is UTF-8, how hard was compressed, and whether sizes follow: nothing else.
_HARMLESS_FLAGS = 0x800 | 0x6 | 0x8
_BROKEN = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error,
    ValueError, OverflowError,
)  # fmt: skip


@dataclass(frozen=True)
class Content:
    """What an archive says it holds: the study's name, and the digest and bytes of each file."""

    study: str
    digests: dict[str, str]
    sizes: dict[str, int]


def _most_files() -> int:
    return len(file_limits()) + sum(kind.many for kind in collections()) + 1


def pack(study: Study) -> bytes:
    """The study as one file; see `write_archive`."""
    buffer = io.BytesIO()
    write_archive(study, buffer)
    return buffer.getvalue()


def write_archive(study: Study, file: BinaryIO) -> None:
    """Write the study as it is at one moment to a seekable file.

    Raises `InvalidInput` where it is larger than an archive may be, `MissingPart` where it is gone.
    """
    listed = []
    with opened_parts(study.folder) as parts, zipfile.ZipFile(file, "w") as archive:
        sizes = {name: os.fstat(part.fileno()).st_size for name, part in parts.items()}
        _check_sizes(sizes, str(study.folder))
        for name, part in parts.items():
            digest = hashlib.sha256()
            with archive.open(_entry(name, sizes[name]), "w") as target:
                while piece := part.read(CHUNK):
                    digest.update(piece)
                    target.write(piece)
            listed.append({"name": name, "bytes": sizes[name], "sha256": digest.hexdigest()})
        about = {"format": _FORMAT, "kind": _KIND, "study": study.folder.name, "files": listed}
        text = json.dumps(about, indent=1) + "\n"
        archive.writestr(_entry(_MANIFEST, len(text)), text)


def write_file(study: Study, path: Path) -> None:
    """The study as a new file; raises `InvalidInput` where there is one already, or where it can't
    be written, and as `write_archive`."""
    if path.exists():
        raise InvalidInput(f"{path} exists already; name a new file.")
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as temporary:
            ready = Path(temporary) / path.name
            with ready.open("w+b") as file:
                write_archive(study, file)
                file.flush()
                os.fsync(file.fileno())
            ready.replace(path)
    except OSError as error:
        raise InvalidInput(
            f"{path} can't be written ({error.strerror}); name another file, or free some space."
        ) from error


def content_of(file: BinaryIO, label: str) -> Content:
    """What an archive says it holds, with names, sizes and the list checked.

    `label` is what errors call the file. Raises `InvalidInput`.
    """
    with _refusing(label):
        try:
            with open_zip(file, _most_files()) as archive:
                return _content(archive, file.seek(0, os.SEEK_END))
        except OSError as error:
            raise zipfile.BadZipFile("it can't be read") from error


def bring_in(studies: Path, file: BinaryIO, *, label: str, name: str | None = None) -> Study:
    """A new study from an archive, under its own name or another one.

    It appears when all of it was read as a study, and else leaves no trace. Raises `InvalidInput`,
    which calls the file `label`, for what is damaged or no study's, and as `new_study_folder` and
    `writing`.
    """
    content = content_of(file, label)
    own = content.study if name is None else name
    with new_folder(studies, own) as folder:
        with _refusing(label), open_zip(file, _most_files()) as archive:
            begun = time.time_ns()
            for number, part in enumerate(content.digests):
                digest = hashlib.sha256()
                fill(folder / part, _reading(archive, part, digest))
                if digest.hexdigest() != content.digests[part]:
                    raise InvalidInput(f"{part} is not what {_MANIFEST} says it is")
                # Kept searches are listed by it.
                os.utime(folder / part, ns=(begun + 1000 * number, begun + 1000 * number))
        with _refusing(label, folder):
            check_parts(open_study(folder))
    return open_study(studies / own)


def _entry(name: str, size: int) -> zipfile.ZipInfo:
    # A fixed date, so that equal studies give equal bytes.
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
    entry.file_size = size
    return entry


def _reading(archive: zipfile.ZipFile, part: str, digest: Any) -> Callable[[int], bytes]:
    """What reads a part piece by piece, and into `digest`."""
    opened: list[IO[bytes]] = []

    def read(count: int) -> bytes:
        try:
            if not opened:
                opened.append(archive.open(part))
            piece = opened[0].read(count)
        except OSError as error:  # the archive's, not the disk's that is written to in between
            raise zipfile.BadZipFile(f"{part} is damaged") from error
        digest.update(piece)
        return piece

    return read


def _content(archive: zipfile.ZipFile, size: int) -> Content:
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        name = entry.orig_filename
        if name in entries:
            raise InvalidInput(f"it holds {_short(name)} twice")
        if name != _MANIFEST and part_limit(name) is None:
            raise InvalidInput(f"it holds {_short(name)}, which no study has")
        if entry.flag_bits & 0x1:
            raise InvalidInput(f"{name} in it is encrypted")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise InvalidInput(f"{name} in it is a link or a folder, not a file")
        if (
            entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
            or entry.flag_bits & ~_HARMLESS_FLAGS
        ):
            raise InvalidInput(f"{name} in it is packed in a way that is not read here")
        if entry.file_size > _MOST_RATIO * max(entry.compress_size, 1):
            raise InvalidInput(f"{name} in it unfolds to more than {_MOST_RATIO} times its size")
        entries[name] = entry
    if sum(entry.compress_size for entry in entries.values()) > size:
        raise InvalidInput("files in it overlap")
    if _MANIFEST not in entries:
        raise InvalidInput(f"it has no {_MANIFEST}, so it is no study's")
    if entries[_MANIFEST].file_size > _MOST_MANIFEST:
        raise InvalidInput(f"its {_MANIFEST} is too large")
    with archive.open(_MANIFEST) as file:
        content = _listed(file.read(_MOST_MANIFEST + 1))
    sizes = {name: e.file_size for name, e in entries.items() if name != _MANIFEST}
    if content.sizes != sizes:
        raise InvalidInput(f"its files are not those that {_MANIFEST} lists")
    if "space.json" not in sizes:
        raise InvalidInput("it has no space.json, so it is no study's")
    _check_sizes(sizes, "it")
    return content


def _listed(text: bytes) -> Content:
    wrong = InvalidInput(f"its {_MANIFEST} is no list of a study's files")
    try:
        about = parse_json(text)
        if about["kind"] != _KIND:
            raise wrong
        if about["format"] != _FORMAT:
            raise InvalidInput(
                f"its {_MANIFEST} has format {about['format']!r}, of which this version reads "
                f"{_FORMAT}"
            )
        files = about["files"]
        digests = {str(file["name"]): str(file["sha256"]) for file in files}
        sizes = {str(file["name"]): int(file["bytes"]) for file in files}
        if not isinstance(about["study"], str) or len(digests) != len(files):
            raise wrong
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise wrong from error
    return Content(about["study"], digests, sizes)


def _check_sizes(sizes: dict[str, int], what: str) -> None:
    """Raises `InvalidInput` for more than an archive may hold; `what` holds it."""
    for name, size in sizes.items():
        limit = part_limit(name) or 0
        if size > limit:
            raise InvalidInput(f"{what} has a {name} of more than {_bytes(limit)}")
    for kind in collections():
        own = [size for name, size in sizes.items() if name.startswith(f"{kind.file}/")]
        if len(own) > kind.many or sum(own) > kind.total:
            raise InvalidInput(
                f"{what} has more than {kind.many:,} {kind.about}, or {_bytes(kind.total)} of them"
            )
    if sum(sizes.values()) > MOST_BYTES:
        raise InvalidInput(f"{what} has more than {_bytes(MOST_BYTES)} of files")


@contextmanager
def _refusing(label: str, folder: Path | None = None) -> Iterator[None]:
    """Turns whatever is wrong with an archive, or with the study that was unpacked to a hidden
    `folder`, into one sentence that names the archive and says how to mend that."""
    try:
        yield
    except NotWritable:
        raise
    except FoxnasError as error:
        said, mend = str(error), "name a file as 'study export' writes it"
        if folder is not None:
            said = said.replace(f"{folder}/", "").replace(str(folder), "the study")
            mend = "mend that in the study that it was exported from, and export it again"
        raise InvalidInput(f"{label} can't be imported: {said.rstrip('.')}; {mend}.") from error
    except _BROKEN as error:
        said = f"{error}".partition("\n")[0].rstrip(".") or "it is cut short"
        raise InvalidInput(
            f"{label} can't be imported, since it is damaged or no zip ({said}); export the study "
            "once more."
        ) from error


def _bytes(count: int) -> str:
    return f"{count >> 30} GB" if count >= 1 << 30 else f"{max(count >> 10, 1):,} kB"


def _short(name: str) -> str:
    return repr(name if len(name) <= 60 else f"{name[:60]}…")
