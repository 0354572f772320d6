"""The whole way with fitted predictors: what is searched is what the regression predicts."""

import functools
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest

from foxnas_core import families
from foxnas_core.errors import InfeasibleBudget
from foxnas_core.families import load_shipped
from foxnas_core.families.family import FamilyForm
from foxnas_core.families.listed import Listed
from foxnas_core.regression import Predictor, fit
from foxnas_core.search.annealing import search
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.result import search_document
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.search.ties import tied_set
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.coding.terms import Lookup, Part, Term
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.importing import read_file
from foxnas_core.table.measurements import table_from_frame
from foxnas_core.table.metrics import KNOWN
from tests.search.additive import listed_space, solve_exact

SPACE = load_shipped("foxnas-mini")


@functools.cache
def fitted() -> tuple[Predictor, Predictor]:
    """Accuracy and latency of 400 subnets whose numbers follow a known rule with noise."""
    architectures = SPACE.sample(400, seed=3)
    rng = np.random.default_rng(4)
    rows = []
    for architecture in architectures:
        chosen = architecture.to_dict()
        pixels = (chosen["resolution"] / 28) ** 2
        kernels = sum(v for n, v in chosen.items() if n.endswith("kernel"))
        expands = sum(v for n, v in chosen.items() if n.endswith("expand"))
        rows.append(
            chosen
            | {
                "accuracy": 70 + 4 * pixels + 0.1 * kernels + 0.4 * expands + rng.normal(0, 0.2),
                "latency_ms": 0.1 + pixels * (0.02 * kernels + 0.05 * expands)
                + rng.normal(0, 0.01),
            }
        )  # fmt: skip
    table = table_from_frame(SPACE, pd.DataFrame(rows))
    return fit(table, "accuracy", "per_layer"), fit(table, "latency_ms", "block_state")


def problem(budget: float) -> SearchProblem:
    accuracy, latency = fitted()
    return SearchProblem(accuracy, (Limit(latency, budget),))


def test_every_candidate_is_what_the_predictors_say() -> None:
    accuracy, latency = fitted()
    searched = problem(1.0)
    rng = np.random.default_rng(0)
    found = [
        searched.candidate(context, [int(rng.integers(len(s))) for s in table.scores])
        for context, table in enumerate(searched.tables)
        for _ in range(50)
    ]
    architectures = [candidate.architecture for candidate in found]
    values, costs = (p.predict(architectures)["value"].to_numpy() for p in (accuracy, latency))
    assert [candidate.value for candidate in found] == pytest.approx(values.tolist(), abs=1e-9)
    assert [candidate.costs[0] for candidate in found] == pytest.approx(costs.tolist(), abs=1e-9)


def test_no_sampled_architecture_beats_the_optimum() -> None:
    accuracy, latency = fitted()
    architectures = SPACE.sample(5000, seed=9, by="decisions")
    values, costs = (p.predict(architectures)["value"].to_numpy() for p in (accuracy, latency))
    for budget in (0.5, 1.0, 1.5):
        optimum = solve_exact(problem(budget))
        assert optimum.costs[0] <= budget
        assert optimum.value >= values[costs <= budget].max() - 1e-9


@pytest.mark.parametrize("budget", [0.4, 0.8, 1.2])
def test_annealing_finds_the_optimum_and_describes_it(budget: float) -> None:
    result = search(problem(budget), AnnealingSettings(seed=1))
    assert result.gap <= 1e-4 * result.exact.value
    document = search_document(
        result, {p.target.column: p for p in fitted()}, KNOWN["accuracy"], KNOWN["latency_ms"]
    )
    for part in (document["best"], document["exact"]):
        assert part["latency_ms"]["value"] <= budget
        for estimate in (part["accuracy"], part["latency_ms"]):
            assert estimate["low"] < estimate["value"] < estimate["high"]


def test_the_smallest_named_is_the_start_of_the_front() -> None:
    with pytest.raises(InfeasibleBudget) as caught:
        solve_exact(problem(-1.0))
    assert caught.value.smallest == front(problem(1.0)).costs[0]


PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "foxnas_cpu_256.csv"


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"no published table at {PUBLISHED}")
def test_where_order_is_unknown_the_best_stands_in_the_first_order_of_the_space() -> None:
    table = read_file(PUBLISHED).table(None)
    accuracy, latency = fit(table, "accuracy"), fit(table, "latency_ms")
    result = search(SearchProblem(accuracy, (Limit(latency, 80.0),)), AnnealingSettings(seed=2))

    def in_order(architecture: Architecture) -> bool:
        """Blocks after a stage's first by increasing kernel, then expand ratio."""
        blocks = [
            [
                tuple(architecture[f"s{stage}b{block}_{role}"] for role in ("kernel", "expand"))
                for block in range(2, int(architecture[f"s{stage}_depth"]) + 1)
            ]
            for stage in range(1, 6)
        ]
        return all(stage == sorted(stage) for stage in blocks)

    assert in_order(result.best.architecture)
    assert in_order(result.exact.architecture)
    assert result.gap <= 1e-4 * result.exact.value


class AcrossGroups(Listed):
    """Listed decisions, with a form whose terms read each group together with the next."""

    name = "across"

    @staticmethod
    def _parts(space: SearchSpace, group: str, quality: bool) -> list[Part]:
        first = space.additive_groups.index(group)
        parts: list[Part] = []
        for groups in ((group,), space.additive_groups[first : first + 2]):
            read = tuple(space.decisions.index(space.in_group(g)[0]) for g in groups)
            sizes = tuple(len(space.decisions[i].choices) for i in read)
            # A column for each combination without a first choice, which other terms tell.
            codes = np.indices([size + 1 for size in sizes]).reshape(len(sizes), -1).T
            kept = np.flatnonzero((codes > 1).all(axis=1))
            name = "*".join(groups)
            terms = tuple(Term(f"{name}:{k}", group, "", "", f"{name} {k}") for k in kept)
            if len(parts) < len(groups):
                parts.append(Lookup(terms, (read,), sizes, np.eye(len(codes))[:, kept]))
        return parts

    forms: ClassVar = {"across": FamilyForm("Across groups", _parts)}


def test_a_form_with_terms_across_groups_is_searched_exactly(monkeypatch) -> None:
    monkeypatch.setattr(families, "_families", dict(families._families))
    families.register_family(AcrossGroups())
    space = replace(listed_space([3, 3, 4]), family="across")
    architectures = space.decode(space.option_codes(space.decisions))
    rng = np.random.default_rng(0)
    frame = pd.DataFrame([a.to_dict() for a in architectures]).assign(
        accuracy=70 + rng.normal(size=36), latency_ms=1 + rng.random(36)
    )
    table = table_from_frame(space, frame)
    accuracy = fit(table, "accuracy", "across", "none")
    latency = fit(table, "latency_ms", "per_layer", "none")
    assert accuracy.couplings == {
        "g0 + g1": ("edge0", "edge1"),
        "g1 + g2": ("edge1", "edge2"),
    }
    values, costs = (p.predict(architectures)["value"].to_numpy() for p in (accuracy, latency))
    budget = float(np.median(costs))
    problem = SearchProblem(accuracy, (Limit(latency, budget + 1e-9),))
    best = int(np.argmax(np.where(costs <= budget + 1e-9, values, -np.inf)))
    found = solve_exact(problem)
    assert found.architecture == architectures[best]
    assert found.value == pytest.approx(values[best])
    tied = tied_set(front(problem), budget + 1e-9)
    assert tied.optimum == found and tied.complete
