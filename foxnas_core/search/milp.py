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

from foxnas_core.errors import InvalidInput
from foxnas_core.search.exact import best_under_one_limit
from foxnas_core.search.problem import Candidate, ContextTable, SearchProblem, noun_of

# Seconds after which HiGHS is to answer with what it has.
TIME_LIMIT = 60.0
# Relative to the range of scores: what rounding may take from a bound, and how near its bound
# HiGHS must come for its solution to pass for the optimum where no listing settles it.
_ROUNDING = 1e-9
EXACT_WITHIN = 1e-7
# Most pairs of a partial sum and an option that a step of the listing looks at.
_MOST_LISTED = 4_000_000
# Prices are sought up to so many times a limit's whole range for the whole range of scores.
_STEEPEST = 1e6
# Solutions of HiGHS above a limit by less than its tolerance that are struck out one by one,
# before limits are drawn in by that tolerance, of a limit's range.
_MOST_STRUCK = 4
_TOLERANCE = 2e-6


@dataclass(frozen=True)
class Solution:
    """The optimum of a problem, or the best that was found.

    `bound` is what no architecture within the limits is better than, in the objective's unit: the
    candidate's own value where it is `exact`, to the last digit of the sums where what is left
    could be listed, else to `EXACT_WITHIN` of the range of scores.
    """

    candidate: Candidate
    bound: float
    exact: bool


@dataclass(frozen=True)
class _Found:
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


_NOTHING = _Found()


def solve(problem: SearchProblem, time_limit: float = TIME_LIMIT) -> Solution:
    """The best architecture within the limits, by merging fronts where there is one limit at most
    and by `solve_milp` where there are more. Raises as that."""
    if len(problem.limits) > 1:
        return solve_milp(problem, time_limit)
    problem.check_feasible()
    candidate = problem.candidate(*best_under_one_limit(problem.tables, problem.budget))
    return Solution(candidate, candidate.value, True)


def solve_milp(problem: SearchProblem, time_limit: float = TIME_LIMIT) -> Solution:
    """The best architecture within any number of limits.

    Among equal values the one of least costs, in the order of limits, then that of the first
    context. Raises `InfeasibleBudget` where none fits, `InvalidInput` where the time limit
    (seconds) ends before one was found.
    """
    tables = problem.tables
    best = _best([table.reduced for table in tables], problem.budgets, time_limit)
    if best.options is None:
        problem.check_feasible()
        raise InvalidInput(_undecided(problem, time_limit))
    candidate = problem.candidate(best.position, _unreduced(tables[best.position], best.options))
    bound = candidate.value if best.exact else float(problem.value_of(best.bound))
    return Solution(candidate, bound, best.exact)


def feasible_options(problem: SearchProblem) -> list[np.ndarray | None]:
    """For each table options within the limits, None where there are none; under one limit those
    of least cost."""
    if len(problem.limits) < 2:
        return [
            table.cheapest if table.smallest_cost <= problem.budget else None
            for table in problem.tables
        ]
    budgets = problem.budgets
    found: list[np.ndarray | None] = []
    for table in problem.tables:
        # Any at all, which HiGHS mostly finds at once; else the one of least first cost.
        small = table.reduced
        level = replace(
            small, score_constant=0.0, scores=tuple(np.zeros(len(s)) for s in small.scores)
        )
        best, wanted = _best_of([level.reduced], budgets, TIME_LIMIT, enough=0.0), 0.0
        options = None if best.options is None else _unreduced(level, best.options)
        if best.score < wanted <= best.bound:
            wanted, turned = -float(budgets[0]), _turned(small, 0)
            best = _best_of([turned.reduced], budgets[1:], TIME_LIMIT, enough=wanted)
            options = None if best.options is None else _unreduced(turned, best.options)
        if best.score < wanted <= best.bound:
            raise InvalidInput(_undecided(problem, TIME_LIMIT))
        fits = options is not None and best.score >= wanted
        found.append(_unreduced(table, options) if fits and options is not None else None)
    return found


def check_feasible(problem: SearchProblem) -> None:
    """Raise `InfeasibleBudget` where no architecture keeps all limits.

    It names a limit that must give way and the nearest number that will do with the others held;
    of several such limits the one that gives way least, beside its own number, comes first.
    """
    if any(options is not None for options in feasible_options(problem)):
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
            raise InvalidInput(_undecided(problem, TIME_LIMIT))
        held[k] = max(budgets[k], cost)
        if cost > budgets[k]:
            moved[k] = cost
    first, *others = moved
    other = "".join(
        f" and that on {noun_of(limits[k].predictor.target)} to {limits[k].nearest(moved[k])}"
        for k in others
    )
    raise problem.infeasible(limits[first], moved[first], other)


def limit_prices(table: ContextTable, budgets: np.ndarray) -> np.ndarray:
    """What one more unit of each budget is worth, in units of the score, shape (limits,): the
    prices of the least Lagrangian bound, those of the linear relaxation."""
    return _relaxed(table.reduced, budgets)[0]


def _strain(problem: SearchProblem, k: int, cost: float) -> float:
    """By how much of its own size a limit would have to give way."""
    limit = problem.limits[k]
    return abs(float(limit.value_of(cost)) - limit.bound) / max(abs(limit.bound), 1e-300)


