"""The optimum under any number of limits, with a proof.

Under one limit fronts are merged (`exact`). Under more, a front has too many points, so bounds
take its place. Prices for the limits give, by Lagrangian relaxation, a bound on every
architecture and what each option falls short of it (its slack); where the slacks of an
architecture add up to more than the bound is above the best found, it can't be better. So few
options are left (Pisinger, "A minimal algorithm for the multiple-choice knapsack problem",
European Journal of Operational Research 83, 1995). Among them HiGHS (Huangfu and Hall,
Mathematical Programming Computation 10, 2018) finds a solution, one binary variable an option,
and listing what its value leaves settles the optimum of the sums as computed. Where too much is
left to list, the bound that HiGHS proved stands beside the solution.
"""

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.merging import best_under_one_limit
from foxnas_core.search.relaxation import (
    core_options,
    first_allowance,
    lowest_score,
    relaxed,
    rounding_error,
    spread_of,
)

# Seconds after which HiGHS is to answer with what it has.
TIME_LIMIT = 60.0
# Relative to the range of scores: what rounding may take from a bound, and how near its bound
# HiGHS must come for its solution to pass for the optimum where no listing settles it.
_ROUNDING = 1e-9
EXACT_WITHIN = 1e-7
# Most pairs of a partial sum and an option that a step of the listing looks at.
_MOST_LISTED = 4_000_000
# Solutions of HiGHS above a limit by less than its tolerance that are struck out one by one,
# before limits are drawn in by that tolerance, of a limit's range.
_MOST_STRUCK = 4
_TOLERANCE = 2e-6


@dataclass(frozen=True)
class Found:
    """The best options of some tables, None where none were found, and the position of theirs;
    `bound` as a score, minus infinity where nothing fits."""

    options: np.ndarray | None = None
    score: float = -math.inf
    costs: tuple[float, ...] = ()
    bound: float = -math.inf
    position: int = 0

    @property
    def exact(self) -> bool:
        return self.bound <= self.score


NOTHING = Found()


def best_of_tables(
    tables: Sequence[ContextTable], budgets: np.ndarray, seconds: float, enough: float = math.inf
) -> Found:
    """As `best_of_several`, by merging where there is one limit at most."""
    if len(budgets) > 1:
        return best_of_several(tables, budgets, seconds, enough)
    budget = float(budgets[0]) if len(budgets) else math.inf
    if min(table.smallest_cost for table in tables) > budget:
        return NOTHING
    position, options = best_under_one_limit(tables, budget)
    score, costs = tables[position].totals(options)
    return Found(options, score, costs, score, position)


def best_of_several(
    tables: Sequence[ContextTable], budgets: np.ndarray, seconds: float, enough: float = math.inf
) -> Found:
    """The best of all tables, its bound that of all; in each the first that is good enough."""
    until = time.monotonic() + seconds
    best, bound = NOTHING, -math.inf
    for position, table in enumerate(tables):
        found = _best_in(table, budgets, best.score, until, enough)
        bound = max(bound, found.bound)
        # Equal scores by least costs, then the first table.
        if found.options is not None and (
            found.score > best.score or (found.score == best.score and found.costs < best.costs)
        ):
            best = replace(found, position=position)
    near = EXACT_WITHIN * max(spread_of(table.scores) for table in tables)
    return replace(best, bound=best.score if bound <= best.score + near else bound)


def _best_in(
    table: ContextTable, budgets: np.ndarray, least: float, until: float, enough: float
) -> Found:
    """The best of one table, where it is no less than `least`."""
    prices, bound, slacks = relaxed(table, budgets)
    scale = spread_of(table.scores) or 1.0
    bound += _ROUNDING * scale + rounding_error(table, prices)
    if bound < max(least, lowest_score(table)):
        return NOTHING
    score, options = least, None
    whole = sum(float(slack.max()) for slack in slacks)
    allowance = first_allowance(slacks)
    while True:
        chosen, above = _highs(table, core_options(slacks, allowance), budgets, until)
        if chosen is not None and (found := table.totals(chosen)[0]) >= score:
            score, options = found, chosen
            if score >= enough:
                break
        # What may still beat the score, or equal it.
        left = min(bound - score, whole)
        if math.isfinite(score) or allowance >= whole:
            listed = _listed(table, core_options(slacks, left), slacks, left, budgets)
            if listed is not None:
                return listed
        if left <= allowance:
            # Every architecture that could be better has been among the options.
            bound = min(bound, max(above, score))
            break
        if time.monotonic() > until:
            break
        wider = max(8 * allowance, 1e-3 * scale)
        allowance = left if math.isfinite(score) else min(wider, whole)
    if options is None:
        return replace(NOTHING, bound=bound if bound > score else -math.inf)
    return Found(options, score, table.totals(options)[1], bound)


def unreduced(table: ContextTable, options: np.ndarray) -> np.ndarray:
    """Positions in a table of options of its reduced one."""
    kept = zip(table.undominated, options, strict=True)
    return np.array([positions[option] for positions, option in kept])


