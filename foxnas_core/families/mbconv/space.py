"""The once-for-all MBConv family: stages of inverted residual blocks with elastic depth, kernel
size and expand ratio (Cai et al., arXiv 1908.09791; FOX-NAS, arXiv 2108.08189).

Names: stage `s2`, its block slots `s2b1`, `s2b2`, …; decisions `s2_depth`, `s2b1_kernel`,
`s2b1_expand`, and `resolution` where there is more than one.
"""

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.decisions import Condition, Decision
from foxnas_core.space.search_space import SearchSpace

_MOST, _MOST_LISTED, _MOST_DEPTH = 100_000, 100, 90
ACTIVATIONS = ("relu", "relu6", "h_swish")


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
    layer after pooling, or 0 for none. Two fields may be left out of the document:
    `first_activation`, the fixed block's where it is not `activation`, and `mobilenet_squeeze`,
    whether the hidden width of squeeze-and-excitation is kept from falling more than 10 % below a
    quarter of the channels, as in MobileNetV3.
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
    decisions: list[Decision] = []
    context: tuple[str, ...] = ()
    if len(parsed.resolutions) > 1:
        context = ("input",)
        decisions.append(Decision("resolution", "input", "resolution", parsed.resolutions))
    for number, stage in enumerate(parsed.stages, start=1):
        group = f"s{number}"
        depth = Decision(f"{group}_depth", group, "depth", stage.depths)
        decisions.append(depth)
        for block in range(1, max(stage.depths) + 1):
            slot = f"{group}b{block}"
            enough = tuple(d for d in stage.depths if d >= block)
            # A slot that every depth has needs no condition.
            conditions = () if enough == stage.depths else (Condition(depth.name, enough),)
            decisions.append(
                Decision(f"{slot}_kernel", group, "kernel", stage.kernels, slot, conditions)
            )
            decisions.append(
                Decision(f"{slot}_expand", group, "expand", stage.expands, slot, conditions)
            )
    return SearchSpace(
        name, "mbconv", tuple(decisions), context, json.dumps(dict(settings), sort_keys=True)
    )


def settings_of(space: SearchSpace) -> MBConvSettings:
    """The family's settings; raises `InvalidInput` for a space of another family."""
    if space.family != "mbconv":
        raise InvalidInput(
            f"Space {space.name!r} is of family {space.family!r}, which has no supernet here; "
            "only 'mbconv' has."
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
    _check_fields("The space", settings, fields, {"first_activation", "mobilenet_squeeze"})
    stages = settings["stages"]
    mobilenet_squeeze = settings.get("mobilenet_squeeze", False)
    if not isinstance(mobilenet_squeeze, bool):
        raise InvalidInput("The space's 'mobilenet_squeeze' must be true or false.")
    if not isinstance(stages, list) or not 1 <= len(stages) <= _MOST_LISTED:
        raise InvalidInput(
            "The space's 'stages' must be a list of at least one stage, and at most "
            f"{_MOST_LISTED}."
        )
    return MBConvSettings(
        input_channels=_whole(settings, "input_channels", 1),
        classes=_whole(settings, "classes", 2),
        resolutions=_increasing(settings, "resolutions", 8),
        stem_width=_whole(settings, "stem_width", 1),
        stem_stride=_whole(settings, "stem_stride", 1),
        first_width=_whole(settings, "first_width", 0),
        activation=_activation(settings),
        stages=tuple(_parse_stage(number, s) for number, s in enumerate(stages, start=1)),
        head_width=_whole(settings, "head_width", 1),
        feature_width=_whole(settings, "feature_width", 0),
        channel_divisor=_whole(settings, "channel_divisor", 1),
        first_activation=_activation(
            settings, "first_activation" if "first_activation" in settings else "activation"
        ),
        mobilenet_squeeze=mobilenet_squeeze,
    )


def _parse_stage(number: int, stage: Any) -> Stage:
    where = f"Stage {number}"
    if not isinstance(stage, Mapping):
        raise InvalidInput(f"{where} of the space must be a JSON object.")
    fields = {"width", "stride", "depths", "kernels", "expands", "squeeze_excitation", "activation"}
    _check_fields(where, stage, fields)
    kernels = _increasing(stage, "kernels", 1)
    if any(kernel % 2 == 0 for kernel in kernels):
        raise InvalidInput(f"{where}: 'kernels' must be odd, not {kernels}.")
    if not isinstance(stage["squeeze_excitation"], bool):
        raise InvalidInput(f"{where}: 'squeeze_excitation' must be true or false.")
    return Stage(
        width=_whole(stage, "width", 1),
        stride=_whole(stage, "stride", 1),
        depths=_increasing(stage, "depths", 1),
        kernels=kernels,
        expands=_increasing(stage, "expands", 1),
        squeeze_excitation=stage["squeeze_excitation"],
        activation=_activation(stage),
    )


def _check_fields(
    where: str, document: Mapping[str, Any], fields: set[str], optional: Set[str] = frozenset()
) -> None:
    for name in sorted(fields - set(document)):
        raise InvalidInput(f"{where} lacks the field {name!r}.")
    known = fields | optional
    for name in sorted(set(document) - known):
        raise InvalidInput(f"{where} has the unknown field {name!r}; known: {sorted(known)}.")


def _whole(document: Mapping[str, Any], name: str, least: int) -> int:
    value = document[name]
    if type(value) is not int or not least <= value <= _MOST:
        raise InvalidInput(
            f"{name!r} must be a whole number of at least {least}, and at most {_MOST:,}, not "
            f"{value!r}."
        )
    return value


def _increasing(document: Mapping[str, Any], name: str, least: int) -> tuple[int, ...]:
    values = document[name]
    if not isinstance(values, list) or not values or any(type(v) is not int for v in values):
        raise InvalidInput(f"{name!r} must be a list of whole numbers, not {values!r}.")
    if values != sorted(set(values)) or values[0] < least:
        raise InvalidInput(f"{name!r} must increase from at least {least}, not {values!r}.")
    most = _MOST_DEPTH if name == "depths" else _MOST
    if values[-1] > most or len(values) > _MOST_LISTED:
        raise InvalidInput(
            f"{name!r} must be at most {_MOST_LISTED} numbers of at most {most:,}, not {values!r}."
        )
    return tuple(values)


def _activation(document: Mapping[str, Any], name: str = "activation") -> str:
    if not isinstance(document[name], str) or document[name] not in ACTIVATIONS:
        raise InvalidInput(f"{name!r} is {document[name]!r}; known: {', '.join(ACTIVATIONS)}.")
    return document[name]
