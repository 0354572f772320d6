"""Three networks that were designed by hand, as their papers' tables give them, and their scaling.

Plain values; `foxnas_core.evidence.handmade.networks` builds them.

Scaled to small images, all three alike: the stem has the stride of the study's own stem, and from
there strides stay where the tables have them until one would leave a map of fewer than `LEAST_MAP`
pixels; the rest are 1. For 28 pixels and a stem of stride 1 that is 28-14-7-4, as in the shipped
space. The width multiplies every number of channels: stem, blocks, their expanded and squeezed
widths, the last convolution and the hidden layer, rounded to the study's divisor by MobileNet's
rule. The papers keep some of these fixed (MobileNetV2 the last convolution below width 1,
EfficientNet-Lite stem and head), which at a width of a tenth would be most of the network.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from foxnas_core.errors import InvalidInput
from foxnas_core.families.mbconv.space import BlockPlan, divisible

LEAST_MAP = 4
"""The fewest pixels, in height and width, of the last map."""


@dataclass(frozen=True)
class DesignRow:
    """A line of a paper's table: `repeats` blocks of `channels`, the first with `stride`.

    The expanded width is `ratio` times the block's input or, where that is 0, `expanded` channels.
    """

    channels: int
    repeats: int
    stride: int
    kernel: int
    activation: str
    ratio: int = 0
    expanded: int = 0
    squeeze_excitation: bool = False


@dataclass(frozen=True)
class Design:
    """A network of a paper, at width 1 for 224-pixel images in colour and 1,000 classes.

    `head` is the last convolution's width, `hidden` that of the layer after pooling, or 0 for none.
    `parameters` and `macs` are the published figures, as precisely as they were published.
    """

    name: str
    title: str
    source: str
    stem: int
    activation: str
    rows: tuple[DesignRow, ...]
    head: int
    hidden: int
    parameters: float
    macs: float


@dataclass(frozen=True)
class Plan:
    """A design's sizes at one width, for one kind of images; a block whose `mid_width` is its
    `in_width` has no expanding convolution."""

    resolution: int
    input_channels: int
    classes: int
    stem_width: int
    stem_stride: int
    activation: str
    blocks: tuple[BlockPlan, ...]
    head_width: int
    hidden_width: int
    divisor: int


def _v2(ratio: int, channels: int, repeats: int, stride: int, kernel: int = 3) -> DesignRow:
    return DesignRow(channels, repeats, stride, kernel, "relu6", ratio=ratio)


def _v3(
    kernel: int, expanded: int, channels: int, squeeze: bool, activation: str, s: int
) -> DesignRow:
    return DesignRow(channels, 1, s, kernel, activation, 0, expanded, squeeze)


DESIGNS = (
    Design(
        "mobilenet-v2",
        "MobileNetV2",
        "Sandler et al., arXiv 1801.04381, table 2",
        stem=32,
        activation="relu6",
        rows=(
            _v2(1, 16, 1, 1),
            _v2(6, 24, 2, 2),
            _v2(6, 32, 3, 2),
            _v2(6, 64, 4, 2),
            _v2(6, 96, 3, 1),
            _v2(6, 160, 3, 2),
            _v2(6, 320, 1, 1),
        ),
        head=1280,
        hidden=0,
        parameters=3.4e6,
        macs=300e6,
    ),
    Design(
        "mobilenet-v3-small",
        "MobileNetV3-Small",
        "Howard et al., arXiv 1905.02244, table 2",
        stem=16,
        activation="h_swish",
        rows=(
            _v3(3, 16, 16, True, "relu", 2),
            _v3(3, 72, 24, False, "relu", 2),
            _v3(3, 88, 24, False, "relu", 1),
            _v3(5, 96, 40, True, "h_swish", 2),
            _v3(5, 240, 40, True, "h_swish", 1),
            _v3(5, 240, 40, True, "h_swish", 1),
            _v3(5, 120, 48, True, "h_swish", 1),
            _v3(5, 144, 48, True, "h_swish", 1),
            _v3(5, 288, 96, True, "h_swish", 2),
            _v3(5, 576, 96, True, "h_swish", 1),
            _v3(5, 576, 96, True, "h_swish", 1),
        ),
        head=576,
        hidden=1024,
        parameters=2.5e6,
        macs=56e6,
    ),
    Design(
        "efficientnet-lite0",
        "EfficientNet-Lite0",
        "Tan & Le, arXiv 1905.11946, table 1, without squeeze-and-excitation and with ReLU6 "
        "(Liu, TensorFlow blog, March 2020)",
        stem=32,
        activation="relu6",
        rows=(
            _v2(1, 16, 1, 1),
            _v2(6, 24, 2, 2),
            _v2(6, 40, 2, 2, kernel=5),
            _v2(6, 80, 3, 2),
            _v2(6, 112, 3, 1, kernel=5),
            _v2(6, 192, 4, 2, kernel=5),
            _v2(6, 320, 1, 1),
        ),
        head=1280,
        hidden=0,
        parameters=4.7e6,
        macs=407e6,
    ),
)


def design_named(name: str) -> Design:
    """The design of that name; raises `InvalidInput` for an unknown one."""
    for design in DESIGNS:
        if design.name == name:
            return design
    known = ", ".join(design.name for design in DESIGNS)
    raise InvalidInput(f"There is no hand-made network {name!r}; known: {known}.")


def plan_of(
    design: Design,
    width: float,
    *,
    resolution: int,
    stem_stride: int,
    input_channels: int,
    classes: int,
    divisor: int,
) -> Plan:
    """The sizes of `design` times `width`, as the module describes.

    `resolution` is the images' height and width in pixels. Raises `InvalidInput` for a width that
    is not above 0, and for images below `LEAST_MAP` pixels.
    """
    if not width > 0:
        raise InvalidInput(f"A width must be above 0, not {width:g}.")
    if resolution < LEAST_MAP:
        raise InvalidInput(f"Images need at least {LEAST_MAP} pixels a side, not {resolution}.")

    def scaled(channels: int) -> int:
        return divisible(channels * width, divisor)

    strides = kept_strides((stem_stride, *(row.stride for row in design.rows)), resolution)
    blocks: list[BlockPlan] = []
    in_width = scaled(design.stem)
    for row, first_stride in zip(design.rows, strides[1:], strict=True):
        for repeat in range(row.repeats):
            blocks.append(
                BlockPlan(
                    slot=f"b{len(blocks) + 1}",
                    in_width=in_width,
                    mid_width=in_width * row.ratio if row.ratio else scaled(row.expanded),
                    out_width=scaled(row.channels),
                    kernel=row.kernel,
                    stride=first_stride if repeat == 0 else 1,
                    squeeze_excitation=row.squeeze_excitation,
                    activation=row.activation,
                )
            )
            in_width = scaled(row.channels)
    return Plan(
        resolution=resolution,
        input_channels=input_channels,
        classes=classes,
        stem_width=scaled(design.stem),
        stem_stride=strides[0],
        activation=design.activation,
        blocks=tuple(blocks),
        head_width=scaled(design.head),
        hidden_width=scaled(design.hidden) if design.hidden else 0,
        divisor=divisor,
    )


def kept_strides(strides: Sequence[int], resolution: int) -> tuple[int, ...]:
    """The strides, as many of the first as leave the last map at least `LEAST_MAP` pixels."""
    kept, side = [], resolution
    for stride in strides:
        # A padded stride leaves a half pixel as a whole one.
        halved = -(-side // stride)
        kept.append(stride if halved >= LEAST_MAP else 1)
        side = halved if halved >= LEAST_MAP else side
    return tuple(kept)
