"""The blocks of the family's networks as latency tables of others name them: ProxylessNAS's
(Cai et al., arXiv 1812.00332) by their expand ratio, and once-for-all's MobileNetV3 tables (Cai et
al., arXiv 1908.09791) by their hidden channels, squeeze-and-excitation and h-swish.

Such as `expanded_conv-input:56x56x24-output:56x56x24-expand:3-kernel:5-stride:1-idskip:1`; input
and output are height, width and channels.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

from foxnas_core.families.family import Place
from foxnas_core.families.mbconv.counts import sides_of
from foxnas_core.families.mbconv.space import BlockPlan, MBConvSettings, block_plan, settings_of
from foxnas_core.space.architecture import Value
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace

Named = Callable[[list[int], tuple[Value, ...]], str]
"""A key, by the sides of the feature maps in pixels and what is chosen but the resolution."""


@lru_cache(maxsize=16)
def keyed_places(space: SearchSpace) -> tuple[tuple[Place, ...], ...]:
    """The places of the space's networks, with ProxylessNAS's keys and with once-for-all's."""
    settings = settings_of(space)
    return tuple(tuple(_places(space, settings, key)) for key in (_by_ratio, _by_channels))


def _by_ratio(plan: BlockPlan, ratio: int, sides: tuple[int, int]) -> str:
    return (
        f"expanded_conv-input:{_shape(sides[0], plan.in_width)}"
        f"-output:{_shape(sides[1], plan.out_width)}-expand:{ratio}-kernel:{plan.kernel}"
        f"-stride:{plan.stride}-idskip:{plan.residual:d}"
    )


def _by_channels(plan: BlockPlan, ratio: int, sides: tuple[int, int]) -> str:
    switched = plan.activation == "h_swish"
    return (
        f"{_by_ratio(plan, plan.mid_width, sides)}-se:{plan.squeeze_excitation:d}-hs:{switched:d}"
    )


BlockKey = Callable[[BlockPlan, int, tuple[int, int]], str]


def _places(space: SearchSpace, settings: MBConvSettings, key: BlockKey) -> Iterator[Place]:
    def place(name: str, named: Named, own: Sequence[Decision] = ()) -> Place:
        return _place(space, settings, name, own, named)

    first, stem = settings.first_width, settings.stem_width
    yield place("stem", lambda sides, _: (
        f"Conv-input:{_shape(sides[0], settings.input_channels)}-output:{_shape(sides[1], stem)}"
    ))  # fmt: skip
    if first:
        plan = BlockPlan("", stem, stem, first, 3, 1, False, settings.first_activation)
        yield place("first", lambda sides, _: key(plan, 1, (sides[1], sides[1])))
    for number, stage in enumerate(settings.stages, start=1):
        for block in range(1, stage.depths[-1] + 1):
            slot = f"s{number}b{block}"
            yield place(slot, _block(settings, number, block, key), space.in_slot(slot))
    yield from (place(name, named) for name, named in _head(settings))


def _place(
    space: SearchSpace,
    settings: MBConvSettings,
    name: str,
    own: Sequence[Decision],
    named: Named,
) -> Place:
    context = [d for d in space.decisions if d.group in space.context]
    read = [*context, *own]
    blocks = {}
    for chosen in itertools.product(*(d.choices for d in read)):
        [pixels] = chosen[: len(context)] or settings.resolutions[-1:]
        sides = [int(pixels), *sides_of(settings, int(pixels))]
        blocks[chosen] = named(sides, chosen[len(context) :])
    return Place(name, tuple(d.name for d in read), blocks)


def _block(settings: MBConvSettings, number: int, block: int, key: BlockKey) -> Named:
    def named(sides: list[int], chosen: tuple[Value, ...]) -> str:
        kernel, expand = map(int, chosen)
        plan = block_plan(settings, number, block, kernel, expand)
        return key(plan, expand, (sides[number if block == 1 else number + 1], sides[number + 1]))

    return named


def _head(settings: MBConvSettings) -> list[tuple[str, Named]]:
    """The layers after the blocks: with a hidden layer behind the pooling once-for-all's four,
    else ProxylessNAS's two, of which the last one pools."""
    last, head, hidden = settings.stages[-1].width, settings.head_width, settings.feature_width
    expanded: Named = lambda sides, _: (  # noqa: E731
        f"Conv_1-input:{_shape(sides[-1], last)}-output:{_shape(sides[-1], head)}"
    )
    if not hidden:
        return [("head", expanded), ("classifier", lambda sides, _: (
            f"Logits-input:{_shape(sides[-1], head)}-output:{settings.classes}"
        ))]  # fmt: skip
    return [
        ("head", expanded),
        ("pooling", lambda sides, _: (
            f"AvgPool2D-input:{_shape(sides[-1], head)}-output:{_shape(1, head)}"
        )),
        ("hidden", lambda *_: f"Conv_2-input:{_shape(1, head)}-output:{_shape(1, hidden)}"),
        ("classifier", lambda *_: f"Logits-input:{_shape(1, hidden)}-output:{settings.classes}"),
    ]  # fmt: skip


def _shape(side: int, channels: int) -> str:
    return f"{side}x{side}x{channels}"
