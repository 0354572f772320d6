"""Parameters and MACs of FBNet's networks, by arithmetic: equal to what they have
(`measurement.cost`), without building them."""

from collections.abc import Callable
from functools import lru_cache

from foxnas_core.families.fbnet.space import (
    CHANNELS,
    SKIP,
    STEM,
    LayerPlan,
    configuration_of,
    layer_plans,
    parse_operation,
)
from foxnas_core.space.coding.counts import Cost, convolution, counted, linear
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.search_space import SearchSpace


@lru_cache(maxsize=16)
def network_counts(space: SearchSpace, column: str) -> tuple[Lookup, ...]:
    """What the layers, and all else, cost in `parameters` or `macs`; they add up to it."""
    how = configuration_of(space)
    plans = layer_plans(how)
    last = plans[-1].side // plans[-1].stride
    fixed = convolution(3, STEM, 3, plans[0].side) + linear(how.header, how.classes)
    fixed += convolution(CHANNELS[-1], how.header, 1, last)
    layers = zip(space.decisions, plans, strict=True)
    return (
        counted(space, [], lambda: fixed, column),
        *(counted(space, [decision], _layer(plan), column) for decision, plan in layers),
    )


def _layer(plan: LayerPlan) -> Callable[..., Cost]:
    def cost(operation: str) -> Cost:
        wide, out, side = plan.in_channels, plan.out_channels, plan.side // plan.stride
        if operation == SKIP:
            same = plan.stride == 1 and wide == out
            return Cost() if same else convolution(wide, out, 1, side)
        kernel, expand, groups = parse_operation(operation)
        middle = wide * expand
        found = convolution(wide, middle, 1, plan.side, groups)
        found += convolution(middle, middle, kernel, side, middle)
        return found + convolution(middle, out, 1, side, groups)

    return cost
