"""Searches in threads: they run alone, can be held and ended, and are forgotten in time."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from conftest import REPOSITORY

from foxnas_core.errors import InfeasibleBudget, InvalidInput, NotWritable
from foxnas_core.search.annealing import Annealer, search
from foxnas_core.search.events import Event
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.result import SEARCHES, SearchResult
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.study import open_study
from pages.shared import jobs
from pages.shared import registry as registry_room
from pages.shared.jobs import Job, replayed
from pages.shared.registry import Registry, ServerBusy
from tests.search.additive import mini_problem, solve_exact

SETTINGS = AnnealingSettings(steps=4_000, seed=3)
LONG = AnnealingSettings(steps=10_000_000, seed=3)


@pytest.fixture(scope="module")
def problem() -> SearchProblem:
    return mini_problem()


def proven(problem: SearchProblem) -> dict:
    return {problem.limits[0].bound: (solve_exact(problem), None)}


def unpaused(result: SearchResult) -> dict:
    """What a search found, without the pauses that it made."""
    return replace(result, events=()).to_dict()


@pytest.fixture
def registry() -> Iterator[Registry]:
    registry = Registry()
    yield registry
    for job in registry.runs(Job):
        job.stop()


@pytest.fixture
def start(registry, problem) -> Callable[..., Job]:
    def start(settings: AnnealingSettings = SETTINGS, **changes) -> Job:
        options = {"study": "here", "seconds": 0.0, "keep": lambda result: "0123456789ab"}
        options |= {"proven": proven(problem)} | changes
        return registry.start(Job(options.pop("study"), problem, settings, **options))

    return start


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def started(job: Job) -> Job:
    wait_for(lambda: job.annealer is not None and job.annealer.proposals > 0)
    return job


def test_a_job_finds_what_the_same_search_finds(start, problem):
    kept = []
    job = start(keep=lambda result: kept.append(result) or "abc")
    job.wait(300)
    assert (job.state, job.kept, job.note) == ("finished", "abc", "")
    assert kept[0].to_dict() == search(problem, SETTINGS).to_dict()


def test_pacing_changes_nothing_but_the_time(start, problem):
    kept = []
    job = start(seconds=0.3, keep=lambda result: kept.append(result) or "abc")
    job.wait(300)
    assert kept[0].to_dict() == search(problem, SETTINGS).to_dict()


def test_a_paused_job_stands_still_and_goes_on(start):
    job = started(start(LONG, seconds=60.0))
    assert job.state == "running"
    job.pause()
    assert job.state == "paused" and not job.ended
    time.sleep(3 * jobs.FRAME)
    held = job.annealer.proposals
    time.sleep(3 * jobs.FRAME)
    assert job.annealer.proposals == held
    job.resume()
    wait_for(lambda: job.annealer.proposals > held)
    assert job.state == "running"


def test_a_paused_job_has_made_the_frame_that_it_was_in(start, monkeypatch):
    advance, within = Annealer.advance, threading.Event()

    def slow(annealer: Annealer, steps: int) -> None:
        within.set()
        time.sleep(0.1)
        advance(annealer, steps)

    monkeypatch.setattr(Annealer, "advance", slow)
    job = start()
    assert within.wait(300)
    job.pause()
    made = job.annealer.proposals
    time.sleep(0.2)
    assert job.annealer.proposals == made


def test_a_paused_job_is_stepped_through_to_the_end_with_the_same_bits(start, problem):
    kept = []
    job = started(start(seconds=1.0, keep=lambda result: kept.append(result) or "abc"))
    job.pause()
    wait_for(lambda: job.state == "paused")
    time.sleep(2 * jobs.FRAME)  # the frame that was under way
    before = job.annealer.proposals
    while not job.annealer.done:
        job.step()
        assert job.annealer.proposals > before
        before = job.annealer.proposals
    job.wait(300)
    assert (job.state, job.kept) == ("finished", "abc")
    assert kept[0].events[0].paused
    assert unpaused(kept[0]) == search(problem, SETTINGS).to_dict()


def test_the_first_frames_are_made_of_few_proposals(start):
    job = started(start(replace(LONG, steps=20_000), seconds=60.0))
    job.pause()
    first = job.annealer.proposals
    assert first < job.annealer.total / 100
    made = []
    for _ in range(5):
        job.step()
        made.append(job.annealer.proposals)
    assert np.diff([first, *made]).min() >= job.annealer.chains
    assert len(job.course.frame) >= 5


def test_steps_count_only_while_paused(start):
    job = started(start(LONG, seconds=60.0))
    for _ in range(3):
        job.step()
    job.pause()
    time.sleep(2 * jobs.FRAME)
    held = job.annealer.proposals
    time.sleep(3 * jobs.FRAME)
    assert job.annealer.proposals == held


def test_the_pace_can_be_changed_on_the_way(start, problem):
    kept = []
    job = started(start(seconds=600.0, keep=lambda result: kept.append(result) or "abc"))
    job.seconds = 0.0
    job.wait(300)
    assert kept[0].to_dict() == search(problem, SETTINGS).to_dict()


# Changed on the way


def test_a_running_job_takes_another_budget_and_is_kept_with_it(start, problem):
    kept = []
    job = started(start(seconds=600.0, keep=lambda result: kept.append(result) or "abc"))
    other = problem.within(4.0)
    job.act(Event(bound=4.0), proven(other), view={"budget": 4.0})
    assert job.problem.limits[0].bound == 4.0 and job.view == {"budget": 4.0}
    assert job.exact == solve_exact(other)
    job.act(Event(start_temperature=job.in_force.start_temperature, schedule="linear"))
    assert job.in_force.schedule == "linear" and job.settings.schedule == "geometric"
    job.seconds = 0.0
    job.wait(300)
    [result] = kept
    assert result.limits == ((problem.limits[0].column, 4.0),) and len(result.events) == 2
    assert result.gap == 0

    again = start(
        events=result.events, replays="abc", proven=proven(other) | proven(problem),
        keep=replayed("abc", result),
    )  # fmt: skip
    again.wait(300)
    assert (again.state, again.note, again.kept) == ("finished", "", "abc")


def test_a_paused_job_is_changed_where_it_stands(start):
    job = started(start(LONG, seconds=60.0))
    job.pause()
    held = job.annealer.proposals
    job.act(Event(end_temperature=job.in_force.end_temperature / 2))
    assert job.state == "paused"
    assert held <= job.annealer.proposals < held + job.annealer.chains


def test_what_cannot_act_is_told_and_the_job_goes_on(start):
    job = started(start(LONG, seconds=60.0))
    with pytest.raises(InfeasibleBudget):
        job.act(Event(bound=1e-9), view={"budget": 1e-9})
    assert job.view == {} and job.annealer.events == ()
    here = job.annealer.proposals
    wait_for(lambda: job.annealer.proposals > here)


def test_a_replay_cannot_be_changed(start):
    with pytest.raises(InvalidInput, match="replay"):
        start(LONG, replays="abc").act(Event(schedule="linear"))


def test_a_job_that_still_compiles_stops_at_once(start, monkeypatch):
    prepared = threading.Event()
    monkeypatch.setattr(jobs.Annealer, "prepare", lambda annealer: prepared.wait(300))
    job = start()
    job.stop()
    assert job.ended and job.state == "stopped"
    prepared.set()


def test_a_replay_is_checked_and_not_kept_twice(start, problem):
    kept = search(problem, SETTINGS)
    job = start(replays="0123456789ab", keep=replayed("0123456789ab", kept))
    job.wait(300)
    assert (job.state, job.kept, job.replays) == ("finished", "0123456789ab", "0123456789ab")
    other = start(AnnealingSettings(steps=4_000, seed=4), keep=replayed("0123456789ab", kept))
    other.wait(300)
    assert (other.state, other.kept) == ("failed", None)
    assert "came out differently" in other.note


SERVER = """
import os, sys, threading, time
from functools import partial
from pathlib import Path
from tests.search.additive import solve_exact
from foxnas_core.search.result import SEARCHES
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.study import create_study
from pages.shared.jobs import Job
from pages.shared.registry import Registry
from tests.search.additive import mini_problem

