"""Measurements take turns, whoever asks."""

import subprocess
import sys
import threading

import pytest
from conftest import REPOSITORY
from filelock import Timeout

from pages.shared.registry import MEASURING

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
