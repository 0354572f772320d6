import functools
import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand import hand_space, noisy_table, table_of

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.figures.rounds import error_figure, find_table
from foxnas_core.regression import Predictor, fit
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.exact import Front, front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.rounds.improvement import expected_improvements, plan_improvements
from foxnas_core.search.rounds.outcome import (
    best_measured,
    measured_finds,
    movement,
    rounds_document,
    rounds_table,
)
from foxnas_core.search.rounds.planning import best_not_taken, plan_finds, spread_budgets
from foxnas_core.search.rounds.record import (
    IMPROVEMENT,
    ROUNDS,
    BestMeasured,
    Find,
    FindEstimate,
    FitQuality,
    Round,
    RoundsRecord,
    check_continues,
    front_error,
)
from foxnas_core.table.metrics import KNOWN

SPACE = hand_space(resolutions=(8, 16))
EVERY = SPACE.option_codes(SPACE.decisions)


@functools.cache
def predictors() -> tuple[Predictor, Predictor]:
    table = noisy_table(SPACE, 50, seed=3)
    return fit(table, "accuracy", "per_layer"), fit(table, "latency_ms", "per_layer")


@functools.cache
def the_front() -> Front:
    accuracy, latency = predictors()
    return front(SearchProblem(accuracy, (Limit(latency, 0.0),)))


