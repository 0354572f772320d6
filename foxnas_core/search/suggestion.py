"""Temperatures, penalties and restarts that suit a search problem, where they are left open."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from foxnas_core.search.compiling import FEW
from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.feasibility import feasible_tables
from foxnas_core.search.options import MOST_NEIGHBOURED
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.relaxation import limit_prices
from foxnas_core.search.schedule import AnnealingSettings, Schedule

# Relative to the price of a limit: below 1 chains stay above the limit, far above 1 they cannot
# pass through it.
_PENALTY = 1.5
# The least penalty, relative to the price that a limit would have without the others: beside
# limits that bind, one that does not has no price, yet must not be passed for nothing.
_ALONE = 0.1
# Of one search: so few that plain Python makes them, lest a first search has to compile.
_PROPOSALS = FEW * 4 // 5
# Random architectures of each context that the temperatures are suggested by.
_SAMPLED = 100
# Relative to the temperature at which 80 % of single edits are accepted. An adaptive schedule
# starts far above it, since it follows the acceptance down.
_START, _ADAPTIVE_START, _END = 0.2, 5.0, 0.01


def resolved(settings: AnnealingSettings, problem: SearchProblem) -> AnnealingSettings:
    """The settings with every temperature that was left open filled in."""
    start, end = settings.start_temperature, settings.end_temperature
    if start is None or end is None:
        suggested_start, suggested_end = suggest_temperatures(problem, settings.schedule)
        if start is None:
            start = suggested_start if end is None else max(suggested_start, end)
        if end is None:
            end = min(suggested_end, start)
    return replace(settings, start_temperature=start, end_temperature=end)


def affordable_restarts(problem: SearchProblem, settings: AnnealingSettings) -> int:
    """How often chains begin anew: as `settings` say, but no more often than all of them together
    make `_PROPOSALS` proposals."""
    each = settings.steps * settings.chains * max(1, len(feasible_tables(problem)))
    return min(settings.restarts, max(0, _PROPOSALS // each - 1))


def suggest_temperatures(
    problem: SearchProblem, schedule: Schedule = "geometric"
) -> tuple[float, float]:
    """Start and end temperature, in units of the score.

    Fixed fractions of the temperature at which 80 % of random single edits of random
    architectures would be accepted, counting the rise and the fall alike. An adaptive schedule
    starts at a multiple of it.
    """
    rng = np.random.default_rng(0)
    falls = []
    budgets = problem.budgets

    def penalty(spent: Sequence[Any]) -> np.ndarray:
        over = np.zeros(_SAMPLED)
        for price, cost, budget in zip(penalties, spent, budgets, strict=False):
            over += price * np.maximum(0.0, cost - budget)
        return over

    for table in [problem.tables[at] for at in feasible_tables(problem)]:
        penalties = limit_penalties(table, budgets)
        by_limit = [[part[:, k] for part in table.limit_costs] for k in range(len(budgets))]
        options = [rng.integers(len(scores), size=_SAMPLED) for scores in table.scores]
        score = table.score_constant + sum(s[o] for s, o in zip(table.scores, options, strict=True))
        spent = [
            constant + sum(c[o] for c, o in zip(costs, options, strict=True))
            for constant, costs in zip(table.cost_constants, by_limit, strict=True)
        ]
        energy = score - penalty(spent)
        for group, here in enumerate(options):
            there = _edited(problem, table, group, here, rng)
            moved = there != here
            new_score = score + table.scores[group][there] - table.scores[group][here]
            new_spent = [
                cost + costs[group][there] - costs[group][here]
                for cost, costs in zip(spent, by_limit, strict=True)
            ]
            new_energy = new_score - penalty(new_spent)
            falls.append(np.maximum(0.0, energy - new_energy)[moved])
    fall = np.concatenate(falls) if falls else np.zeros(0)
    if not (fall > 0).any():
        return 1.0, 1.0  # nothing to climb down from: any temperature does
    low, high = float(fall.max()) * 1e-6, float(fall.max()) * 1e3
    for _ in range(20):
        middle = math.sqrt(low * high)
        if np.exp(-fall / middle).mean() < 0.8:
            low = middle
        else:
            high = middle
    start = _ADAPTIVE_START if schedule == "adaptive" else _START
    return start * high, _END * high


def _edited(
    problem: SearchProblem,
    table: ContextTable,
    group: int,
    here: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """For each option of a group a random one that is one edit away, itself where there is none;
    any other where the group is too large for its edits to be listed, or a cell has not all."""
    draws = rng.random(len(here))
    count = len(table.scores[group])
    if count == 1:
        return here
    if count > MOST_NEIGHBOURED or table.kept is not None:
        return (here + 1 + (draws * (count - 1)).astype(np.int64)) % count
    neighbours = problem.neighbours_of(group)
    first, last = neighbours.starts[here], neighbours.starts[here + 1]
    moved = last > first
    there = here.copy()
    step = first + (draws * (last - first)).astype(np.int64)
    there[moved] = neighbours.targets[step[moved]]
    return there


def limit_penalties(table: ContextTable, budgets: np.ndarray) -> np.ndarray:
    """What a chain pays for a unit above each limit, shape (limits,): a little above its price.
    One of 0 where there is no limit."""
    if not len(budgets):
        return np.zeros(1)
    if len(budgets) == 1:
        return np.array([_PENALTY * limit_price(table, float(budget)) for budget in budgets])
    alone = [limit_price(table.under(k), float(budget)) for k, budget in enumerate(budgets)]
    return np.maximum(_PENALTY * limit_prices(table, budgets), _ALONE * np.array(alone))


def limit_price(table: ContextTable, budget: float) -> float:
    """What one more unit of budget is worth, in units of the score: the Lagrangian dual price.

    The slope at the budget of the linear relaxation's optimum, see `ContextTable.relaxation`. 0
    where the limit does not bind.
    """
    gain, price_paid, spent = table.relaxation
    step = int(np.searchsorted(spent, budget, side="right"))
    return float(gain[step] / price_paid[step]) if step < len(spent) else 0.0
