"""Deleted studies, which lie in the folder `.trash` until somebody restores or discards them."""

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.study import new_study_folder
from foxnas_core.study.library.placing import place
from foxnas_core.study.library.shelf import Entry, entry_of, study_at
from foxnas_core.study.locks import alone, writing

_TRASH = ".trash"
_TIME = "%Y%m%d-%H%M%S"
_KEY = re.compile(r"(?P<name>.+)-(?P<when>\d{8}-\d{6})-(?P<number>\d{1,9})")


@dataclass(frozen=True)
class Trashed:
    """A deleted study: its folder's name in the trash, the one it had, when it was deleted (UTC, by
    the clock of then), its place in the order of deletions, and what it holds."""

    key: str
    name: str
    when: datetime
    number: int
    entry: Entry


def delete(studies: Path, name: str) -> Trashed:
    """Put a study in the trash.

    Raises as `study_at`, and `NotWritable` where somebody uses it.
    """
    folder = study_at(studies, name)
    with writing(studies):
        (studies / _TRASH).mkdir(exist_ok=True)
    with alone(folder):
        # Counted, since by the clock alone two could be called the same, or be out of order.
        number = 1 + max((item.number for item in trashed(studies)), default=0)
        key = f"{name}-{datetime.now(UTC):{_TIME}}-{number}"
        place(folder, studies / _TRASH / key)
    return _looked_up(studies, key)


def trashed(studies: Path) -> list[Trashed]:
    """What lies in the trash, the last deleted first."""
    found = []
    for folder in (studies / _TRASH).glob("*"):
        match = _KEY.fullmatch(folder.name)
        if match is None or not folder.is_dir():
            continue
        try:
            when = datetime.strptime(match["when"], _TIME).replace(tzinfo=UTC)
        except ValueError:  # nothing that was put there by us
            continue
        entry = entry_of(folder)
        found.append(Trashed(folder.name, match["name"], when, int(match["number"]), entry))
    return sorted(found, key=lambda item: (item.number, item.when, item.key), reverse=True)


def restore(studies: Path, key: str, name: str | None = None) -> Path:
    """Take a study out of the trash, under its own name or another one; returns its folder.

    Raises `MissingPart` for what is not there, and as `new_study_folder` and `writing`.
    """
    item = _looked_up(studies, key)
    target = new_study_folder(studies, item.name if name is None else name)
    with writing(studies):
        place(item.entry.folder, target)
    return target


def discard(studies: Path, key: str, *, confirmed: str) -> None:
    """Remove what lies in the trash for good, where `confirmed` says once more which it is.

    Raises `MissingPart` for what is not there, `InvalidInput` where it is not confirmed, and as
    `writing`.
    """
    item = _looked_up(studies, key)
    if confirmed != item.key:
        raise InvalidInput(
            f"{item.key} is removed for good, which can't be undone; say its name once more to "
            "confirm."
        )
    with writing(studies):
        shutil.rmtree(item.entry.folder)


def _looked_up(studies: Path, key: str) -> Trashed:
    items = {item.key: item for item in trashed(studies)}
    if key not in items:
        known = ", ".join(items) or "nothing"
        raise MissingPart(f"{key!r} is not in the trash of {studies}; there is: {known}.")
    return items[key]
