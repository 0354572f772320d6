"""Groups with more options than can be listed: searched in the parts that nothing reads together,
held against brute force over whole architectures."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hand import hand_space
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.families import space_from_dict
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.features import build_form
from foxnas_core.search import levels, options, problem
from foxnas_core.search.annealing import search
from foxnas_core.search.counterfactual import counterfactuals, edits_between
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.solving import solve, solve_by_levels
from foxnas_core.search.ties import tied_set
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.measurements import table_from_frame

PAIRS = {"none": (), "one": (("a", "b"),), "chain": (("a", "b"), ("b", "c"), ("d", "e"))}


@contextmanager
def at_most(listed: int, many: int = 2_000) -> Iterator[None]:
    """Only so many options of a group can be listed, and from `many` on it is searched in parts."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (options, problem):
            patch.setattr(module, "LARGEST_GROUP", listed)
        patch.setattr(levels, "_MANY", many)
        yield


def one_group(sizes: dict[str, int]) -> SearchSpace:
    decisions = [
        {"name": name, "group": "net", "role": "operation", "choices": list(range(size))}
        for name, size in sizes.items()
    ]
    return space_from_dict(
        {"format": 1, "name": "one", "family": "listed", "context": [], "decisions": decisions}
    )


@cache
def predictors(kind: str, seed: int) -> tuple[Predictor, Predictor]:
    """Of accuracy, with these products, and of latency, a plain sum, in one group of 108."""
    space = one_group({"a": 3, "b": 3, "c": 2, "d": 2, "e": 3})
    if kind == "stages":
        space = hand_space()
    rng = np.random.default_rng(seed)
    codes = space.option_codes(space.decisions)
    frame = pd.DataFrame([a.to_dict() for a in space.decode(codes)]).astype(object)
    table = table_from_frame(
        space,
        frame.assign(
            accuracy=70 + rng.normal(size=len(codes)), latency_ms=2 + rng.random(len(codes))
        ),
    )
    form = build_form("per_layer", space, "accuracy")
    if PAIRS.get(kind):
        form = build_form("interactions", space, "accuracy", PAIRS[kind])
    return fit(table, "accuracy", form, "none"), fit(table, "latency_ms", "per_layer", "none")


def drawn(kind: str, seed: int, quantile: float, pinned: bool) -> tuple[SearchProblem, list]:
    """A problem, and value, cost and architecture of all that it allows."""
    accuracy, latency = predictors(kind, seed)
    space = accuracy.space
    everyone = space.decode(space.option_codes(space.decisions))
    values, costs = (p.predict(everyone)["value"].tolist() for p in (accuracy, latency))
    last = space.decisions[-1]
    allowed = {last.name: last.choices[1:]} if pinned else {}
    rows = [
        row
        for row in zip(values, costs, everyone, strict=True)
        if all(row[2].get(name) in (*own, None) for name, own in allowed.items())
    ]
    budget = sorted(cost for _, cost, _ in rows)[int(quantile * (len(rows) - 1))] + 1e-9
    return SearchProblem(accuracy, (Limit(latency, budget),), allowed), rows


DRAWN = {
    "kind": st.sampled_from([*PAIRS, "stages"]),
    "seed": st.integers(0, 3),
    "quantile": st.floats(0, 1),
    "pinned": st.booleans(),
}


@given(**DRAWN)
@settings(max_examples=25, deadline=None)
def test_parts_that_nothing_reads_together_give_the_optimum_and_the_front(**how) -> None:
    found, rows = drawn(**how)
    with at_most(20 if how["kind"] != "stages" else 8):
        assert found.is_listed and "net" not in found.groups
        best = max(value for value, cost, _ in rows if cost <= found.budget)
        solution = solve(found)
        assert solution.exact and solution.candidate.value == pytest.approx(best, abs=1e-9)
        assert found.candidate(*found.position(solution.candidate.architecture)).value == (
            pytest.approx(best, abs=1e-9)
        )
        whole = front(found)
        for value, cost in zip(whole.values, whole.costs, strict=True):
            assert value == pytest.approx(max(v for v, c, _ in rows if c <= cost + 1e-9))
        result = search(found, AnnealingSettings(steps=300, restarts=1))
        assert result.gap == pytest.approx(0, abs=1e-9) or result.gap > 0