def predicted(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return tuple(p.predict_codes(codes)["value"].to_numpy() for p in predictors())


# Budgets


def test_budgets_are_middles_of_equal_parts_and_one_is_the_shared():
    low, high = the_front().costs[[0, -1]]
    assert np.allclose(
        spread_budgets(the_front(), 2), [low + (high - low) * x for x in (0.25, 0.75)]
    )
    shared = low + 0.7 * (high - low)
    assert np.allclose(spread_budgets(the_front(), 2, shared), [low + 0.25 * (high - low), shared])
    assert shared in spread_budgets(the_front(), 2, shared)


def test_budgets_that_cannot_be_are_one_sentence():
    for count in (0, 101):
        with pytest.raises(InvalidInput, match="ask for 1 to 100"):
            spread_budgets(the_front(), count)
    with pytest.raises(InfeasibleBudget):
        spread_budgets(the_front(), 3, shared=the_front().costs[0] / 2)


# Finds


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_finds_of_one_budget_come_in_the_order_of_their_predictions(share):
    """Against a listing of the whole space: the first is the optimum, none is above the budget,
    and once all are taken there is none left."""
    budget = the_front().costs[0] + share * (the_front().costs[-1] - the_front().costs[0])
    values, costs = predicted(EVERY)
    within = costs <= budget + 1e-9
    taken: list[str] = []
    found = []
    while (pair := best_not_taken(the_front(), budget, taken)) is not None:
        architecture, passed_over = pair
        assert passed_over == len(taken)
        taken.append(architecture.id)
        found.append(architecture)
    value, cost = predicted(SPACE.encode(found))
    assert (cost <= budget + 1e-9).all()
    assert np.isclose(value[0], values[within].max())
    # Edits reach every architecture within so small a space's budgets, or all but a few.
    assert len(set(taken)) == len(taken) >= 0.9 * within.sum()
    # The second is as good as any optimum of a smaller budget, and as any edit of the first.
    near = SPACE.neighbours(found[0])
    edited, paid = predicted(SPACE.encode(near))
    others = [*edited[paid <= budget], *the_front().values[the_front().values < value[0] - 1e-9]]
    others = [v for v in others if v <= values[within].max()]
    assert value[1] >= max(others) - 1e-9


def test_a_round_finds_distinct_subnets_that_nobody_measured():
    budgets = spread_budgets(the_front(), 5)
    first = plan_finds(the_front(), predictors(), budgets, ())
    assert [f.passed_over for f in first[:1]] == [0]
    for find in first:
        assert find.architecture == the_front().within(find.budget).architecture or find.passed_over
        for predictor in predictors():
            row = predictor.predict([find.architecture]).iloc[0]
            estimate = find.predicted[predictor.target.column]
            assert estimate == FindEstimate(
                row["value"], row["prediction_low"], row["prediction_high"]
            )
    taken = {f.architecture.id for f in first}
    assert len(taken) == 5
    second = plan_finds(the_front(), predictors(), budgets, taken)
    assert not taken & {f.architecture.id for f in second}
    assert all(f.passed_over for f in second) and len({f.architecture.id for f in second}) == 5
    assert plan_finds(the_front(), predictors(), budgets, SPACE.ids(EVERY)) == ()


def test_an_expected_improvement_is_the_mean_gain_of_many_measurements():
    table, codes = noisy_table(SPACE, 50, seed=3), EVERY[::200]
    budget = float(np.median(table.values("latency_ms")))
    [gains] = expected_improvements(predictors(), table, codes, [budget])
    within = table.values("latency_ms") <= budget
    best = table.values("accuracy")[within].max()
    rng = np.random.default_rng(0)
    drawn = []
    for predictor in predictors():
        rows = predictor.form.matrix(codes)
        spread = np.sqrt(predictor.std_error(rows) ** 2 + predictor.residual_variance)
        drawn.append(rows @ predictor.estimates + spread * rng.standard_normal((20_000, len(rows))))
    told = np.maximum(drawn[0] - best, 0).mean(axis=0) * (drawn[1] <= budget).mean(axis=0)
    np.testing.assert_allclose(gains, told, rtol=0.1, atol=0.01)


def test_what_improves_most_is_new_and_keeps_its_budget():
    table, budgets = noisy_table(SPACE, 50, seed=3), spread_budgets(the_front(), 4)
    taken = set(SPACE.ids(table.codes))
    finds = plan_improvements(the_front(), table, predictors(), budgets, taken)
    assert {find.budget for find in finds} <= set(budgets)
    ids = {find.architecture.id for find in finds}
    assert 2 <= len(ids) == len(finds) and not ids & taken
    assert all(f.predicted["latency_ms"].value <= f.budget + 1e-9 for f in finds)
    assert plan_improvements(the_front(), table, predictors(), budgets, SPACE.ids(EVERY)) == ()


def test_guarded_finds_keep_their_budgets_with_room():
    budgets = spread_budgets(the_front(), 4)
    plain = plan_finds(the_front(), predictors(), budgets, ())
    found = plan_finds(the_front(), predictors(), budgets, (), lambda budget: budget / 1.2)
    assert [f.budget for f in found] == [f.budget for f in plain]  # as they were asked
    for find in found:
        room = max(find.budget / 1.2, the_front().costs[0])
        assert find.predicted["latency_ms"].value <= room * (1 + 1e-9)
    # Where nothing keeps a budget so surely, the surest there is stands in for it.
    tight = plan_finds(the_front(), predictors(), budgets[:1], (), lambda budget: 0.0)
    assert tight[0].predicted["latency_ms"].value == pytest.approx(the_front().costs[0])
    record = RoundsRecord("latency_ms", budgets, None, 0, guard=0.9)
    check_continues(record, ("accuracy", "latency_ms"), None, None, 0)
    with pytest.raises(InvalidInput, match="begun with the guard 0.90*, not 0.5"):
        check_continues(record, ("accuracy", "latency_ms"), None, None, 0, 0.5)
    with pytest.raises(InvalidInput, match="way to choose finds optimum, not improvement"):
        check_continues(record, ("accuracy", "latency_ms"), None, None, 0, by=IMPROVEMENT)


# What was measured


def test_measured_values_are_means_of_the_finds_own_rows():
    finds = plan_finds(the_front(), predictors(), spread_budgets(the_front(), 2), ())
    own = SPACE.encode([finds[0].architecture, finds[0].architecture])
    table = table_of(SPACE, own, accuracy=np.array([60.0, 62.0]), latency_ms=np.array([5.0, 7.0]))
    first, second = measured_finds(finds, table)
    assert first.measured == {"accuracy": 61.0, "latency_ms": 6.0} and second.measured == {}


def test_the_best_measured_is_that_of_a_listing():
    table = noisy_table(SPACE, 40, seed=6)
    # Rows of one architecture count as their mean.
    means = table.frame.groupby("id")[["accuracy", "latency_ms"]].mean()
    for budget in (*means["latency_ms"].quantile([0.05, 0.4, 1.0]), 0.0):
        [best] = best_measured(table, ("accuracy", "latency_ms"), [budget])
        within = means[means["latency_ms"] <= budget]
        if within.empty:
            assert best.id == "" and math.isnan(best.accuracy) and math.isnan(best.latency)
            continue
        assert best.accuracy == pytest.approx(within["accuracy"].max()) and best.latency <= budget
        assert best.id == within["accuracy"].idxmax()


def test_the_best_measured_may_need_all_of_a_budget():
    codes = SPACE.encode(SPACE.sample(2, seed=0))
    table = table_of(SPACE, codes, accuracy=np.array([60.0, 70.0]), latency_ms=np.array([1.0, 2.0]))
    [best] = best_measured(table, ("accuracy", "latency_ms"), [2.0])
    assert (best.accuracy, best.latency) == (70.0, 2.0)


def finds_of(*pairs: tuple[float, float]) -> tuple[Find, ...]:
    """Predicted and measured accuracy of as many finds; intervals reach 1 to either side."""
    architectures = SPACE.sample(len(pairs), seed=0)
    return tuple(
        Find(
            a,
            10.0,
            0,
            {"accuracy": FindEstimate(float(p), p - 1.0, p + 1.0)},
            {"accuracy": float(m)},
        )
        for a, (p, m) in zip(architectures, pairs, strict=True)
    )


def test_the_error_at_the_front_by_hand():
    error = front_error(finds_of((60, 59.5), (62, 60), (61, 61.5)), "accuracy")
    assert (error.finds, error.bias) == (3, pytest.approx(-2 / 3))
    assert error.rmse == pytest.approx(math.sqrt((0.25 + 4 + 0.25) / 3))
    assert error.inside == pytest.approx(2 / 3)
    assert front_error([], "accuracy") is None
    assert front_error(finds_of((60, 60)), "latency_ms") is None


def test_what_optima_tell_of_finds_is_kept_beside_their_predictions():
    accuracy, _ = predictors()
    known = {"accuracy": SearchCalibration(accuracy, np.linspace(-1.2, -0.8, 5), pd.DataFrame())}
    budgets = spread_budgets(the_front(), 3)
    finds = plan_finds(the_front(), predictors(), budgets, (), known=known)
    plain = plan_finds(the_front(), predictors(), budgets, ())
    assert [f.predicted for f in finds] == [f.predicted for f in plain]
    assert all(f.expected == {} for f in plain) and {*finds[0].expected} == {"accuracy"}
    for find in finds:
        told, value = find.expected["accuracy"], find.predicted["accuracy"].value
        assert (told.value, told.low, told.high) == known["accuracy"].interval(value)
    measured = [
        replace(f, measured={"accuracy": f.expected["accuracy"].value + 0.5}) for f in finds
    ]
    assert front_error(measured, "accuracy", expected=True).bias == pytest.approx(0.5)
    assert front_error(measured, "accuracy").bias == pytest.approx(-0.5)
    assert front_error(measured, "latency_ms", expected=True) is None
    done = Round({}, tuple(measured), {}, ())
    assert "+0.50 points off what was expected on average" in done.sentence(("accuracy",))
    assert "-0.50 off the plain prediction" in done.sentence(("accuracy",))
    quality = {c: FitQuality("per_layer", 9, 0.9, 0.3, 0.8) for c in ("accuracy", "latency_ms")}
    record = RoundsRecord("latency_ms", budgets, None, 0, (replace(done, after=quality),))
    assert ROUNDS.value(json.loads(ROUNDS.text(record))) == record
    [told] = rounds_document(record)["rounds"]
    assert told["expected_errors"]["accuracy"]["bias"] == pytest.approx(0.5)
    assert told["errors"]["accuracy"]["bias"] == pytest.approx(-0.5)
    table = rounds_table(record)
    assert table["accuracy_expected_bias"].tolist() == pytest.approx([0.5])
    found = find_table(record)
    assert found["accuracy less expected"].tolist() == pytest.approx([0.5] * 3)
    figure = error_figure(found, "accuracy")
    assert figure.layout.yaxis.title.text == "Measured less expected (points)"
    assert list(figure.data[0].y) == pytest.approx([0.5] * 3)


def test_rows_that_agree_move_a_fit_as_far_as_chance_does_and_others_further():
    moved = {0.0: [], 3.0: []}
    for seed in range(12):
        table = noisy_table(SPACE, 60, seed=seed)
        before = fit(table.rows(np.arange(60) < 40), "accuracy", "per_layer", "none")
        assert movement(before, table.rows(np.arange(60) < 40), seed=0) == 0
        for shift, found in moved.items():
            accuracy = table.values("accuracy") + shift * (np.arange(60) >= 40)
            both = table_of(SPACE, table.codes, accuracy=accuracy)
            found.append(movement(before, both, seed=0) ** 2)
    assert 0.6 < np.mean(moved[0.0]) < 1.7
    assert np.mean(moved[3.0]) > 10 * np.mean(moved[0.0])


# The record


def record(rounds: int = 1, *, planned: bool = False) -> RoundsRecord:
    quality = FitQuality("per_layer", 41, 0.9, 0.3, 0.8)
    none = BestMeasured(5.0, "", math.nan, math.nan)
    best = BestMeasured(5.0, "abc", 61.0, 4.5)
    fits = {"accuracy": quality, "latency_ms": quality}
    begun = Round({"space": "s", "measurements": "m"}, finds_of((60, 61)), fits, (none,))
    done = replace(begun, after=fits, best=(best,), moved={"accuracy": 1.5})
    kept = (done,) * rounds + ((begun,) if planned else ())
    return RoundsRecord("latency_ms", (5.0,), 5.0, 7, kept)


@pytest.mark.parametrize("planned", [False, True])
def test_a_record_survives_json(planned):
    one = record(2, planned=planned)
    text = ROUNDS.text(one)
    again = ROUNDS.value(json.loads(text))
    assert ROUNDS.text(again) == text
    assert again.done == one.done == 2
    assert [f.architecture for r in again.rounds for f in r.finds] == [
        f.architecture for r in one.rounds for f in r.finds
    ]
    with pytest.raises(ValueError, match="format 2"):
        ROUNDS.value(ROUNDS.document(one) | {"format": 2})


def test_an_unfinished_round_is_replaced_and_a_finished_one_kept():
    unfinished = record(1, planned=True)
    done = unfinished.rounds[0]
    assert unfinished.with_last(done).rounds == (done, done)
    assert record(1).with_last(done).rounds == (done, done)


def test_a_round_says_what_it_came_to():
    done = record().rounds[0]
    assert done.done and done.improved(KNOWN["accuracy"]) == 1 and done.alternatives == 0
    said = done.sentence(("accuracy", "latency_ms"))
    assert said.startswith("1 subnets measured; Top-1 accuracy measured +1.00 points off")
    assert "100 % inside" in said and said.endswith("better than before at 1 of 1 budgets.")
    near = replace(done, finds=(replace(done.finds[0], passed_over=2),))
    assert "1 of them the next best" in near.sentence(("accuracy", "latency_ms"))


def test_table_and_document_hold_each_finished_round():
    rounds = record(2, planned=True)
    table = rounds_table(rounds)
    assert table["round"].tolist() == [1, 2]
    assert table["accuracy_bias"].tolist() == [1.0, 1.0]
    assert table["accuracy_moved"].tolist() == [1.5, 1.5] and table["latency_ms_moved"].isna().all()
    document = rounds_document(rounds)
    json.dumps(document, allow_nan=False)
    assert [r["round"] for r in document["rounds"]] == [1, 2]
    assert document["rounds"][0]["best_before"][0]["accuracy"] is None
    assert document["rounds"][0]["errors"]["latency_ms"] is None
    assert document["rounds"][0]["errors"]["accuracy"]["inside"] == 1.0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"columns": ("accuracy", "latency_ms:int8")}, "cost latency_ms"),
        ({"columns": ("dice", "latency_ms")}, "objective accuracy"),
        ({"per_round": 3}, "finds a round 1"),
        ({"shared": 6.0}, "budget 5"),
        ({"seed": 1}, "seed 7"),
    ],
)
def test_rounds_go_on_with_the_settings_they_were_begun_with(changes, named):
    settings = {"columns": ("accuracy", "latency_ms"), "per_round": None, "shared": None, "seed": 7}
    check_continues(record(), **settings)
    check_continues(record(), **settings | {"per_round": 1, "shared": 5.0})
    with pytest.raises(InvalidInput, match=f"begun with the {named}"):
        check_continues(record(), **settings | changes)


