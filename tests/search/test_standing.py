"""What a search found beside what was measured: known answers."""

from dataclasses import replace

import numpy as np
import pytest
from hand import table_of
from scipy.special import ndtr
from tricky import LATENCY, SPACE, tricky_table

from foxnas_core.cards.standing import (
    beyond_sentence,
    first_sentence,
    incumbent_sentence,
    own_sentence,
    standing_document,
)
from foxnas_core.regression import fit
from foxnas_core.search.guard import in_measurements
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.solving import solve
from foxnas_core.search.standing import shrunk, standing
from foxnas_core.table.measurements import empty_table


def problem_of(table, budget: float) -> SearchProblem:
    accuracy, latency = (fit(table, c, "per_layer", "none") for c in ("accuracy", "latency_ms"))
    return SearchProblem(accuracy, (Limit(latency, budget),))


def standing_of(table, budget: float = 4.3, optima=None, **options):
    problem = problem_of(table, budget)
    optima = empty_table(SPACE) if optima is None else optima
    return standing(problem, solve(problem).candidate, table, optima, **options)


def targets(found):
    return [found.objective, replace(found.objective, column="latency_ms", unit="ms")]


def test_a_measured_row_that_beats_the_optimum_comes_first():
    table = tricky_table()
    found = standing_of(table)
    frame = table.frame
    best = frame[frame["latency_ms"] <= 4.3]["accuracy"].max()
    assert found.candidate.architecture.to_dict() == {f"e{i}": 1 for i in range(4)}
    assert found.expected == found.readings["accuracy"].value < best == found.rival
    assert found.measured_first and not found.beyond
    said = first_sentence(found, [found.objective])
    assert said.startswith(
        f"Measured already, and better: subnet {found.incumbent.architecture.id}"
    )
    assert f"{best:.2f} %" in said and "part of its lead may be luck" in said
    document = standing_document(found, [found.objective])
    assert document["source"] == "measured" and document["headline"] == said
    assert document["best_measured"]["metrics"]["accuracy"]["value"] == best
    assert set(document["best_measured"]) == {"id", "architecture", "metrics", "chance"}
    assert document["best_measured"]["chance"] == 1  # its latency is a sum without an error


def test_an_optimum_that_is_the_best_measured_says_so():
    found = standing_of(tricky_table(), budget=3.1)
    assert found.incumbent.architecture == found.candidate.architecture
    assert not found.measured_first and first_sentence(found, [found.objective]) == ""
    assert "It is the best of" in incumbent_sentence(found, [found.objective])
    assert own_sentence(found, [found.objective]).startswith("It was measured already: ")
    assert standing_document(found, [])["source"] == "regression"


def test_how_surely_a_measured_row_keeps_the_limits_is_said_where_its_errors_are_known():
    latency = LATENCY + np.random.default_rng(0).normal(0, 0.01, 81)
    assert standing_of(tricky_table(latency_ms=latency)).rival_keeps is None
    found = standing_of(tricky_table(latency_ms=latency, latency_ms_std_error=np.full(81, 0.5)))
    room = 4.3 - found.incumbent.readings["latency_ms"].value
    assert found.measured_first and found.rival_keeps == pytest.approx(ndtr(room / 0.5**0.5))
    said = first_sentence(found, [found.objective])
    assert f"measured again it keeps them in {in_measurements(found.rival_keeps)}" in said


def test_optima_tell_what_the_optimum_measured():
    """The row itself is not in the table; among measured optima it is."""
    whole = tricky_table()
    ones = (whole.codes == 1).all(axis=1)
    table, optima = tricky_table(~ones), whole.rows(ones)
    assert not standing_of(table).readings
    found = standing_of(table, optima=optima)
    assert found.readings["accuracy"].value == found.expected and found.measured_first


def test_limits_are_held_to_what_was_measured_as_asked():
    found = standing_of(tricky_table(), budget=4.3, bounds={"latency_ms": 2.0})
    assert found.incumbent.rivals == 1 and not found.measured_first
    none = standing_of(tricky_table(), budget=4.3, bounds={"latency_ms": 1.0})
    assert none.incumbent is None and np.isnan(none.rival)
    assert incumbent_sentence(none, []) == "No measured subnet keeps the limits."
    assert standing_document(none, [])["best_measured"] is None


def test_an_optimum_that_measured_beyond_its_limit_says_so():
    found = standing_of(tricky_table(), budget=3.1, bounds={"latency_ms": 2.9})
    assert found.broken == ("latency_ms",) and not found.measured_first
    said = own_sentence(found, [found.objective])
    assert "but breaks a limit by a measured latency of 3.00 ms" in said
    assert standing_of(tricky_table(), budget=3.1).broken == ()


def test_an_optimum_beyond_anything_measured_says_so():
    codes = SPACE.option_codes(SPACE.decisions)
    table = tricky_table((codes == 1).sum(axis=1) <= 2)
    found = standing_of(table, budget=4.3)
    assert found.beyond == {"accuracy": table.values("accuracy").max()}
    said = beyond_sentence(found)
    assert said.startswith("It is predicted to be more accurate than anything measured (")
    assert f"{found.beyond['accuracy']:.2f} %" in said
    cheap = table.rows(table.values("latency_ms") > 2.4)
    least = standing_of(cheap, budget=2.1)
    assert least.beyond["latency_ms"] == cheap.values("latency_ms").min()
    assert "faster than anything measured" in beyond_sentence(least)


def test_what_optima_measure_is_what_an_optimum_is_expected_at():
    codes = SPACE.option_codes(SPACE.decisions)
    table = tricky_table((codes == 1).sum(axis=1) <= 3)
    plain, corrected = standing_of(table), standing_of(table, as_searched=1.0)
    assert plain.expected == plain.candidate.value and not plain.measured_first
    assert corrected.expected == 1.0 and corrected.measured_first


@pytest.mark.parametrize("error", [0.01, 1.0, 100.0])
def test_a_reading_is_drawn_to_its_prediction_by_its_noise(error):
    table = tricky_table(accuracy_std_error=np.full(81, error))
    predictor = fit(table, "accuracy", "per_layer", "none")
    found = standing_of(table)
    best = found.incumbent
    predicted = float(predictor.predict([best.architecture])["value"].iloc[0])
    reading = best.readings["accuracy"].value
    left = max(0.0, 1 - error**2 / predictor.cv.rmse**2)
    assert found.rival == pytest.approx(predicted + left * (reading - predicted))
    assert shrunk(predictor, best.architecture, best.readings["accuracy"]) == found.rival


def test_picking_the_best_of_many_noisy_rows_is_not_flattered():
    """Over many tables, what the incumbent truly is lies at its shrunk value, below its reading."""
    rng = np.random.default_rng(0)
    codes = SPACE.option_codes(SPACE.decisions)
    raw, drawn = [], []
    for _ in range(30):
        truth = 60 + codes @ rng.normal(0, 0.5, 4) + rng.normal(0, 0.7, 81)
        noise = rng.normal(0, 0.7, 81)
        table = table_of(
            SPACE, codes, accuracy=truth + noise, accuracy_std_error=np.full(81, 0.7),
            latency_ms=2 + 0.5 * codes.sum(axis=1),
        )  # fmt: skip
        found = standing_of(table, budget=9.0)
        own = truth[table.frame["id"].to_numpy() == found.incumbent.architecture.id][0]
        raw.append(found.incumbent.readings["accuracy"].value - own)
        drawn.append(found.rival - own)
    assert np.mean(raw) > 0.4
    assert abs(np.mean(drawn)) < 0.3 * np.mean(raw)
