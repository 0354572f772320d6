"""Results come back from JSON as they went, and equal searches give equal bytes."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from foxnas_core.search.annealing import search
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.result import SearchResult, search_document
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.table.metrics import KNOWN, metric_of
from tests.search.additive import mini_problem

SETTINGS = AnnealingSettings(steps=500, seed=4)


def test_round_trip_through_json() -> None:
    result = search(mini_problem(), SETTINGS)
    text = json.dumps(result.to_dict(), allow_nan=False, sort_keys=True)
    back = SearchResult.from_dict(json.loads(text))
    assert json.dumps(back.to_dict(), allow_nan=False, sort_keys=True) == text
    assert (back.best, back.exact, back.settings) == (result.best, result.exact, result.settings)
    pd.testing.assert_frame_equal(back.trace, result.trace, check_exact=True)


def test_round_trip_without_limit_or_exact() -> None:
    result = search(SearchProblem(mini_problem().objective), SETTINGS, with_exact=False)
    assert (result.exact, result.gap, result.limits, result.best.costs) == (None, None, (), ())
    text = json.dumps(result.to_dict(), allow_nan=False)
    assert json.dumps(SearchResult.from_dict(json.loads(text)).to_dict()) == text


def test_equal_seeds_equal_bytes() -> None:
    texts = {json.dumps(search(mini_problem(), SETTINGS).to_dict()) for _ in range(2)}
    assert len(texts) == 1


def test_a_result_says_what_it_came_from() -> None:
    problem = mini_problem()
    result = search(problem, SETTINGS)
    assert result.objective == "accuracy"
    assert result.limits == (("latency_ms", 6.0),)
    assert result.fingerprints == {
        "space": problem.space.fingerprint,
        "accuracy": "0123456789ab",
        "latency_ms": "ba9876543210",
    }
    assert result.settings.start_temperature is not None
    assert result.gap == result.exact.value - result.best.value


@pytest.mark.parametrize(("target", "gap"), [("accuracy", 1.5), ("cross_entropy", -1.5)])
def test_the_gap_is_what_the_optimum_is_better_by(target: str, gap: float) -> None:
    problem = mini_problem()
    problem = SearchProblem(replace(problem.objective, target=metric_of(target)), problem.limits)
    best = problem.candidate(0, [0, 0, 0])
    exact = replace(best, value=best.value + gap)
    assert SearchResult.of(problem, SETTINGS, best, exact, 1, pd.DataFrame()).gap == 1.5


def test_the_document_of_the_command_line() -> None:
    problem = mini_problem()
    result = search(problem, SETTINGS)
    predictors = {p.target.column: p for p in (problem.objective, problem.limits[0].predictor)}
    document = search_document(result, predictors, KNOWN["accuracy"], KNOWN["latency_ms"])
    assert list(document) == [
        "best", "exact", "gap", "bound", "certificate", "objective", "limits", "allowed", "seed",
        "proposals", "unguarded",
    ]  # fmt: skip
    [limit] = document["limits"]
    assert (limit["column"], limit["at_most"]) == ("latency_ms", 6.0)
    assert limit["best"] == document["best"]["latency_ms"]
    best = document["best"]
    assert list(best) == [
        "id", "architecture", "accuracy", "latency_ms", "as_searched", "measured",
    ]  # fmt: skip
    assert best["measured"] == {}
    assert best["as_searched"] == {}  # no optima were measured
    assert best["architecture"] == result.best.architecture.to_dict()
    assert best["id"] == problem.space.architecture(best["architecture"]).id
    assert best["latency_ms"]["value"] <= 6.0
    for name in ("accuracy", "latency_ms"):
        estimate = best[name]
        # The test's predictor has prediction intervals of two to either side.
        assert estimate["high"] == pytest.approx(estimate["value"] + 2)
        assert estimate["low"] == pytest.approx(estimate["value"] - 2)
    assert (document["seed"], document["proposals"]) == (
        4,
        500 * SETTINGS.chains * (1 + SETTINGS.restarts) * len(problem.tables),
    )
    json.dumps(document, allow_nan=False)


def test_floors_pins_and_a_bound_come_back_and_are_left_out_where_there_are_none() -> None:
    problem = mini_problem()
    plain = search(problem, SETTINGS).to_dict()
    assert not {"sides", "allowed", "bound"} & set(plain)
    assert SearchResult.from_dict(plain).sides == ("at_most",)
    name = problem.space.decisions[-1].name
    allowed = {name: problem.space.by_name[name].choices[:1]}
    turned = SearchProblem(
        problem.limits[0].predictor, (Limit(problem.objective, at_least=76.0),), allowed
    )
    result = search(turned, SETTINGS)
    back = SearchResult.from_dict(json.loads(json.dumps(result.to_dict())))
    assert (back.sides, back.allowed, back.bound) == (("at_least",), allowed, None)
    assert back.best.costs[0] >= 76.0
    best, settings = result.best, result.settings
    bounded = SearchResult.of(turned, settings, best, None, 1, result.trace, best.value - 0.5)
    assert bounded.gap == pytest.approx(0.5) and "out of reach" in bounded.certificate
    again = SearchResult.from_dict(json.loads(json.dumps(bounded.to_dict())))
    assert (again.bound, again.gap, again.exact) == (bounded.bound, bounded.gap, None)
