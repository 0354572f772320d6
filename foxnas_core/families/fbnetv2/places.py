"""The blocks that FBNetV2's networks are chains of, by all that a device can tell them apart by."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from foxnas_core.families.family import Place
from foxnas_core.families.fbnetv2.counts import sides_of
from foxnas_core.families.fbnetv2.space import BlockPlan, Settings, block_plan, settings_of
from foxnas_core.space.architecture import Value
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace

Named = Callable[[list[int], tuple[Value, ...]], str]
"""What a block is called, by the sides of the feature maps and what is chosen but the context."""


@lru_cache(maxsize=16)
def network_places(space: SearchSpace) -> tuple[Place, ...]:
    """Stem, for each stage what widens to its first block and its blocks, and head; a block reads
    the width of its stage beside its own choices."""
    return tuple(_places(space, settings_of(space)))


def _places(space: SearchSpace, settings: Settings) -> Iterator[Place]:
    handed: list[Decision] = []
    yield _place(space, settings, "stem", [], lambda sides, _: (
        f"stem, {settings.input_channels} to {settings.stem_width} at {sides[0]} px, "
        f"stride {settings.stem_stride}"
    ))  # fmt: skip
    for number, stage in enumerate(settings.stages, start=1):
        yield _place(space, settings, f"s{number}_widening", handed, _widening(settings, number))
        width = space.by_name[f"s{number}_width"]
        for block in range(1, stage.depths[-1] + 1):
            slot = f"s{number}b{block}"
            own = [width, *space.in_slot(slot)]
            yield _place(space, settings, slot, own, _block(settings, number, block))
        handed = [width]
    yield _place(space, settings, "head", handed, lambda sides, chosen: (
        f"head, {chosen[0]} to {settings.head_width} to {settings.classes} at {sides[-1]} px"
    ))  # fmt: skip


def _place(
    space: SearchSpace, settings: Settings, name: str, own: Sequence[Decision], named: Named
) -> Place:
    context = [d for d in space.decisions if d.group in space.context]
    read = [*context, *own]
    blocks = {}
    for chosen in itertools.product(*(d.choices for d in read)):
        sides = sides_of(settings, *(int(one) for one in chosen[: len(context)]))
        blocks[chosen] = named(sides, chosen[len(context) :])
    return Place(name, tuple(d.name for d in read), blocks)


def _widening(settings: Settings, number: int) -> Named:
    """The pointwise convolution that reads what the stage before handed on, or the stem."""

    def named(sides: list[int], chosen: tuple[Value, ...]) -> str:
        read = chosen[0] if chosen else settings.stem_width
        hidden = settings.stages[number - 1].hidden
        return f"widening, {read} to {hidden} at {sides[number - 1]} px"

    return named


def _block(settings: Settings, number: int, block: int) -> Named:
    def named(sides: list[int], chosen: tuple[Value, ...]) -> str:
        plan = block_plan(settings, number, block, *chosen)
        return block_name(plan, sides[number - 1 if plan.is_first else number])

    return named


def block_name(plan: BlockPlan, side: int) -> str:
    """What a block is that reads `side` pixels each way, in words that are the same of equal ones
    alone: its slot tells nothing."""
    widths = [plan.mid_width, plan.out_width]
    if not plan.is_first:
        widths.insert(0, plan.out_width)
    extras = [f"{plan.splits} splits"] if plan.splits > 1 else []
    extras += ["squeezed"] if plan.squeeze_excitation else []
    stride = f", stride {plan.stride}" if plan.stride > 1 else ""
    return (
        f"{', '.join([f'k{plan.kernel}', *extras, plan.activation])}, "
        f"{' to '.join(map(str, widths))} at {side} px{stride}"
    )
