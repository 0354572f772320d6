"""Subnets that cannot be told from the optimum, held against all of a small space."""

import functools
from dataclasses import replace

import numpy as np
import pytest
from hand import hand_space, noisy_table, saturating_table, table_of
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget, InvalidInput
from foxnas_core.families import load_shipped
from foxnas_core.regression import Predictor, fit
from foxnas_core.search.exact import Front, front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.ties import tied_set
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.table.metrics import metric_of
from tests.search.additive import mini_problem

SPACE = hand_space(resolutions=(16, 32))
MINI = load_shipped("foxnas-mini")


@functools.cache
def every() -> list[Architecture]:
    codes = SPACE.option_codes(SPACE.decisions)
    found = SPACE.decode(codes)
    assert len(set(found)) == len(found) == 2 * 12 * 3
    return found


@functools.cache
def predictors(seed: int, target: str = "accuracy") -> tuple[Predictor, Predictor]:
    make = saturating_table if target == "saturating" else noisy_table
    table = make(SPACE, 120, seed=seed)
    link = "saturating" if target == "saturating" else "none"
    return fit(table, "accuracy", "per_layer", link), fit(table, "latency_ms", "per_layer")


@functools.cache
def further(seed: int) -> tuple[Predictor, np.ndarray]:
    """Of another latency, and what it predicts of all."""
    other = fit(noisy_table(SPACE, 120, seed=seed + 10), "latency_ms", "per_layer")
    other = replace(other, target=metric_of("latency_ms:other"))
    return other, other.predict(every())["value"].to_numpy()


def front_of(accuracy: Predictor, latency: Predictor, **allowed: tuple[Value, ...]) -> Front:
    return front(SearchProblem(accuracy, (Limit(latency, 0.0),), allowed))


def blurred(predictor: Predictor, by: float) -> Predictor:
    return replace(predictor, covariance=by * predictor.covariance)


def brute_force(whole: Front, budget: float, level: float) -> set[Architecture]:
    """All within the budget whose t-interval of the difference to the optimum holds 0."""
    accuracy = whole.problem.objective
    optimum = whole.within(budget).architecture
    rows = accuracy.form.matrix(SPACE.encode([optimum, *every()]))
    differences = rows[1:] - rows[0]
    value = differences @ accuracy.estimates
    std_error = np.sqrt(np.einsum("ij,jk,ik->i", differences, accuracy.covariance, differences))
    tied = np.abs(value) <= accuracy.quantile(level) * std_error + 1e-9
    bounds = [budget, *(limit.bound for limit in whole.problem.limits[1:])]
    for limit, bound in zip(whole.problem.limits, bounds, strict=True):
        tied &= limit.predictor.predict(every())["value"].to_numpy() <= bound + 1e-9
    pinned = whole.problem.allowed.items()
    return {
        a
        for a, one in zip(every(), tied, strict=True)
        if one and all(a.get(name) in (*choices, None) for name, choices in pinned)
    }


@given(st.integers(0, 3), st.floats(0, 1), st.sampled_from([0.0, 1.0, 100.0, 1e4]))
@settings(max_examples=15, deadline=None)
def test_the_tied_are_all_that_brute_force_finds(seed: int, share: float, by: float) -> None:
    accuracy, latency = predictors(seed)
    whole = front_of(blurred(accuracy, by), latency)
    budget = float(whole.costs[0] + share * np.ptp(whole.costs))
    found = tied_set(whole, budget)
    assert found.complete
    assert set(found.architectures) == brute_force(whole, budget, 0.95)
    assert found.architectures[0] == found.optimum.architecture == whole.within(budget).architecture
    assert len(found) == len(set(found.architectures)) <= found.examined


PINS = ({"q1_kernel": (5,)}, {"resolution": (32,), "p_depth": (2,)}, {"p1_kernel": (3, 7)})


