"""From the supernet to an ordinary network."""

from typing import cast

import torch
from torch import nn

from foxnas_core.families.mbconv.space import block_plans
from foxnas_core.space.architecture import Architecture
from foxnas_core.supernet.layers import ElasticSqueezeExcitation, squeezed
from foxnas_core.supernet.network import ElasticBlock, Supernet
from foxnas_core.supernet.subnet import MBConvBlock, SqueezeExcitation, Subnet


@torch.no_grad()
def extract(supernet: Supernet, architecture: Architecture) -> Subnet:
    """The subnet of `architecture`, with its own copy of the weights, in evaluation mode.

    Its output equals the supernet's for the same architecture. Its norm statistics are the
    supernet's, which belong to no subnet: recalibrate them before measuring accuracy. Raises
    `InvalidInput` where the architecture is not of the supernet's space.
    """
    architecture = supernet.space.architecture(architecture.to_dict())
    subnet = Subnet(supernet.settings, architecture)
    subnet.stem.load_state_dict(supernet.stem.state_dict())
    subnet.head.load_state_dict(supernet.head.state_dict())
    for plan in block_plans(supernet.settings, architecture):
        source = cast(ElasticBlock, supernet.blocks[plan.slot])
        block = cast(MBConvBlock, subnet.blocks[plan.slot])
        _fill(block.expand, source.expand.part(plan.in_width, plan.mid_width), source.expand_norm)
        _fill(
            block.depthwise,
            source.depthwise.part(plan.mid_width, plan.kernel),
            source.depthwise_norm,
        )
        _fill(
            block.project, source.project.part(plan.mid_width, plan.out_width), source.project_norm
        )
        if isinstance(source.excitation, ElasticSqueezeExcitation):
            _fill_excitation(
                cast(SqueezeExcitation, block.excitation), source.excitation, plan.mid_width
            )
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
