"""The space of FBNetV2 (Wan et al., arXiv 2004.05565), with the number of splits of a
Split-Attention block as a decision, as FP-NAS has it (Yan et al., arXiv 2011.10949).

A stage decides its depth and its width, the channels that its blocks hand on; a block decides its
kernel, its splits, its squeeze-and-excitation and its activation, and after the first its expand
ratio. Names: stage `s2`, its block slots `s2b1`, `s2b2`, …; decisions `s2_depth`, `s2_width`,
`s2b1_kernel`, `s2b2_expand`, `s2b1_splits`, `s2b1_excitation`, `s2b1_activation`, and `resolution`
where there is more than one.

The first block of a stage has a hidden width of its own, which nothing decides. So a stage's width
and the next one's decisions meet nowhere: what widens to that hidden width depends on the former
alone, all that follows on the latter, and costs stay sums over stages.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from foxnas_core.families.fields import (
    check_fields,
    check_stage,
    increasing,
    kernels_of,
    one_of,
    some_of,
    stages_of,
    whole,
)
from foxnas_core.families.mbconv.space import MOST_DEPTH, divisible
from foxnas_core.families.staged import Choice, staged_space
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.search_space import SearchSpace

ACTIVATIONS = ("relu", "h-swish")
OFF, ON = "off", "on"
MOST_SPLITS = 16


@dataclass(frozen=True)
class Stage:
    """One stage; its first block has the stride and the `hidden` width, in channels.

    `squeeze_excitation` and `activations` list what its blocks choose from: "off" and "on", and
    "relu" and "h-swish"."""

    widths: tuple[int, ...]
    hidden: int
    stride: int
    depths: tuple[int, ...]
    kernels: tuple[int, ...]
    expands: tuple[int, ...]
    splits: tuple[int, ...]
    squeeze_excitation: tuple[str, ...]
    activations: tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """What a network of this family is built from; channels, pixels and ratios as integers.

    `activation` is that of the stem, of what widens to a stage's first block, and of the head,
    whose last pointwise convolution has `head_width` channels. Hidden widths are multiples of
    `channel_divisor`.
    """

    input_channels: int
    classes: int
    resolutions: tuple[int, ...]
    stem_width: int
    stem_stride: int
    activation: str
    stages: tuple[Stage, ...]
    head_width: int
    channel_divisor: int


@dataclass(frozen=True)
class BlockPlan:
    """One block of a network: its slot, sizes in channels, and what it has. The first of a stage is
    given its hidden channels; the others widen to them, and add what they make to their input."""

    slot: str
    is_first: bool
    mid_width: int
    out_width: int
    kernel: int
    stride: int
    splits: int
    squeeze_excitation: bool
    activation: str


def space_from_settings(name: str, settings: Mapping[str, Any]) -> SearchSpace:
    """The search space of a settings document; raises `InvalidInput` naming the wrong field."""
    parsed = parse_settings(settings)
    return staged_space(
        "fbnetv2", name, settings, parsed.resolutions, parsed.stages, _choices,
        lambda stage: (("width", "width", stage.widths),),
    )  # fmt: skip


def _choices(stage: Stage, block: int) -> Iterator[Choice]:
    """What a block decides, in the order of `block_plan`."""
    yield "kernel", "kernel", stage.kernels
    if block > 1:
        yield "expand", "expand", stage.expands
    yield "splits", "splits", stage.splits
    yield "excitation", "squeeze-excitation", stage.squeeze_excitation
    yield "activation", "activation", stage.activations


@lru_cache(maxsize=64)
def settings_of(space: SearchSpace) -> Settings:
    """The family's settings."""
    return parse_settings(space.settings)


def resolution_of(settings: Settings, architecture: Architecture) -> int:
    """Height and width of the input image, in pixels."""
    return int(architecture.get("resolution", settings.resolutions[-1]))  # type: ignore[arg-type]


def input_shape(settings: Settings, architecture: Architecture) -> tuple[int, int, int]:
    """Channels, height and width of the image that an architecture takes."""
    side = resolution_of(settings, architecture)
    return settings.input_channels, side, side


def widths_of(settings: Settings, architecture: Architecture) -> list[int]:
    """What the stem and each stage hand on, in channels."""
    stages = range(1, len(settings.stages) + 1)
    return [settings.stem_width, *(int(architecture[f"s{number}_width"]) for number in stages)]


def stage_plans(space: SearchSpace, number: int, architecture: Architecture) -> list[BlockPlan]:
    """The blocks of a stage, counted from 1, in order of computation."""
    settings = settings_of(space)
    width = int(architecture[f"s{number}_width"])
    return [
        block_plan(
            settings, number, block, width,
            *(architecture[d.name] for d in space.in_slot(f"s{number}b{block}")),
        )
        for block in range(1, int(architecture[f"s{number}_depth"]) + 1)
    ]  # fmt: skip


def block_plan(
    settings: Settings, number: int, block: int, width: Value, *chosen: Value
) -> BlockPlan:
    """One block of a stage, both counted from 1, by the stage's width and its own choices."""
    stage = settings.stages[number - 1]
    kernel, *expand, splits, excitation, activation = chosen
    mid = stage.hidden
    if block > 1:
        mid = divisible(int(width) * int(expand[0]), settings.channel_divisor)
    return BlockPlan(
        slot=f"s{number}b{block}",
        is_first=block == 1,
        mid_width=mid,
        out_width=int(width),
        kernel=int(kernel),
        stride=stage.stride if block == 1 else 1,
        splits=int(splits),
        squeeze_excitation=excitation == ON,
        activation=str(activation),
    )


def parse_settings(settings: Mapping[str, Any]) -> Settings:
    """Check and freeze a settings document; raises `InvalidInput` naming the wrong field."""
    fields = {
        "input_channels", "classes", "resolutions", "stem_width", "stem_stride", "activation",
        "stages", "head_width", "channel_divisor",
    }  # fmt: skip
    check_fields("The space", settings, fields)
    return Settings(
        input_channels=whole(settings, "input_channels", 1),
        classes=whole(settings, "classes", 2),
        resolutions=increasing(settings, "resolutions", 8),
        stem_width=whole(settings, "stem_width", 1),
        stem_stride=whole(settings, "stem_stride", 1),
        activation=one_of(settings, "activation", ACTIVATIONS),
        stages=tuple(_parse_stage(n, s) for n, s in enumerate(stages_of(settings), start=1)),
        head_width=whole(settings, "head_width", 1),
        channel_divisor=whole(settings, "channel_divisor", 1),
    )


def _parse_stage(number: int, stage: Any) -> Stage:
    where = f"Stage {number}"
    fields = {
        "widths", "hidden", "stride", "depths", "kernels", "expands", "splits",
        "squeeze_excitation", "activations",
    }  # fmt: skip
    check_stage(where, stage, fields)
    return Stage(
        widths=increasing(stage, "widths", 1),
        hidden=whole(stage, "hidden", 1),
        stride=whole(stage, "stride", 1),
        depths=increasing(stage, "depths", 1, MOST_DEPTH),
        kernels=kernels_of(where, stage),
        expands=increasing(stage, "expands", 1),
        splits=increasing(stage, "splits", 1, MOST_SPLITS),
        squeeze_excitation=some_of(stage, "squeeze_excitation", (OFF, ON)),
        activations=some_of(stage, "activations", ACTIVATIONS),
    )
