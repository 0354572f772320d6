"""What holds while several processes use one study, and where it can't be written."""

import errno
import os
import random
import signal
import tempfile
import time
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import pytest

from foxnas_core import files
from foxnas_core.errors import NotWritable
from foxnas_core.evidence.handmade.record import HANDMADE
from foxnas_core.evidence.verification.claims import CLAIMS
from foxnas_core.families import load_shipped
from foxnas_core.search.result import SEARCHES
from foxnas_core.search.rounds.record import ROUNDS
from foxnas_core.steps.trust import add_pair, claim_trust
from foxnas_core.study import create_study, open_study
from foxnas_core.study.locks import (
    MARK,
    alone,
    claim,
    holding,
    in_use,
    is_in_use,
    is_read_only,
    writing,
)
from foxnas_core.study.parts import opened_parts
from foxnas_core.study.variants import VARIANTS

FORK = get_context("fork")


def row(accuracy=70.0):
    return {"accuracy": accuracy, "latency_ms": 0.1}


@pytest.fixture
def study(tiny_space, tmp_path):
    return create_study(tmp_path / "a", tiny_space, name="A")


def begin(work, *arguments):
    process = FORK.Process(target=work, args=arguments)
    process.start()
    return process


def answer(work, *arguments) -> str:
    """What a process of its own says."""
    here, there = FORK.Pipe()

    def run() -> None:
        try:
            there.send(str(work(*arguments)))
        except NotWritable as error:
            there.send(f"NotWritable: {error}")

    process = begin(run)
    assert here.poll(300)
    process.join()
    return here.recv()


def written(folder: Path) -> dict:
    found = {path: path.stat() for path in folder.rglob("*")}
    return {path: (status.st_mtime_ns, status.st_size) for path, status in found.items()}


def append_numbers(folder: Path, numbers: list[float], told: Path) -> None:
    study = open_study(folder)
    [architecture] = study.space.sample(1, seed=0)
    for number in numbers:
        study.append([architecture], [row(number)])
        with told.open("a") as file:
            file.write(f"{number}\n")


def wait_for(condition) -> None:
    last = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < last
        time.sleep(0.005)


def numbers_of(folder: Path) -> list[float]:
    table = open_study(folder).table()
    return table.frame["accuracy"].tolist() if len(table) else []


def test_processes_killed_while_they_append_lose_no_row_and_double_none(study, tmp_path):
    """Five processes, as of five servers, each killed at any moment and begun anew."""
    chance = random.Random(0)
    plans = [[float(10 * who + n + 1) for n in range(8)] for who in range(5)]
    told = [tmp_path / f"told-{who}" for who in range(5)]
    for _ in range(3):
        kept = set(numbers_of(study.folder))
        processes = [
            begin(append_numbers, study.folder, [n for n in plan if n not in kept], path)
            for plan, path in zip(plans, told, strict=True)
        ]
        for process in chance.sample(processes, len(processes)):
            time.sleep(chance.uniform(0, 0.15))
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
            process.join()
        found = numbers_of(study.folder)
        assert len(set(found)) == len(found)
        said = {float(line) for path in told if path.exists() for line in path.open()}
        assert said <= set(found)
    kept = set(numbers_of(study.folder))
    rest = [
        begin(append_numbers, study.folder, [n for n in plan if n not in kept], path)
        for plan, path in zip(plans, told, strict=True)
    ]
    for process in rest:
        process.join()
        assert process.exitcode == 0
    assert sorted(numbers_of(study.folder)) == sorted(n for plan in plans for n in plan)
    with study.in_use():
        assert not list(study.folder.glob(".*.tmp"))


@pytest.mark.parametrize("kind", [holding, in_use])
def test_what_a_killed_process_held_is_free(study, kind, tmp_path):
    def hold() -> None:
        with kind(study.folder):
            (tmp_path / "held").touch()
            signal.pause()

    process = begin(hold)
    wait_for((tmp_path / "held").exists)
    if kind is in_use:
        assert is_in_use(study.folder)
    with pytest.raises(NotWritable, match="a is being writ"), alone(study.folder):
        pass
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not is_in_use(study.folder)
    study.append(study.space.sample(1, seed=0), [row()])
    with alone(study.folder):
        assert not list((study.folder / ".in-use").glob("*"))


def test_a_study_in_use_is_written_but_not_moved(study):
    with study.in_use(), study.in_use():
        assert is_in_use(study.folder)
        study.append(study.space.sample(1, seed=0), [row()])
        with (
            pytest.raises(NotWritable, match="by a campaign or a training; wait until it has"),
            alone(study.folder),
        ):
            pass
    assert not is_in_use(study.folder)
    with alone(study.folder):
        pass


