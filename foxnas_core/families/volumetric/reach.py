"""Which slices of a volume the networks' outputs depend on."""

from dataclasses import dataclass

import numpy as np

from foxnas_core.families.volumetric.space import KERNELS, plan_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace


@dataclass(frozen=True, eq=False)
class Reach:
    """For each slice of a tensor the first and the last slice (D,) of the volume that it is
    computed from."""

    first: np.ndarray
    last: np.ndarray

    @property
    def most(self) -> int:
        """How many slices the slice that sees most of them sees."""
        return int((self.last - self.first).max()) + 1

    def convolved(self, kernel: int) -> "Reach":
        """As a convolution of this odd size along D reads it."""
        places, aside = np.arange(len(self.first)), kernel // 2
        return Reach(
            self.first[np.maximum(places - aside, 0)],
            self.last[np.minimum(places + aside, len(places) - 1)],
        )

    def pooled(self, factor: int) -> "Reach":
        return Reach(self.first[::factor], self.last[factor - 1 :: factor])

    def doubled(self, factor: int) -> "Reach":
        return Reach(self.first.repeat(factor), self.last.repeat(factor))

    def joined(self, other: "Reach") -> "Reach":
        return Reach(np.minimum(self.first, other.first), np.maximum(self.last, other.last))


def reach_of(space: SearchSpace, architecture: Architecture) -> Reach:
    """The receptive field of each slice of the masks along the third axis, exactly: by the kernels,
    poolings and doublings on all ways to it, cut off where the volume ends."""
    plan = plan_of(space)
    slices = np.arange(plan.shapes[0][0])
    found, left = Reach(slices, slices), dict[int, Reach]()

    def through(slot: str, reach: Reach) -> Reach:
        for kernel in KERNELS[str(architecture[slot])]:
            reach = reach.convolved(kernel[0])
        return reach

    for level in range(plan.deepest + 1):
        if level:
            found = found.pooled(plan.factors[level - 1][0])
        stage = level - plan.first
        for cell in plan.encoder[stage] if stage >= 0 else ():
            found = through(cell.slot, found)
        left[level] = found
    for cell, level in zip(plan.decoder, reversed(range(plan.deepest)), strict=True):
        found = found.doubled(plan.factors[level][0])
        if level in plan.skips:
            found = found.joined(left[level])
        found = through(cell.slot, found)
    return found
