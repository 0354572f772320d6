"""The once-for-all MBConv family: stages of inverted residual blocks with elastic depth, kernel
size and expand ratio (Cai et al., arXiv 1908.09791; FOX-NAS, arXiv 2108.08189).

Names: stage `s2`, its block slots `s2b1`, `s2b2`, …; decisions `s2_depth`, `s2b1_kernel`,
`s2b1_expand`, and `resolution` where there is more than one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.families.fields import (
    check_fields,
    check_stage,
    increasing,
    kernels_of,
    one_of,
    stages_of,
    whole,
)
from foxnas_core.families.staged import staged_space
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

MOST_DEPTH = 90
ACTIVATIONS = ("relu", "relu6", "h_swish")
NORM_EPSILON = 1e-5  # torch's own


@dataclass(frozen=True)
class Stage:
    """One stage. Its first block, the transition block, changes stride and width."""

    width: int
    stride: int
    depths: tuple[int, ...]
    kernels: tuple[int, ...]
    expands: tuple[int, ...]
    squeeze_excitation: bool
    activation: str


@dataclass(frozen=True)
class MBConvSettings:
    """What a network of this family is built from; channels, pixels and ratios as integers.

    `first_width` is the width of a fixed block (kernel 3, expand 1) after the stem, or 0.
    `head_width` is the width of the last pointwise convolution, `feature_width` that of the
    layer after pooling, or 0 for none. Three fields may be left out of the document:
    `first_activation`, the fixed block's where it is not `activation`, and `mobilenet_squeeze`,
    whether the hidden width of squeeze-and-excitation is kept from falling more than 10 % below a
    quarter of the channels, as in MobileNetV3; `norm_epsilon` is what batch norms add to variances.
    """

    input_channels: int
    classes: int
    resolutions: tuple[int, ...]
    stem_width: int
    stem_stride: int
    first_width: int
    activation: str
    stages: tuple[Stage, ...]
    head_width: int
    feature_width: int
    channel_divisor: int
    first_activation: str
    mobilenet_squeeze: bool
    norm_epsilon: float


@dataclass(frozen=True)
class BlockPlan:
    """One block of a subnet: its slot and sizes, in channels."""

    slot: str
    in_width: int
    mid_width: int
    out_width: int
    kernel: int
    stride: int
    squeeze_excitation: bool
    activation: str

    @property
    def residual(self) -> bool:
        return self.stride == 1 and self.in_width == self.out_width


def space_from_settings(name: str, settings: Mapping[str, Any]) -> SearchSpace:
    """The search space of a settings document; raises `InvalidInput` naming the wrong field."""
    parsed = parse_settings(settings)
    return staged_space(
        "mbconv", name, settings, parsed.resolutions, parsed.stages,
        lambda stage, _: (
            ("kernel", "kernel", stage.kernels), ("expand", "expand", stage.expands),
        ),
    )  # fmt: skip


def settings_of(space: SearchSpace) -> MBConvSettings:
    """The family's settings; raises `InvalidInput` for a space of another family."""
    if space.family != "mbconv":
        raise InvalidInput(
            f"Space {space.name!r} is of family {space.family!r}; this takes one of 'mbconv'."
        )
    return parse_settings(space.settings)


def resolution_of(settings: MBConvSettings, architecture: Architecture) -> int:
    """Height and width of the input image, in pixels."""
    return int(architecture.get("resolution", settings.resolutions[-1]))  # type: ignore[arg-type]


def block_plans(settings: MBConvSettings, architecture: Architecture) -> list[BlockPlan]:
    """The blocks of a subnet in order of computation, the fixed first block left out."""
    return [
        block_plan(
            settings,
            number,
            block,
            int(architecture[f"s{number}b{block}_kernel"]),
            int(architecture[f"s{number}b{block}_expand"]),
        )
        for number in range(1, len(settings.stages) + 1)
        for block in range(1, int(architecture[f"s{number}_depth"]) + 1)
    ]


