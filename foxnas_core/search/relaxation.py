"""The Lagrangian relaxation of limits: their prices, a bound, and what each option falls short."""

import math
from collections.abc import Sequence

import numpy as np

from foxnas_core.search.context_table import ContextTable

# Prices are sought up to so many times a limit's whole range for the whole range of scores.
_STEEPEST = 1e6


def limit_prices(table: ContextTable, budgets: np.ndarray) -> np.ndarray:
    """What one more unit of each budget is worth, in units of the score, shape (limits,): the
    prices of the least Lagrangian bound, those of the linear relaxation."""
    return relaxed(table.reduced, budgets)[0]


def rounding_error(table: ContextTable, prices: np.ndarray) -> float:
    """What the rounding of sums may be worth at these prices."""
    score = abs(table.score_constant) + sum(float(np.abs(s).max()) for s in table.scores)
    costs = np.abs(np.array(table.cost_constants))
    for part in table.limit_costs:
        costs = costs + np.abs(part).max(axis=0)
    return 1e-14 * (score + float(prices @ costs))


def spread_of(scores: Sequence[np.ndarray]) -> float:
    return float(sum(part.max() - part.min() for part in scores))


def lowest_score(table: ContextTable) -> float:
    return table.score_constant + float(sum(part.min() for part in table.scores))


def first_allowance(slacks: Sequence[np.ndarray]) -> float:
    """A slack that leaves some dozens of options to a group."""
    firsts = [np.sort(np.unique(slack))[:40][-1] for slack in slacks]
    return float(np.median(firsts))


def relaxed(table: ContextTable, budgets: np.ndarray) -> tuple[np.ndarray, float, list[np.ndarray]]:
    """Prices of the limits (limits,), the bound on scores that they give, and for each group the
    slack of its options.

    L(p) = constant + p·room + Σ_g max_i (score_i - p·cost_i) bounds every score within the limits
    for every p ≥ 0, and is convex in p. Its least is found by cutting planes (Kelley, "The
    cutting-plane method for solving convex programs", SIAM 8, 1960), one set for each group.
    """
    from scipy.optimize import linprog

    count = len(budgets)
    groups = range(len(table.scores))
    # Each group's least cost is taken off, so that rounding is that of differences.
    base = [costs.min(axis=0) for costs in table.limit_costs]
    costs = [part - least for part, least in zip(table.limit_costs, base, strict=True)]
    spread, most = np.zeros(count), np.array(table.cost_constants)
    for part, whole in zip(costs, table.limit_costs, strict=True):
        spread = spread + part.max(axis=0)
        most = most + whole.max(axis=0)
    scale = spread_of(table.scores) or 1.0
    prices = np.zeros(count)
    if (budgets < most)[spread == 0].any() or np.isneginf(budgets).any():
        return prices, -math.inf, [np.zeros(len(part)) for part in table.scores]
    room = np.minimum(budgets, most) - np.array(table.cost_constants) - sum(base)

    def value(at: np.ndarray) -> tuple[float, list[np.ndarray]]:
        net = [part - cost @ at for part, cost in zip(table.scores, costs, strict=True)]
        return table.score_constant + float(at @ room) + sum(float(n.max()) for n in net), net

    best, net = value(prices)
    used = np.flatnonzero((budgets < most) & (spread > 0))
    if len(used):
        steepest = _STEEPEST * scale / spread[used]
        lowest = lowest_score(table) - scale
        rows, bounds, seen = [], [], set()
        point, at_point = prices, net
        for _ in range(200):
            fresh = False
            for g in groups:
                option = int(np.argmax(at_point[g]))
                if (g, option) not in seen:
                    seen.add((g, option))
                    fresh = True
                    row = np.zeros(len(used) + len(groups))
                    # In units of the steepest price, so that every number is near 1.
                    row[: len(used)] = -costs[g][option][used] / spread[used]
                    row[len(used) + g] = -1.0
                    rows.append(row)
                    bounds.append(-table.scores[g][option] / scale)
            if not fresh:
                break
            answer = linprog(
                np.concatenate([room[used] / spread[used], np.ones(len(groups))]),
                A_ub=np.array(rows),
                b_ub=np.array(bounds),
                bounds=[(0.0, _STEEPEST)] * len(used) + [(None, None)] * len(groups),
                method="highs",
            )
            if answer.x is None:
                break
            point = np.zeros(count)
            point[used] = np.minimum(answer.x[: len(used)] * scale / spread[used], steepest)
            there, at_point = value(point)
            if there < best:
                best, net, prices = there, at_point, point
            if best < lowest:
                break  # below every score, so nothing fits
    return prices, best, [part.max() - part for part in net]


def core_options(slacks: Sequence[np.ndarray], allowance: float) -> list[np.ndarray]:
    """For each group the options that an architecture within the allowance may have, in the order
    of the listing."""
    least = sum(float(slack.min()) for slack in slacks)
    return [np.flatnonzero(slack <= allowance - least + float(slack.min())) for slack in slacks]