problem = mini_problem()
study = create_study(Path(sys.argv[1]), problem.space, name="Kept")
job = Job(
    "here", problem, AnnealingSettings(steps=4_000, seed=3),
    seconds=0.0, keep=partial(study.keep, SEARCHES),
    proven={problem.limits[0].bound: (solve_exact(problem), None)},
)
Registry().start(job)
while job.kept is None:
    time.sleep(0.01)
print(job.kept, flush=True)
time.sleep(60)
"""


def test_a_server_that_is_killed_loses_no_finished_search(tmp_path, problem):
    with subprocess.Popen(
        [sys.executable, "-c", SERVER, str(tmp_path / "kept")],
        cwd=REPOSITORY, stdout=subprocess.PIPE, text=True,
    ) as server:  # fmt: skip
        search_id = server.stdout.readline().strip()
        server.kill()
    study = open_study(tmp_path / "kept")
    assert study.ids(SEARCHES) == [search_id]
    assert study.kept(SEARCHES, search_id).to_dict() == search(problem, SETTINGS).to_dict()
    assert [f.name for f in (study.folder / "searches").iterdir()] == [f"{search_id}.json"]


@pytest.mark.parametrize("paused", [False, True])
def test_a_stopped_job_ends_where_it_was_and_is_not_kept(start, paused):
    job = started(start(LONG, seconds=60.0))
    if paused:
        job.pause()
    job.stop()
    assert job.ended and job.state == "stopped" and job.kept is None
    assert 0 < job.annealer.proposals < job.annealer.total
    assert job.annealer.best is not None


@pytest.mark.parametrize("ask", [Job.pause, Job.stop])
def test_a_job_that_is_being_kept_has_come_to_its_end(start, ask):
    keeping, go_on = threading.Event(), threading.Event()

    def keep(result):
        keeping.set()
        assert go_on.wait(300)
        return "abc"

    job = start(keep=keep)
    assert keeping.wait(300)
    threading.Timer(0.1, go_on.set).start()
    ask(job)
    job.wait(300)
    assert (job.state, job.kept) == ("finished", "abc")


def test_a_study_that_cannot_be_written_is_told_and_loses_nothing(start):
    def keep(result):
        raise NotWritable("It can't be written.")

    job = start(keep=keep)
    job.wait(300)
    assert job.state == "finished" and job.kept is None
    assert "can't be written" in job.note
    assert job.annealer.best is not None


def test_a_failure_is_one_sentence(start, monkeypatch):
    def refuse(*given):
        raise InvalidInput("The annealer takes no such thing.")

    monkeypatch.setattr(jobs, "Annealer", refuse)
    job = start()
    job.wait(300)
    assert (job.state, job.note) == ("failed", "The annealer takes no such thing.")


def test_a_failure_of_ours_shows_no_details(start, monkeypatch):
    monkeypatch.setattr(jobs, "Annealer", lambda *given: 1 / 0)
    job = start()
    job.wait(300)
    assert job.state == "failed" and "division" not in job.note and "log" in job.note


def test_searches_of_two_users_do_not_disturb_each_other(start):
    first, second = started(start(LONG, seconds=60.0)), started(start(LONG, seconds=60.0))
    assert first.id != second.id
    first.stop()
    here = second.annealer.proposals
    wait_for(lambda: second.annealer.proposals > here)
    assert second.state == "running"


def test_a_job_is_found_by_its_id_and_study_only(registry, start):
    job = start()
    assert registry.get(Job, job.id, "here") is job
    assert registry.get(Job, job.id, "elsewhere") is None
    assert registry.get(Job, "run-unknown", "here") is None
    assert registry.get(Job, None, "here") is None


def test_the_server_takes_so_many_at_a_time(start, monkeypatch):
    monkeypatch.setattr(Job, "most_unfinished", 2)
    first = start(LONG, seconds=60.0)
    start(LONG, seconds=60.0)
    with pytest.raises(ServerBusy, match="2 searches"):
        start()
    first.stop()
    start()


def test_only_the_last_ended_jobs_are_remembered(registry, start, monkeypatch):
    monkeypatch.setattr(Job, "most_kept", 2)
    ended = []
    for _ in range(4):
        job = start()
        job.wait(300)
        ended.append(job)
    running = start(LONG, seconds=60.0)
    remembered = [registry.get(Job, job.id, "here") is not None for job in ended]
    assert remembered == [False, False, True, True]
    # What was kept of them is found by their ids all the same, in their own study.
    assert [registry.kept_as(job.id, "here") for job in ended] == [job.kept for job in ended]
    assert all(job.kept for job in ended) and registry.kept_as(ended[0].id, "there") is None
    assert registry.get(Job, running.id, "here") is running
    assert registry.kept_as(running.id, "here") is None and registry.kept_as(None, "here") is None


def test_what_nobody_looks_at_is_forgotten(registry, start, monkeypatch):
    monkeypatch.setattr(registry_room, "KEPT_FOR", 0.2)
    paused = started(start(LONG, seconds=60.0))
    paused.pause()
    wait_for(lambda: paused.ended)
    assert paused.state == "stopped"
    time.sleep(0.25)
    start()
    assert registry.get(Job, paused.id, "here") is None


def test_threads_do_not_hold_the_server_up(start):
    job = started(start(LONG, seconds=60.0))
    [thread] = [t for t in threading.enumerate() if t.name == job.id]
    assert thread.daemon


def test_a_job_is_starting_until_the_annealer_is_prepared(start, monkeypatch):
    prepared = threading.Event()
    monkeypatch.setattr(jobs.Annealer, "prepare", lambda annealer: prepared.wait(300))
    job = start()
    assert (job.state, job.annealer) == ("starting", None)
    prepared.set()
    job.wait(300)
    assert job.state == "finished"


def test_those_are_counted_that_run_and_were_looked_at_just_now(registry, start, monkeypatch):
    monkeypatch.setattr(registry_room, "_JUST_NOW", 30.0)  # however busy the machine
    jobs = [start(LONG) for _ in range(3)]
    assert registry.watched(Job) == 3
    jobs[0].stop()
    jobs[1].seen -= 60
    assert registry.watched(Job) == 1
    registry.get(Job, jobs[1].id, "here")
    assert registry.watched(Job) == 2