@pytest.mark.parametrize("replaced", [False, True])
def test_who_waited_for_a_study_that_moved_meanwhile_writes_nowhere(study, tmp_path, replaced):
    """Neither into a folder made anew nor into another study that took its place."""
    moved = tmp_path / "b"
    begun = tmp_path / "begun"

    def late() -> None:
        begun.touch()
        study.append(study.space.sample(1, seed=0), [row()])

    with alone(study.folder):
        here, there = FORK.Pipe()

        def run() -> None:
            try:
                late()
            except NotWritable as error:
                there.send(str(error))

        process = begin(run)
        wait_for(begun.exists)
        time.sleep(0.2)  # it waits for the lock by now, or comes late, which is the same
        study.folder.rename(moved)
        if replaced:
            create_study(study.folder, load_shipped("foxnas-mini"), name="Other")
    assert here.poll(300)
    process.join()
    said = here.recv()
    if replaced:  # or the moment between the two was met
        assert "holds another study by now" in said or "renamed or deleted" in said
        assert not open_study(study.folder).table_file.exists()
    else:
        assert "no study at" in said and "renamed or deleted" in said
        assert not study.folder.exists()
    assert not open_study(moved).table_file.exists()


def test_nothing_is_written_to_a_study_that_is_gone(study, tiny_dataset):
    study.folder.rename(study.folder.with_name("b"))
    with pytest.raises(NotWritable, match="renamed or deleted"):
        study.append(study.space.sample(1, seed=0), [row()])
    with pytest.raises(NotWritable, match="renamed or deleted"):
        study.save_images(tiny_dataset.training, tiny_dataset.held_out)
    with pytest.raises(NotWritable, match="renamed or deleted"), study.in_use():
        pass
    assert not study.folder.exists()


def test_a_full_disk_is_one_sentence_and_leaves_what_was_there(study):
    """The kernel refuses whatever is larger than a limit, as a full disk would."""
    import resource

    study.append(study.space.sample(1, seed=0), [row()])
    before = study.table_file.read_bytes()

    def append() -> str:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
        study.append(study.space.sample(50, seed=1), [row()] * 50)
        return "written"

    said = answer(append)
    assert "a can't be written (File too large); free some space there and do it again" in said
    assert study.table_file.read_bytes() == before
    assert not list(study.folder.glob(".*.tmp"))
    study.append(study.space.sample(1, seed=0), [row()])
    assert len(study.table()) == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_found_late_leaves_what_was_there(study, monkeypatch, number):
    study.append(study.space.sample(1, seed=0), [row()])
    before = sorted(study.folder.rglob("*")), study.table_file.read_bytes()

    def full(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(NotWritable, match="free some space there and do it again; what was there"):
        study.append(study.space.sample(1, seed=0), [row()])
    assert (sorted(study.folder.rglob("*")), study.table_file.read_bytes()) == before


def test_a_read_only_folder_is_read_and_refuses_in_one_sentence(tiny_space):
    """By another user than root, whom no permission stops."""
    with tempfile.TemporaryDirectory() as temporary:
        Path(temporary).chmod(0o755)
        study = create_study(Path(temporary) / "a", tiny_space, name="A")
        study.append(tiny_space.sample(1, seed=0), [row()])
        (study.folder / ".lock").unlink()
        study.folder.chmod(0o555)

        def use() -> str:
            if os.getuid() == 0:
                os.setuid(65534)
            opened = open_study(study.folder)
            assert len(opened.table()) == 1 and not is_in_use(study.folder)
            with opened_parts(opened.folder) as parts:
                assert list(parts) == ["study.json", "space.json", "measurements.parquet"]
            opened.append(tiny_space.sample(1, seed=0), [row()])
            return "written"

        said = answer(use)
        study.folder.chmod(0o755)
    assert "a can't be written (Permission denied); allow this user to write there" in said


@pytest.mark.parametrize("value", ["1", "yes", "true"])
def test_read_only_mode_refuses_whatever_writes(
    study, tiny_space, tiny_dataset, tmp_path, monkeypatch, value
):
    study.append(tiny_space.sample(1, seed=0), [row()])
    before = written(tmp_path)
    monkeypatch.setenv("FOXNAS_READ_ONLY", value)
    assert is_read_only()
    with opened_parts(study.folder):
        pass
    assert len(study.table()) == 1
    attempts = [
        *writers(study, tiny_dataset).values(),
        lambda: study.save(ROUNDS, None),
        lambda: study.in_use().__enter__(),
        lambda: claim_trust(study, "one").__enter__(),
        lambda: writing(tmp_path).__enter__(),
    ]
    for attempt in attempts:
        with pytest.raises(NotWritable, match="read-only .FOXNAS_READ_ONLY."):
            attempt()
    assert written(tmp_path) == before


@pytest.mark.parametrize("value", ["", "0", "false", "No"])
def test_read_only_mode_is_off_unless_it_is_asked_for(monkeypatch, value):
    monkeypatch.setenv("FOXNAS_READ_ONLY", value)
    assert not is_read_only()


def test_a_claim_has_one_owner_at_a_time(tmp_path):
    with claim(tmp_path / "x.lock") as ours:
        assert ours
        assert answer(lambda: claim(tmp_path / "x.lock").__enter__()) == "False"
    assert answer(lambda: claim(tmp_path / "x.lock").__enter__()) == "True"


def test_files_are_opened_as_they_were_at_one_moment(study):
    """Readers see table and rounds of one write, though another process goes on writing."""
    [architecture] = study.space.sample(1, seed=0)
    study.append([architecture], [row(1.0)])
    stop = study.folder.parent / "stop"

    def write() -> None:
        number = 1.0
        while not stop.exists():
            number += 1 if number < 90 else -80
            study.append([architecture], [row(number)])

    process = begin(write)
    try:
        for _ in range(10):
            with opened_parts(study.folder) as parts:
                assert MARK in parts
                first = parts["measurements.parquet"].read()
                assert first[:4] == first[-4:] == b"PAR1"
                assert len(first) == os.fstat(parts["measurements.parquet"].fileno()).st_size
    finally:
        stop.touch()
        process.join()


def test_a_disk_that_fills_up_while_a_training_keeps_its_state_is_one_sentence(study):
    with pytest.raises(NotWritable, match="a can't be written .*; free some space"), study.in_use():
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(FileNotFoundError), study.in_use():  # which is not the study's
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "ssh")
    assert not is_in_use(study.folder)


