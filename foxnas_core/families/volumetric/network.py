"""The networks of V-NAS (arXiv 1906.02817, section 3): residual cells in an encoder and a decoder,
and the pyramid of poolings before the masks.

What the paper leaves open is as in the network that it names as its own beginning (AH-Net, Liu et
al., arXiv 1711.08580): the decoder adds what the encoder had at the same size, and the pyramid
pools within slices, makes one channel of each pooling, and joins them to the features.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from foxnas_core.families.volumetric.space import (
    KERNELS,
    CellPlan,
    Plan,
    Sides,
    input_shape,
    kept,
    plan_of,
)
from foxnas_core.networks import MixtureWeights, Network
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

Read = Callable[["Cell", Tensor], Tensor]
"""What a cell makes of its input."""


class VolumetricNetwork(Network):
    """The network of one architecture, with random weights: (N, channels, D, H, W) to logits
    (N, classes, D, H, W)."""

    def __init__(self, space: SearchSpace, architecture: Architecture) -> None:
        super().__init__()
        self.plan = plan_of(space)
        self.input_shape = input_shape(self.plan.how)
        surround(
            self,
            self.plan,
            lambda cell: operation(str(architecture[cell.slot]), cell.width),
        )

    def place(self, path: str) -> tuple[str, str]:
        first, *rest = path.split(".")
        if first == "cells":
            slot, *within = rest
            layer = within[-1] if within else ""
            return slot, ("first" if int(layer) < 3 else "second") if layer.isdigit() else "add"
        if first in ("halved", "doubled"):
            return f"{first} {rest[0]}", first
        if first == "pyramid":
            return first, f"pool {rest[1]}" if rest[1:] else "join"
        # The network itself adds what the encoder left.
        return (first, first) if first else ("skips", "add")

    def forward(self, x: Tensor) -> Tensor:
        return through(self, self.plan, x, lambda cell, value: cell(value))


def surround(network: nn.Module, plan: Plan, made: Callable[[CellPlan], nn.Module]) -> None:
    """Give a module all that stands around cells, and the cells, whose one edge is `made` of their
    plan."""
    kernel, stride = plan.stem
    how, width = plan.how, plan.widths[0]
    network.stem = nn.Sequential(
        nn.Conv3d(how.input_channels, width, kernel, stride, kept(kernel), bias=False),
        nn.BatchNorm3d(width),
    )
    network.halved = nn.ModuleDict()
    network.doubled = nn.ModuleDict()
    for level, factor in enumerate(plan.factors):
        # The stem's own stride halves the image once, but not along D.
        own = (factor[0], 1, 1) if plan.first and not level else factor
        pooled = nn.MaxPool3d(own, own) if max(own) > 1 else nn.Identity()
        wide, wider = plan.widths[level], plan.widths[level + 1]
        within = level < plan.first
        network.halved[f"{level + 1}"] = (
            pooled if within else nn.Sequential(pooled, *convolution(wide, wider, (1, 1, 1)))
        )
        network.doubled[f"{level}"] = nn.Sequential(
            *convolution(wider, wide, (1, 1, 1)), nn.Upsample(scale_factor=factor)
        )
    network.cells = nn.ModuleDict({own.slot: Cell(own.slot, made(own)) for own in plan.cells})
    network.pyramid = Pyramid(width, how.pools)
    network.masks = nn.Conv3d(width + len(how.pools), how.classes, 1)


def through(network: nn.Module, plan: Plan, x: Tensor, read: Read) -> Tensor:
    """A batch through what `surround` has built."""
    left: dict[int, Tensor] = {}
    x = network.stem(x)  # type: ignore[operator]
    for level in range(plan.deepest + 1):
        if level:
            x = network.halved[f"{level}"](x)  # type: ignore[index,operator]
        stage = level - plan.first
        for cell in plan.encoder[stage] if stage >= 0 else ():
            x = read(network.cells[cell.slot], x)  # type: ignore[index,arg-type]
        left[level] = x
    for cell, level in zip(plan.decoder, reversed(range(plan.deepest)), strict=True):
        x = network.doubled[f"{level}"](x)  # type: ignore[index,operator]
        if level in plan.skips:
            x = x + left[level]
        x = read(network.cells[cell.slot], x)  # type: ignore[index,arg-type]
    return network.masks(network.pyramid(x))  # type: ignore[operator]


class Cell(nn.Module):
    """What its one edge, called like it, computes."""

    def __init__(self, slot: str, edge: nn.Module) -> None:
        super().__init__()
        self.slot, self.edges = slot, nn.ModuleDict({slot: edge})

    def forward(self, x: Tensor) -> Tensor:
        return self.edges[self.slot](x)

    def mixed(self, x: Tensor, weights: MixtureWeights) -> Tensor:
        """As `forward`, of an edge that is a mixture: Σ weight·(x + op(x)); zeros where nothing
        weighs anything."""
        found = self.edges[self.slot](x, weights[self.slot])
        return torch.zeros_like(x) if found is None else found


class Residual(nn.Module):
    """x + op(x)."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x)


class Pyramid(nn.Module):
    """Features, and beside them what poolings over larger and larger parts of each slice say."""

    def __init__(self, width: int, sides: tuple[int, ...]) -> None:
        super().__init__()
        self.before = nn.ReLU()
        self.pools = nn.ModuleDict(
            {
                f"{side}": nn.Sequential(
                    nn.MaxPool3d((1, side, side), (1, side, side)),
                    nn.Conv3d(width, 1, 1),
                    nn.Upsample(scale_factor=(1, side, side)),
                )
                for side in sides
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        x = self.before(x)
        return torch.cat([x, *(pool(x) for pool in self.pools.values())], 1)


def convolution(in_width: int, out_width: int, kernel: Sides) -> list[nn.Module]:
    """ReLU, a convolution that leaves D, H and W as they are, and batch norm."""
    return [
        nn.ReLU(),
        nn.Conv3d(in_width, out_width, kernel, 1, kept(kernel), bias=False),
        nn.BatchNorm3d(out_width),
    ]


def operation(choice: str, width: int) -> Residual:
    """What a choice computes."""
    first, second = KERNELS[choice]
    return Residual(*convolution(width, width, first), *convolution(width, width, second))
