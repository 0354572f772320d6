"""The small files of a study: JSON, spaces, architectures, names and descriptions."""

import hashlib
import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

from foxnas_core.documents import parse_json
from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.families import architecture_from_document, space_from_dict
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

_MOST_TITLE, _MOST_DESCRIPTION = 100, 2000


def read_space(path: Path) -> SearchSpace:
    """A search space file; raises `InvalidInput` naming the file and the field."""
    return parse_space(str(path), content_of(path))


# Spaces are values that nothing changes, and whoever opens a study again shares the one there is.
@lru_cache(maxsize=64)
def parse_space(source: str, content: bytes) -> SearchSpace:
    """A search space from the bytes of its file, which errors call `source`."""
    document = _parsed_json(source, content)
    try:
        return space_from_dict(document)
    except InvalidInput as error:
        raise InvalidInput(f"{source}: {error}") from error


def read_architecture(path: Path, space: SearchSpace) -> Architecture:
    """An architecture file: one JSON object of choices, or one with them under "architecture".

    Raises `InvalidInput` naming the file and the decision.
    """
    document = _read_json(path)
    try:
        return architecture_from_document(space, document)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from error


def file_hash(path: Path) -> str:
    """Twelve hexadecimal digits of the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def about(folder: Path) -> dict[str, Any]:
    """What a study's `study.json` holds; empty without one. Raises `InvalidInput` where it is
    none, or of a later format."""
    path = folder / "study.json"
    about = _read_json(path) if path.exists() else {}
    if not isinstance(about, dict):
        raise InvalidInput(f"{path} must be a JSON object.")
    if about.get("format", 1) != 1 or about.get("format") is True:
        raise InvalidInput(f"{path} has format {about['format']!r:.40}; this version reads 1.")
    return about


def check_description(name: Any, description: Any) -> None:
    """Raises `InvalidInput` where they can't be a study's shown name and description."""
    for text, what, most in (
        (name, "name", _MOST_TITLE), (description, "description", _MOST_DESCRIPTION)
    ):  # fmt: skip
        if not isinstance(text, str) or len(text) > most or not _is_plain(text):
            raise InvalidInput(
                f"A study's {what} must be text of at most {most:,} characters, without control "
                "characters."
            )
    if not name.strip() or "\n" in name:
        raise InvalidInput("A study's name must be one line of text; give it a name.")


def _read_json(path: Path) -> Any:
    return _parsed_json(str(path), content_of(path))


def content_of(path: Path) -> bytes:
    """A file's bytes; raises `MissingPart` naming it."""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise OSError
        return path.read_bytes()
    except OSError as error:
        raise MissingPart(f"{path} can't be read; check that it exists.") from error


def _parsed_json(source: str, content: bytes) -> Any:
    try:
        return parse_json(content)
    except ValueError as error:
        raise InvalidInput(f"{source} is no valid JSON ({error}); restore or mend it.") from error


def _is_plain(text: str) -> bool:
    return all(sign == "\n" or unicodedata.category(sign)[0] != "C" for sign in text)
