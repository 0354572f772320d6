"""Broken inputs through every door: each is accepted as what it says it is, or refused in one
sentence, and then nothing is changed. `benchmarks.fuzz` goes on where these end."""

import json

import pytest

from foxnas_core import files
from foxnas_core.study.library import placing
from tests.fuzz.brought import EVERY
from tests.fuzz.doors import RECORDS, Door, enter_record, own_study
from tests.fuzz.trying import Doorway

# Of the hundreds of parts that an input is counted in, see `Door.share`.
TIMES = 3


def test_there_are_hundreds():
    assert sum(TIMES * door.share for door in EVERY) >= 800


@pytest.mark.parametrize("door", EVERY, ids=lambda door: door.name)
def test_what_is_broken_is_refused_in_one_sentence_or_is_none(door: Door, tmp_path, monkeypatch):
    for room in (files, placing):  # hundreds of writes need not wait for the disk
        monkeypatch.setattr(room.os, "fsync", lambda _: None)
    doorway, refused = Doorway(tmp_path / "own", door), 0
    for number in range(TIMES * door.share):
        outcome = doorway.tried(number)
        if outcome.is_refusal:
            refused += 1
            assert outcome.is_sentence, (number, outcome.said[:500])
            assert not outcome.left, number
    assert refused > TIMES * door.share / 10


@pytest.mark.parametrize("name", RECORDS)
def test_a_whole_record_comes_in(name: str, tmp_path):
    """Else what is broken of it would be refused for another reason."""
    own_study(tmp_path)
    enter_record(name)(tmp_path, json.dumps(RECORDS[name]).encode())
