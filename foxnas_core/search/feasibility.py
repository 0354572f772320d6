"""Whether any architecture keeps all limits, and which limit must give way where none does."""

import math
from dataclasses import replace

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.limits import noun_of
from foxnas_core.search.milp import TIME_LIMIT, best_of_tables, unreduced
from foxnas_core.search.problem import SearchProblem


def feasible_tables(problem: SearchProblem) -> dict[int, np.ndarray]:
    """Options within the limits by the positions of the tables that have some; of cells, for the
    most promising ones under the first limit."""
    tables = problem.tables
    found: dict[int, np.ndarray] = {}
    for at in tables.promising(problem.budget):
        options = feasible_in(problem, tables[at])
        if options is not None:
            found[at] = options
        if len(found) == tables.most_walked:
            break
    return dict(sorted(found.items()))


def feasible_in(problem: SearchProblem, table: ContextTable) -> np.ndarray | None:
    """Options of a table within the limits, None where there are none; under one limit those of
    least cost."""
    if len(problem.limits) < 2:
        return table.cheapest if table.smallest_cost <= problem.budget else None
    budgets = problem.budgets
    # Any at all, which HiGHS mostly finds at once; else the one of least first cost.
    small = table.reduced
    level = replace(small, score_constant=0.0, scores=tuple(np.zeros(len(s)) for s in small.scores))
    best, wanted = best_of_tables([level.reduced], budgets, TIME_LIMIT, enough=0.0), 0.0
    options = None if best.options is None else unreduced(level, best.options)
    if best.score < wanted <= best.bound:
        wanted, turned = -float(budgets[0]), _turned(small, 0)
        best = best_of_tables([turned.reduced], budgets[1:], TIME_LIMIT, enough=wanted)
        options = None if best.options is None else unreduced(turned, best.options)
    if best.score < wanted <= best.bound:
        raise InvalidInput(undecided(problem, TIME_LIMIT))
    fits = options is not None and best.score >= wanted
    return unreduced(table, options) if fits and options is not None else None


def check_feasible(problem: SearchProblem) -> None:
    """Raise `InfeasibleBudget` where no architecture keeps all limits.

    It names a limit that must give way and the nearest number that will do with the others held;
    of several such limits the one that gives way least, beside its own number, comes first.
    """
    if len(problem.limits) < 2:
        if (smallest := problem.tables.smallest_cost) > problem.budget:
            raise problem.infeasible(problem.limits[0], smallest)
        return
    if any(feasible_in(problem, table) is not None for table in problem.tables):
        return
    budgets = problem.budgets
    alone = {k: _least_cost(problem, k, budgets) for k in range(len(budgets))}
    single = {k: cost for k, cost in alone.items() if cost is not None}
    limits = problem.limits
    if single:
        first, *others = sorted(single, key=lambda k: _strain(problem, k, single[k]))
        other = "".join(
            f", or {'raise' if limits[k].side == 'at_most' else 'lower'} that on "
            f"{noun_of(limits[k].predictor.target)} to {limits[k].nearest(single[k])}"
            for k in others
        )
        raise problem.infeasible(limits[first], single[first], other)
    # No limit alone is in the way of the others, so each in turn gives way as far as it must.
    held = np.full(len(budgets), math.inf)
    moved = {}
    for k in range(len(budgets)):
        cost = _least_cost(problem, k, held)
        if cost is None:
            raise InvalidInput(undecided(problem, TIME_LIMIT))
        held[k] = max(budgets[k], cost)
        if cost > budgets[k]:
            moved[k] = cost
    first, *others = moved
    other = "".join(
        f" and that on {noun_of(limits[k].predictor.target)} to {limits[k].nearest(moved[k])}"
        for k in others
    )
    raise problem.infeasible(limits[first], moved[first], other)


def _strain(problem: SearchProblem, k: int, cost: float) -> float:
    """By how much of its own size a limit would have to give way."""
    limit = problem.limits[k]
    return abs(float(limit.value_of(cost)) - limit.bound) / max(abs(limit.bound), 1e-300)


def undecided(problem: SearchProblem, seconds: float) -> str:
    return (
        f"Whether an architecture of space {problem.space.name!r} keeps all "
        f"{len(problem.limits)} limits could not be settled in {seconds:g} s; relax one of them."
    )


def _least_cost(problem: SearchProblem, k: int, budgets: np.ndarray) -> float | None:
    """The least cost under limit `k` with the others held; None where they can't be met."""
    found = best_of_tables(
        [_turned(table.reduced, k).reduced for table in problem.tables],
        np.delete(budgets, k),
        TIME_LIMIT,
    )
    if found.options is None and found.bound > -math.inf:
        raise InvalidInput(undecided(problem, TIME_LIMIT))
    return None if found.options is None else -found.score


def _turned(table: ContextTable, k: int) -> ContextTable:
    """The table of the search for the least cost under limit `k`."""
    return replace(
        table,
        score_constant=-table.cost_constants[k],
        cost_constants=tuple(np.delete(table.cost_constants, k).tolist()),
        scores=tuple(-costs[:, k] for costs in table.limit_costs),
        limit_costs=tuple(np.delete(costs, k, axis=1) for costs in table.limit_costs),
    )