def test_rounds_of_an_objective_of_which_less_is_better_take_the_least():
    """The same law with its sign turned finds the same subnets, and the least measured are best."""
    table = noisy_table(SPACE, 50, seed=3)
    turned = table_of(
        SPACE,
        table.codes,
        cross_entropy=100 - table.values("accuracy"),
        latency_ms=table.values("latency_ms"),
    )
    accuracy, latency = predictors()
    entropy = fit(turned, "cross_entropy", "per_layer")
    budgets = spread_budgets(the_front(), 5)
    own = plan_finds(front(SearchProblem(entropy, (Limit(latency, 0.0),))), (entropy, latency),
                     budgets, ())  # fmt: skip
    plain = plan_finds(the_front(), (accuracy, latency), budgets, ())
    assert [f.architecture for f in own] == [f.architecture for f in plain]
    for mine, theirs in zip(own, plain, strict=True):
        one, other = mine.predicted["cross_entropy"], theirs.predicted["accuracy"]
        assert one.value == pytest.approx(100 - other.value)
        assert (one.low, one.high) == pytest.approx((100 - other.high, 100 - other.low))
    best = best_measured(turned, ("cross_entropy", "latency_ms"), budgets)
    assert [b.id for b in best] == [
        b.id for b in best_measured(table, ("accuracy", "latency_ms"), budgets)
    ]
    before = replace(best[-1], accuracy=best[-1].accuracy + 1)
    done = replace(record().rounds[0], best_before=(before,), best=best[-1:])
    assert done.improved(KNOWN["cross_entropy"]) == 1 and done.improved(KNOWN["accuracy"]) == 0
