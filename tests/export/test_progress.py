import pytest

from foxnas_core.export import progress
from foxnas_core.export.progress import ExportProgress, Steps


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_what_steps_took_corrects_what_the_rest_is_expected_to_take(clock):
    told = []
    steps = Steps({"a": 10.0, "b": 10.0, "c": 20.0}, told.append)
    steps.begin("a")
    assert told[-1] == ExportProgress("a", 1, 3, 0.0, 40.0)
    clock[0] += 5
    steps.tick()
    assert told[-1].seconds_left == 35 and told[-1].share == 5 / 40
    # Three times as slow as expected: (30 + 5) / (10 + 5) of what the rest was to take.
    clock[0] += 25
    steps.begin("b")
    assert told[-1].seconds_left == pytest.approx(30 * 35 / 15)
    assert (told[-1].step, told[-1].number) == ("b", 2)


def test_a_step_that_takes_longer_than_expected_never_has_less_than_nothing_left(clock):
    told = []
    steps = Steps({"a": 1.0}, told.append)
    steps.begin("a")
    clock[0] += 1000
    steps.tick()
    assert told[-1].seconds_left == 1.0 and 0.99 < told[-1].share < 1


def test_a_step_that_tells_its_share_is_timed_by_it_and_teaches_nothing(clock):
    told = []
    steps = Steps({"tune": 1.0, "write": 10.0}, told.append)
    steps.begin("tune")
    clock[0] += 100
    steps.tick(0.25)
    assert told[-1].seconds_left == pytest.approx(300 + 10)
    clock[0] += 300
    steps.begin("write")
    assert told[-1].seconds_left == pytest.approx(10)


def test_it_is_told_in_a_sentence():
    sentence = ExportProgress("LiteRT, fp32", 7, 7, 0.5, 0.2).sentence()
    assert sentence == "Step 7 of 7: LiteRT, fp32, about 1 s to go"
    assert "about 10 min to go" in ExportProgress("a", 1, 2, 0.1, 600).sentence()


def test_what_the_report_raises_comes_through():
    def report(told):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Steps({"a": 1.0}, report).begin("a")
