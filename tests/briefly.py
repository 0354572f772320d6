"""Latencies timed briefly, whatever a busy machine makes of them.

How exact they are is nothing that most tests ask, and how many rows a fit reads must not depend on
what else runs.
"""

import numpy as np
import pytest

from foxnas_core.measurement import runner
from foxnas_core.measurement.latency import LatencyMeter
from foxnas_core.table import latency_verdicts


def time_briefly(patched: pytest.MonkeyPatch) -> None:
    """In as few runs and rounds as a sound row has, on a machine that is not waited for to
    settle."""
    defaults = LatencyMeter.__init__.__kwdefaults__
    patched.setitem(defaults, "runs", latency_verdicts.LEAST_RUNS)
    patched.setitem(defaults, "rounds", latency_verdicts.LEAST_ROUNDS)
    patched.setattr(runner, "LOOKS_ALIKE", 2)
    patched.setattr(runner, "MOST_LOOKS", 4)


def judge_leniently(patched: pytest.MonkeyPatch) -> None:
    """No row fails for how steady it was."""
    for limit in (
        "MOST_SPREAD", "MOST_ABOVE_MINIMUM", "MOST_DRIFT", "MOST_DRIFT_RANGE", "MOST_CLOCK_RANGE",
    ):  # fmt: skip
        patched.setattr(latency_verdicts, limit, np.inf)
