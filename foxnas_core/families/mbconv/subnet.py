"""A subnet: an ordinary torch network, as built for one architecture."""

import torch
from torch import Tensor, nn

from foxnas_core.families.mbconv.layers import activation_of
from foxnas_core.families.mbconv.space import (
    BlockPlan,
    MBConvSettings,
    block_plans,
    resolution_of,
    settings_of,
    squeezed,
)
from foxnas_core.networks import Network
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace


def convolution(
    in_channels: int, out_channels: int, kernel: int, stride: int, activation: str | None
) -> nn.Sequential:
    """Convolution, batch norm and, unless None, activation."""
    layers: list[nn.Module] = [
        nn.Conv2d(in_channels, out_channels, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out_channels),
    ]
    if activation is not None:
        layers.append(activation_of(activation))
    return nn.Sequential(*layers)


def depthwise(channels: int, kernel: int, stride: int, activation: str) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, channels, kernel, stride, kernel // 2, groups=channels, bias=False),
        nn.BatchNorm2d(channels),
        activation_of(activation),
    )


class SqueezeExcitation(nn.Module):
    """Squeeze-and-excitation (Hu et al., arXiv 1709.01507) with a hard sigmoid."""

    def __init__(self, channels: int, divisor: int, mobilenet: bool = False) -> None:
        super().__init__()
        hidden = squeezed(channels, divisor, mobilenet)
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.activation = nn.ReLU()
        self.expand = nn.Conv2d(hidden, channels, 1)
        self.gate = nn.Hardsigmoid()

    def forward(self, x: Tensor) -> Tensor:
        pooled = x.mean((2, 3), keepdim=True)
        return x * self.gate(self.expand(self.activation(self.reduce(pooled))))


class MBConvBlock(nn.Module):
    """An inverted residual block: expand, depthwise, optional excitation, project."""

    def __init__(self, plan: BlockPlan, divisor: int, mobilenet_squeeze: bool) -> None:
        super().__init__()
        self.expand = convolution(plan.in_width, plan.mid_width, 1, 1, plan.activation)
        self.depthwise = depthwise(plan.mid_width, plan.kernel, plan.stride, plan.activation)
        self.excitation: nn.Module = (
            SqueezeExcitation(plan.mid_width, divisor, mobilenet_squeeze)
            if plan.squeeze_excitation
            else nn.Identity()
        )
        self.project = convolution(plan.mid_width, plan.out_width, 1, 1, None)
        self.residual = plan.residual

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.excitation(self.depthwise(self.expand(x))))
        return x + y if self.residual else y


class FirstBlock(nn.Module):
    """The fixed block after the stem: depthwise 3×3 and projection, without expansion."""

    def __init__(self, in_width: int, out_width: int, activation: str) -> None:
        super().__init__()
        self.depthwise = depthwise(in_width, 3, 1, activation)
        self.project = convolution(in_width, out_width, 1, 1, None)
        self.residual = in_width == out_width

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(x))
        return x + y if self.residual else y


class Head(nn.Module):
    """Pointwise convolution, average pooling, an optional hidden layer, and the classifier."""

    def __init__(self, in_width: int, settings: MBConvSettings) -> None:
        super().__init__()
        self.convolution = convolution(in_width, settings.head_width, 1, 1, settings.activation)
        width = settings.feature_width or settings.head_width
        self.hidden: nn.Module = (
            nn.Sequential(nn.Linear(settings.head_width, width), activation_of(settings.activation))
            if settings.feature_width
            else nn.Identity()
        )
        self.classifier = nn.Linear(width, settings.classes)

    def forward(self, x: Tensor) -> Tensor:
        return self.classifier(self.hidden(self.convolution(x).mean((2, 3))))


class Subnet(Network):
    """The network of one architecture of the MBConv family."""

    # Norms and depthwise convolutions run about twice as fast with the channels last.
    layout = torch.channels_last

    def __init__(self, settings: MBConvSettings, architecture: Architecture) -> None:
        super().__init__()
        plans = block_plans(settings, architecture)
        self.input_shape = input_shape(settings, architecture)
        self.stem = stem(settings)
        self.blocks = nn.ModuleDict(
            {
                plan.slot: MBConvBlock(plan, settings.channel_divisor, settings.mobilenet_squeeze)
                for plan in plans
            }
        )
        self.head = Head(plans[-1].out_width, settings)
        set_epsilon(self, settings)

    def parts(self) -> list[nn.Module]:
        """Stem, blocks and head: what a batch passes through, one after another."""
        return [self.stem, *self.blocks.values(), self.head]

    def place(self, path: str) -> tuple[str, str]:
        first, *rest = path.split(".")
        if first == "blocks":
            slot, *within = rest
            part = within[0] if within else "add"
            return slot, "squeeze-excitation" if part == "excitation" else part
        if first == "stem":
            part, *within = rest
            if part == "0":
                return first, "convolution"
            return first, f"first block {within[0] if within else 'add'}"
        return first, rest[0] if rest else "pooling"

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts():
            x = part(x)
        return x


def subnet_of(space: SearchSpace, architecture: Architecture) -> Subnet:
    """The network of an architecture with random weights."""
    return Subnet(settings_of(space), architecture)


def input_shape(settings: MBConvSettings, architecture: Architecture) -> tuple[int, int, int]:
    """Channels, height and width of the image that an architecture takes."""
    side = resolution_of(settings, architecture)
    return settings.input_channels, side, side


def set_epsilon(network: nn.Module, settings: MBConvSettings) -> None:
    """Let the batch norms of a network add what the settings say to variances."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = settings.norm_epsilon


def stem(settings: MBConvSettings) -> nn.Sequential:
    """The 3×3 stem and, where the space has one, the fixed first block."""
    layers: list[nn.Module] = [
        convolution(
            settings.input_channels,
            settings.stem_width,
            3,
            settings.stem_stride,
            settings.activation,
        )
    ]
    if settings.first_width:
        layers.append(
            FirstBlock(settings.stem_width, settings.first_width, settings.first_activation)
        )
    return nn.Sequential(*layers)
