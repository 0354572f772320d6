"""The optimum, the front and the promising ones of many cells, by their bounds.

Cells are looked into by falling bound, until none that is left can hold anything better: so what is
found is the optimum of all, with that as its proof. A front is begun with the best cells at each of
its costs; of the others those are looked into whose bound is above it somewhere.
"""

import math
from collections.abc import Iterator

import numpy as np

from foxnas_core.search.cells import Cells
from foxnas_core.search.merging import Merged, best_under_one_limit, merge_efficient
from foxnas_core.search.pareto import efficient_options

_ROUNDING = 1e-9  # of bounds, relative to their size
# Budgets at each of which the best cell begins a front.
_BUDGETS = 25


def best_in_cells(cells: Cells, budget: float) -> tuple[int, np.ndarray]:
    """Position and options (groups,) of the optimum, which must exist: among equal values that of
    least cost, then of the first cell and of the first options."""
    bounds = _raised(cells.bounds(budget))
    best: tuple[float, float, int, np.ndarray] | None = None
    for at in _feasible(cells, budget, np.argsort(-bounds, kind="stable")):
        if best is not None and bounds[at] < best[0]:
            break
        _, options = best_under_one_limit([cells[at]], budget)
        score, cost = cells[at].total(options)
        if best is None or (-score, cost, at) < (-best[0], *best[1:3]):
            best = score, cost, at, options
    assert best is not None
    return best[2:]


def front_in_cells(cells: Cells) -> dict[int, Merged]:
    """What of each cell may be of the front of all, by its position."""
    least, most = float(cells.least_costs.min()), cells.greatest_cost
    begun = {
        int(np.argmax(np.where(cells.least_costs <= budget, cells.bounds(budget), -math.inf)))
        for budget in np.linspace(least, most, _BUDGETS)
    }
    parts = {at: merge_efficient(cells[at], math.inf) for at in sorted(begun)}
    order = np.argsort(-cells.bounds(math.inf), kind="stable")
    for at in [int(at) for at in order if at not in parts]:
        scores, costs = _front(parts)
        # Between two costs of the front its score is that of the lesser one.
        ends = np.append(np.nextafter(costs[1:], -math.inf), math.inf)
        open_to = ends >= cells.least_costs[at]
        if not open_to.any():
            continue
        bounds = _raised(cells.bounds_of(at, ends[open_to]))
        before = cells.least_costs[at] < costs[0]
        if before or (bounds > scores[open_to]).any():
            parts[at] = merge_efficient(cells[at], math.inf)
    return parts


def _front(parts: dict[int, Merged]) -> tuple[np.ndarray, np.ndarray]:
    scores = np.concatenate([part.scores for part in parts.values()])
    costs = np.concatenate([part.costs[0] for part in parts.values()])
    kept = efficient_options(scores, costs)
    return scores[kept], costs[kept]


def promising(cells: Cells, budget: float) -> Iterator[int]:
    """The positions of the cells that can keep a first budget, by falling bound."""
    return _feasible(cells, budget, np.argsort(-cells.bounds(budget), kind="stable"))


def _feasible(cells: Cells, budget: float, order: np.ndarray) -> Iterator[int]:
    # What a cell costs at the least is summed in another order there.
    room = budget if math.isinf(budget) else budget + _ROUNDING * (1 + abs(budget))
    for at in order[cells.least_costs[order] <= room].tolist():
        if cells[at].smallest_cost <= budget:
            yield at


def _raised(bounds: np.ndarray) -> np.ndarray:
    return bounds + _ROUNDING * (1 + np.abs(bounds))
