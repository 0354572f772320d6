"""Predictors with known tables, and small spaces, for the tests of searching."""

import itertools
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from foxnas_core.families import load_shipped, space_from_dict
from foxnas_core.regression.link import Link
from foxnas_core.search.limits import Limit
from foxnas_core.search.options import full_codes
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.solving import solve
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import Metric, metric_of

SIDES = st.sampled_from(["at_most", "at_least"])
# What `limited_problem` is drawn from.
LIMITED = {
    "sizes": st.lists(st.integers(1, 5), min_size=1, max_size=4),
    "contexts": st.integers(1, 3),
    "seed": st.integers(0, 100_000),
    "whole": st.booleans(),
    "target": st.sampled_from(["accuracy", "cross_entropy"]),
    "sides": st.lists(SIDES, min_size=1, max_size=3),
    "quantile": st.floats(0, 1),
    "pinned": st.booleans(),
    "ceiling": st.booleans(),
}


def solve_exact(problem: SearchProblem) -> Candidate:
    """The optimum, which must be proven."""
    found = solve(problem)
    assert found.exact
    return found.candidate


@dataclass(frozen=True, eq=False)
class TablePredictor:
    """Adds up a constant by context and one number by group, option and context."""

    space: SearchSpace
    target: Metric
    constants: list[float]
    tables: list[dict[str, np.ndarray]]
    table_fingerprint: str = "0123456789ab"
    link: Link = field(default_factory=Link)
    couplings: ClassVar[dict] = {}

    def split(self, context: dict) -> "TableValues":
        position = self.space.context_options().index(context)
        return TableValues(self, self.constants[position], self.tables[position])

    def predict(self, architectures: list[Architecture]) -> pd.DataFrame:
        names = {d.name for g in self.space.context for d in self.space.in_group(g)}
        values = []
        for row in self.space.encode(architectures):
            architecture = self.space.decode(row[None])[0]
            part = self.split({n: v for n, v in architecture.choices if n in names})
            own = row.copy()
            values.append(
                part.constant
                + sum(float(part.group_values(g, own[None])[0]) for g in self.space.additive_groups)
            )
        value = self.link.inverse(np.array(values))
        return pd.DataFrame(
            {"value": value, "low": value - 1, "high": value + 1, "prediction_low": value - 2,
             "prediction_high": value + 2}
        )  # fmt: skip

    @cached_property
    def positions(self) -> dict[str, dict[tuple[int, ...], int]]:
        return {
            group: {
                tuple(row[self.columns[group]]): i
                for i, row in enumerate(full_codes(self.space, group).tolist())
            }
            for group in self.space.additive_groups
        }

    @cached_property
    def columns(self) -> dict[str, slice]:
        groups = [d.group for d in self.space.decisions]
        return {g: slice(groups.index(g), groups.index(g) + groups.count(g)) for g in groups}


@dataclass(frozen=True, eq=False)
class TableValues:
    predictor: TablePredictor
    constant: float
    table: dict[str, np.ndarray]

    def group_values(self, group: str, option_codes: np.ndarray) -> np.ndarray:
        positions = self.predictor.positions[group]
        columns = self.predictor.columns[group]
        return self.table[group][[positions[tuple(r[columns])] for r in option_codes.tolist()]]


def listed_space(sizes: list[int], contexts: int = 1) -> SearchSpace:
    """Groups of one decision of so many choices, and a resolution where there is a choice."""
    decisions = [
        {"name": f"edge{i}", "group": f"g{i}", "role": "operation", "choices": list(range(n))}
        for i, n in enumerate(sizes)
    ]
    context = []
    if contexts > 1:
        context = ["input"]
        decisions.insert(
            0,
            {"name": "resolution", "group": "input", "role": "resolution",
             "choices": [16 * (i + 1) for i in range(contexts)]},
        )  # fmt: skip
    return space_from_dict(
        {"format": 1, "family": "listed", "name": "listed", "context": context,
         "decisions": decisions}
    )  # fmt: skip


def unbounded(column: str) -> Metric:
    """The metric as if it could be any number, so that tables of any numbers are predictions."""
    return replace(metric_of(column), bounds=(-np.inf, np.inf), saturates=False)


def random_tables(
    space: SearchSpace, target: str, rng: np.random.Generator, whole: bool = False
) -> TablePredictor:
    """Tables of normal numbers, or of small whole ones, among which ties are frequent."""

    def numbers(count: int) -> np.ndarray:
        return rng.integers(-3, 4, count).astype(float) if whole else rng.normal(size=count)

    contexts = space.context_options()
    return TablePredictor(
        space,
        unbounded(target),
        [float(x) for x in numbers(len(contexts))],
        [{g: numbers(space.group_size(g)) for g in space.additive_groups} for _ in contexts],
    )


