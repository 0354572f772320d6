"""What is done to a running search acts at once, and is repeated to the last bit."""

import itertools
import json
from dataclasses import replace
from typing import get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.search.annealing import Annealer, search
from foxnas_core.search.events import Event
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.result import SearchResult
from foxnas_core.search.schedule import AnnealingSettings, Mode, Schedule
from tests.search.additive import mini_problem, small_problem, solve_exact

PROBLEM = mini_problem()
SMALLEST = sorted(table.smallest_cost for table in PROBLEM.tables)
CALM = AnnealingSettings(steps=900, restarts=1, seed=3, start_temperature=2.0, end_temperature=0.01)
# Also budgets that only some resolutions can meet.
BOUNDS = st.floats(SMALLEST[0], 3 * SMALLEST[-1])
EVENTS = st.one_of(
    st.builds(Event, bound=BOUNDS),
    st.builds(Event, start_temperature=st.floats(0.5, 9.0)),
    st.builds(Event, end_temperature=st.floats(0.001, 0.4)),
    st.builds(Event, schedule=st.sampled_from(get_args(Schedule))),
    st.builds(Event, bound=BOUNDS, start_temperature=st.floats(0.5, 9.0)),
    st.just(Event(paused=True)),
)


@given(
    done=st.lists(st.tuples(st.integers(0, 1_500), EVENTS), min_size=1, max_size=6),
    frames=st.lists(st.integers(1, 2_000), max_size=20),
    bound=BOUNDS,
    schedule=st.sampled_from(get_args(Schedule)),
    mode=st.sampled_from(get_args(Mode)),
    chains=st.integers(1, 2),
    begin=st.sampled_from(["random", "smallest", "largest"]),
)
@settings(max_examples=25, deadline=None)
def test_a_run_with_events_is_repeated_to_the_last_bit(
    done: list[tuple[int, Event]], frames: list[int], bound: float, schedule: Schedule, mode: Mode,
    chains: int, begin: str,
) -> None:  # fmt: skip
    problem = PROBLEM.within(bound)
    own = replace(CALM, schedule=schedule, mode=mode, chains=chains, begin=begin)
    live = Annealer(problem, own)
    for proposals, event in done:
        live.advance(proposals)
        live.intervene(event)
        assert live.best is None or live.best.costs[0] <= live.problem.limits[0].bound
    live.advance(live.total)
    assert live.done and live.best is not None
    assert live.best.costs[0] <= live.problem.limits[0].bound
    assert live.best.value <= solve_exact(live.problem).value

    kept = SearchResult.from_dict(live.result(solve_exact(live.problem)).to_dict())
    [(_, begun)] = kept.begun_limits
    again = Annealer(PROBLEM.within(begun), kept.settings, kept.events)
    for frame in frames:
        again.advance(frame)
    again.advance(live.total)
    assert again.events == live.events
    pd.testing.assert_frame_equal(again.trace, live.trace, check_exact=True)
    assert (again.best, again.current) == (live.best, live.current)
    assert again.result(kept.exact).to_dict() == kept.to_dict()


def acted(event: Event, own: AnnealingSettings = CALM, after: int = 1_000) -> Annealer:
    annealer = Annealer(PROBLEM, own)
    annealer.advance(after)
    assert annealer.intervene(event) is not None
    return annealer


def test_an_event_acts_once_every_chain_has_made_as_many_proposals() -> None:
    annealer = Annealer(PROBLEM, CALM)
    count = len(PROBLEM.tables)
    annealer.advance(count + 1)
    event = annealer.intervene(Event(schedule="linear"))
    assert event == Event(2 * count, schedule="linear") and annealer.events == (event,)
    assert annealer.proposals == 2 * count


def test_a_pause_changes_nothing_but_is_told() -> None:
    plain = Annealer(PROBLEM, CALM)
    paused = acted(Event(paused=True))
    for annealer in (plain, paused):
        annealer.advance(annealer.total)
    assert [event.paused for event in paused.events] == [True]
    assert paused.best == plain.best
    pd.testing.assert_frame_equal(paused.trace, plain.trace, check_exact=True)


