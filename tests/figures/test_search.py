"""The tables of a search, cell by cell, and that the charts draw columns that they have."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from hand import choice_space, hand_space, noisy_table

from foxnas_core.families import family_of, load_shipped
from foxnas_core.figures import live
from foxnas_core.figures.search import (
    BEST,
    BUDGET,
    CURRENT,
    EXACT,
    FLOOR,
    FRONT,
    MEASURED,
    Stage,
    candidates_table,
    choice_text,
    comparison_table,
    course_table,
    frame_of,
    front_table,
    gap_table,
    group_title,
    promise_table,
    schedule_table,
    searches_table,
    signs,
    trail_table,
    with_candidates,
)
from foxnas_core.regression import fit
from foxnas_core.search.annealing import Annealer, search
from foxnas_core.search.calibration import calibrate
from foxnas_core.search.exact import front
from foxnas_core.search.expectation import expectation
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.result import TRACE_COLUMNS
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.table.metrics import metric_of
from tests.search.additive import mini_problem, solve_exact


def trace(*rows: tuple[float, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(TRACE_COLUMNS))


TRACE = trace((10, 2.0, 70.0, 5.0, math.nan, math.nan, 0.5), (20, 1.0, 69.0, 4.0, 69.5, 4.5, 0.25))

SPANS = ((0.0, 9.0), (60.0, 90.0))


def rows_of(table: pd.DataFrame) -> list[tuple]:
    """Rows with NaN as None, so that they compare."""
    return [
        tuple(None if isinstance(x, float) and math.isnan(x) else x for x in row)
        for row in table.itertuples(index=False)
    ]


def test_the_course_of_value_and_of_cost():
    stages = (Stage(0, 6.0), Stage(10, 4.75))
    assert rows_of(course_table(TRACE, "value", stages)) == [
        (10, 70.0, None, None), (20, 69.0, 69.5, None),
    ]  # fmt: skip
    assert rows_of(course_table(TRACE, "cost", stages)) == [
        (10, 5.0, None, 6.0), (20, 4.0, 4.5, 4.75),
    ]  # fmt: skip
    assert rows_of(course_table(TRACE.iloc[:0], "value", stages)) == []


def test_gaps_are_to_the_optimum_of_their_stage_and_never_below_the_floor():
    accuracy = metric_of("accuracy")
    stages = (Stage(0, 6.0, least=72.0), Stage(10, 4.75, least=69.5))
    # What acted at ten proposals acts on those that follow.
    assert rows_of(gap_table(TRACE, stages, accuracy, 0.25)) == [
        (10, 2.0, None), (20, 0.5, 0.25),
    ]  # fmt: skip
    assert live.least_gap(0.03) == pytest.approx(1e-4)


def test_the_trail_is_where_a_run_came_by_last():
    assert rows_of(trail_table(TRACE)) == [("trail", 5.0, 70.0, 0), ("trail", 4.0, 69.0, 1)]
    assert trail_table(TRACE, least_cost=True)["cost"].tolist() == [70.0, 69.0]


def test_kept_searches_stand_side_by_side_and_their_courses_below_each_other():
    problem = mini_problem()
    results = {
        "a": search(problem, AnnealingSettings(steps=300, mode="teaching")),
        "b": search(problem, AnnealingSettings(steps=200), with_exact=False),
        "c": search(SearchProblem(problem.objective), AnnealingSettings(steps=200)),
    }
    table = searches_table(results)
    assert list(table["search"]) == ["a", "b", "c"] and table["mode"][0] == "teaching"
    assert list(table["accuracy"]) == [result.best.value for result in results.values()]
    assert table["gap"][0] == results["a"].gap and math.isnan(table["gap"][1])
    assert list(table["limits"]) == ["latency_ms ≤ 6", "latency_ms ≤ 6", ""]
    assert table["latency (ms)"][0] == results["a"].best.costs[0]
    assert math.isnan(table["latency (ms)"][2])
    courses = comparison_table(results)
    for name, result in results.items():
        own = courses[courses["search"] == name]
        assert list(own["best_value"].dropna()) == list(result.trace["best_value"].dropna())
        assert own["exact"].isna().all() == (result.exact is None)
    json.dumps(live.comparison_spec(problem.objective.target, list(results), True))


def test_a_search_for_the_least_cost_is_listed_by_its_floor():
    problem = mini_problem()
    floor = SearchProblem(problem.limits[0].predictor, (Limit(problem.objective, at_least=80.0),))
    result = search(floor, AnnealingSettings(steps=200))
    [row] = searches_table({"a": result}).to_dict("records")
    assert (row["objective"], row["limits"]) == ("latency_ms", "accuracy ≥ 80")
    assert (row["latency (ms)"], row["accuracy"]) == (result.best.value, *result.best.costs)


def test_no_searches_are_an_empty_table():
    assert searches_table({}).empty


def test_the_schedule_is_in_percent():
    assert rows_of(schedule_table(TRACE)) == [(10, 2.0, 50.0), (20, 1.0, 25.0)]


def test_the_front_stands_over_what_was_measured():
    found = front(mini_problem())
    measured = pd.DataFrame(
        {
            "latency_ms": [3.0, math.nan, 4.0],
            "accuracy": [80.0, 81.0, math.nan],
            "id": ["a", "b", "c"],
        }
    )
    table = front_table(measured, found, budget=6, points=20)
    assert rows_of(table[table["kind"] == MEASURED]) == [(MEASURED, 3.0, 80.0)]
    assert rows_of(table[table["kind"] == BUDGET]) == [(BUDGET, 6.0, None)]
    kept = table[table["kind"] == FRONT]
    assert len(kept) == 20 < len(found)
    assert (kept["cost"].iloc[0], kept["value"].iloc[0]) == (found.costs[0], found.values[0])
    assert (kept["cost"].iloc[-1], kept["value"].iloc[-1]) == (found.costs[-1], found.values[-1])
    assert (np.diff(kept["cost"]) > 0).all() and (np.diff(kept["value"]) > 0).all()


def test_a_short_front_is_kept_whole():
    found = front(mini_problem())
    measured = pd.DataFrame({"latency_ms": [], "accuracy": []})
    table = front_table(measured, found, budget=6, points=10 * len(found))
    assert table[table["kind"] == FRONT]["cost"].tolist() == found.costs.tolist()


def test_candidates_are_added_where_there_are_any():
    found = front(mini_problem())
    candidate = found.candidate(3)
    table = pd.DataFrame({"kind": ["x"], "cost": [1.0], "value": [2.0]})
    assert rows_of(with_candidates(table, {BEST: candidate, CURRENT: None})) == [
        ("x", 1.0, 2.0),
        (BEST, candidate.costs[0], candidate.value),
    ]
    assert with_candidates(table, {BEST: None}) is table


def test_on_a_search_for_the_least_cost_the_plane_stays_the_same():
    problem = mini_problem()
    found = front(problem)
    floor = SearchProblem(problem.limits[0].predictor, (Limit(problem.objective, at_least=80.0),))
    optimum = solve_exact(floor)
    measured = pd.DataFrame({"latency_ms": [], "accuracy": []})
    table = front_table(measured, found, floor=80.0)
    assert rows_of(table[table["kind"] == FLOOR]) == [(FLOOR, None, 80.0)]
    assert not (table["kind"] == BUDGET).any()
    [row] = rows_of(candidates_table({EXACT: optimum}, least_cost=True))
    assert row == (EXACT, optimum.value, optimum.costs[0])
    # The least cost of a floor is a point of the front.
    points = list(zip(found.costs, found.values, strict=True))
    assert any(row[1:] == pytest.approx(point, abs=1e-9) for point in points)


def test_a_promise_tells_the_chance_that_the_first_limit_is_kept():
    space = hand_space(resolutions=(16, 32))
    table = noisy_table(space, 120, seed=0)
    accuracy, latency = (fit(table, c, "per_layer", "none") for c in ("accuracy", "latency_ms"))
    optima = table.rows(np.arange(len(table)) < 10)
    nothing = table.rows(np.zeros(len(table), dtype=bool))
    found = {p.target.column: calibrate(p, optima, nothing) for p in (accuracy, latency)}
    floor = float(accuracy.predict([space.extreme("largest")])["value"].iloc[0]) - 1
    problem = SearchProblem(latency, (Limit(accuracy, at_least=floor),))
    optimum = solve_exact(problem)
    told = [expectation(p, optimum.architecture, found) for p in (latency, accuracy)]
    promised = promise_table(told, found["accuracy"].chance(optimum.costs[0], floor))
    assert list(promised["target"]) == ["Latency", "Top-1 accuracy"]
    assert list(promised["predicted"]) == pytest.approx([optimum.value, *optimum.costs])
    assert math.isnan(promised["chance"][0])
    assert promised["chance"][1] == found["accuracy"].chance(optimum.costs[0], floor)
    assert promised["as searched"][0] == pytest.approx(
        found["latency_ms"].interval(optimum.value)[0]
    )
    plain = [expectation(p, optimum.architecture) for p in (latency, accuracy)]
    assert plain[0].value == plain[0].predicted == promised["predicted"][0]
    assert promise_table(plain, math.nan)["as searched"].isna().all()


@pytest.mark.parametrize(
    "group, title", [("s2", "Stage 2"), ("stem", "stem"), ("s", "s"), ("s12", "Stage 12")]
)
def test_groups_are_called_by_their_names(group, title):
    space = choice_space({group: (1, 2)})
    assert group_title(space, group) == title


def fields(part: object) -> set[str]:
    """Every field that a chart reads, filters included."""
    if isinstance(part, list):
        return set().union(*map(fields, part), set())
    if not isinstance(part, dict):
        return set()
    own = {part["field"]} if isinstance(part.get("field"), str) else set()
    return own.union(*map(fields, part.values()))


def test_charts_read_columns_that_their_tables_have():
    accuracy, latency = metric_of("accuracy"), metric_of("latency_ms")
    found, stages = front(mini_problem()), (Stage(0, 6.0),)
    measured = pd.DataFrame({"latency_ms": [3.0], "accuracy": [80.0]})
    for table, spec in (
        (
            gap_table(TRACE, (Stage(0, 6.0, least=72.0),), accuracy, 0.1).assign(
                event=None, word=None
            ),
            live.gap_spec(accuracy, 40, (0.1, 10.0), EXACT, 72.0),
        ),
        (
            course_table(TRACE, "value", stages).assign(event=None, word=None),
            live.course_spec(accuracy, 40, (60, 72), "value"),
        ),
        (
            course_table(TRACE, "cost", stages).assign(event=None, word=None),
            live.course_spec(latency, 40, (2, 9), BUDGET, 150),
        ),
        (
            schedule_table(TRACE).assign(event=None, word=None),
            live.schedule_spec("temperature", "Temperature", 40),
        ),
        (
            schedule_table(TRACE).assign(event=None, word=None),
            live.schedule_spec("accepted", "Accepted", 40),
        ),
        (front_table(measured, found, budget=6), live.front_spec(latency, accuracy, SPANS)),
        (trail_table(TRACE), live.moving_spec(latency, accuracy, SPANS)),
        (TRACE.assign(search="a", exact=1.0), live.comparison_spec(accuracy, ["a"], False)),
    ):
        assert fields(spec) and fields(spec) <= set(table.columns)
        assert spec["description"]
        json.dumps(spec)


def test_every_series_and_kind_has_its_layer():
    course = live.course_spec(metric_of("latency_ms"), 9, (0.0, 1.0), BUDGET)
    drawn = json.dumps(course["layer"])
    assert all(f'"{series}"' in drawn for series in (CURRENT, BEST, BUDGET))
    without = live.course_spec(metric_of("accuracy"), 9, (0.0, 1.0), "value")
    assert len(course["layer"]) == len(without["layer"]) + 1
    front_drawn = live.front_spec(metric_of("latency_ms"), metric_of("accuracy"), SPANS)
    drawn = json.dumps(front_drawn["layer"])
    kinds = (MEASURED, FRONT, BUDGET, FLOOR, CURRENT, BEST, EXACT)
    assert all(f'"{kind}"' in drawn for kind in kinds)


def test_what_moves_is_drawn_on_the_same_plane_with_nothing_else_to_be_seen():
    targets = metric_of("latency_ms"), metric_of("accuracy")
    still, moving = live.front_spec(*targets, SPANS), live.moving_spec(*targets, SPANS)
    assert moving["height"] == still["height"]
    *over_still, trail = moving["layer"]
    assert trail["encoding"]["x"]["axis"]["labelOpacity"] == 0
    for below, above in zip(still["layer"], over_still, strict=True):
        for channel, drawn in below["encoding"].items():
            if channel == "tooltip":
                continue
            over = above["encoding"][channel]
            part = "legend" if channel == "color" else "axis"
            assert over["scale"] == drawn["scale"]
            assert over[part] | drawn.get(part, {}) == over[part]
            assert over[part]["labelOpacity"] == 0
    assert "Opacity" not in json.dumps(still)


def test_the_plane_shows_all_of_the_front():
    table = pd.DataFrame({"cost": [1.0, 3.0, 2.0], "value": [70.0, 80.0, math.nan]})
    (left, right), (low, high) = frame_of(table)
    assert left < 1.0 and right > 3.0 and low < 70.0 and high > 80.0
    (left, right), _ = frame_of(table.iloc[:1])
    assert left < 1.0 < right


def test_tables_take_the_trace_of_a_real_run():
    annealer = Annealer(mini_problem(), AnnealingSettings(steps=500))
    annealer.advance(annealer.total)
    table = course_table(annealer.trace, "value", (Stage(0, 6.0),))
    assert table[CURRENT].notna().all()
    best = table[BEST].dropna()
    assert best.is_monotonic_increasing
    assert best.iloc[-1] == np.float32(annealer.best.value)


def test_signs_of_cells_are_told():
    space = load_shipped("fbnetv2-mini")
    chosen = family_of(space).extremes(space)["largest"]
    texts = [choice_text(d, chosen[d.name]) for d in space.in_slot("s1b2")]
    assert texts == ["k5", "e4", "×4", "SE on", "h-swish"]
    assert choice_text(space.by_name["s1_width"], 16) == "width 16"
    told = "k: kernel size, e: expand ratio, ×: splits, SE: squeeze-and-excitation"
    assert signs(space) == told and signs(load_shipped("nasbench201")) == ""
