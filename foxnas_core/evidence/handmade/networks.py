"""The hand-made networks as torch modules."""

import torch
from torch import Tensor, nn

from foxnas_core.evidence.handmade.designs import Plan
from foxnas_core.families.mbconv.layers import activation_of
from foxnas_core.families.mbconv.space import BlockPlan
from foxnas_core.families.mbconv.subnet import SqueezeExcitation, convolution, depthwise
from foxnas_core.networks import Network


class Bottleneck(nn.Module):
    """An inverted residual block; without an expanding convolution where it would keep the width
    (MobileNetV2's first block, MobileNetV3's and EfficientNet's likewise)."""

    def __init__(self, plan: BlockPlan, divisor: int) -> None:
        super().__init__()
        mid = plan.mid_width
        layers: list[nn.Module] = []
        if mid != plan.in_width:
            layers.append(convolution(plan.in_width, mid, 1, 1, plan.activation))
        layers.append(depthwise(mid, plan.kernel, plan.stride, plan.activation))
        if plan.squeeze_excitation:
            layers.append(SqueezeExcitation(mid, divisor, mobilenet=True))
        layers.append(convolution(mid, plan.out_width, 1, 1, None))
        self.layers = nn.Sequential(*layers)
        self.residual = plan.residual

    def forward(self, x: Tensor) -> Tensor:
        """(N, in, H, W) to (N, out, H / stride, W / stride), rounded up."""
        y = self.layers(x)
        return x + y if self.residual else y


class HandmadeNetwork(Network):
    """Stem, bottlenecks, last convolution, average pooling, an optional hidden layer and the
    classifier; dropout, which the recipe has none of, is left out."""

    layout = torch.channels_last

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.input_shape = plan.input_channels, plan.resolution, plan.resolution
        self.stem = convolution(
            plan.input_channels, plan.stem_width, 3, plan.stem_stride, plan.activation
        )
        self.blocks = nn.Sequential(*(Bottleneck(block, plan.divisor) for block in plan.blocks))
        # MobileNetV3 has ReLU in its first blocks and h-swish in stem and head; the others have one
        # activation throughout.
        self.head = convolution(plan.blocks[-1].out_width, plan.head_width, 1, 1, plan.activation)
        width = plan.hidden_width or plan.head_width
        self.hidden: nn.Module = (
            nn.Sequential(nn.Linear(plan.head_width, width), activation_of(plan.activation))
            if plan.hidden_width
            else nn.Identity()
        )
        self.classifier = nn.Linear(width, plan.classes)

    def forward(self, x: Tensor) -> Tensor:
        """(N, *input_shape) to (N, classes)."""
        return self.classifier(self.hidden(self.head(self.blocks(self.stem(x))).mean((2, 3))))