@given(**DRAWN)
@settings(max_examples=25, deadline=None)
def test_where_even_parts_are_too_large_decisions_are_branched_on(**how) -> None:
    found, rows = drawn(**how)
    with at_most(2, many=1):
        assert not found.is_listed
        solution = solve(found)
        best = max(value for value, cost, _ in rows if cost <= found.budget)
        assert solution.exact and solution.candidate.value == pytest.approx(best, abs=1e-8)
        known = {a.id: (value, cost) for value, cost, a in rows}
        assert (solution.candidate.value, *solution.candidate.costs) == pytest.approx(
            known[solution.candidate.architecture.id]
        )


@given(**DRAWN, most=st.integers(1, 5))
@settings(max_examples=15, deadline=None)
def test_with_few_nodes_the_bound_still_holds(most: int, **how) -> None:
    found, rows = drawn(**how)
    best = max(value for value, cost, _ in rows if cost <= found.budget)
    with at_most(2, many=1):
        try:
            solution = solve_by_levels(found, most)
        except InvalidInput as error:
            assert "could not be settled" in str(error)
            return
        assert solution.bound >= best - 1e-8 >= solution.candidate.value - 2e-8
        assert solution.candidate.costs[0] <= found.budget
        assert not solution.exact or solution.candidate.value == pytest.approx(best, abs=1e-8)


def test_edits_pins_and_ties_are_those_of_the_group_as_a_whole() -> None:
    found, rows = drawn("chain", 0, 0.6, False)
    base = rows[5][2]
    plain = {
        "edits": counterfactuals(found, base),
        "tied": tied_set(front(found), found.budget),
    }
    with at_most(20):
        found, _ = drawn("chain", 0, 0.6, False)
        apart = counterfactuals(found, base)
        assert apart.costs.tolist() == plain["edits"].costs.tolist()
        np.testing.assert_allclose(apart.values, plain["edits"].values)
        for point in range(len(apart)):
            after = apart.candidate(point).architecture
            assert edits_between(found.space, base, after) == apart.costs[point]
        tied = tied_set(front(found), found.budget)
        assert set(tied.table["id"]) == set(plain["tied"].table["id"])
        assert tied.complete == plain["tied"].complete
        pinned = found.restricted_to({"a": (1,)})
        best = max(v for v, c, a in rows if c <= found.budget and a["a"] == 1)
        assert solve(pinned).candidate.value == pytest.approx(best)


def test_what_is_allowed_is_counted_not_what_there_is() -> None:
    found, rows = drawn("chain", 1, 0.7, False)
    pins = {"d": (0,), "e": (1, 2)}
    within = [row for row in rows if row[2]["d"] == 0 and row[2]["e"] != 0]
    with at_most(40):
        pinned = SearchProblem(found.objective, found.limits, pins)
        assert pinned.groups == ("net",) and len(pinned.options[0]) == len(within) == 36
        best = max(value for value, cost, _ in within if cost <= found.budget)
        assert solve(pinned).candidate.value == pytest.approx(best)
        again = pinned.restricted_to({"a": (2,)})
        best = max(v for v, c, a in within if c <= found.budget and a["a"] == 2)
        assert solve(again).candidate.value == pytest.approx(best)


def test_a_network_of_independent_layers_in_one_group_is_settled() -> None:
    """As FBNet's: 22 layers of nine operations each, 10 ** 21 architectures."""
    space = one_group({f"layer{i:02}": 9 for i in range(22)})
    split = replace(
        space, decisions=tuple(replace(d, group=f"g {d.name}") for d in space.decisions)
    )
    codes = space.random_codes(800, seed=0)
    rng = np.random.default_rng(0)
    gains, paid = rng.random((2, 22, 9))
    columns = np.arange(22)
    found = []
    for own in (space, split):
        table = table_from_frame(
            own,
            pd.DataFrame([a.to_dict() for a in own.decode(codes)]).assign(
                accuracy=60 + gains[columns, codes].sum(axis=1),
                latency_ms=1 + paid[columns, codes].sum(axis=1),
            ),
        )
        accuracy, latency = (fit(table, c, "per_layer", "none") for c in ("accuracy", "latency_ms"))
        asked = SearchProblem(accuracy, (Limit(latency, 9.0),))
        assert asked.is_listed
        found.append(solve(asked))
    assert math.isclose(space.size, 9**22) and found[0].exact
    assert found[0].candidate.architecture == found[1].candidate.architecture
    assert found[0].candidate.value == pytest.approx(found[1].candidate.value)
