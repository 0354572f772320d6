"""One broken input through one door, and what came of it."""

import shutil
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from random import Random

from foxnas_core.errors import FoxnasError
from tests.fuzz.doors import Door, Refused, own_study


@dataclass(frozen=True)
class Outcome:
    """What was said of an input, "" where it was accepted as what it is, by the command line alone
    where `by_usage`; whether a refusal `left` something behind; seconds of computing."""

    said: str
    seconds: float
    left: bool = False
    by_usage: bool = False

    @property
    def is_refusal(self) -> bool:
        return bool(self.said) or self.by_usage

    @property
    def is_sentence(self) -> bool:
        return self.by_usage or is_one_sentence(self.said)


class Doorway:
    """A folder with a study that a door leads into, which is another one once it was changed."""

    def __init__(self, folder: Path, door: Door) -> None:
        self._folder, self._door = folder, door
        self._fresh()

    def _fresh(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
        own_study(self._folder)
        self._before = state(self._folder)

    def tried(self, number: int) -> Outcome:
        """The door's input of this number; raises what is no refusal."""
        broken = self._door.make(Random(f"{self._door.name} {number}"))
        begun, said, by_usage = time.process_time(), "", False
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._door.enter(self._folder, broken)
        except FoxnasError as error:
            said = str(error)
        except Refused as refused:
            said, by_usage = str(refused), True
        seconds = time.process_time() - begun
        changed = state(self._folder) != self._before
        if changed:
            self._fresh()
        return Outcome(said, seconds, changed and bool(said or by_usage), by_usage)


def state(folder: Path) -> dict[str, bytes]:
    """What the files hold; locks, and fits that are kept to be found again, aside."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".lock", ".fit")
    }


def is_one_sentence(said: str) -> bool:
    said.encode()
    return said.isprintable() and 10 < len(said) <= 400 and said[-1] in ".)"