def writers(study, images) -> dict:
    """Whatever writes to a study that exists, and what begins one."""
    from handmade_records import usual_record
    from trials import claim_of, trial_of
    from trust_pairs import begun, pairs_of

    from foxnas_core.search.result import SearchResult
    from foxnas_core.search.rounds.record import RoundsRecord
    from foxnas_core.search.schedule import AnnealingSettings
    from tests.search.additive import mini_problem

    problem = mini_problem()
    best = problem.candidate(0, [0, 0, 0])
    found = SearchResult.of(problem, AnnealingSettings(), best, best, 1, pd.DataFrame())
    [architecture] = study.space.sample(1, seed=0)
    [pair] = pairs_of(study.space, [70.0], [71.0])
    claimed = trial_of(study.space, "a" * 12, [claim_of()])
    settled = trial_of(study.space, "b" * 12, [claim_of()], [80.1])
    return {
        "append": lambda: study.append([architecture], [row()]),
        "append optima": lambda: study.append([architecture], [row()], optima=True),
        "amend": lambda: study.amend(lambda table: table),
        "add_table": lambda: study.add_table(study.table()),
        "save_images": lambda: study.save_images(images.training, images.held_out),
        "save_search": lambda: study.keep(SEARCHES, found),
        "save_rounds": lambda: study.save(ROUNDS, RoundsRecord("latency_ms", (1.0,), None, 0)),
        "add_trust_pair": lambda: add_pair(study, begun(study.space), pair),
        "add_trials": lambda: study.change(CLAIMS, lambda kept: kept.with_stated([claimed])),
        "settle_trial": lambda: study.change(CLAIMS, lambda kept: kept.with_settled(settled)),
        "save_handmade": lambda: study.save(HANDMADE, usual_record(study.space)),
        "save_variant": lambda: study.change(
            VARIANTS, lambda kept: kept.having("other", architecture)
        ),
        "delete_variant": lambda: study.change(VARIANTS, lambda kept: kept.without("kept")),
        "describe": lambda: study.describe(name="B", description=""),
        "create_study": lambda: create_study(study.folder.with_name("new"), study.space, name="N"),
    }


def test_a_full_disk_stops_every_writer_and_changes_nothing(study, tiny_dataset, monkeypatch):
    study.append(study.space.sample(1, seed=0), [row()])
    study.change(VARIANTS, lambda kept: kept.having("kept", study.space.sample(1, seed=1)[0]))
    root = study.folder.parent

    def content() -> dict:
        files_there = (path for path in root.rglob("*") if path.is_file())
        return {path: path.read_bytes() for path in files_there if path.name != ".lock"}

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    before = content()
    for name, write in writers(study, tiny_dataset).items():
        with monkeypatch.context() as patched, pytest.raises(NotWritable, match="free some space"):
            patched.setattr(files.os, "fsync", full)
            write()
        assert content() == before, name
    for write in writers(study, tiny_dataset).values():
        write()