@given(st.integers(0, 3), st.floats(0, 1), st.sampled_from(PINS), st.sampled_from([1.0, 100.0]))
@settings(max_examples=10, deadline=None)
def test_with_pinned_choices_the_tied_are_all_that_have_them(
    seed: int, share: float, pins: dict, by: float
) -> None:
    accuracy, latency = predictors(seed)
    whole = front_of(blurred(accuracy, by), latency, **pins)
    budget = float(whole.costs[0] + share * np.ptp(whole.costs))
    found = tied_set(whole, budget, others=every())
    assert found.complete
    assert set(found.architectures) == brute_force(whole, budget, 0.95)


@given(st.integers(0, 3), st.floats(0, 1), st.floats(0.2, 1), st.sampled_from([1.0, 1e4]))
@settings(max_examples=10, deadline=None)
def test_further_limits_hold_for_the_tied_too(
    seed: int, share: float, tight: float, by: float
) -> None:
    accuracy, latency = predictors(seed)
    other, values = further(seed)
    most = float(values.min() + tight * np.ptp(values))
    limits = (Limit(latency, 0.0), Limit(other, most))
    whole = front(SearchProblem(blurred(accuracy, by), limits))
    budget = float(whole.costs[0] + share * np.ptp(whole.costs))
    found = tied_set(whole, budget, others=every()[::5])
    tied = brute_force(whole, budget, 0.95)
    assert set(found.architectures) <= tied and found.optimum.architecture in tied
    assert not found.complete or set(found.architectures) == tied


def test_without_uncertainty_exact_ties_alone_are_left() -> None:
    accuracy, latency = predictors(0)
    estimates = accuracy.estimates.copy()
    for position, term in enumerate(accuracy.form.terms):
        if term.slot == "q1":
            estimates[position] = 0.0  # its kernels do not matter
    level = replace(blurred(accuracy, 0.0), estimates=estimates)
    whole = front_of(level, latency)
    found = tied_set(whole, 1e6)
    optimum = found.optimum.architecture.to_dict()
    expected = {SPACE.architecture(optimum | {"q1_kernel": k}) for k in (3, 5, 7)}
    assert set(found.architectures) == expected and found.complete
    assert found.table["difference"].to_numpy() == pytest.approx(0, abs=1e-9)
    assert found.table["low"].to_numpy() == pytest.approx(0, abs=1e-9)


def test_differences_and_intervals_by_hand() -> None:
    whole = front_of(*predictors(1))
    accuracy, latency = predictors(1)
    budget = float(whole.costs.mean())
    found = tied_set(front_of(blurred(accuracy, 400), latency), budget)
    assert len(found) > 1
    rows = accuracy.form.matrix(SPACE.encode(found.architectures))
    value = (rows - rows[0]) @ accuracy.estimates
    half = 20 * accuracy.quantile() * accuracy.std_error(rows - rows[0])
    table = found.table
    np.testing.assert_allclose(table["difference"], value, atol=1e-9)
    np.testing.assert_allclose(table["low"], value - half, atol=1e-9)
    np.testing.assert_allclose(table["high"], value + half, atol=1e-9)
    predicted = accuracy.predict(found.architectures)["value"]
    np.testing.assert_allclose(table["value"], predicted, atol=1e-9)
    costs = latency.predict(found.architectures)["value"]
    np.testing.assert_allclose(table["cost"], costs, atol=1e-9)
    assert table["id"].tolist() == [a.id for a in found.architectures]
    assert (np.diff(table["difference"]) <= 1e-9).all() and (table["cost"] <= budget + 1e-9).all()
    assert table["cost"][found.cheapest] == table["cost"].min()


def test_through_a_link_the_intervals_hold_0_alike() -> None:
    accuracy, latency = predictors(2, "saturating")
    assert accuracy.ceiling is not None
    whole = front_of(blurred(accuracy, 100), latency)
    budget = float(whole.costs.mean())
    found = tied_set(whole, budget)
    assert set(found.architectures) == brute_force(whole, budget, 0.95)
    assert (found.table["low"] <= 1e-9).all() and (found.table["high"] >= -1e-9).all()
    assert (found.table["value"] + (found.table["high"] - found.table["difference"])
            < accuracy.link.ceiling).all()  # fmt: skip


