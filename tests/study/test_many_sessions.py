"""Eight sessions on one study, which some of them rename, delete and give another table."""

import threading
from pathlib import Path
from random import Random

import pytest
from hand import hand_space, noisy_table

from foxnas_core.errors import FoxnasError
from foxnas_core.study import check_parts, create_study, list_studies, open_study
from foxnas_core.study.library import delete, rename, restore, trashed
from foxnas_core.study.variants import VARIANTS

SPACE = hand_space()
SUBNETS = SPACE.sample(20, seed=0) * 3  # one a turn
SESSIONS, TURNS = 8, 6


class Sessions:
    """What each session does, which rows were said to be added, and what it met that is no
    sentence."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.added: list[float] = []
        self.problems: list[BaseException] = []
        self.refused = 0

    def run(self, who: int) -> None:
        chance = Random(who)
        acts = [self.append, self.append, self.keep, self.describe, self.replace, self.read]
        acts += [self.rename, self.throw_away] if who < 2 else []
        for turn in range(TURNS):
            try:
                chance.choice(acts)(SESSIONS * turn + who)
            except FoxnasError as error:
                self.refused += 1
                assert str(error).endswith(".")
            except BaseException as error:
                self.problems.append(error)

    def study(self):
        found = list_studies(self.folder)
        if not found:
            raise FoxnasError("There is none.")
        return open_study(found[0])

    def append(self, number: int) -> None:
        self.study().append([SUBNETS[number]], [{"accuracy": 70.0 + number, "latency_ms": 1.0}])
        self.added.append(70.0 + number)

    def keep(self, number: int) -> None:
        self.study().change(VARIANTS, lambda kept: kept.having(f"v{number}", SUBNETS[number]))

    def describe(self, number: int) -> None:
        self.study().describe(name=f"Name {number}", description="")

    def replace(self, _: int) -> None:
        self.study().amend(lambda table: table)

    def read(self, _: int) -> None:
        check_parts(self.study())

    def rename(self, number: int) -> None:
        rename(self.folder, self.study().folder.name, f"s{number}")

    def throw_away(self, _: int) -> None:
        restore(self.folder, delete(self.folder, self.study().folder.name).key)


def test_whatever_eight_sessions_do_no_row_is_lost_and_nothing_fails(tmp_path, monkeypatch):
    monkeypatch.setattr("foxnas_core.files.os.fsync", lambda _: None)
    create_study(tmp_path / "own", SPACE, name="Own", table=noisy_table(SPACE, 5))
    sessions = Sessions(tmp_path)
    threads = [threading.Thread(target=sessions.run, args=(who,)) for who in range(SESSIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not sessions.problems
    for left in trashed(tmp_path):  # between its deletion and its return another took the name
        restore(tmp_path, left.key)
    [study] = [open_study(folder) for folder in list_studies(tmp_path)]
    check_parts(study)
    found = study.table().frame["accuracy"].tolist()
    assert len(found) == 5 + len(sessions.added) and set(sessions.added) <= set(found)
    assert not list(study.folder.glob(".*.tmp"))


@pytest.mark.parametrize("times", [3])
def test_markers_of_killed_users_are_swept_by_the_next_one(times, tmp_path):
    study = create_study(tmp_path / "own", SPACE, name="Own")
    users = study.folder / ".in-use"
    users.mkdir()
    for number in range(times):
        (users / f"{number}.lock").touch()
    with study.in_use(), study.in_use():
        assert len(list(users.iterdir())) == 2
    assert not list(users.iterdir())
