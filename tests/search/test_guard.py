"""Tighter limits, so that measurements keep those asked for, and what that is worth in words."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand import hand_space, noisy_table
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.errors import InfeasibleBudget
from foxnas_core.regression import fit
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.exact import front
from foxnas_core.search.guard import (
    GUARD,
    OFF,
    chance_again,
    chance_of_all,
    guarded,
    guarded_bounds,
    in_measurements,
    kept_text,
    price_text,
    promised,
)
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.solving import solve
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.readings import Reading

TABLE = noisy_table(hand_space(), 120, seed=1)
ACCURACY, LATENCY = (fit(TABLE, column) for column in ("accuracy", "latency_ms"))
INT8 = replace(LATENCY, target=metric_of("latency_ms:int8"))
TOLD = SearchCalibration(LATENCY, np.array([-0.02, 0.01, 0.02, 0.03, 0.06]), pd.DataFrame())
OTHER = SearchCalibration(INT8, np.array([-0.01, 0.0, 0.01, 0.02, 0.03]), pd.DataFrame())
WHOLE = front(SearchProblem(ACCURACY, (Limit(LATENCY, 0.0),)))
LEAST, MOST = float(WHOLE.costs[0]), float(WHOLE.costs[-1])


def asked(bound: float) -> SearchProblem:
    return SearchProblem(ACCURACY, (Limit(LATENCY, bound),))


@given(st.floats(1.2, 3.0), st.sampled_from([None, 0.5, 0.8, 0.99]))
def test_the_optimum_under_the_guard_keeps_what_was_asked(times: float, guard: float | None):
    wanted = asked(times * LEAST)
    found = solve(guarded(wanted, guard, {"latency_ms": TOLD})).candidate
    chance = chance_of_all(wanted.limits, found.architecture, {"latency_ms": TOLD})
    assert chance >= (GUARD if guard is None else guard) - 1e-9


def test_without_a_guard_or_measured_optima_nothing_is_tighter():
    wanted = asked(MOST)
    assert guarded(wanted, OFF, {"latency_ms": TOLD}).limits[0].bound == MOST
    assert guarded(wanted, None, {}).limits[0].bound == MOST
    assert chance_of_all(wanted.limits, WHOLE.candidate(0).architecture, {}) is None


def test_several_limits_are_kept_together():
    bounds = {"latency_ms": MOST, "latency_ms:int8": 100.0, "parameters": 5.0}
    known = {"latency_ms": TOLD, "latency_ms:int8": OTHER}
    tight = guarded_bounds(bounds, 0.81, known)
    assert tight == {
        "latency_ms": TOLD.guarded(MOST, 0.9),
        "latency_ms:int8": OTHER.guarded(100.0, 0.9),
        "parameters": 5.0,
    }
    limits = (Limit(LATENCY, MOST), Limit(INT8, float(INT8.predict_codes(TABLE.codes)["value"][0])))
    architecture = TABLE.architectures()[0]
    each = [chance_of_all([limit], architecture, known) for limit in limits]
    assert chance_of_all(limits, architecture, known) == pytest.approx(each[0] * each[1])


def test_where_nothing_is_so_sure_the_surest_is_taken_unless_one_insists():
    budget = LEAST * 1.001
    found = guarded(asked(budget), None, {"latency_ms": TOLD})
    assert solve(found).candidate.costs[0] == pytest.approx(LEAST)
    assert found.limits[0].bound <= budget
    with pytest.raises(InfeasibleBudget, match="in 9 of 10 measurements; raise the") as told:
        guarded(asked(budget), 0.9, {"latency_ms": TOLD}, strict=True)
    # Following the advice works.
    advised = float(str(told.value).split("at least ")[1].split(" ")[0])
    solve(guarded(asked(advised), 0.9, {"latency_ms": TOLD}, strict=True))
    with pytest.raises(InfeasibleBudget):  # asked for more than there is
        solve(guarded(asked(0.9 * LEAST), None, {"latency_ms": TOLD}))


@pytest.mark.parametrize(
    ("chance", "words"),
    [(0.9, "9 of 10"), (0.932, "9 of 10"), (0.95, "95 of 100"), (0.899, "89 of 100"),
     (0.47, "47 of 100"), (0.999, "over 99 of 100"), (0.996, "over 99 of 100"),
     (0.04, "4 of 100"), (0.0, "0 of 100"), (0.5, "5 of 10")],
)  # fmt: skip
def test_a_probability_in_measurements(chance: float, words: str):
    assert in_measurements(chance) == f"{words} measurements"


@given(st.floats(0.0, 1.0))
def test_no_more_measurements_are_promised_than_there_are(chance: float):
    told, _, of = (
        in_measurements(chance).removeprefix("over ").removesuffix(" measurements").split()
    )
    assert int(told) / int(of) <= chance + 1e-9 and chance - int(told) / int(of) < 0.04


def test_the_price_is_told_in_the_objectives_unit():
    accuracy, latency = metric_of("accuracy"), metric_of("latency_ms")
    assert price_text(-0.117, accuracy) == "0.12 points less than the unguarded best"
    assert price_text(0.0118, latency) == "0.0118 ms more than the unguarded best"
    assert price_text(0.0, accuracy) == "as good as the unguarded best"


def test_what_is_counted_is_kept_or_not_by_no_chance():
    exact = replace(
        LATENCY, target=metric_of("macs"), residual_variance=0.0,
        covariance=np.zeros_like(LATENCY.covariance),
    )  # fmt: skip
    architecture = TABLE.architectures()[0]
    value = float(exact.predict([architecture])["value"].iloc[0])
    goals = ("accuracy", "macs")
    for bound, verb in ((value * 1.5, "keeps"), (value / 2, "does not keep")):
        wanted = SearchProblem(ACCURACY, (Limit(exact, bound),))
        kept = kept_text([(exact.target, bound)])
        said = promised(wanted, architecture, {}, goals, "some price")
        assert said == f"It {verb} {kept}, which is counted." and "MACs" in kept
    assert kept_text([(LATENCY.target, 0.065)]) == "0.065 ms"
    assert kept_text([(LATENCY.target, 1.0), (exact.target, 1.0)]) == "all limits"


def test_what_was_measured_is_held_to_its_own_errors():
    limits = [Limit(LATENCY, 2.0)]
    at = {"latency_ms": Reading(2.0, error=0.1, noise=0.1)}
    assert chance_again(limits, {}, at) == pytest.approx(0.5)
    # Normal: one measurement about a mean of one, √2 · 0.1 each way.
    assert chance_again(limits, {"latency_ms": 2.2}, at) == pytest.approx(0.92135, abs=1e-5)
    floor = [Limit(ACCURACY, at_least=90.0)]
    assert chance_again(floor, {}, {"accuracy": Reading(91.0, error=0.5, noise=0.5)}) > 0.9
    assert chance_again(limits, {}, {"latency_ms": Reading(1.0)}) is None
