"""Parameters and MACs of the networks of cells, by arithmetic: equal to what they have
(`measurement.cost`), without building them."""

from collections.abc import Callable, Sequence
from functools import lru_cache

from foxnas_core.families.nasbench201.space import EDGES, NONE, STAGES, edge_name, settings_of
from foxnas_core.space.coding.counts import Cost, convolution, counted, linear
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.search_space import SearchSpace

_KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}


@lru_cache(maxsize=16)
def network_counts(space: SearchSpace, column: str) -> tuple[Lookup, ...]:
    """What the edges, and all else, have of `parameters` or `macs`; they add up to it. An edge
    whose node nothing reaches computes nothing, so it reads those that lead to that as well."""
    fixed, operations = _costs(space)
    parts = [counted(space, [], lambda: fixed, column)]
    for edge in EDGES:
        leading = [other for other in EDGES if other[1] <= edge[0]]
        read = [space.by_name[edge_name(*one)] for one in (edge, *leading)]
        parts.append(counted(space, read, _edge(edge[0], leading, operations), column))
    return tuple(parts)


def _edge(
    source: int, leading: Sequence[tuple[int, int]], operations: dict[str, Cost]
) -> Callable[..., Cost]:
    """The cost of an edge by its operation and those of the edges that lead to its source."""

    def cost(own: str, *others: str) -> Cost:
        reached = {0}
        for edge, operation in zip(leading, others, strict=True):  # in order of their targets
            if edge[0] in reached and operation != NONE:
                reached.add(edge[1])
        return operations.get(own, Cost()) if source in reached else Cost()

    return cost


def _costs(space: SearchSpace) -> tuple[Cost, dict[str, Cost]]:
    """What every network has, and what each operation adds on an edge, over all cells."""
    how = settings_of(space)
    width, side = how.channels, how.resolution
    fixed, edges = convolution(how.input_channels, width, 3, side), dict.fromkeys(_KERNELS, Cost())
    for stage in range(STAGES):
        if stage:
            width, side = 2 * width, -(-side // 2)
            fixed += convolution(width // 2, width, 3, side) + convolution(width, width, 3, side)
            shortcut = width // 2 * width  # without batch norm
            fixed += Cost(shortcut, shortcut * side**2)
        for operation, kernel in _KERNELS.items():
            one = convolution(width, width, kernel, side)
            edges[operation] += Cost(how.cells * one.parameters, how.cells * one.macs)
    return fixed + Cost(2 * width) + linear(width, how.classes), edges
