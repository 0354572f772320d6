from types import SimpleNamespace

import numpy as np
import pytest

from foxnas_core.cards.course import gap_ends
from foxnas_core.cards.strategies import point_card, race_charts
from foxnas_core.figures.strategies import EXACT, courses_table, standings_table
from foxnas_core.search.exact import front
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.solving import solve
from foxnas_core.search.strategies.race import Race
from tests.search.additive import mini_problem, solve_exact

PROBLEM = mini_problem(budget=8.0)
OPTIMUM = solve_exact(PROBLEM).value
QUEST = SimpleNamespace(
    problem=PROBLEM, calibrations={}, told={}, solution=lambda: solve(PROBLEM),
    front=front(PROBLEM), least_cost=False,
)  # fmt: skip


@pytest.fixture(scope="module")
def race() -> Race:
    race = Race(
        PROBLEM, ["Random", "OFA's evolution"], evaluations=600, seeds=(0, 1),
        settings=AnnealingSettings(steps=20_000),
    )  # fmt: skip
    while not race.done:
        race.advance()
    return race


def test_courses_are_the_traces_and_reach_their_ends(race: Race) -> None:
    table = courses_table(race)
    for (name, seed), course in race.courses.items():
        own = table[(table["strategy"] == name) & (table["seed"] == seed)]
        assert own["value"].iloc[-1] == course.best.value
        assert own["evaluations"].iloc[-1] == course.total
        assert own["value"].is_monotonic_increasing and own["seconds"].is_monotonic_increasing
        points = set(course.trace.itertuples(index=False, name=None))
        assert set(zip(own["evaluations"], own["value"], strict=True)) <= points


def test_standings_are_the_gaps_of_the_runs(race: Race) -> None:
    table = standings_table(race, OPTIMUM).set_index("strategy")
    for name, row in table.iterrows():
        gaps = [OPTIMUM - race.courses[name, seed].best.value for seed in (0, 1)]
        assert row["median gap"] == pytest.approx(np.median(gaps), abs=1e-9)
        assert row["largest gap"] == pytest.approx(max(gaps), abs=1e-9)
        assert row["best"] == pytest.approx(OPTIMUM - min(gaps))
        assert row["runs"] == 2
    assert list(table.index)[-1] == "Random"
    assert table["median gap"].is_monotonic_increasing


def test_before_anything_was_met() -> None:
    race = Race(PROBLEM, ["Random"], evaluations=10)
    table = standings_table(race, OPTIMUM)
    [random] = table[table["strategy"] == "Random"].to_dict("records")
    assert np.isnan([random["best"], random["median gap"], random["largest gap"]]).all()
    assert table["strategy"].to_list()[-1] == "Random" and random["exact"] == 0
    assert courses_table(race).empty


def test_the_chart_shows_every_later_value_and_the_optimum(race: Race) -> None:
    charts = {by: spec for by, _, spec in race_charts(race, QUEST)}
    y = charts["seconds"]["layer"][0]["encoding"]["y"]
    assert charts["seconds"]["description"].endswith("over seconds of the processor")
    assert y["title"].startswith(f"Gap to the {EXACT}")
    # The axis of a search that is watched.
    floor = y["scale"]["domain"][0]
    assert y["scale"]["domain"] == list(gap_ends(QUEST.front, floor, least_cost=False))
    [gap] = charts["seconds"]["transform"]
    assert repr(QUEST.solution().bound) in gap["calculate"] and repr(floor) in gap["calculate"]


def test_a_point_that_is_clicked_tells_what_its_course_had_found(race: Race) -> None:
    row = courses_table(race).query("strategy == 'Random' and seed == 1").iloc[3]
    point = {"strategy": "Random", "seed": 1, "evaluations": int(row["evaluations"])}
    card = point_card(race, QUEST, point)
    best = race.courses["Random", 1].best
    assert card is not None and best is not None
    assert f"seed 1, after {row['evaluations']:,} of 600 evaluations" in card.sentence
    assert PROBLEM.objective.target.value_text(row["value"]) in card.sentence
    assert best.architecture.id in card.notes[0]
    assert point_card(race, QUEST, {"strategy": "none", "seed": 1}) is None
