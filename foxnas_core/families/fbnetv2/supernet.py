"""One set of weights for all networks of FBNetV2's space: the first channels, splits and blocks of
the largest."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foxnas_core.families.fbnetv2.network import (
    FBNetV2Network,
    SplitBlock,
    attended,
    layer_of,
    stem,
    total,
)
from foxnas_core.families.fbnetv2.space import (
    ON,
    BlockPlan,
    Stage,
    input_shape,
    settings_of,
    stage_plans,
)
from foxnas_core.families.mbconv.layers import (
    ElasticDepthwise,
    ElasticNorm,
    ElasticPointwise,
    ElasticSqueezeExcitation,
)
from foxnas_core.families.mbconv.space import divisible, squeezed
from foxnas_core.families.mbconv.subnet import SqueezeExcitation
from foxnas_core.networks import SupernetAdapter
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace


class ElasticSplitAttention(nn.Module):
    """Split attention over the first splits and channels."""

    def __init__(self, channels: int, splits: int, divisor: int) -> None:
        super().__init__()
        self.divisor = divisor
        hidden = squeezed(channels, divisor)
        self.reduce = nn.Conv2d(channels, hidden, 1)
        self.expand = nn.ModuleList(nn.Conv2d(hidden, channels, 1) for _ in range(splits))

    def forward(self, splits: list[Tensor]) -> Tensor:
        """A list of (N, C, H, W) to (N, C, H, W)."""
        c = splits[0].shape[1]
        h = squeezed(c, self.divisor)
        mean = total(splits).mean((2, 3), keepdim=True)
        hidden = F.relu(F.conv2d(mean, *_part(self.reduce, h, c)))
        used = [cast(nn.Conv2d, own) for own in self.expand[: len(splits)]]
        return attended(splits, [F.conv2d(hidden, *_part(own, c, h)) for own in used])


class ElasticConvolution(nn.Module):
    """A pointwise convolution and its norm, over the first channels."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.convolution = ElasticPointwise(in_channels, out_channels)
        self.norm = ElasticNorm(out_channels)

    def forward(self, x: Tensor, out_channels: int) -> Tensor:
        """(N, C, H, W) to (N, out_channels, H, W)."""
        return self.norm(self.convolution(x, out_channels))

    def extract(self, layers: nn.Module) -> None:
        """Fill a convolution and its norm."""
        convolution, norm = _layers(layers)
        part = self.convolution.part(convolution.in_channels, convolution.out_channels)
        convolution.weight.copy_(part)
        self.norm.extract(norm)


class ElasticSplit(nn.Module):
    """A depthwise convolution of elastic kernel size and its norm, over the first channels."""

    def __init__(self, channels: int, kernels: tuple[int, ...], stride: int) -> None:
        super().__init__()
        self.convolution = ElasticDepthwise(channels, kernels, stride)
        self.norm = ElasticNorm(channels)

    def forward(self, x: Tensor, kernel: int) -> Tensor:
        """(N, C, H, W) to as many channels."""
        return self.norm(self.convolution(x, kernel))

    def extract(self, layers: nn.Module) -> None:
        """Fill a convolution and its norm."""
        convolution, norm = _layers(layers)
        part = self.convolution.part(convolution.out_channels, convolution.kernel_size[0])
        convolution.weight.copy_(part)
        self.norm.extract(norm)


class ElasticSplitBlock(nn.Module):
    """A `SplitBlock` of elastic width, kernel size, expand ratio and number of splits."""

    def __init__(self, stage: Stage, is_first: bool, divisor: int) -> None:
        super().__init__()
        width = stage.widths[-1]
        mid = stage.hidden if is_first else divisible(width * stage.expands[-1], divisor)
        stride, splits = stage.stride if is_first else 1, stage.splits[-1]
        self.expand = None if is_first else ElasticConvolution(width, mid)
        self.depthwise = nn.ModuleList(
            ElasticSplit(mid, stage.kernels, stride) for _ in range(splits)
        )
        self.attention = ElasticSplitAttention(mid, splits, divisor) if splits > 1 else None
        self.excitation = (
            ElasticSqueezeExcitation(mid, divisor) if ON in stage.squeeze_excitation else None
        )
        self.project = ElasticConvolution(mid, width)
        self.activations = nn.ModuleDict({name: layer_of(name) for name in stage.activations})

    def forward(self, x: Tensor, plan: BlockPlan) -> Tensor:
        active = self.activations[plan.activation]
        y = x if self.expand is None else active(self.expand(x, plan.mid_width))
        splits = [active(own(y, plan.kernel)) for own in self.depthwise[: plan.splits]]
        y = splits[0]
        if self.attention is not None and plan.splits > 1:
            y = self.attention(splits)
        if self.excitation is not None and plan.squeeze_excitation:
            y = self.excitation(y)
        y = self.project(y, plan.out_width)
        return y if plan.is_first else x + y

    def extract(self, block: SplitBlock) -> None:
        """Fill the block of a network with what it uses."""
        if self.expand is not None:
            self.expand.extract(block.expand)
        for own, layers in zip(self.depthwise, block.depthwise, strict=False):
            cast(ElasticSplit, own).extract(layers)
        if self.attention is not None and block.attention is not None:
            _fill(block.attention.reduce, self.attention.reduce)
            for target, source in zip(block.attention.expand, self.attention.expand, strict=False):
                _fill(target, source)
        if self.excitation is not None and isinstance(block.excitation, SqueezeExcitation):
            _fill(block.excitation.reduce, self.excitation.reduce)
            _fill(block.excitation.expand, self.excitation.expand)
        self.project.extract(block.project)


