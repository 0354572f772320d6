"""The subnets within a budget that the regression cannot tell from its optimum.

The difference of two predictions on the scale of the link is (x - x₀)·b for regression rows x and
x₀, of variance (x - x₀)'Σ(x - x₀); whether its interval contains 0 is the same on both scales, as
the link increases. The interval is Student's t of one difference at a time: a set that holds for
all subnets together would be larger.

Candidates are enumerated exactly. For a price λ >= 0 of the limit, an architecture of cost at
most B scores no more than λB plus the sum of what its options score less λ times their cost; so
those whose options lose more than the room below that bound are cut off, group by group (variable
fixing by reduced costs; Kellerer, Pferschy, Pisinger, "Knapsack Problems", 2004, ch. 3 and 11). Of
a form across stages, cell by cell.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor
from foxnas_core.search.context_table import ContextTable
from foxnas_core.search.coupling import names_in
from foxnas_core.search.exact import Front
from foxnas_core.search.options import put_choices
from foxnas_core.search.pareto import concave_corners, slope_at
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.settling import free_leaves
from foxnas_core.space.architecture import Architecture

MOST = 1000
_HELD = 50_000  # sums that may be held at once


@dataclass(frozen=True, eq=False)
class TiedSet:
    """What cannot be told from the optimum at confidence `level`.

    - `examined`: how many architectures were looked at: all within the budget that are predicted
      at most `depth` (in the objective's unit) below the optimum, those of the front, and those
      handed over; `complete` says that no other within the budget can be tied. Where neither
      regression reads the order of blocks, one order stands for all.
    - `architectures` are the tied ones, the optimum first; `table` has one row each: id, value,
      cost, difference, low, high.
    """

    optimum: Candidate
    budget: float
    level: float
    examined: int
    depth: float
    complete: bool
    architectures: tuple[Architecture, ...] = field(repr=False)
    table: pd.DataFrame = field(repr=False)

    def __len__(self) -> int:
        return len(self.table)

    @property
    def cheapest(self) -> int:
        """The row of the tied one of least cost."""
        return int(self.table["cost"].to_numpy().argmin())


def tied_set(
    front: Front,
    budget: float,
    *,
    level: float = 0.95,
    others: Sequence[Architecture] = (),
    most: int = MOST,
) -> TiedSet:
    """The subnets within a budget, and all further limits of the front, whose difference to its
    optimum is not told from 0.

    At most `most` near ones are enumerated; `others` within the budget are examined as well.
    Raises `InfeasibleBudget` where nothing fits, and `InvalidInput` where the objective is no
    fitted regression, or cells have too many options.
    """
    if said := untold(front.problem):
        raise InvalidInput(said)
    predictor = front.problem.readers[0]
    if not isinstance(predictor, Predictor):
        raise InvalidInput("Only a fitted regression says how sure a difference is.")
    problem = front.problem.whole.within(budget)
    optimum = front.within(budget)
    scale = predictor.quantile(level)
    widest = scale * _widest(problem, predictor, optimum.architecture)
    gap, near = _near(front, problem, widest, most)
    listed = [problem.architecture(c, o) for c, o in near]
    within = [
        front.candidate(point).architecture
        for point in range(int(np.searchsorted(front.costs, budget, side="right")))
    ]
    pinned = problem.allowed.items()
    further = [
        a
        for a in dict.fromkeys(others)
        if all(a.get(name) in (*choices, None) for name, choices in pinned)
    ]
    if further:
        kept = np.ones(len(further), dtype=bool)
        for limit in problem.limits:
            values = limit.predictor.predict(further)["value"].to_numpy()
            kept &= limit.sign * values <= limit.sign * limit.bound
        further = [a for a, within_all in zip(further, kept, strict=True) if within_all]
    every = list(dict.fromkeys([optimum.architecture, *listed, *within, *further]))
    rows = predictor.form.matrix(predictor.space.encode(every))
    difference, std_error = predictor.combine(rows - rows[0])
    half = scale * std_error
    # Sums of equal numbers in another order differ in their last digits.
    blur = 1e-9 * (1 + np.abs(rows @ predictor.estimates))
    tied = np.flatnonzero(np.abs(difference) <= half + blur)
    order = tied[np.argsort(-problem.sign * difference[tied], kind="stable")]
    order = np.concatenate([[0], order[order != 0]])
    link, eta = predictor.link, float(rows[0] @ predictor.estimates)
    base = link.inverse(eta)
    chosen = [every[i] for i in order]
    table = pd.DataFrame(
        {
            "id": [a.id for a in chosen],
            "value": predictor.target.within(link.inverse(eta + difference[order])),
            "cost": problem.limits[0].predictor.predict(chosen)["value"].to_numpy(),
            "difference": link.inverse(eta + difference[order]) - base,
            "low": link.inverse(eta + (difference - half)[order]) - base,
            "high": link.inverse(eta + (difference + half)[order]) - base,
        }
    )
    depth = float(abs(base - link.inverse(eta - problem.sign * max(gap, 0.0))))
    return TiedSet(optimum, budget, level, len(every), depth, gap >= widest, tuple(chosen), table)


def untold(problem: SearchProblem) -> str | None:
    """Why the ties of a problem's optima can't be listed."""
    try:
        problem.whole  # noqa: B018
    except InvalidInput as error:
        return str(error)
    return None


def _widest(problem: SearchProblem, predictor: Predictor, optimum: Architecture) -> float:
    """A bound on the standard error of any difference to the optimum: by the triangle inequality
    that of one architecture of a table, and the largest ones by which each group's options change
    it, add up to no less for all others of the table."""
    form, space = predictor.form, predictor.space
    [codes] = space.encode([optimum])
    base = form.matrix(codes[np.newaxis])
    widest = 0.0
    for table in problem.tables:
        first = codes.copy()
        put_choices(first, space, table.context)
        groups = [_listed_in(problem, table, position) for position in range(len(problem.groups))]
        for at, own in groups:
            if not (own == first[at]).all(axis=1).any():
                first[at] = own[0]
        ends = np.cumsum([1, *(len(own) for _, own in groups)])
        changed = np.tile(first, (ends[-1], 1))
        for (at, own), end in zip(groups, ends[1:], strict=True):
            changed[end - len(own) : end, at] = own
        rows = form.matrix(changed)
        errors = predictor.std_error(rows - np.vstack([base, *[rows[:1]] * (len(rows) - 1)]))
        total = sum(float(part.max()) for part in np.split(errors, ends[:-1]))
        widest = max(widest, total)
    return widest


def _listed_in(
    problem: SearchProblem, table: ContextTable, position: int
) -> tuple[list[int], np.ndarray]:
    """The columns of a group's decisions, and the codes (options, columns) of its options in a
    table."""
    group, kept = problem.groups[position], problem.options[position]
    if table.kept is not None:
        kept = kept[table.kept[position]]
    names = problem.block(group)
    at = [column for column, d in enumerate(problem.space.decisions) if d.name in names]
    return at, problem.listing(group)[kept][:, at]


Chosen = tuple[int, np.ndarray]  # a context and one option of each group


def _near(
    front: Front, problem: SearchProblem, gap: float, most: int
) -> tuple[float, list[Chosen]]:
    """All architectures within the budget that score at most so much less than the optimum, on
    the scale of the link, as contexts and options; the gap is lowered until they are at most
    `most`."""
    worth = problem.sign * front.problem.objective.link.forward(front.values)
    costs = front.problem.limits[0].predictor.link.forward(front.costs)
    point = int(np.searchsorted(costs, problem.budget, side="right")) - 1
    best = float(front.problem.tables[front.contexts[point]].total(front.options[point])[0])
    corners = concave_corners(costs, worth)
    price = slope_at(costs[corners], worth[corners], problem.budget)
    blur = 1e-9 * (1 + abs(best))  # sums in another order
    distinct = _distinct(problem)
    own = [_there(table, distinct) for table in problem.tables]
    while True:
        found: list[Chosen] = []
        for context, table in enumerate(problem.tables):
            least = best - gap - blur
            options = _within(table, own[context], problem.budgets, price, least)
            if options is None or len(found) + len(options) > most:
                break
            found += [(context, option) for option in options]
        else:
            return gap, found
        if gap <= blur:  # more exact ties than are listed
            return -math.inf, []
        gap *= 0.7


def _distinct(problem: SearchProblem) -> list[np.ndarray]:
    """For each group the options, of those allowed, that stand for all others.

    Where no form reads the order of blocks, of options that are equal but for it the first stands
    for all.
    """
    predictors = problem.readers
    forms = [p.form for p in predictors if isinstance(p, Predictor) and p.form.order_free]
    found = []
    for position, group in enumerate(problem.groups):
        kept = np.arange(len(problem.options[position]))
        if len(forms) == len(predictors):
            codes, block = problem.listing(group)[problem.options[position]], problem.block(group)
            own = [f.matrix(codes, name) for f in forms for name in names_in(f, block)]
            across = [
                leaf.columns(codes.astype(np.intp)) for leaf in free_leaves(predictors, group)
            ]
            rows = np.round(np.hstack([*own, *across]), 9)
            kept = np.sort(np.unique(rows, axis=0, return_index=True)[1])
        found.append(kept)
    return found


def _there(table: ContextTable, distinct: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The positions, in a table, of those options that it has."""
    if table.kept is None:
        return list(distinct)
    return [
        np.flatnonzero(np.isin(kept, own)) for kept, own in zip(table.kept, distinct, strict=True)
    ]


def _within(
    table: ContextTable,
    distinct: Sequence[np.ndarray],
    budgets: np.ndarray,
    price: float,
    least: float,
) -> np.ndarray | None:
    """Options (found, groups), of those `distinct`, of all architectures of a context within all
    budgets that score at least `least`; None where more than `_HELD` sums would be held. The price
    is that of the first."""
    reduced = [
        scores[own] - price * costs[own]
        for scores, costs, own in zip(table.scores, table.costs, distinct, strict=True)
    ]
    losses = [values.max() - values for values in reduced]
    # Without a price the budget bounds nothing, and may be infinite.
    bound = table.score_constant + sum(float(values.max()) for values in reduced)
    if price:
        bound += price * (budgets[0] - table.cost_constant)
    room = bound - least
    room += 1e-9 * (1 + abs(bound))  # sums in another order
    lost, options = np.zeros(1), np.zeros((1, 0), dtype=int)
    if room < 0:
        return np.zeros((0, len(losses)), dtype=int)
    for loss, own in zip(losses, distinct, strict=True):
        order = np.argsort(loss, kind="stable")
        counts = np.searchsorted(loss[order], room - lost, side="right")
        if counts.sum() > _HELD:
            return None
        parents = np.repeat(np.arange(len(lost)), counts)
        chosen = order[np.arange(len(parents)) - np.repeat(np.cumsum(counts) - counts, counts)]
        lost = lost[parents] + loss[chosen]
        options = np.column_stack([options[parents], own[chosen]])
    score = np.full(len(options), table.score_constant)
    costs = np.tile(table.cost_constants, (len(options), 1))
    for group, chosen in enumerate(options.T):
        score = score + table.scores[group][chosen]
        costs = costs + table.limit_costs[group][chosen]
    return options[(costs <= budgets).all(axis=1) & (score >= least)]