def test_a_reheat_is_a_jump_after_which_the_temperature_falls_again() -> None:
    annealer = acted(Event(start_temperature=1.7), replace(CALM, restarts=0, steps=9_000), 20_000)
    annealer.advance(annealer.total)
    trace = annealer.trace
    rises = trace["temperature"].diff() > 0
    assert rises.sum() == 1
    after = trace[trace["proposals"] > annealer.events[0].at]
    assert trace["proposals"][rises].iloc[0] == after["proposals"].iloc[0]
    assert after["temperature"].iloc[0] <= 1.7 < 2 * after["temperature"].iloc[0]
    assert after["temperature"].iloc[-1] == 0.01


def test_other_starts_begin_at_the_new_temperature() -> None:
    annealer = acted(Event(start_temperature=5.0, end_temperature=1.0))
    annealer.advance(annealer.total)
    second = annealer.trace["proposals"] > annealer.total / 2
    assert annealer.trace["temperature"][second].between(1.0, 5.0).all()
    assert annealer.trace["temperature"][second].max() > 4.0


def test_a_tighter_budget_forgets_what_breaks_it_and_resolutions_that_cannot_meet_it() -> None:
    annealer = acted(Event(bound=SMALLEST[1]))
    assert annealer.events[0].was == PROBLEM.budget
    assert sorted(annealer.penalties) == [0, 1]
    turns = annealer.events[0].at // len(PROBLEM.tables)
    assert annealer.total == annealer.proposals + 2 * (2 * CALM.steps - turns)
    assert annealer.best is None or annealer.best.costs[0] <= SMALLEST[1]
    annealer.advance(annealer.total)
    assert annealer.result().limits == ((PROBLEM.limits[0].column, SMALLEST[1]),)


def test_a_wider_budget_brings_resolutions_that_could_not_meet_the_old_one() -> None:
    annealer = Annealer(PROBLEM.within(SMALLEST[0]), CALM)
    assert sorted(annealer.penalties) == [0]
    annealer.advance(500)
    annealer.intervene(Event(bound=2 * SMALLEST[-1]))
    assert len(annealer.penalties) == len(PROBLEM.tables)
    annealer.advance(annealer.total)
    optimum = solve_exact(annealer.problem)
    assert annealer.best.value == pytest.approx(optimum.value, rel=1e-3)
    assert annealer.best.costs[0] > SMALLEST[0]


@pytest.mark.parametrize("bound", [SMALLEST[0], 5.0])
def test_in_the_teaching_mode_a_tighter_budget_is_kept_from_there_on(bound: float) -> None:
    annealer = acted(Event(bound=bound), replace(CALM, mode="teaching", restarts=0))
    annealer.advance(annealer.total)
    after = annealer.trace["proposals"] > annealer.events[0].at
    assert (annealer.trace["current_cost"][after] <= bound).all()


@pytest.mark.parametrize(
    ("event", "error"),
    [
        (Event(bound=1e-9), InfeasibleBudget),
        (Event(start_temperature=0.001), InvalidInput),
        (Event(end_temperature=-1.0), InvalidInput),
    ],
)
def test_what_cannot_act_is_refused_and_leaves_the_run_as_it_was(event, error) -> None:
    annealer, plain = Annealer(PROBLEM, CALM), Annealer(PROBLEM, CALM)
    annealer.advance(500)
    with pytest.raises(error):
        annealer.intervene(event)
    for each in (annealer, plain):
        each.advance(each.total)
    assert annealer.result().to_dict() == plain.result().to_dict()


def test_nothing_acts_on_a_run_that_is_done() -> None:
    annealer = Annealer(PROBLEM, CALM)
    annealer.advance(annealer.total - 1)  # the last turn is under way
    assert annealer.intervene(Event(schedule="linear")) is None
    assert annealer.done and annealer.events == ()


