"""Parameters and MACs of the networks of cells, by arithmetic: equal to what they have
(`measurement.cost`), without building them.

They are no sum over edges: an edge whose node nothing reaches computes nothing, whatever it is.
"""

from functools import lru_cache

import numpy as np

from foxnas_core.families.nasbench201.space import (
    EDGES,
    NONE,
    OPERATIONS,
    STAGES,
    settings_of,
)
from foxnas_core.space.coding.counts import Cost, convolution, linear
from foxnas_core.space.search_space import SearchSpace

_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}


def network_totals(space: SearchSpace, codes: np.ndarray, column: str) -> np.ndarray:
    """What the networks of codes (rows, edges) have of a column (rows,)."""
    fixed, edges = _costs(space)
    own = np.array([getattr(edge, column) for edge in edges], dtype=float)
    reached = {0: np.ones(len(codes), dtype=bool)}
    total = np.full(len(codes), float(getattr(fixed, column)))
    for (source, target), chosen in zip(EDGES, codes.T, strict=True):  # in order of their targets
        runs = reached[source] & (chosen != OPERATIONS.index(NONE))
        reached[target] = reached.get(target, False) | runs
        total += np.where(runs, own[chosen], 0.0)
    return total


@lru_cache(maxsize=16)
def _costs(space: SearchSpace) -> tuple[Cost, tuple[Cost, ...]]:
    """What every network has, and what each operation adds on an edge, over all cells."""
    how = settings_of(space)
    width, side = how.channels, how.resolution
    fixed, edges = convolution(how.input_channels, width, 3, side), [Cost()] * len(OPERATIONS)
    for stage in range(STAGES):
        if stage:
            width, side = 2 * width, side // 2
            fixed += convolution(width // 2, width, 3, side) + convolution(width, width, 3, side)
            shortcut = width // 2 * width  # without batch norm
            fixed += Cost(shortcut, shortcut * side**2)
        for place, operation in enumerate(OPERATIONS):
            if kernel := _KERNELS.get(operation):
                one = convolution(width, width, kernel, side)
                edges[place] += Cost(how.cells * one.parameters, how.cells * one.macs)
    last = Cost(2 * width) + linear(width, how.classes)
    return fixed + last, tuple(edges)
