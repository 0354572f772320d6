"""Parameters and MACs of FBNetV2's networks, by arithmetic on the settings: equal to what they have
(`measurement.cost`), without building them."""

from collections.abc import Callable
from functools import lru_cache

from foxnas_core.families.fbnetv2.space import Settings, block_plan, settings_of
from foxnas_core.families.mbconv.space import squeezed
from foxnas_core.space.coding.counts import Cost, convolution, counted, linear
from foxnas_core.space.coding.terms import Lookup
from foxnas_core.space.search_space import SearchSpace


@lru_cache(maxsize=16)
def network_counts(space: SearchSpace, column: str) -> tuple[Lookup, ...]:
    """What blocks, what widens after each stage, and all else cost in `parameters` or `macs`; they
    add up to it."""
    settings = settings_of(space)
    context = [d for d in space.decisions if d.group in space.context]
    found = [counted(space, context, lambda *of: _fixed(settings, *of), column)]
    for number, stage in enumerate(settings.stages, start=1):
        width = space.by_name[f"s{number}_width"]
        found.append(counted(space, [*context, width], _after(settings, number), column))
        for block in range(1, stage.depths[-1] + 1):
            own = [d for d in space.in_slot(f"s{number}b{block}") if d.role != "activation"]
            cost = _block(settings, number, block)
            found.append(counted(space, [*context, width, *own], cost, column))
    return tuple(found)


def sides_of(settings: Settings, resolution: int | None = None) -> list[int]:
    """Height and width after the stem and after each stage, in pixels."""
    sides = [-(-(resolution or settings.resolutions[-1]) // settings.stem_stride)]
    for stage in settings.stages:
        sides.append(-(-sides[-1] // stage.stride))
    return sides


def _fixed(settings: Settings, resolution: int | None = None) -> Cost:
    """Stem, what widens after it, and the classifier."""
    first = sides_of(settings, resolution)[0]
    cost = convolution(settings.input_channels, settings.stem_width, 3, first)
    cost += convolution(settings.stem_width, settings.stages[0].hidden, 1, first)
    return cost + linear(settings.head_width, settings.classes)


def _after(settings: Settings, number: int) -> Callable[..., Cost]:
    """The pointwise convolution that reads a stage's output."""

    def cost(*chosen: int) -> Cost:
        *resolution, width = chosen
        side = sides_of(settings, *resolution)[number]
        following = settings.stages[number:]
        out = following[0].hidden if following else settings.head_width
        return convolution(width, out, 1, side)

    return cost


def _block(settings: Settings, number: int, block: int) -> Callable[..., Cost]:
    """Of the resolution, where there are several, the stage's width and what the block decides but
    its activation, which costs neither."""
    own = 4 if block == 1 else 5

    def cost(*chosen: int) -> Cost:
        plan = block_plan(settings, number, block, *chosen[-own:], settings.activation)
        side = sides_of(settings, *chosen[:-own])[number]
        mid = plan.mid_width
        hidden = squeezed(mid, settings.channel_divisor)
        found = Cost() if plan.is_first else convolution(plan.out_width, mid, 1, side)
        for _ in range(plan.splits):
            found += convolution(mid, mid, plan.kernel, side, mid)
        reduce, expand = linear(mid, hidden), linear(hidden, mid)
        if plan.splits > 1:
            found += reduce
            for _ in range(plan.splits):
                found += expand
        if plan.squeeze_excitation:
            found += reduce + expand
        return found + convolution(mid, plan.out_width, 1, side)

    return cost