@functools.cache
def large() -> Front:
    codes = MINI.random_codes(300, seed=2)
    rng = np.random.default_rng(2)
    weights = rng.uniform(0, 1, (2, codes.shape[1]))
    accuracy, latency = weights @ (codes + 1).T + rng.normal(0, 0.2, (2, 300))
    table = table_of(MINI, codes, accuracy=50 + accuracy, latency_ms=10 + latency)
    return front_of(*(fit(table, t, "per_layer", "none") for t in ("accuracy", "latency_ms")))


def test_in_a_large_space_all_down_to_the_depth_are_examined() -> None:
    whole = large()
    accuracy, latency = whole.problem.objective, whole.problem.limits[0].predictor
    budget = float(whole.costs.mean())
    found = tied_set(whole, budget, most=200)
    assert not found.complete and found.depth > 0
    # Any edit of the optimum, or of an edit, that is predicted within the depth is among them.
    optimum = found.optimum.architecture
    edits = MINI.neighbours(optimum)
    near = {*edits, *(second for first in edits for second in MINI.neighbours(first))} - {optimum}
    near = sorted(near, key=lambda a: a.id)
    costs = latency.predict(near)["value"].to_numpy()
    values = accuracy.predict(near)["value"].to_numpy()
    rows = accuracy.form.matrix(MINI.encode([optimum, *near]))
    half = accuracy.quantile() * accuracy.std_error(rows[1:] - rows[0])
    lost = found.optimum.value - values
    expected = {
        a
        for a, c, loss, h in zip(near, costs, lost, half, strict=True)
        if c <= budget and loss <= min(found.depth, h)
    }
    assert expected and expected <= set(found.architectures)


def test_others_are_examined_where_they_keep_the_budget() -> None:
    whole = large()
    budget = float(whole.costs.mean())
    far = MINI.extreme("smallest"), MINI.extreme("largest")
    alone, more = (tied_set(whole, budget, most=50, others=others) for others in ((), far))
    assert more.examined - alone.examined == 1 - int(far[0] in alone.architectures)
    assert far[1] not in more.architectures


def test_where_no_regression_reads_the_order_one_order_stands_for_all() -> None:
    table = noisy_table(MINI, 300, seed=2, ordered=False)
    fits = [fit(table, t, "choice_counts", "none") for t in ("accuracy", "latency_ms")]
    whole = front_of(*(blurred(p, 0.0) for p in fits))
    found = tied_set(whole, float(whole.costs.mean()))
    assert found.complete and len(found) == 1


def test_with_pins_too_one_order_stands_for_all() -> None:
    """Options left out of a listing move the positions of those that are left."""
    table = noisy_table(MINI, 300, seed=2, ordered=False)
    fits = [fit(table, t, "choice_counts", "none") for t in ("accuracy", "latency_ms")]
    decision = next(d for d in MINI.decisions if d.role == "kernel")
    pins = {decision.name: decision.choices[-1:]}
    whole = front_of(*(blurred(p, 0.0) for p in fits), **pins)
    found = tied_set(whole, float(whole.costs.mean()))
    assert found.complete and len(found) == 1
    near = tied_set(front_of(*fits, **pins), float(whole.costs.mean()), most=200)
    assert len(near) > 1
    for one in near.architectures:
        assert one.get(decision.name) in (decision.choices[-1], None)


def test_what_cannot_be_asked() -> None:
    whole = front_of(*predictors(0))
    with pytest.raises(InfeasibleBudget):
        tied_set(whole, float(whole.costs[0]) - 1)
    with pytest.raises(InvalidInput, match="fitted regression"):
        tied_set(front(mini_problem()), 6.0)
