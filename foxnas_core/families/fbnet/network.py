"""The network of one architecture of the FBNet family."""

import torch
from torch import Tensor, nn

from foxnas_core.families.fbnet.space import (
    CHANNELS,
    SKIP,
    STEM,
    LayerPlan,
    configuration_of,
    layer_plans,
    operations_of,
    parse_operation,
)
from foxnas_core.networks import Network
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace


class FBNetwork(Network):
    """Stem, 22 layers, header, average pooling and classifier, with random weights."""

    def __init__(self, space: SearchSpace, architecture: Architecture) -> None:
        super().__init__()
        how = configuration_of(space)
        self.input_shape = (3, how.side, how.side)
        self.stem = convolution(3, STEM, 3, how.stem_stride)
        chosen = zip(operations_of(architecture), layer_plans(how), strict=True)
        slots = [d.slot for d in space.decisions]
        self.layers = nn.ModuleDict(
            {slot: layer(*one) for slot, one in zip(slots, chosen, strict=True)}
        )
        self.header = convolution(CHANNELS[-1], how.header, 1, 1)
        self.pooling = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(how.header, how.classes)

    def parts(self) -> list[nn.Module]:
        return [self.stem, *self.layers.values(), self.header, self.pooling, self.classifier]

    def place(self, path: str) -> tuple[str, str]:
        first, *rest = path.split(".")
        if first == "layers":
            slot, *within = rest
            return slot, within[0] if within else "add"
        return first, rest[0] if rest else first

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts():
            x = part(x)
        return x


class ChannelShuffle(nn.Module):
    """`torch.nn.ChannelShuffle`, which ONNX lacks, as one choice of channels."""

    order: Tensor

    def __init__(self, width: int, groups: int) -> None:
        super().__init__()
        order = torch.arange(width).view(groups, -1).t().flatten()
        self.register_buffer("order", order, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return x.index_select(1, self.order)


class FBNetBlock(nn.Module):
    """An inverted residual block; pointwise convolutions in groups have their channels shuffled."""

    def __init__(self, plan: LayerPlan, kernel: int, expand: int, groups: int) -> None:
        super().__init__()
        width = plan.in_channels * expand
        self.expand = convolution(plan.in_channels, width, 1, 1, groups)
        self.shuffle: nn.Module = ChannelShuffle(width, groups) if groups > 1 else nn.Identity()
        self.depthwise = convolution(width, width, kernel, plan.stride, width)
        self.project = nn.Sequential(
            nn.Conv2d(width, plan.out_channels, 1, groups=groups, bias=False),
            nn.BatchNorm2d(plan.out_channels),
        )
        self.residual = plan.in_channels == plan.out_channels and plan.stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y = self.project(self.depthwise(self.shuffle(self.expand(x))))
        return x + y if self.residual else y


def layer(operation: str, plan: LayerPlan) -> nn.Module:
    """One layer, of an operation's name."""
    if operation == SKIP:
        if plan.stride == 1 and plan.in_channels == plan.out_channels:
            return nn.Identity()
        return convolution(plan.in_channels, plan.out_channels, 1, plan.stride)
    return FBNetBlock(plan, *parse_operation(operation))


def convolution(
    in_channels: int, out_channels: int, kernel: int, stride: int, groups: int = 1
) -> nn.Sequential:
    """Convolution, batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(
            in_channels, out_channels, kernel, stride, kernel // 2, groups=groups, bias=False
        ),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(),
    )
