"""Measurements take turns, whoever asks, and what can be held stands still until it goes on."""

import subprocess
import sys
import threading

import pytest
from conftest import REPOSITORY
from filelock import Timeout

from pages.shared.registry import MEASURING, PausableWork, Work

HOLD = """
from pages.shared.registry import MEASURING
with MEASURING:
    print("held", flush=True)
    input()
"""


def test_two_servers_do_not_measure_at_once():
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=REPOSITORY, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdout and other.stdout.readline() == "held\n"
        with pytest.raises(Timeout):
            MEASURING.acquire(timeout=0.2)
        other.communicate("\n")
    with MEASURING.acquire(timeout=20):
        pass


def test_two_sessions_of_one_server_do_not_measure_at_once():
    refused = []

    def other() -> None:
        try:
            MEASURING.acquire(timeout=0.2)
        except Timeout:
            refused.append(True)

    with MEASURING:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert refused


class Measuring(Work[int]):
    """Waits for its turn to measure."""

    name, what, most_unfinished, most_kept = "measure", "measurements run", 1, 1

    def _work(self) -> int:
        with self.alone():
            return 1


def test_what_waits_for_its_turn_to_measure_is_stopped_or_has_it():
    stopped, run = Measuring("study"), Measuring("study")
    with MEASURING:
        stopped.start()
        stopped.stop()
        assert stopped.state == "stopped"
        run.start()
    run.wait(20)
    assert (run.state, run.result) == ("finished", 1)


class Counting(PausableWork[int]):
    """Counts up, and is held at three."""

    name, what, most_unfinished, most_kept = "count", "counts run", 1, 1
    made = 0

    def _work(self) -> int:
        for self.made in range(1, 6):
            if self.made == 3:
                self.pause()
            self.hold()
            self.report(self.made)
        return self.made


@pytest.mark.parametrize("goes_on", [True, False])
def test_what_is_held_goes_on_or_is_stopped(goes_on):
    run = Counting("study")
    run.start()
    while run.state != "paused":
        run.wait(0.01)
    assert (run.made, run.progress) == (3, 2)
    if goes_on:
        run.resume()
        run.wait(20)
        assert (run.state, run.result) == ("finished", 5)
    else:
        run.stop()
        assert (run.state, run.made) == ("stopped", 3)
