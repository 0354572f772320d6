"""The supernet: one set of weights that every subnet of a space shares."""

from typing import cast

import torch
from torch import Tensor, nn

from foxnas_core.families.mbconv.layers import (
    ElasticDepthwise,
    ElasticNorm,
    ElasticPointwise,
    ElasticSqueezeExcitation,
    activation_of,
)
from foxnas_core.families.mbconv.space import (
    BlockPlan,
    Stage,
    block_plans,
    divisible,
    settings_of,
    squeezed,
)
from foxnas_core.families.mbconv.subnet import (
    Head,
    MBConvBlock,
    SqueezeExcitation,
    Subnet,
    input_shape,
    set_epsilon,
    stem,
)
from foxnas_core.networks import SupernetAdapter
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace


class ElasticBlock(nn.Module):
    """An inverted residual block with elastic kernel size and expand ratio."""

    def __init__(
        self, stage: Stage, in_width: int, stride: int, divisor: int, mobilenet_squeeze: bool
    ) -> None:
        super().__init__()
        widest = divisible(in_width * stage.expands[-1], divisor)
        self.expand = ElasticPointwise(in_width, widest)
        self.expand_norm = ElasticNorm(widest)
        self.depthwise = ElasticDepthwise(widest, stage.kernels, stride)
        self.depthwise_norm = ElasticNorm(widest)
        self.excitation: nn.Module = (
            ElasticSqueezeExcitation(widest, divisor, mobilenet_squeeze)
            if stage.squeeze_excitation
            else nn.Identity()
        )
        self.project = ElasticPointwise(widest, stage.width)
        self.project_norm = ElasticNorm(stage.width)
        self.activation = activation_of(stage.activation)

    def forward(self, x: Tensor, plan: BlockPlan) -> Tensor:
        y = self.activation(self.expand_norm(self.expand(x, plan.mid_width)))
        y = self.activation(self.depthwise_norm(self.depthwise(y, plan.kernel)))
        y = self.project_norm(self.project(self.excitation(y), plan.out_width))
        return x + y if plan.residual else y


class Supernet(SupernetAdapter):
    """The once-for-all network of a space of the MBConv family.

    Raises `InvalidInput` for a space of another family.
    """

    layout = torch.channels_last

    def __init__(self, space: SearchSpace) -> None:
        super().__init__()
        self.space = space
        self.settings = settings_of(space)
        self.stem = stem(self.settings)
        self.blocks = nn.ModuleDict()
        in_width = self.settings.first_width or self.settings.stem_width
        for number, stage in enumerate(self.settings.stages, start=1):
            for block in range(1, stage.depths[-1] + 1):
                stride = stage.stride if block == 1 else 1
                self.blocks[f"s{number}b{block}"] = ElasticBlock(
                    stage,
                    in_width,
                    stride,
                    self.settings.channel_divisor,
                    self.settings.mobilenet_squeeze,
                )
                in_width = stage.width
        self.head = Head(in_width, self.settings)
        set_epsilon(self, self.settings)

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:
        """(N, channels, r, r) to (N, classes), through the blocks that `architecture` uses."""
        x = self.stem(x)
        for plan in block_plans(self.settings, architecture):
            x = self.blocks[plan.slot](x, plan)
        return self.head(x)

    def input_shape(self, architecture: Architecture) -> tuple[int, ...]:
        return input_shape(self.settings, architecture)

    def decays(self, name: str, parameter: nn.Parameter) -> bool:
        # Kernel transforms would shrink to zero too.
        return super().decays(name, parameter) and "transforms" not in name

    @torch.no_grad()
    def extract(self, architecture: Architecture) -> Subnet:
        architecture = self.space.architecture(architecture.to_dict())
        subnet = Subnet(self.settings, architecture)
        subnet.stem.load_state_dict(self.stem.state_dict())
        subnet.head.load_state_dict(self.head.state_dict())
        for plan in block_plans(self.settings, architecture):
            source = cast(ElasticBlock, self.blocks[plan.slot])
            block = cast(MBConvBlock, subnet.blocks[plan.slot])
            mid, out = plan.mid_width, plan.out_width
            _fill(block.expand, source.expand.part(plan.in_width, mid), source.expand_norm)
            _fill(block.depthwise, source.depthwise.part(mid, plan.kernel), source.depthwise_norm)
            _fill(block.project, source.project.part(mid, out), source.project_norm)
            if isinstance(source.excitation, ElasticSqueezeExcitation):
                _fill_excitation(cast(SqueezeExcitation, block.excitation), source.excitation, mid)
        return subnet.eval()


def _fill(layers: nn.Sequential, weight: torch.Tensor, norm: nn.Module) -> None:
    cast(nn.Conv2d, layers[0]).weight.copy_(weight)
    norm.extract(layers[1])  # type: ignore[operator]


def _fill_excitation(
    target: SqueezeExcitation, source: ElasticSqueezeExcitation, channels: int
) -> None:
    hidden = squeezed(channels, source.divisor, source.mobilenet)
    target.reduce.weight.copy_(source.reduce.weight[:hidden, :channels])
    target.expand.weight.copy_(source.expand.weight[:channels, :hidden])
    assert source.reduce.bias is not None and source.expand.bias is not None
    assert target.reduce.bias is not None and target.expand.bias is not None
    target.reduce.bias.copy_(source.reduce.bias[:hidden])
    target.expand.bias.copy_(source.expand.bias[:channels])
