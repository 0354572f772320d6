"""Exports in threads: one after another, stopped at once, and what is shown to whom."""

import errno
import threading
import time
from collections.abc import Callable

import pytest

from foxnas_core.errors import InvalidInput
from foxnas_core.progress import Progress
from foxnas_core.study import Study
from pages.shared import exports
from pages.shared.exports import Exporting, ExportSettings
from pages.shared.registry import Registry, ServerBusy

SETTINGS = ExportSettings(("onnx",), 0, False, 90.0)


@pytest.fixture
def study(tiny_space, tmp_path) -> Study:
    return Study(tmp_path, "A", "", tiny_space)


@pytest.fixture
def registry():
    registry = Registry()
    yield registry
    for run in registry.runs(Exporting):
        run.stop()


class Held:
    """An export that goes on until it is let go, and what it was asked for."""

    def __init__(self) -> None:
        self.let_go, self.asked = threading.Event(), []

    def __call__(self, study, architecture, predictors, *, report, **options):
        self.asked.append((architecture, options))
        while not self.let_go.wait(0.005):
            report(Progress(3.0, 6.0, 3.0, "a step"))
        return "the files"


@pytest.fixture
def held(monkeypatch):
    held = Held()
    monkeypatch.setattr(exports, "export", held)
    yield held
    held.let_go.set()


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def started(registry, study, *, which="smallest", settings=SETTINGS, stamp=1) -> Exporting:
    architecture = study.space.extreme(which)
    return registry.start(Exporting(study, architecture, {}, settings, stamp))


def test_one_runs_at_a_time_and_the_next_one_waits_for_its_turn(registry, study, held):
    first = started(registry, study)
    wait_for(lambda: first.state == "running")
    second = started(registry, study, which="largest")
    assert second.state == "starting" and second.progress is None
    time.sleep(0.3)
    assert second.state == "starting" and len(held.asked) == 1
    held.let_go.set()
    for run in (first, second):
        run.wait(300)
        assert (run.state, run.result, run.note) == ("finished", "the files", "")


def test_stopped_it_leaves_nothing_and_the_next_one_has_its_turn(registry, study, held):
    first, second, third = (started(registry, study) for _ in range(3))
    wait_for(lambda: first.state == "running")
    second.stop()
    assert second.state == "stopped"
    first.stop()
    assert first.state == "stopped" and first.result is None and first.ended
    wait_for(lambda: third.state == "running")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InvalidInput("This is wrong."), "This is wrong."),
        (OSError(errno.ENOSPC, "No space left on device", "/tmp/x"), "/tmp/x can't be written (No"),
    ],
)
def test_what_fails_says_why_and_gives_its_turn_back(
    registry, study, held, monkeypatch, error, said
):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr(exports, "export", fail)
    run = started(registry, study)
    run.wait(300)
    assert run.state == "failed" and run.note.startswith(said)
    monkeypatch.setattr(exports, "export", held)
    after = started(registry, study)
    wait_for(lambda: after.state == "running")


def test_settings_are_those_of_the_core(registry, study, held):
    held.let_go.set()
    settings = ExportSettings(("torch", "onnx"), 3, True, 55.0)
    started(registry, study, settings=settings).wait(300)
    started(registry, study).wait(300)
    [(_, tuned), (_, plain)] = held.asked
    assert tuned["formats"] == ("torch", "onnx") and tuned["int8_floor"] == 55
    assert tuned["tuning"].epochs == 3 and tuned["tuning"].quantization_aware
    assert plain["tuning"] is None


def test_the_latest_of_an_architecture_is_shown_while_its_weights_are_the_same(
    registry, study, held
):
    held.let_go.set()
    folder = str(study.folder)
    smallest, largest = (study.space.extreme(which) for which in ("smallest", "largest"))
    assert registry.latest(Exporting, folder, (smallest, 1)) is None
    first, other = started(registry, study), started(registry, study, which="largest")
    again = started(registry, study)
    assert registry.latest(Exporting, folder, (smallest, 1)) is again and first is not again
    assert registry.latest(Exporting, folder, (largest, 1)) is other
    assert registry.latest(Exporting, folder, (smallest, 2)) is None
    assert registry.latest(Exporting, "elsewhere", (smallest, 1)) is None


def test_a_server_takes_a_few_only(registry, study, held):
    for _ in range(Exporting.most_unfinished):
        started(registry, study)
    with pytest.raises(ServerBusy, match="4 exports run or wait"):
        started(registry, study)
