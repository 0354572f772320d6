"""Resampling in a thread: the same result, its progress, its end, and who shares it."""

import time
from collections.abc import Callable, Iterator

import pytest
from hand import hand_space, noisy_table

from foxnas_core.regression import fit
from foxnas_core.search.exact import Front, front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.stability import resampled_fronts
from pages.shared import resamples
from pages.shared.registry import Registry, ServerBusy
from pages.shared.resamples import Resampling, identity, resample
from tests.search.additive import mini_problem


def front_of(seed: int = 1, **allowed) -> Front:
    table = noisy_table(hand_space(resolutions=(16, 32)), 120, seed=seed, noise=3.0)
    accuracy, latency = (fit(table, c, "per_layer", "none") for c in ("accuracy", "latency_ms"))
    return front(SearchProblem(accuracy, (Limit(latency, 0.0),), allowed))


@pytest.fixture(scope="module")
def whole() -> Front:
    return front_of()


@pytest.fixture
def registry() -> Iterator[Registry]:
    registry = Registry()
    yield registry
    for run in registry.runs(Resampling):
        run.stop()


@pytest.fixture
def held(monkeypatch) -> list[int]:
    """Draws that take so long that a test can look at them; a test may let them go."""
    let_go: list[int] = []

    def slow(whole, *, draws, report, **kwargs):
        def told(done: int) -> None:
            report(done)
            end = time.monotonic() + 300
            while not let_go and time.monotonic() < end and done > 1:
                time.sleep(0.005)
                report(done)

        return resampled_fronts(whole, draws=draws, report=told, **kwargs)

    monkeypatch.setattr(resamples, "resampled_fronts", slow)
    return let_go


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def test_it_finds_what_the_core_finds(registry, whole):
    run = resample(registry, "here", whole, draws=12)
    run.wait(300)
    assert (run.state, run.progress, run.note) == ("finished", 12, "")
    budget = float(whole.costs.mean())
    expected = resampled_fronts(whole, draws=12).at(budget)
    assert run.result.at(budget).architectures == expected.architectures


def test_it_tells_how_far_it_is_and_goes_on_to_the_end(registry, whole, held):
    run = resample(registry, "here", whole, draws=8)
    wait_for(lambda: run.progress == 2)
    assert run.state == "running" and run.result is None and run.seconds_left(2 / 8) > 0
    held.append(1)
    run.wait(300)
    assert run.state == "finished" and run.seconds_left(1) == 0


def test_what_is_stopped_has_no_result_and_can_be_started_anew(registry, whole, held):
    run = resample(registry, "here", whole, draws=8)
    wait_for(lambda: run.progress == 2)
    run.stop()
    assert (run.state, run.result, run.progress) == ("stopped", None, 2)
    held.append(1)
    again = resample(registry, "here", whole, draws=8)
    again.wait(300)
    assert again is not run and registry.latest(Resampling, "here", identity(whole)) is again
    assert again.state == "finished"


def test_all_who_look_at_a_front_share_its_resampling(registry, whole):
    run = resample(registry, "here", whole, draws=5)
    run.wait(300)
    same = front_of()  # found anew from the same measurements
    assert (
        resample(registry, "here", same, draws=5) is run
        and registry.latest(Resampling, "here", identity(same)) is run
    )
    assert registry.latest(Resampling, "elsewhere", identity(whole)) is None
    assert registry.latest(Resampling, "here", identity(front_of(q1_kernel=(3,)))) is None
    assert registry.latest(Resampling, "here", identity(front_of(seed=2))) is None


def test_what_cannot_be_resampled_says_why(registry):
    run = resample(registry, "here", front(mini_problem()), draws=5)
    run.wait(300)
    assert run.state == "failed" and "fitted regressions" in run.note


def test_the_server_takes_so_many_at_a_time(registry, whole, held, monkeypatch):
    monkeypatch.setattr(Resampling, "most_unfinished", 1)
    resample(registry, "here", whole, draws=8)
    with pytest.raises(ServerBusy, match="1 fronts are resampled"):
        resample(registry, "here", front_of(seed=2), draws=8)