class FBNetV2Supernet(SupernetAdapter):
    """The network around elastic blocks. A narrower stage has the first channels of the widest, as
    masking gives it (Wan et al., arXiv 2004.05565, section 3.1), and computes no others."""

    layout = torch.channels_last

    def __init__(self, space: SearchSpace) -> None:
        super().__init__()
        self.space = space
        self.settings = settings = settings_of(space)
        self.stem = stem(settings)
        self.widen, self.blocks = nn.ModuleDict(), nn.ModuleDict()
        width = settings.stem_width
        for number, stage in enumerate(settings.stages, start=1):
            self.widen[f"s{number}"] = ElasticConvolution(width, stage.hidden)
            for block in range(1, stage.depths[-1] + 1):
                self.blocks[f"s{number}b{block}"] = ElasticSplitBlock(
                    stage, block == 1, settings.channel_divisor
                )
            width = stage.widths[-1]
        self.activation = layer_of(settings.activation)
        self.last = ElasticConvolution(width, settings.head_width)
        self.classifier = nn.Linear(settings.head_width, settings.classes)

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:
        """(N, channels, r, r) to (N, classes), through the blocks that `architecture` uses."""
        x = self.stem(x)
        for number, stage in enumerate(self.settings.stages, start=1):
            x = self.activation(self.widen[f"s{number}"](x, stage.hidden))
            for plan in stage_plans(self.space, number, architecture):
                x = self.blocks[plan.slot](x, plan)
        x = self.activation(self.last(x, self.settings.head_width))
        return self.classifier(x.mean((2, 3)))

    def input_shape(self, architecture: Architecture) -> tuple[int, ...]:
        return input_shape(self.settings, architecture)

    def decays(self, name: str, parameter: nn.Parameter) -> bool:
        # Kernel transforms would shrink to zero too.
        return super().decays(name, parameter) and "transforms" not in name

    @torch.no_grad()
    def extract(self, architecture: Architecture) -> FBNetV2Network:
        architecture = self.space.architecture(architecture.to_dict())
        network = FBNetV2Network(self.space, architecture)
        network.stem.load_state_dict(self.stem.state_dict())
        for name, layers in network.widen.items():
            cast(ElasticConvolution, self.widen[name]).extract(layers)
        for slot, block in network.blocks.items():
            cast(ElasticSplitBlock, self.blocks[slot]).extract(cast(SplitBlock, block))
        self.last.extract(network.head.convolution)
        network.head.classifier.load_state_dict(self.classifier.state_dict())
        return network.eval()


def _part(layer: nn.Conv2d, out_channels: int, in_channels: int) -> tuple[Tensor, Tensor]:
    """Weight and bias of the first channels."""
    assert layer.bias is not None
    return layer.weight[:out_channels, :in_channels], layer.bias[:out_channels]


def _fill(target: nn.Module, source: nn.Module) -> None:
    target, source = cast(nn.Conv2d, target), cast(nn.Conv2d, source)
    weight, bias = _part(source, target.out_channels, target.in_channels)
    target.weight.copy_(weight)
    assert target.bias is not None
    target.bias.copy_(bias)


def _layers(layers: nn.Module) -> tuple[nn.Conv2d, nn.BatchNorm2d]:
    convolution, norm, *_ = cast(nn.Sequential, layers)
    return cast(nn.Conv2d, convolution), cast(nn.BatchNorm2d, norm)
