import pytest

from foxnas_core import progress
from foxnas_core.progress import Pace, Progress, Steps, Tally


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
    assert told[-1] == Progress(0.0, 40.0, 40.0, "Step 1 of 3: a")
    clock[0] += 5
    steps.tick()
    assert told[-1].seconds_left == 35 and told[-1].share == 5 / 40
    # Three times as slow as expected: (30 + 5) / (10 + 5) of what the rest was to take.
    clock[0] += 25
    steps.begin("b")
    assert told[-1].seconds_left == pytest.approx(30 * 35 / 15)
    assert told[-1].stage == "Step 2 of 3: b"


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
    told = Progress(1, 2, 0.2, "LiteRT, fp32", {"loss": 0.51234})
    assert told.sentence() == "LiteRT, fp32, loss 0.5123, about 1 s to go"
    assert Progress(1, 10, 600).sentence() == "about 10 min to go"
    # Nothing is said of what is not known, or is none.
    assert Progress(0, 2, stage="Starting").sentence() == "Starting"
    assert Progress(2, 2, 0.0, "2 of 2 subnets").sentence() == "2 of 2 subnets"


def test_what_was_done_before_and_rest_say_nothing_of_the_rate(clock):
    told = []
    pace = Pace(100, told.append)
    pace.skip(60)
    clock[0] += 50
    pace.rested(30)
    pace.at(70, values={"loss": 1.0})
    assert told == [Progress(70, 100, 60.0, "", {"loss": 1.0})]


def test_trainings_in_any_order_are_told_as_one(clock):
    told = []
    tally = Tally(2, 200, told.append, "subnets")
    clock[0] += 10
    tally.at("a", 50)
    assert told[-1] == Progress(50, 400, 70.0, "0 of 2 subnets")
    # The second one goes on where an earlier run had it: 50 of its 150 steps are of this one.
    clock[0] += 10
    tally.at("b", 150)
    assert told[-1] == Progress(200, 400, 40.0, "0 of 2 subnets")
    tally.at("b", 200)
    assert told[-1].stage == "1 of 2 subnets" and told[-1].done == 250


def test_what_the_report_raises_comes_through():
    def report(told):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Steps({"a": 1.0}, report).begin("a")