def block_plan(
    settings: MBConvSettings, number: int, block: int, kernel: int, expand: int
) -> BlockPlan:
    """One block of a stage, both counted from 1."""
    stage = settings.stages[number - 1]
    in_width = stage.width
    if block == 1:
        before = settings.stages[number - 2].width if number > 1 else 0
        in_width = before or settings.first_width or settings.stem_width
    return BlockPlan(
        slot=f"s{number}b{block}",
        in_width=in_width,
        mid_width=divisible(in_width * expand, settings.channel_divisor),
        out_width=stage.width,
        kernel=kernel,
        stride=stage.stride if block == 1 else 1,
        squeeze_excitation=stage.squeeze_excitation,
        activation=stage.activation,
    )


def divisible(channels: float, divisor: int) -> int:
    """The multiple of `divisor` nearest to `channels`, at most 10 % below it (MobileNet's rule)."""
    nearest = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * channels else nearest


def squeezed(channels: int, divisor: int, mobilenet: bool = False) -> int:
    """Hidden width of squeeze-and-excitation for `channels`; with `mobilenet`, by its rule."""
    if mobilenet:
        return divisible(channels // 4, divisor)
    return max(divisor, (channels // 4 + divisor // 2) // divisor * divisor)


def parse_settings(settings: Mapping[str, Any]) -> MBConvSettings:
    """Check and freeze a settings document; raises `InvalidInput` naming the wrong field."""
    fields = {
        "input_channels", "classes", "resolutions", "stem_width", "stem_stride", "first_width",
        "activation", "stages", "head_width", "feature_width", "channel_divisor",
    }  # fmt: skip
    optional = {"first_activation", "mobilenet_squeeze", "norm_epsilon"}
    check_fields("The space", settings, fields, optional)
    mobilenet_squeeze = settings.get("mobilenet_squeeze", False)
    if not isinstance(mobilenet_squeeze, bool):
        raise InvalidInput("The space's 'mobilenet_squeeze' must be true or false.")
    return MBConvSettings(
        input_channels=whole(settings, "input_channels", 1),
        classes=whole(settings, "classes", 2),
        resolutions=increasing(settings, "resolutions", 8),
        stem_width=whole(settings, "stem_width", 1),
        stem_stride=whole(settings, "stem_stride", 1),
        first_width=whole(settings, "first_width", 0),
        activation=one_of(settings, "activation", ACTIVATIONS),
        stages=tuple(
            _parse_stage(number, s) for number, s in enumerate(stages_of(settings), start=1)
        ),
        head_width=whole(settings, "head_width", 1),
        feature_width=whole(settings, "feature_width", 0),
        channel_divisor=whole(settings, "channel_divisor", 1),
        first_activation=one_of(
            settings,
            "first_activation" if "first_activation" in settings else "activation",
            ACTIVATIONS,
        ),
        mobilenet_squeeze=mobilenet_squeeze,
        norm_epsilon=_epsilon(settings.get("norm_epsilon", NORM_EPSILON)),
    )


def _epsilon(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 0.1:
        raise InvalidInput(
            "The space's 'norm_epsilon' must be a number above 0 and at most 0.1, not "
            f"{value!r:.40}."
        )
    return float(value)


def _parse_stage(number: int, stage: Any) -> Stage:
    where = f"Stage {number}"
    fields = {"width", "stride", "depths", "kernels", "expands", "squeeze_excitation", "activation"}
    check_stage(where, stage, fields)
    kernels = kernels_of(where, stage)
    if not isinstance(stage["squeeze_excitation"], bool):
        raise InvalidInput(f"{where}: 'squeeze_excitation' must be true or false.")
    return Stage(
        width=whole(stage, "width", 1),
        stride=whole(stage, "stride", 1),
        depths=increasing(stage, "depths", 1, MOST_DEPTH),
        kernels=kernels,
        expands=increasing(stage, "expands", 1),
        squeeze_excitation=stage["squeeze_excitation"],
        activation=one_of(stage, "activation", ACTIVATIONS),
    )
