"""Searches of a table that holds every architecture, against a listing of its rows."""

from dataclasses import replace

import numpy as np
import pytest
from hand import choice_space, hand_space, noisy_table, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.search.annealing import search
from foxnas_core.search.chance import chance_kept, chance_within
from foxnas_core.search.exact import front
from foxnas_core.search.limits import limit_of
from foxnas_core.search.lookup import check_known, whole_of, whole_table
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.result import SearchResult
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.solving import solve

SPACE = choice_space({name: (0, 1, 2) for name in ("a", "b", "c")})
CODES = SPACE.option_codes(SPACE.decisions)
ACCURACY, LATENCY = "accuracy", "latency_ms:board"


def problem_of(table, limits, objective=ACCURACY, allowed=None) -> SearchProblem:
    whole = whole_table(table, (objective, *limits))
    assert whole is not None
    found = whole.predictors()
    held = tuple(limit_of(found[column], bound) for column, bound in limits.items())
    return SearchProblem(found[objective], held, allowed or {})


def numbers(least: float, most: float, holes: int):
    """27 numbers of which at most `holes` are missing."""
    cells = st.lists(
        st.floats(least, most).map(lambda x: round(x, 1)), min_size=len(CODES), max_size=len(CODES)
    )
    missing = st.sets(st.integers(0, len(CODES) - 1), max_size=holes)

    def holed(parts) -> np.ndarray:
        values = np.array(parts[0])
        values[list(parts[1])] = np.nan
        return values

    return st.tuples(cells, missing).map(holed)


@settings(deadline=None, max_examples=25)
@given(numbers(50, 90, 6), numbers(1, 9, 6), st.floats(1, 9), st.booleans())
def test_the_answer_of_a_whole_table_is_that_of_a_listing(accuracy, latency, budget, pinned):
    table = table_of(SPACE, CODES, **{ACCURACY: accuracy, LATENCY: latency})
    allowed = {"b": (0, 2)} if pinned else {}
    known = np.isfinite(accuracy) & np.isfinite(latency)
    kept = known & (np.isin(CODES[:, 1], (0, 2)) | (not pinned))
    within = kept & (latency <= budget)
    problem = problem_of(table, {LATENCY: budget}, allowed=allowed)
    if not kept.any():
        with pytest.raises(InvalidInput, match="allow more choices"):
            check_known(problem)
        return
    check_known(problem)
    if not within.any():
        with pytest.raises(InfeasibleBudget):
            solve(problem)
        return
    found = solve(problem)
    best = accuracy[within].max()
    assert found.exact and found.candidate.value == best
    assert found.candidate.costs[0] == latency[within & (accuracy == best)].min()
    # The front, whose every point is a row that no row beats.
    whole = front(problem)
    for point in range(len(whole)):
        value, cost = whole.values[point], whole.costs[point]
        assert (value, cost) in set(zip(accuracy[kept], latency[kept], strict=True))
        assert not (kept & (accuracy >= value) & (latency < cost)).any()
        assert not (kept & (accuracy > value) & (latency <= cost)).any()
    # The other way round, the least latency at what was reached.
    turned = problem_of(table, {ACCURACY: best}, LATENCY, allowed)
    assert solve(turned).candidate.value == latency[kept & (accuracy >= best)].min()


def test_what_lacks_one_limited_value_is_never_an_answer():
    accuracy, latency = np.full(27, 60.0), np.full(27, 5.0)
    accuracy[3], latency[3] = 99.0, np.nan
    table = table_of(SPACE, CODES, **{ACCURACY: accuracy, LATENCY: latency})
    whole = whole_table(table, (ACCURACY, LATENCY))
    assert "1 of them without accuracy or latency" in whole.sentence
    assert "the best of the other 26" in whole.sentence
    assert solve(problem_of(table, {LATENCY: 1e9})).candidate.value == 60.0
    alone = whole_table(table, (ACCURACY,))
    assert solve(SearchProblem(alone.predictors()[ACCURACY])).candidate.value == 99.0
    assert "nothing is predicted" in alone.sentence and "without" not in alone.sentence
    [told] = whole.predictors()[LATENCY].predict(table.architectures()[3:4]).to_dict("records")
    assert np.isnan(told["value"])


