"""The supernet: one set of weights that every subnet of a space shares."""

from torch import Tensor, nn

from foxnas_core.families.mbconv.space import BlockPlan, Stage, block_plans, divisible, settings_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.layers import (
    ElasticDepthwise,
    ElasticNorm,
    ElasticPointwise,
    ElasticSqueezeExcitation,
    activation_of,
)
from foxnas_core.supernet.subnet import Head, stem


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


class Supernet(nn.Module):
    """The once-for-all network of a space of the MBConv family.

    The architecture is an argument of `forward`, not state. Raises `InvalidInput` for a space of
    another family.
    """

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

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:
        """(N, channels, r, r) to (N, classes), through the blocks that `architecture` uses."""
        x = self.stem(x)
        for plan in block_plans(self.settings, architecture):
            x = self.blocks[plan.slot](x, plan)
        return self.head(x)