def _highs(
    table: ContextTable, core: Sequence[np.ndarray], budgets: np.ndarray, until: float
) -> tuple[np.ndarray | None, float]:
    """The best of the core's architectures as HiGHS finds it, None for none, and a bound on them.

    HiGHS keeps limits to a tolerance. A solution whose sums are above one is struck out, and the
    next asked for.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    sizes = [len(options) for options in core]
    edges = np.cumsum([0, *sizes])
    scores = np.concatenate([table.scores[g][options] for g, options in enumerate(core)])
    costs = np.concatenate([table.limit_costs[g][options] for g, options in enumerate(core)])
    scale = spread_of([table.scores[g][options] for g, options in enumerate(core)]) or 1.0
    most = np.array(table.cost_constants) + sum(
        table.limit_costs[g][options].max(axis=0) for g, options in enumerate(core)
    )
    room = np.minimum(budgets, most) - np.array(table.cost_constants)
    if not np.isfinite(room).all():
        return None, -math.inf
    # Each group's least is taken off and the rest stretched to 1, which suits the tolerances.
    base = np.array([table.limit_costs[g][options].min(axis=0) for g, options in enumerate(core)])
    costs = costs - np.repeat(base, sizes, axis=0)
    room = room - base.sum(axis=0)
    unit = np.where((greatest := costs.max(axis=0)) > 0, greatest, 1.0)
    one_each = csr_array(
        (np.ones(edges[-1]), (np.repeat(np.arange(len(core)), sizes), np.arange(edges[-1])))
    )
    constraints = [LinearConstraint(one_each, 1, 1)]
    if len(budgets):
        constraints.append(LinearConstraint((costs / unit).T, -np.inf, room / unit))
    # An absolute gap of 1e-6, which HiGHS stops at, is then 1e-8 of the range of scores.
    objective = -scores * (100 / scale)
    lowest_bound = math.inf
    for attempt in range(_MOST_STRUCK + 1):
        left = until - time.monotonic()
        if left <= 0:
            break
        answer = milp(
            objective,
            constraints=constraints,
            integrality=np.ones(len(objective)),
            bounds=Bounds(0, 1),
            options={"time_limit": left, "mip_rel_gap": 0.0},
        )
        if answer.status == 2 and attempt < _MOST_STRUCK:
            return None, -math.inf
        if attempt < _MOST_STRUCK and answer.mip_dual_bound is not None:
            proved = table.score_constant - answer.mip_dual_bound * scale / 100
            lowest_bound = min(lowest_bound, proved + _ROUNDING * scale)
        if answer.x is None:
            break
        picked = [int(np.argmax(answer.x[start:end])) for start, end in itertools.pairwise(edges)]
        options = np.array([core[g][i] for g, i in enumerate(picked)])
        score, paid = table.totals(options)
        if all(cost <= budget for cost, budget in zip(paid, budgets, strict=True)):
            return options, max(score, lowest_bound)
        struck = np.zeros(len(objective))
        struck[edges[:-1] + picked] = 1
        constraints.append(LinearConstraint(struck, -np.inf, len(core) - 1))
        if attempt == _MOST_STRUCK - 1:
            drawn_in = room / unit - _TOLERANCE
            constraints[1] = LinearConstraint((costs / unit).T, -np.inf, drawn_in)
    return None, lowest_bound


def _listed(
    table: ContextTable,
    core: Sequence[np.ndarray],
    slacks: Sequence[np.ndarray],
    allowance: float,
    budgets: np.ndarray,
) -> Found | None:
    """The best of all architectures of the core within the limits whose slacks add up to the
    allowance at most; None where there are too many to list."""
    if any(len(options) == 0 for options in core):
        return NOTHING
    own = [slack[options] for slack, options in zip(slacks, core, strict=True)]
    scores = [table.scores[g][options] for g, options in enumerate(core)]
    costs = [table.limit_costs[g][options] for g, options in enumerate(core)]
    score = np.array([table.score_constant])
    cost = np.array([table.cost_constants]).reshape(1, -1)
    used = np.zeros(1)
    options = np.zeros((1, 0), dtype=np.int64)
    for g in range(len(core)):
        if len(score) * len(core[g]) > _MOST_LISTED:
            return None
        rest = sum(float(slack.min()) for slack in own[g + 1 :])
        parents, chosen = np.nonzero(used[:, None] + own[g] + rest <= allowance)
        paid = cost[parents] + costs[g][chosen]
        # What a sum costs at the least once the groups to come are added, in this same order.
        least = paid.copy()
        for later in costs[g + 1 :]:
            least += later.min(axis=0)
        fits = (least <= budgets).all(axis=1)
        parents, chosen, cost = parents[fits], chosen[fits], paid[fits]
        used = used[parents] + own[g][chosen]
        score = score[parents] + scores[g][chosen]
        options = np.column_stack([options[parents], core[g][chosen]])
    if not len(score):
        return NOTHING
    best = np.lexsort((*cost.T[::-1], -score))[0]
    value = float(score[best])
    return Found(options[best], value, tuple(cost[best].tolist()), value)