def test_repeated_rows_count_as_their_mean_and_tell_their_error():
    accuracy = np.concatenate([np.full(27, 60.0), [70.0]])
    codes = np.vstack([CODES, CODES[:1]])
    table = table_of(SPACE, codes, accuracy=accuracy)
    whole = whole_table(table, ("accuracy",))
    assert whole is not None and len(whole.known) == 27
    predictor = whole.predictors()["accuracy"]
    [row] = predictor.predict(table.architectures()[:1]).to_dict("records")
    assert row["value"] == 65.0 and row["high"] - 65 == pytest.approx(1.96 * np.sqrt(50) / 2**0.5)


@pytest.mark.parametrize("rows", [0, 1, 26])
def test_a_table_that_lacks_an_architecture_answers_nothing(rows):
    table = table_of(SPACE, CODES[:rows], accuracy=np.full(rows, 60.0))
    assert whole_table(table, ("accuracy",)) is None


def test_most_must_be_measured():
    accuracy = np.full(27, np.nan)
    accuracy[:13] = 60.0
    assert whole_table(table_of(SPACE, CODES, accuracy=accuracy), ("accuracy",)) is None
    accuracy[13] = 60.0
    assert whole_table(table_of(SPACE, CODES, accuracy=accuracy), ("accuracy",)) is not None


def test_a_space_too_large_to_count_answers_nothing():
    space = choice_space({f"x{i}": tuple(range(9)) for i in range(40)})
    table = table_of(space, space.random_codes(5, seed=0), accuracy=np.full(5, 60.0))
    assert whole_table(table, ("accuracy",)) is None


def test_conditions_and_a_context_are_looked_up_as_they_are_written():
    space = hand_space(resolutions=(12, 16))
    codes = np.unique(space.random_codes(3000, seed=0), axis=0)
    assert len(codes) == space.size
    rng = np.random.default_rng(1)
    accuracy, latency = rng.uniform(50, 90, len(codes)), rng.uniform(1, 9, len(codes))
    table = table_of(space, codes, **{ACCURACY: accuracy, LATENCY: latency})
    for budget in (2.0, 4.0, 9.0):
        found = solve(problem_of(table, {LATENCY: budget})).candidate
        assert found.value == accuracy[latency <= budget].max()
        assert found.architecture == table.architectures()[int(np.argmax(accuracy == found.value))]


def test_the_annealer_finds_it_and_the_search_says_so():
    rng = np.random.default_rng(2)
    table = table_of(
        SPACE, CODES, **{ACCURACY: rng.uniform(50, 90, 27), LATENCY: rng.uniform(1, 9, 27)}
    )
    problem = problem_of(table, {LATENCY: 5.0})
    result = search(problem, AnnealingSettings(steps=200))
    assert result.gap == 0 and result.source == "table"
    assert "every architecture is measured" in result.certificate
    assert SearchResult.from_dict(result.to_dict()).source == "table"
    plain = replace(result, source="regression")
    assert "source" not in plain.to_dict() and "predicted" in plain.certificate
    assert SearchResult.from_dict(plain.to_dict()).source == "regression"


def test_chances_are_by_the_errors_of_measuring():
    table = table_of(
        SPACE, CODES, accuracy=60.0 + CODES.sum(axis=1),
        **{LATENCY: 1.0 + CODES.sum(axis=1), f"{LATENCY}_std_error": np.full(27, 0.5)},
    )  # fmt: skip
    problem = problem_of(table, {LATENCY: 3.0})
    best = solve(problem).candidate.architecture
    [limit] = problem.limits
    assert chance_kept(limit, best) == pytest.approx(0.5)
    assert chance_kept(limit.at(3.0 + 1.959964 * 0.5 * 2**0.5), best) == pytest.approx(0.975)
    whole = front(problem)
    chances = chance_within(whole, np.full(len(whole), 3.0), np.arange(len(whole)))
    assert (np.diff(chances) < 0).all() and chances[0] > 0.99
    sure = problem_of(table, {ACCURACY: 62.0}, LATENCY)
    assert chance_kept(sure.limits[0], best) == 1.0
    assert whole_of(sure) is not None


def test_what_fits_predict_is_no_table():
    from foxnas_core.regression import fit

    table = noisy_table(hand_space(), 60)
    assert whole_of(SearchProblem(fit(table, "accuracy", "per_layer"))) is None