def small_problem(
    sizes: list[int], contexts: int, seed: int, *, whole: bool, target: str, quantile: float | None
) -> SearchProblem:
    """A listed problem whose budget is a cost that some architecture has."""
    rng = np.random.default_rng(seed)
    space = listed_space(sizes, contexts)
    objective = random_tables(space, target, rng, whole)
    if quantile is None:
        return SearchProblem(objective)
    latency = random_tables(space, "latency_ms", rng, whole)
    costs = sorted(cost for _, cost, _, _ in brute_force(
        SearchProblem(objective, (Limit(latency, 0.0),))
    ))  # fmt: skip
    budget = costs[int(quantile * (len(costs) - 1))]
    return SearchProblem(objective, (Limit(latency, budget),))


def limited_problem(
    sizes: list[int],
    contexts: int,
    seed: int,
    *,
    whole: bool,
    target: str,
    sides: list[str],
    quantile: float,
    pinned: bool = False,
    ceiling: bool = False,
) -> SearchProblem:
    """A listed problem with a limit for each of `sides`, each near what an architecture has.

    Its numbers are those of an architecture of that `quantile` among all, so some architecture
    keeps them; `pinned` restricts some decisions, `ceiling` bends every prediction under one.
    """
    rng = np.random.default_rng(seed)
    space = listed_space(sizes, contexts)
    link = Link(0.0, 0.05) if ceiling else Link()
    columns = ["latency_ms", "parameters", "macs", "latency_ms:a"][: len(sides)]
    objective, *limited = (
        replace(random_tables(space, column, rng, whole), link=link)
        for column in (target, *columns)
    )
    allowed = {}
    if pinned:
        for decision in space.decisions:
            if rng.random() < 0.6:
                count = int(rng.integers(1, len(decision.choices) + 1))
                chosen = rng.choice(len(decision.choices), count, replace=False)
                allowed[decision.name] = tuple(decision.choices[i] for i in chosen)
    open_ = SearchProblem(
        objective,
        tuple(Limit(p, **{side: 0.0}) for p, side in zip(limited, sides, strict=True)),
        allowed,
    )
    rows = every_total(open_)
    rows.sort(key=lambda row: sum(row[1]))
    costs = rows[int(quantile * (len(rows) - 1))][1]
    limits = tuple(
        limit.at(float(limit.value_of(c))) for limit, c in zip(open_.limits, costs, strict=True)
    )
    return SearchProblem(objective, limits, allowed)


def every_total(
    problem: SearchProblem,
) -> list[tuple[float, tuple[float, ...], int, tuple[int, ...]]]:
    """Score, costs, context and options of every architecture."""
    return [
        (*table.totals(options), context, options)
        for context, table in enumerate(problem.tables)
        for options in itertools.product(*(range(len(s)) for s in table.scores))
    ]


def brute_force(problem: SearchProblem) -> list[tuple[float, float, int, tuple[int, ...]]]:
    """Score, cost, context and options of every architecture."""
    return [
        (*table.total(options), context, options)
        for context, table in enumerate(problem.tables)
        for options in itertools.product(*(range(len(s)) for s in table.scores))
    ]


def mini_problem(seed: int = 0, budget: float = 6.0) -> SearchProblem:
    """The small shipped space with block effects like those that measured subnets show: more of
    anything costs more latency and gains accuracy, ever less of it.
    """
    space = load_shipped("foxnas-mini")
    rng = np.random.default_rng(seed)
    accuracies, latencies, constants, latency_constants = [], [], [], []
    slots = list(space.slots)
    kernel_gain = rng.uniform(0.1, 0.6, size=(len(slots), 3)).cumsum(axis=1)
    expand_gain = rng.uniform(0.1, 0.9, size=(len(slots), 4)).cumsum(axis=1)
    kernel_cost = rng.uniform(0.02, 0.2, size=(len(slots), 3)).cumsum(axis=1)
    expand_cost = rng.uniform(0.05, 0.3, size=(len(slots), 4)).cumsum(axis=1)
    for number, resolution in enumerate(space.by_name["resolution"].choices):
        accuracy, latency = {}, {}
        for group in space.additive_groups:
            codes = full_codes(space, group)
            gain, cost = np.zeros(len(codes)), np.zeros(len(codes))
            for block, slot in enumerate(s for s in slots if s.startswith(group)):
                columns = [space.decisions.index(d) for d in space.in_slot(slot)]
                kernel, expand = codes[:, columns].T
                on, i = kernel >= 0, slots.index(slot)
                gain += on * (kernel_gain[i][kernel] + expand_gain[i][expand]) * 0.8**block
                cost += on * (kernel_cost[i][kernel] + expand_cost[i][expand])
            accuracy[group] = gain
            latency[group] = cost * (int(resolution) / 16) ** 2
        accuracies.append(accuracy)
        latencies.append(latency)
        constants.append(75.0 + 1.5 * number)
        latency_constants.append(0.5 + 0.3 * number)
    objective = TablePredictor(space, metric_of("accuracy"), constants, accuracies)
    latency_predictor = TablePredictor(
        space, metric_of("latency_ms"), latency_constants, latencies, "ba9876543210"
    )
    return SearchProblem(objective, (Limit(latency_predictor, budget),))