def test_a_budget_where_there_is_none_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no limit"):
        Annealer(SearchProblem(PROBLEM.objective), CALM).intervene(Event(bound=1.0))


@pytest.mark.parametrize("at", [(1,), (600, 300)])
def test_events_that_no_run_can_have_had_are_refused(at: tuple[int, ...]) -> None:
    events = [Event(proposals, schedule="linear") for proposals in at]
    with pytest.raises(InvalidInput, match="event"):
        annealer = Annealer(PROBLEM, CALM, events)
        annealer.advance(annealer.total)


def test_searches_without_events_are_written_as_before() -> None:
    document = search(PROBLEM, replace(CALM, restarts=0)).to_dict()
    assert "events" not in document
    del document["settings"]["begin"]  # as it was before runs could begin elsewhere
    assert SearchResult.from_dict(document).settings.begin == "random"


# Beginnings


@pytest.mark.parametrize("mode", get_args(Mode))
def test_a_cold_start_is_the_smallest_the_largest_or_a_given_one(mode: Mode) -> None:
    problem, own = PROBLEM.within(1e6), replace(CALM, mode=mode)
    for begin, pick in (("smallest", np.min), ("largest", np.max)):
        cost = Annealer(problem, replace(own, begin=begin)).current.costs[0]
        extremes = [
            sum(float(pick(part)) for part in table.costs) + table.cost_constant
            for table in problem.tables
        ]
        assert min(abs(cost - extreme) for extreme in extremes) < 1e-9
    optimum = solve_exact(PROBLEM).architecture
    found = Annealer(problem, replace(own, begin=json.dumps(optimum.to_dict()))).current
    # The leading chain may be that of another resolution; the blocks are those given.
    blocks = [d.name for d in problem.space.decisions if d.group != "input"]
    assert all(found.architecture.get(n) == optimum.get(n) for n in blocks)


def test_every_start_begins_where_it_was_set_to() -> None:
    own = replace(CALM, begin="smallest", mode="teaching", start_temperature=9.0, steps=50)
    problem = PROBLEM.within(1e6)
    smallest = {
        tuple(table.context.items()): problem.architecture(number, table.cheapest)
        for number, table in enumerate(problem.tables)
    }
    annealer = Annealer(problem, own)
    for turns in (1, 50):  # after the first step of the first start, and of the second
        annealer.advance(turns * len(problem.tables))
        found = annealer.current.architecture
        [first] = [a for own, a in smallest.items() if all(found[n] == v for n, v in own)]
        moved = {d.group for d in problem.space.decisions if found.get(d.name) != first.get(d.name)}
        assert len(moved) <= 1


@pytest.mark.parametrize("begin", ["hot", '{"depth": 99}', "[1, 2]", "7"])
def test_a_beginning_that_is_no_architecture_is_refused(begin: str) -> None:
    with pytest.raises(InvalidInput):
        Annealer(PROBLEM, replace(CALM, begin=begin))


def test_without_a_cost_nothing_is_the_smallest() -> None:
    with pytest.raises(InvalidInput, match="No cost is limited"):
        Annealer(SearchProblem(PROBLEM.objective), replace(CALM, begin="smallest"))


def test_of_a_cost_that_is_searched_for_the_smallest_is_the_optimum() -> None:
    problem = small_problem([4, 3, 2], 2, 1, whole=False, target="cross_entropy", quantile=None)
    annealer = Annealer(problem, replace(CALM, begin="smallest"))
    assert annealer.current.value == solve_exact(problem).value
    largest = Annealer(problem, replace(CALM, begin="largest", mode="teaching")).current.value
    values = [
        problem.candidate(c, options).value
        for c, table in enumerate(problem.tables)
        for options in itertools.product(*(range(len(s)) for s in table.scores))
    ]
    assert largest <= max(values) and largest > annealer.current.value
