"""The suite's option that alters what is measured."""

import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

from altered import altering
from conftest import REPOSITORY

from foxnas_core.measurement import runner
from foxnas_core.measurement.runner import Timing

ASK = """
from foxnas_core.measurement import latency
from types import SimpleNamespace
class Session:
    _model_bytes = b"a model"
    def io_binding(self): return SimpleNamespace(bind_cpu_input=print, bind_output=print)
    def get_inputs(self): return self.get_outputs()
    def get_outputs(self): return [SimpleNamespace(name="")]
print(getattr(latency.bound_session(Session(), None), "factor", None))
"""


def in_a_process(monkeypatch, seed: str) -> str:
    """The factor that a process of its own takes a model's time by."""
    monkeypatch.setenv(altering.SEED, seed)
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY / "tests" / "altered"))
    command = [sys.executable, "-c", ASK]
    done = subprocess.run(command, cwd=REPOSITORY, check=True, capture_output=True, text=True)
    return done.stdout.split()[-1]


def altered(seed: str) -> SimpleNamespace:
    own = SimpleNamespace(
        bound_session=lambda session, image: lambda: None,
        timed=lambda run, runs, warm_up: Timing(3.0, 2.0, runs),
    )
    altering.alter(own, seed)
    return own


def run_of(own: SimpleNamespace, model: bytes):
    return own.bound_session(SimpleNamespace(_model_bytes=model), None)


def test_each_model_has_a_factor_of_its_own_that_the_seed_decides():
    models = [b"%d" % i for i in range(200)]
    factors = [run_of(altered("1"), model).factor for model in models]
    assert factors == [run_of(altered("1"), model).factor for model in models]
    assert 0.5 <= min(factors) < 0.6 and 1.8 < max(factors) <= 2
    assert set(factors).isdisjoint(run_of(altered("2"), model).factor for model in models)
    own = altered("1")
    run = run_of(own, models[0])
    assert own.timed(run, 7, 1) == Timing(3.0 * factors[0], 2.0 * factors[0], 7)
    assert own.timed(lambda: None, 7, 1) == Timing(3.0, 2.0, 7)


def test_processes_that_tests_start_alter_alike_and_only_where_it_is_asked_for(monkeypatch):
    assert in_a_process(monkeypatch, "1") == str(run_of(altered("1"), b"a model").factor)
    assert in_a_process(monkeypatch, "") == "None"


def test_the_runner_that_goes_to_devices_alters_alike(monkeypatch, tmp_path):
    monkeypatch.setenv(altering.SEED, "1")
    own = Path(runner.__file__).read_text()
    copy = tmp_path / "runner.py"
    copy.write_text(altering.altered_source(own))
    names = runpy.run_path(str(copy))
    assert names["timed"].__name__ == "altered_time"
