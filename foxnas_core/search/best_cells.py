"""The optimum, the front and the promising ones of many tables, by their bounds.

Tables are looked into by falling bound, until none that is left can hold anything better: so what
is found is the optimum of all, with that as its proof. A front is begun with the best tables at
each of its costs; of the others those are looked into whose bound is above it somewhere.
"""

import math
from abc import abstractmethod
from collections.abc import Iterator
from functools import cached_property

import numpy as np

from foxnas_core.search.merging import Merged, best_under_one_limit, merge_efficient
from foxnas_core.search.pareto import efficient_options
from foxnas_core.search.tables import Tables

_ROUNDING = 1e-9  # of bounds, relative to their size
# Budgets at each of which the best cell begins a front.
_BUDGETS = 25


class BoundedTables(Tables):
    """Tables that are looked into only where their bound promises something."""

    most_walked = 8

    @abstractmethod
    def bounds(self, budget: float) -> np.ndarray:
        """What no architecture of each table (tables,) scores more than within a first budget."""

    @abstractmethod
    def bounds_of(self, at: int, budgets: np.ndarray) -> np.ndarray:
        """That of one table for first budgets (n,)."""

    @cached_property
    @abstractmethod
    def least_costs(self) -> np.ndarray:
        """The least first cost in each table (tables,), 0 without a limit."""

    @cached_property
    @abstractmethod
    def greatest_cost(self) -> float:
        """The greatest first cost in any table."""

    @property
    def smallest_cost(self) -> float:
        return float(self.least_costs.min())

    def best(self, budget: float) -> tuple[int, np.ndarray]:
        bounds = _raised(self.bounds(budget))
        best: tuple[float, float, int, np.ndarray] | None = None
        for at in self._feasible(budget, np.argsort(-bounds, kind="stable")):
            if best is not None and bounds[at] < best[0]:
                break
            _, options = best_under_one_limit([self[at]], budget)
            score, cost = self[at].total(options)
            if best is None or (-score, cost, at) < (-best[0], *best[1:3]):
                best = score, cost, at, options
        assert best is not None
        return best[2:]

    def front(self) -> dict[int, Merged]:
        least, most = self.smallest_cost, self.greatest_cost
        begun = {
            int(np.argmax(np.where(self.least_costs <= budget, self.bounds(budget), -math.inf)))
            for budget in np.linspace(least, most, _BUDGETS)
        }
        parts = {at: merge_efficient(self[at], math.inf) for at in sorted(begun)}
        order = np.argsort(-self.bounds(math.inf), kind="stable")
        for at in [int(at) for at in order if at not in parts]:
            scores, costs = _front(parts)
            # Between two costs of the front its score is that of the lesser one.
            ends = np.append(np.nextafter(costs[1:], -math.inf), math.inf)
            open_to = ends >= self.least_costs[at]
            if not open_to.any():
                continue
            bounds = _raised(self.bounds_of(at, ends[open_to]))
            before = self.least_costs[at] < costs[0]
            if before or (bounds > scores[open_to]).any():
                parts[at] = merge_efficient(self[at], math.inf)
        return parts

    def promising(self, budget: float) -> Iterator[int]:
        return self._feasible(budget, np.argsort(-self.bounds(budget), kind="stable"))

    def _feasible(self, budget: float, order: np.ndarray) -> Iterator[int]:
        # What a cell costs at the least is summed in another order there.
        room = budget if math.isinf(budget) else budget + _ROUNDING * (1 + abs(budget))
        for at in order[self.least_costs[order] <= room].tolist():
            if self[at].smallest_cost <= budget:
                yield at


def _front(parts: dict[int, Merged]) -> tuple[np.ndarray, np.ndarray]:
    scores = np.concatenate([part.scores for part in parts.values()])
    costs = np.concatenate([part.costs[0] for part in parts.values()])
    kept = efficient_options(scores, costs)
    return scores[kept], costs[kept]


def _raised(bounds: np.ndarray) -> np.ndarray:
    return bounds + _ROUNDING * (1 + np.abs(bounds))
