"""Broken inputs through every door: each is accepted as what it says it is, or refused in one
sentence, and then nothing is changed."""

import json
import warnings
from pathlib import Path
from random import Random

import pytest

from foxnas_core import files
from foxnas_core.errors import FoxnasError
from foxnas_core.study.library import placing
from tests.fuzz.doors import DOORS, RECORDS, Door, Refused, enter_record, own_study

# Of the hundred parts that an input is counted in, see `Door.share`.
TIMES = 10


def state(folder: Path) -> dict[str, bytes]:
    """What the files hold, locks aside."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".lock"
    }


def is_one_sentence(said: str) -> bool:
    said.encode()
    return said.isprintable() and 10 < len(said) <= 400 and said[-1] in ".)"


def test_there_are_thousands():
    assert sum(TIMES * door.share for door in DOORS) >= 2000


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.name)
def test_what_is_broken_is_refused_in_one_sentence_or_is_none(door: Door, tmp_path, monkeypatch):
    for room in (files, placing):  # thousands of writes need not wait for the disk
        monkeypatch.setattr(room.os, "fsync", lambda _: None)
    number = refused = 0
    while number < TIMES * door.share:
        folder = tmp_path / str(number)  # another one after each that was accepted
        own_study(folder)
        before = state(folder)
        while number < TIMES * door.share:
            broken = door.make(Random(f"{door.name} {number}"))
            number += 1
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    door.enter(folder, broken)
            except FoxnasError as error:
                refused += 1
                assert is_one_sentence(str(error)), (number, str(error)[:500])
                assert state(folder) == before, number
            except Refused:
                refused += 1
                assert state(folder) == before, number
            else:
                if state(folder) != before:
                    break
    assert refused > number / 10


@pytest.mark.parametrize("name", RECORDS)
def test_a_whole_record_comes_in(name: str, tmp_path):
    """Else what is broken of it would be refused for another reason."""
    own_study(tmp_path)
    enter_record(name)(tmp_path, json.dumps(RECORDS[name]).encode())
