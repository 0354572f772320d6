"""The network of one architecture of FBNetV2's space."""

import functools
import operator

import torch
from torch import Tensor, nn

from foxnas_core.families.fbnetv2.space import (
    BlockPlan,
    Settings,
    input_shape,
    settings_of,
    stage_plans,
    widths_of,
)
from foxnas_core.families.mbconv.layers import activation_of
from foxnas_core.families.mbconv.space import squeezed
from foxnas_core.families.mbconv.subnet import SqueezeExcitation
from foxnas_core.networks import Network
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

# What the profile calls modules of a block.
_PARTS = {"excitation": "squeeze-excitation", "attention": "split attention"}


def layer_of(activation: str) -> nn.Module:
    """The activation layer that a choice names."""
    return activation_of(activation.replace("-", "_"))


def convolution(
    in_channels: int, out_channels: int, kernel: int, stride: int, activation: str = "",
    groups: int = 1,
) -> nn.Sequential:  # fmt: skip
    """Convolution, batch norm and, where one is named, activation."""
    layers: list[nn.Module] = [
        nn.Conv2d(
            in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(out_channels),
    ]
    return nn.Sequential(*layers, *([layer_of(activation)] if activation else []))


class SplitAttention(nn.Module):
    """A weighted sum of splits: of each channel by shares that add up to 1, which are told by what
    all splits hold on average (ResNeSt; Zhang et al., arXiv 2004.08955, section 3.1, one cardinal
    group, without the norm between)."""

    def __init__(self, channels: int, splits: int, divisor: int) -> None:
        super().__init__()
        hidden = squeezed(channels, divisor)
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.activation = nn.ReLU()
        self.expand = nn.ModuleList(nn.Conv2d(hidden, channels, 1) for _ in range(splits))

    def forward(self, splits: list[Tensor]) -> Tensor:
        """A list of (N, C, H, W) to (N, C, H, W)."""
        hidden = self.activation(self.reduce(total(splits).mean((2, 3), keepdim=True)))
        return attended(splits, [own(hidden) for own in self.expand])


def attended(splits: list[Tensor], logits: list[Tensor]) -> Tensor:
    """The sum of splits, each (N, C, H, W), with the softmax of logits (N, C, 1, 1) as shares."""
    shares = torch.cat(logits, 2).softmax(2)
    return total([shares.narrow(2, place, 1) * own for place, own in enumerate(splits)])


def total(tensors: list[Tensor]) -> Tensor:
    """Their sum, without the 0 that `sum` begins with."""
    return functools.reduce(operator.add, tensors)


class SplitBlock(nn.Module):
    """An inverted residual block whose depthwise convolution is one or several side by side, which
    split attention sums up. The first of a stage is given its hidden channels."""

    def __init__(self, plan: BlockPlan, divisor: int) -> None:
        super().__init__()
        mid, activation = plan.mid_width, plan.activation
        self.expand: nn.Module = (
            nn.Identity() if plan.is_first else convolution(plan.out_width, mid, 1, 1, activation)
        )
        self.depthwise = nn.ModuleList(
            convolution(mid, mid, plan.kernel, plan.stride, activation, groups=mid)
            for _ in range(plan.splits)
        )
        self.attention = SplitAttention(mid, plan.splits, divisor) if plan.splits > 1 else None
        self.excitation: nn.Module = (
            SqueezeExcitation(mid, divisor) if plan.squeeze_excitation else nn.Identity()
        )
        self.project = convolution(mid, plan.out_width, 1, 1)
        self.residual = not plan.is_first

    def forward(self, x: Tensor) -> Tensor:
        y = self.expand(x)
        splits = [own(y) for own in self.depthwise]
        y = splits[0] if self.attention is None else self.attention(splits)
        y = self.project(self.excitation(y))
        return x + y if self.residual else y


class Head(nn.Module):
    """Pointwise convolution, average pooling and the classifier."""

    def __init__(self, in_width: int, settings: Settings) -> None:
        super().__init__()
        self.convolution = convolution(in_width, settings.head_width, 1, 1, settings.activation)
        self.classifier = nn.Linear(settings.head_width, settings.classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.convolution(x).mean((2, 3)))


def stem(settings: Settings) -> nn.Sequential:
    """The 3×3 convolution that images enter by."""
    return convolution(
        settings.input_channels, settings.stem_width, 3, settings.stem_stride, settings.activation
    )


class FBNetV2Network(Network):
    """Stem, for each stage what widens to its first block and its blocks, and head, with random
    weights."""

    layout = torch.channels_last

    def __init__(self, space: SearchSpace, architecture: Architecture) -> None:
        super().__init__()
        settings = settings_of(space)
        self.input_shape = input_shape(settings, architecture)
        self.stem = stem(settings)
        self.widen, self.blocks = nn.ModuleDict(), nn.ModuleDict()
        *before, last = widths_of(settings, architecture)
        for number, (width, stage) in enumerate(zip(before, settings.stages, strict=True), 1):
            self.widen[f"s{number}"] = convolution(width, stage.hidden, 1, 1, settings.activation)
            for plan in stage_plans(space, number, architecture):
                self.blocks[plan.slot] = SplitBlock(plan, settings.channel_divisor)
        self.head = Head(last, settings)

    def parts(self) -> list[nn.Module]:
        found: list[nn.Module] = [self.stem]
        for slot, block in self.blocks.items():
            stage, _, number = slot.partition("b")
            found += [self.widen[stage], block] if number == "1" else [block]
        return [*found, self.head]

    def place(self, path: str) -> tuple[str, str]:
        first, *rest = path.split(".")
        if first == "widen":
            return f"{rest[0]}b1", "expand"
        if first == "blocks":
            slot, *within = rest
            part = within[0] if within else "add"
            return slot, _PARTS.get(part, part)
        if first == "stem":
            return first, "convolution"
        return first, rest[0] if rest else "pooling"

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts():
            x = part(x)
        return x
