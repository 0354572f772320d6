"""Processes that share pieces of work, and may be killed at any moment."""

import os
import signal
import sys
import time
from contextlib import closing
from functools import partial
from types import ModuleType

import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.workers import Workers, WorkersLost


def squaring(tell):
    def square(piece):
        tell((os.getpid(), piece))
        return piece**2

    return square


def dying(folder, deaths, tell):
    """Pieces that kill their process so many times, all together."""

    def do(piece):
        died = len(list(folder.iterdir()))
        if died < deaths:
            (folder / str(died)).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return piece

    return do


def refusing(tell):
    def refuse(piece):
        raise InvalidInput(f"There is no {piece}.")

    return refuse


def sleeping(tell):
    def sleep(seconds):
        tell(os.getpid())
        time.sleep(seconds)

    return sleep


def told_of_itself(tell):
    def tell_all(piece):
        return os.environ["OMP_NUM_THREADS"], frozenset(os.sched_getaffinity(0))

    return tell_all


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_each_piece_is_done_once_by_one_of_so_many_processes():
    words = []
    found = list(Workers(squaring, count=2).done(range(20), heard=words.append))
    assert sorted(found) == [n**2 for n in range(20)]
    processes, pieces = zip(*words, strict=True)
    assert sorted(pieces) == list(range(20))
    assert os.getpid() not in processes and len(set(processes)) <= 2


def test_this_process_does_pieces_while_it_would_have_to_wait():
    own = []

    def here(piece):
        own.append(piece)
        return piece**2

    found = list(Workers(squaring, count=1).done(range(20), here=here))
    assert sorted(found) == [n**2 for n in range(20)]
    assert own and len(set(own)) == len(own)


@pytest.mark.parametrize("deaths", [1, 2])
def test_the_piece_of_one_that_is_killed_is_done_by_another(tmp_path, deaths):
    found = list(Workers(partial(dying, tmp_path, deaths), count=2).done(range(8)))
    assert sorted(found) == list(range(8)) and len(list(tmp_path.iterdir())) == deaths


def test_what_kills_again_and_again_is_given_up_or_done_here(tmp_path):
    always = partial(dying, tmp_path, 99)
    with pytest.raises(WorkersLost, match="what is done is kept"):
        list(Workers(always, count=1).done(range(4)))
    assert sorted(Workers(always, count=1).done(range(4), here=int)) == [0, 1, 2, 3]


def test_a_new_process_does_not_run_the_script_that_this_one_runs(tmp_path, monkeypatch):
    page, ran = tmp_path / "page.py", tmp_path / "ran"
    page.write_text(f"open({str(ran)!r}, 'w')")
    main = ModuleType("__main__")
    main.__file__ = str(page)
    monkeypatch.setitem(sys.modules, "__main__", main)
    assert list(Workers(squaring, count=1).done([3])) == [9]
    assert not ran.exists() and main.__spec__ is None


def test_what_goes_wrong_with_a_piece_is_raised_here():
    with pytest.raises(InvalidInput, match="There is no 3"):
        list(Workers(refusing, count=1).done([3]))


def test_they_end_with_whoever_takes_the_results_wherever_they_are():
    class Enough(Exception):
        pass

    processes = []

    def heard(process):
        processes.append(process)
        raise Enough

    with (
        pytest.raises(Enough),
        closing(Workers(sleeping, count=1).done([60.0], heard=heard)) as all,
    ):
        next(all)
    assert not is_alive(processes[0])


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="macOS knows no affinity")
def test_each_is_held_to_one_thread_and_to_its_cores():
    core = max(os.sched_getaffinity(0))
    [found] = Workers(told_of_itself, count=1, cores=frozenset({core})).done([0])
    assert found == ("1", {core})
