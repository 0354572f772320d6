"""Parameters and MACs of volumetric networks, by arithmetic: equal to what they have
(`measurement.cost`), without building them."""

from collections.abc import Callable
from functools import lru_cache
from math import prod

from foxnas_core.families.volumetric.space import KERNELS, CellPlan, Plan, plan_of
from foxnas_core.space.coding.counts import Cost, convolved, counted
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.search_space import SearchSpace


@lru_cache(maxsize=16)
def network_counts(space: SearchSpace, column: str) -> tuple[Lookup, ...]:
    """What the cells, and all else, have of `parameters` or `macs`; they add up to it."""
    plan = plan_of(space)
    return (
        counted(space, [], lambda: _around(plan), column),
        *(counted(space, [space.by_name[c.slot]], _cell(c), column) for c in plan.cells),
    )


def _cell(plan: CellPlan) -> Callable[[str], Cost]:
    def cost(choice: str) -> Cost:
        each = [
            convolved(plan.width, plan.width, prod(kernel), prod(plan.shape))
            for kernel in KERNELS[choice]
        ]
        return each[0] + each[1]

    return cost


def _around(plan: Plan) -> Cost:
    """Stem, halvings and what undoes them, the pyramid and the last convolution."""
    how, (kernel, stride) = plan.how, plan.stem
    places = [prod(shape) for shape in plan.shapes]
    total = convolved(
        how.input_channels, plan.widths[0], prod(kernel), places[0] // prod(stride)
    )  # fmt: skip
    for level in range(plan.first, plan.deepest):
        total += convolved(plan.widths[level], plan.widths[level + 1], 1, places[level + 1])
    for level in range(plan.deepest):
        total += convolved(plan.widths[level + 1], plan.widths[level], 1, places[level + 1])
    width = plan.widths[0]
    for side in how.pools:
        total += Cost(width + 1, width * places[0] // side**2)
    joined = width + len(how.pools)
    return total + Cost((joined + 1) * how.classes, joined * how.classes * places[0])
