"""The scale on which the effects of choices add up.

Accuracy saturates: the nearer to its ceiling A, the less a better block adds. On the scale
-ln(A - y) effects add up again. Here that scale is shifted and stretched so that it touches the
target's own at `center`: effects read as points of accuracy for a subnet of that accuracy,
whatever A is, and A without bound is the target's own scale (as in Hinkley and Runger, "The
analysis of transformed data", JASA 79, 1984).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

# Below this |rate × distance from the center| the limit of rate 0 is taken, to second order.
_SMALL = 1e-6


@dataclass(frozen=True)
class Link:
    """η = c - s ln(1 - (y - c) / s) with s = A - c, increasing, slope 1 at `center` c.

    `rate` is 1 / s, per unit of the target; 0 makes η equal y.
    """

    center: float = 0.0
    rate: float = 0.0

    @property
    def is_identity(self) -> bool:
        return self.rate == 0.0

    @property
    def ceiling(self) -> float:
        """A, which no value reaches; infinite without saturation."""
        return self.center + 1 / self.rate if self.rate else np.inf

    def forward(self, value: ArrayLike) -> np.ndarray:
        """η of values in the target's unit, any shape; NaN at and above the ceiling."""
        value = np.asarray(value, dtype=float)
        if self.is_identity:
            return value
        rest = 1 - self.rate * (value - self.center)
        logarithm = np.log(rest, out=np.full_like(rest, np.nan), where=rest > 0)
        return self.center - logarithm / self.rate

    def inverse(self, eta: ArrayLike) -> np.ndarray:
        """Values in the target's unit of η, any shape."""
        eta = np.asarray(eta, dtype=float)
        if self.is_identity:
            return eta
        return self.center - np.expm1(-self.rate * (eta - self.center)) / self.rate

    def slope(self, eta: ArrayLike) -> np.ndarray:
        """dy/dη, any shape: what one unit of effect is worth at η."""
        return np.exp(-self.rate * (np.asarray(eta, dtype=float) - self.center))

    def rate_pull(self, eta: np.ndarray) -> np.ndarray:
        """How much η would have to move to undo a unit change of `rate`: (∂y/∂rate) / slope."""
        distance = eta - self.center
        w = self.rate * distance
        near = np.abs(w) < _SMALL
        safe = np.where(near, 1.0, w)
        return distance**2 * np.where(near, -0.5 - w / 6, (safe - np.expm1(safe)) / safe**2)

    def rate_push(self, value: np.ndarray) -> np.ndarray:
        """∂η/∂rate at fixed values in the target's unit."""
        distance = value - self.center
        w = self.rate * distance
        near = np.abs(w) < _SMALL
        safe = np.where(near, 0.5, w)
        exact = (np.log1p(-safe) + safe / (1 - safe)) / safe**2
        return distance**2 * np.where(near, 0.5 + 2 * w / 3, exact)
