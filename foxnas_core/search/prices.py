"""What the objective costs along a front: the gain of each step, and the price on its hull.

The least concave majorant of a front, its hull, is what mixtures of its subnets would reach; its
slope at a budget is the Lagrangian dual price of the limit there (Everett, "Generalized Lagrange
multiplier method", Operations Research 11, 1963): what one more unit of the budget is worth.
Prices on the hull never rise with the budget; those of single steps do.
"""

from dataclasses import dataclass

import numpy as np

from foxnas_core.search.exact import Front
from foxnas_core.search.pareto import concave_corners, slope_at

# Costs that differ by less are the same sum in another order (counts of parameters).
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Prices:
    """What each step of a front buys, from each of its points to the next.

    `points` are positions in the front, all but those whose cost the next one has too, up to
    rounding; `corners` are those of them that the hull bends at, both ends included. `worth`
    (len(front),) is the objective, negated where less of it is better. Prices are in the
    objective's unit per unit of the limit's target.
    """

    front: Front
    points: np.ndarray
    corners: np.ndarray
    worth: np.ndarray

    @property
    def cost(self) -> np.ndarray:
        """What each step costs more, (points - 1,)."""
        return np.diff(self.front.costs[self.points])

    @property
    def gain(self) -> np.ndarray:
        """By how much each step betters the objective, (points - 1,)."""
        return np.diff(self.worth[self.points])

    @property
    def price(self) -> np.ndarray:
        """Gain per unit of cost of each step, (points - 1,)."""
        return self.gain / self.cost

    @property
    def corner_price(self) -> np.ndarray:
        """The hull's slope from each corner to the next, (corners - 1,), falling."""
        return np.diff(self.worth[self.corners]) / np.diff(self.front.costs[self.corners])

    @property
    def hull_price(self) -> np.ndarray:
        """The hull's slope over each step, (points - 1,)."""
        return np.repeat(self.corner_price, np.diff(np.searchsorted(self.points, self.corners)))

    @property
    def knee(self) -> int | None:
        """The point after which more cost pays less than on average over the whole front.

        Kneedle (Satopaa et al., "Finding a 'kneedle' in a haystack", ICDCS workshops, 2011): where
        the curve, stretched to the unit square, is highest above the diagonal. On the hull it
        needs neither smoothing nor a threshold. It depends on where the front begins and ends.
        None on a front of fewer than three corners, which does not bend.
        """
        if len(self.corners) < 3:
            return None
        cost, gain = self.front.costs[self.corners], self.worth[self.corners]
        height = (gain - gain[0]) / (gain[-1] - gain[0]) - (cost - cost[0]) / (cost[-1] - cost[0])
        return int(self.corners[np.argmax(height)])

    def at(self, budget: float) -> float:
        """What a little more than a budget is worth, 0 beyond the front."""
        return slope_at(self.front.costs[self.corners], self.worth[self.corners], budget)


def front_prices(front: Front) -> Prices:
    """The prices along a front."""
    worth = front.problem.sign * front.values
    costs = front.costs
    rising = np.diff(costs) > _ROUNDING * (1 + np.abs(costs[1:]))
    points = np.flatnonzero(np.append(rising, True))
    corners = points[concave_corners(costs[points], worth[points])]
    return Prices(front, points, corners, worth)
