"""Latencies timed briefly, whatever a busy machine makes of them.

How exact they are is nothing that most tests ask, and how many rows a fit reads must not depend on
what else runs.
"""

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from foxnas_core.measurement import hosts, runner
from foxnas_core.measurement.latency import LatencyMeter
from foxnas_core.table import latency_verdicts

LOOKS_ALIKE, MOST_LOOKS = 2, 4


@cache
def _brief_runner() -> tempfile.TemporaryDirectory:
    """Where the runner is that goes to other devices; it lasts as long as the process."""
    folder = tempfile.TemporaryDirectory()
    start = 'if __name__ == "__main__":'
    source = hosts.RUNNER.read_text()
    assert source.count(start) == 1
    brief = f"LOOKS_ALIKE, MOST_LOOKS = {LOOKS_ALIKE}, {MOST_LOOKS}\n\n"
    (Path(folder.name) / hosts.RUNNER.name).write_text(source.replace(start, brief + start))
    return folder


def time_briefly(patched: pytest.MonkeyPatch) -> None:
    """In as few runs and rounds as a sound row has, on a machine that is not waited for to
    settle."""
    defaults = LatencyMeter.__init__.__kwdefaults__
    patched.setitem(defaults, "runs", latency_verdicts.LEAST_RUNS)
    patched.setitem(defaults, "rounds", latency_verdicts.LEAST_ROUNDS)
    patched.setattr(runner, "LOOKS_ALIKE", LOOKS_ALIKE)
    patched.setattr(runner, "MOST_LOOKS", MOST_LOOKS)
    patched.setattr(hosts, "RUNNER", Path(_brief_runner().name) / hosts.RUNNER.name)


def judge_leniently(patched: pytest.MonkeyPatch) -> None:
    """No row fails for how steady it was."""
    for limit in (
        "MOST_SPREAD", "MOST_ABOVE_MINIMUM", "MOST_DRIFT", "MOST_DRIFT_RANGE", "MOST_CLOCK_RANGE",
    ):  # fmt: skip
        patched.setattr(latency_verdicts, limit, np.inf)