def _undecided(problem: SearchProblem, seconds: float) -> str:
    return (
        f"Whether an architecture of space {problem.space.name!r} keeps all "
        f"{len(problem.limits)} limits could not be settled in {seconds:g} s; relax one of them."
    )


def _least_cost(problem: SearchProblem, k: int, budgets: np.ndarray) -> float | None:
    """The least cost under limit `k` with the others held; None where they can't be met."""
    found = _best_of(
        [_turned(table.reduced, k).reduced for table in problem.tables],
        np.delete(budgets, k),
        TIME_LIMIT,
    )
    if found.options is None and found.bound > -math.inf:
        raise InvalidInput(_undecided(problem, TIME_LIMIT))
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


def _best_of(
    tables: Sequence[ContextTable], budgets: np.ndarray, seconds: float, enough: float = math.inf
) -> _Found:
    """As `_best`, by merging where there is one limit at most."""
    if len(budgets) > 1:
        return _best(tables, budgets, seconds, enough)
    budget = float(budgets[0]) if len(budgets) else math.inf
    if min(table.smallest_cost for table in tables) > budget:
        return _NOTHING
    position, options = best_under_one_limit(tables, budget)
    score, costs = tables[position].totals(options)
    return _Found(options, score, costs, score, position)


def _best(
    tables: Sequence[ContextTable], budgets: np.ndarray, seconds: float, enough: float = math.inf
) -> _Found:
    """The best of all tables, its bound that of all; in each the first that is good enough."""
    until = time.monotonic() + seconds
    best, bound = _NOTHING, -math.inf
    for position, table in enumerate(tables):
        found = _best_in(table, budgets, best.score, until, enough)
        bound = max(bound, found.bound)
        # Equal scores by least costs, then the first table.
        if found.options is not None and (
            found.score > best.score or (found.score == best.score and found.costs < best.costs)
        ):
            best = replace(found, position=position)
    near = EXACT_WITHIN * max(_spread(table.scores) for table in tables)
    return replace(best, bound=best.score if bound <= best.score + near else bound)


def _best_in(
    table: ContextTable, budgets: np.ndarray, least: float, until: float, enough: float
) -> _Found:
    """The best of one table, where it is no less than `least`."""
    prices, bound, slacks = _relaxed(table, budgets)
    scale = _spread(table.scores) or 1.0
    bound += _ROUNDING * scale + _error(table, prices)
    if bound < max(least, _lowest(table)):
        return _NOTHING
    score, options = least, None
    whole = sum(float(slack.max()) for slack in slacks)
    allowance = _first_allowance(slacks)
    while True:
        chosen, above = _highs(table, _core(slacks, allowance), budgets, until)
        if chosen is not None and (found := table.totals(chosen)[0]) >= score:
            score, options = found, chosen
            if score >= enough:
                break
        # What may still beat the score, or equal it.
        left = min(bound - score, whole)
        if math.isfinite(score) or allowance >= whole:
            listed = _listed(table, _core(slacks, left), slacks, left, budgets)
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
        return replace(_NOTHING, bound=bound if bound > score else -math.inf)
    return _Found(options, score, table.totals(options)[1], bound)


def _error(table: ContextTable, prices: np.ndarray) -> float:
    """What the rounding of sums may be worth at these prices."""
    score = abs(table.score_constant) + sum(float(np.abs(s).max()) for s in table.scores)
    costs = np.abs(np.array(table.cost_constants))
    for part in table.limit_costs:
        costs = costs + np.abs(part).max(axis=0)
    return 1e-14 * (score + float(prices @ costs))


def _spread(scores: Sequence[np.ndarray]) -> float:
    return float(sum(part.max() - part.min() for part in scores))


def _lowest(table: ContextTable) -> float:
    return table.score_constant + float(sum(part.min() for part in table.scores))


def _first_allowance(slacks: Sequence[np.ndarray]) -> float:
    """A slack that leaves some dozens of options to a group."""
    firsts = [np.sort(np.unique(slack))[:40][-1] for slack in slacks]
    return float(np.median(firsts))


def _relaxed(
    table: ContextTable, budgets: np.ndarray
) -> tuple[np.ndarray, float, list[np.ndarray]]:
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
    scale = _spread(table.scores) or 1.0
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
        lowest = _lowest(table) - scale
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


def _core(slacks: Sequence[np.ndarray], allowance: float) -> list[np.ndarray]:
    """For each group the options that an architecture within the allowance may have, in the order
    of the listing."""
    least = sum(float(slack.min()) for slack in slacks)
    return [np.flatnonzero(slack <= allowance - least + float(slack.min())) for slack in slacks]


def _unreduced(table: ContextTable, options: np.ndarray) -> np.ndarray:
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
    scale = _spread([table.scores[g][options] for g, options in enumerate(core)]) or 1.0
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
) -> _Found | None:
    """The best of all architectures of the core within the limits whose slacks add up to the
    allowance at most; None where there are too many to list."""
    if any(len(options) == 0 for options in core):
        return _NOTHING
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
        return _NOTHING
    best = np.lexsort((*cost.T[::-1], -score))[0]
    value = float(score[best])
    return _Found(options[best], value, tuple(cost[best].tolist()), value)
