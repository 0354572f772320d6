"""Images that a study shares with a sibling, a study in the same folder: `study.json` names that
study and the hash of its images, which are then stored once for both."""

from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from foxnas_core.errors import InvalidInput
from foxnas_core.study.files import about, file_hash
from foxnas_core.study.names import check_name

IMAGES = "images.npz"


class Sibling(NamedTuple):
    """The study whose images are shared, and the hash that they must have (see `file_hash`)."""

    study: str
    images: str


def sibling_of(folder: Path) -> Sibling | None:
    """The sibling that `study.json` names; None where it names none.

    Raises `InvalidInput` where what it says can't be one.
    """
    told = about(folder).get("sibling")
    if told is None:
        return None
    try:
        found = Sibling(**told)
        check_name(found.study)
        if not isinstance(found.images, str):
            raise TypeError
    except TypeError as error:
        raise InvalidInput(
            f"{folder / 'study.json'}: the sibling must be an object of a 'study' and the hash of "
            "its 'images'; mend or remove it."
        ) from error
    return found


def shared_images(folder: Path) -> Path | None:
    """The file of the images that a study shares; None where there is none, or another one."""
    with suppress(InvalidInput):  # whoever opens the study says so
        sibling = sibling_of(folder)
        if sibling and _hash_at(_file(folder, sibling)) == sibling.images:
            return _file(folder, sibling)
    return None


def sibling_sentence(folder: Path) -> str:
    """What is wrong with the images that a study without its own shares, and what to do; "" where
    nothing is, or it shares none. Raises as `sibling_of`."""
    sibling = sibling_of(folder)
    if sibling is None or (folder / IMAGES).exists():
        return ""
    found = _hash_at(_file(folder, sibling))
    if found == sibling.images:
        return ""
    wrong = f"are others (hash {found}, not {sibling.images})" if found else "are not there"
    return (
        f"It shares those of the study {sibling.study!r} beside it, which {wrong}; put that study "
        f"there as it was, or copy its {IMAGES} into this one."
    )


def how_to_get_images(folder: Path, trained_on: str | None) -> str:
    """What to do about the images that a study lacks, whose weights were trained on that."""
    if trained_on:
        train = f"'python -m foxnas_core train' on {trained_on} stores them, with weights anew."
    else:
        train = f"'python -m foxnas_core train' stores them, or copy its {IMAGES} into the study."
    return sibling_sentence(folder) or train


def _file(folder: Path, sibling: Sibling) -> Path:
    return folder.parent / sibling.study / IMAGES


def _hash_at(path: Path) -> str:
    """The hash of a file, asked at each drawing of a page; "" where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return ""
    return _hash_of(path, (stat.st_ino, stat.st_mtime_ns, stat.st_size))


@lru_cache(maxsize=64)
def _hash_of(path: Path, _stamp: tuple[int, int, int]) -> str:
    return file_hash(path)
