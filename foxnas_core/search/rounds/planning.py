"""Which subnets a round measures: the predicted optima of fixed budgets, or near ones."""

import heapq
from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.exact import Front
from foxnas_core.search.expectation import expectation
from foxnas_core.search.rounds.record import MOST_PER_ROUND, Find, FindEstimate
from foxnas_core.space.architecture import Architecture

# Points of the front below a budget that stand in for an optimum that was measured.
_NEAREST = 30


def spread_budgets(front: Front, count: int, shared: float | None = None) -> tuple[float, ...]:
    """`count` budgets (ms) at the middles of equal parts of the front's range of costs; the one
    nearest to `shared`, where given, is replaced by it.

    Raises `InvalidInput` for a count out of range, and `InfeasibleBudget` for a `shared` that none
    can keep.
    """
    if not 1 <= count <= MOST_PER_ROUND:
        raise InvalidInput(
            f"A round of {count} finds can't be planned; ask for 1 to {MOST_PER_ROUND}."
        )
    low, high = float(front.costs[0]), float(front.costs[-1])
    budgets = low + (high - low) * (np.arange(count) + 0.5) / count
    if shared is not None:
        front.within(shared)
        budgets[np.abs(budgets - shared).argmin()] = shared
    return tuple(float(b) for b in np.sort(budgets))


def plan_finds(
    front: Front,
    predictors: Sequence[Predictor],
    budgets: Sequence[float],
    taken: Collection[str],
    keeps: Callable[[float], float] = float,
    known: Mapping[str, SearchCalibration] | None = None,
) -> tuple[Find, ...]:
    """One find a budget, none of whose ids is in `taken`; fewer where the space has no more.

    `predictors` are the objective's and the limit's; `keeps` gives the number to search under so
    that a budget is kept when measured, and `known` are the calibrations of what optima tell.
    """
    used = set(taken)
    finds = []
    for budget in budgets:
        found = best_not_taken(front, searched_under(front, budget, keeps), used)
        if found is None:
            continue
        architecture, passed_over = found
        used.add(architecture.id)
        finds.append(find_of(architecture, float(budget), passed_over, predictors, known))
    return tuple(finds)


def searched_under(front: Front, budget: float, keeps: Callable[[float], float]) -> float:
    """What is searched under for a budget to be kept, but no less than the front begins with."""
    return max(keeps(budget), min(budget, float(front.costs[0])))


def find_of(
    architecture: Architecture,
    budget: float,
    passed_over: int,
    predictors: Sequence[Predictor],
    known: Mapping[str, SearchCalibration] | None,
) -> Find:
    """The find with what is told of it before it is measured."""
    told = [expectation(predictor, architecture, known) for predictor in predictors]
    predicted = {
        own.target.column: FindEstimate(own.predicted, own.predicted_low, own.predicted_high)
        for own in told
    }
    expected = {
        own.target.column: FindEstimate(own.value, own.low, own.high) for own in told if own.optima
    }
    return Find(architecture, budget, passed_over, predicted, expected=expected)


def best_not_taken(
    front: Front, budget: float, taken: Collection[str]
) -> tuple[Architecture, int] | None:
    """The predicted optimum of a budget or, where its id is in `taken`, a near one that is not,
    and how many better ones were passed over; None where none is left within the budget.

    The near ones are the optima of smaller budgets and what single edits make, within the budget,
    of those passed over; the best predicted is taken. It need not be the second best of the whole
    space, which may differ from the best in several edits.
    """
    problem = front.problem
    objective, limit = problem.objective, problem.limits[0].predictor
    first = front.within(budget)
    below = int(np.searchsorted(front.costs, budget, side="right")) - 1
    nearest = [front.candidate(k) for k in range(max(below - _NEAREST, 0), below)]
    heap = [(-problem.sign * c.value, c.architecture.id, c.architecture) for c in (first, *nearest)]
    heapq.heapify(heap)
    seen = {found for _, found, _ in heap}
    passed_over = 0
    while heap:
        _, found, architecture = heapq.heappop(heap)
        if found not in taken:
            return architecture, passed_over
        passed_over += 1
        near = [a for a in problem.space.neighbours(architecture) if a.id not in seen]
        if not near:
            continue
        seen |= {a.id for a in near}
        values, costs = (p.predict(near)["value"].to_numpy() for p in (objective, limit))
        for place in np.flatnonzero(costs <= budget):
            key = -problem.sign * float(values[place])
            heapq.heappush(heap, (key, near[place].id, near[place]))
    return None
