"""Which subnets a round measures so that the best measured one is expected to improve most.

An optimum that is measured mends what a fit overrates; a subnet near the front of which a fit is
less sure may measure better still. So of subnets near the front the one is taken by which the best
measured objective within a budget is expected to gain most (Jones, Schonlau and Welch, "Efficient
global optimization of expensive black-box functions", J. Global Optimization 13, 1998), times the
chance that it keeps the budget. Subnets take about as long to measure, so that this is the most a
minute as well.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

import numpy as np
from scipy.special import ndtr

from foxnas_core.regression import Predictor
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.exact import Front
from foxnas_core.search.rounds.planning import find_of, searched_under
from foxnas_core.search.rounds.record import Find
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.measurements import MeasurementTable

# Of the front, whose single edits may be measured too.
_POINTS = 40
_LEAST = 1e-12


def plan_improvements(
    front: Front,
    table: MeasurementTable,
    predictors: Sequence[Predictor],
    budgets: Sequence[float],
    taken: Collection[str],
    keeps: Callable[[float], float] = float,
    known: Mapping[str, SearchCalibration] | None = None,
) -> tuple[Find, ...]:
    """One find a budget, as `planning.plan_finds`, of rows that were measured in `table`; fewer
    where fewer are near the front."""
    near = _near(front, taken)
    if not near:
        return ()
    codes = front.problem.space.encode(near)
    costs = predictors[1].predict_codes(codes)["value"].to_numpy()
    gains = expected_improvements(predictors, table, codes, budgets)
    finds, free = [], np.ones(len(near), dtype=bool)
    for budget, own in zip(budgets, gains, strict=True):
        within = free & (costs <= searched_under(front, budget, keeps))
        if within.any():
            best = int(np.where(within, own, -1.0).argmax())
            free[best] = False
            finds.append(find_of(near[best], float(budget), 0, predictors, known))
    return tuple(finds)


def _near(front: Front, taken: Collection[str]) -> list[Architecture]:
    """Subnets of the front and what single edits make of them, none of which is taken."""
    space = front.problem.space
    points = np.unique(np.linspace(0, len(front.costs) - 1, _POINTS).astype(int))
    own = [front.candidate(int(point)).architecture for point in points]
    every = {a.id: a for first in own for a in (first, *space.neighbours(first))}
    return [a for a in every.values() if a.id not in taken]


def expected_improvements(
    predictors: Sequence[Predictor],
    table: MeasurementTable,
    codes: np.ndarray,
    budgets: Sequence[float],
) -> np.ndarray:
    """What the best measured objective within each budget is expected to gain by measuring each
    subnet of `codes` (subnets, decisions): (budgets, subnets), in the objective's unit.
    `predictors` are the objective's and the limit's."""
    objective, limit = predictors
    sign = objective.target.sign
    (value, doubt), (cost, spread) = (_measuring(own, codes) for own in predictors)
    measured = sign * table.values(objective.target.column)
    costs = table.values(limit.target.column)
    known = np.isfinite(measured) & np.isfinite(costs)
    found = []
    for budget in budgets:
        best = measured[known & (costs <= budget)].max(initial=measured[known].min())
        z = (sign * value - best) / doubt
        gain = doubt * (z * ndtr(z) + np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi))
        found.append(gain * ndtr((budget - cost) / spread))
    return np.array(found)


def _measuring(predictor: Predictor, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What one measurement of each subnet is expected to be (n,), and its standard error (n,), in
    the target's unit."""
    eta, spread = predictor.measuring(codes)
    spread = np.maximum(spread * predictor.link.slope(eta), _LEAST)  # what is counted has none
    return predictor.link.inverse(eta), spread
