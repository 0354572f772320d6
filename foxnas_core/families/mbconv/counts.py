"""Parameters and MACs of subnets, by arithmetic on the settings: equal to what their networks
have (`measurement.cost`), without building them."""

from collections.abc import Callable
from functools import lru_cache

from foxnas_core.families.mbconv.space import (
    MBConvSettings,
    block_plan,
    settings_of,
    squeezed,
)
from foxnas_core.space.coding.counts import Cost, convolution, counted, linear
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.search_space import SearchSpace


@lru_cache(maxsize=16)
def subnet_counts(space: SearchSpace, column: str) -> tuple[Lookup, ...]:
    """What a subnet's blocks, and all else, cost in `parameters` or `macs`; they add up to it."""
    settings = settings_of(space)
    context = [d for d in space.decisions if d.group in space.context]
    found = [counted(space, context, lambda *of: _fixed(settings, *of), column)]
    for number, stage in enumerate(settings.stages, start=1):
        for block in range(1, stage.depths[-1] + 1):
            own = space.in_slot(f"s{number}b{block}")
            cost = _block(settings, number, block)
            found.append(counted(space, [*context, *own], cost, column))
    return tuple(found)


def sides_of(settings: MBConvSettings, resolution: int | None = None) -> list[int]:
    """Height and width after the stem and after each stage, in pixels."""
    side = -(-(resolution or settings.resolutions[-1]) // settings.stem_stride)
    sides = [side]
    for stage in settings.stages:
        sides.append(-(-sides[-1] // stage.stride))
    return sides


def _fixed(settings: MBConvSettings, resolution: int | None = None) -> Cost:
    """Stem, fixed first block and head."""
    first, *_, last = sides_of(settings, resolution)
    width, head = settings.stem_width, settings.head_width
    cost = convolution(settings.input_channels, width, 3, first)
    if settings.first_width:
        cost += convolution(width, width, 3, first, width)
        cost += convolution(width, settings.first_width, 1, first)
    cost += convolution(settings.stages[-1].width, head, 1, last)
    if settings.feature_width:
        cost += linear(head, settings.feature_width)
    return cost + linear(settings.feature_width or head, settings.classes)


def _block(settings: MBConvSettings, number: int, block: int) -> Callable[..., Cost]:
    def cost(*chosen: int) -> Cost:
        *resolution, kernel, expand = chosen
        plan = block_plan(settings, number, block, kernel, expand)
        before, after = sides_of(settings, *resolution)[number - 1 : number + 1]
        middle = plan.mid_width
        found = convolution(plan.in_width, middle, 1, before if block == 1 else after)
        found += convolution(middle, middle, kernel, after, middle)
        found += convolution(middle, plan.out_width, 1, after)
        if plan.squeeze_excitation:
            hidden = squeezed(middle, settings.channel_divisor, settings.mobilenet_squeeze)
            found += linear(middle, hidden) + linear(hidden, middle)
        return found

    return cost
