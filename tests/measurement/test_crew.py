"""Batches measured by several processes, which may be killed at any moment."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from conftest import REPOSITORY

from foxnas_core.measurement.campaign import run_campaign
from foxnas_core.measurement.cost import CostMeter
from foxnas_core.measurement.score import ScoreMeter


class Clock:
    """A meter of this process alone."""

    def __init__(self) -> None:
        self.places = set()

    def measure(self, subnets):
        self.places.add((os.getpid(), frozenset(os.sched_getaffinity(0))))
        return [{"latency_ms": 1.0 + len(p.architecture.to_dict())} for p in subnets]

    def record(self):
        return {"device": "abacus"}


class Failing:
    on_device = False

    def measure(self, subnets):
        raise ValueError("no such image")

    def record(self):
        return {}


def rows_of(checkpoint, dataset, architectures, meters, **options):
    kept = []
    calibration = dataset.training.take(slice(0, 50))
    run_campaign(
        checkpoint, architectures, meters=meters, calibration=calibration, seed=0,
        keep=lambda rows, record: kept.append((rows, record)), batch=2, **options,
    )  # fmt: skip
    return [row for rows, _ in kept for row in rows], kept[0][1]


def test_processes_find_what_one_finds_and_time_in_one_place(tiny_checkpoint, tiny_dataset):
    architectures = tiny_checkpoint.supernet.space.sample(9, seed=0)
    task = tiny_checkpoint.task
    found = []
    for workers in (1, 2):
        clock = Clock()
        meters = [ScoreMeter(tiny_dataset.held_out, task=task), CostMeter(), clock]
        rows, record = rows_of(
            tiny_checkpoint, tiny_dataset, architectures, meters, workers=workers
        )
        [(campaign, circumstances)] = record.items()
        assert circumstances.get("processes", 1) == workers
        assert {row.values["campaign"] for row in rows} == {campaign}
        assert all(row.values["measuring_seconds"] > 0 for row in rows)
        found.append(
            {
                row.architecture: {
                    k: v
                    for k, v in row.values.items()
                    if k not in ("campaign", "measuring_seconds")
                }
                for row in rows
            }
        )
        assert len(rows) == 9
    assert found[0] == found[1] and set(found[1]) == set(architectures)
    [(process, cores)] = clock.places
    assert process == os.getpid()
    available = os.sched_getaffinity(0)
    assert len(cores) == 1 or len(available) == 1
    assert available >= cores  # given back at the end


def test_what_goes_wrong_in_another_process_is_raised_here(tiny_checkpoint, tiny_dataset):
    architectures = tiny_checkpoint.supernet.space.sample(4, seed=0)
    with pytest.raises(ValueError, match="no such image"):
        rows_of(tiny_checkpoint, tiny_dataset, architectures, [Failing()], workers=2)


def begin(study, count: int) -> subprocess.Popen:
    command = [
        sys.executable, "-m", "foxnas_core", "measure", "--study", str(study.folder),
        "--count", str(count), "--workers", "2", "--json",
    ]  # fmt: skip
    return subprocess.Popen(
        command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )


def children_of(process: subprocess.Popen) -> list[int]:
    """The scoring processes of a campaign; Python's own tracker of resources is none."""
    found = []
    for task in Path(f"/proc/{process.pid}/task").glob("*/children"):
        with suppress(OSError):  # a thread or a process that has just ended
            for child in map(int, task.read_text().split()):
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(child)
    return found


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(condition, seconds: float = 300) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds processes in /proc")
def test_kills_at_any_moment_lose_and_double_no_row(begun_study):
    """The command and its other process are killed at random moments until all is measured."""
    planned = {a.id for a in begun_study.space.sample(24, seed=0)}
    rng = np.random.default_rng(5)
    kept: list[str] = begun_study.table().frame["id"].tolist()

    def wait_for_rows(more_than: int) -> None:
        assert wait_for(lambda: len(begun_study.table()) > more_than)
        time.sleep(rng.uniform(0, 0.4))

    running = begin(begun_study, 24)
    assert wait_for(lambda: children_of(running))
    [first] = children_of(running)
    wait_for_rows(len(kept))
    os.kill(first, signal.SIGKILL)
    # The campaign goes on, with another in its stead.
    wait_for_rows(len(begun_study.table()))
    assert wait_for(lambda: set(children_of(running)) - {first})
    [second] = set(children_of(running)) - {first}
    running.kill()
    running.wait()
    # What is left ends with the process that was killed.
    assert wait_for(lambda: not is_alive(first) and not is_alive(second))
    ids = begun_study.table().frame["id"].tolist()
    assert ids[: len(kept)] == kept and len(set(ids)) == len(ids) > len(kept)
    kept = ids
    last = begin(begun_study, 24)
    output, _ = last.communicate(timeout=300)
    assert last.returncode == 0
    ids = begun_study.table().frame["id"].tolist()
    assert ids[: len(kept)] == kept
    assert len(ids) == 24 and set(ids) == planned
    assert len(json.loads(output)["measured"]) == 24 - len(kept)
