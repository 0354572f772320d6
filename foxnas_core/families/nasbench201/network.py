"""The network around a cell of NAS-Bench-201 (arXiv 2001.00326, section 2.1): stem, three stages of
cells with a residual block of stride 2 between two stages, average pooling and classifier."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from foxnas_core.families.nasbench201.space import (
    EDGES,
    NODES,
    NONE,
    POOL,
    SKIP,
    STAGES,
    edge_name,
    operations_of,
    settings_of,
)
from foxnas_core.networks import Network
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace


class CellNetwork(Network):
    """The network of one cell, with random weights."""

    def __init__(self, space: SearchSpace, architecture: Architecture) -> None:
        super().__init__()
        how, operations = settings_of(space), operations_of(architecture)
        self.input_shape = (how.input_channels, how.resolution, how.resolution)
        width = how.channels
        self.stem = nn.Sequential(
            nn.Conv2d(how.input_channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        )
        self.cells = nn.ModuleDict()
        for stage in range(1, STAGES + 1):
            if stage > 1:
                self.cells[f"reduce{stage - 1}"] = Reduction(width, 2 * width)
                width *= 2
            for cell in range(1, how.cells + 1):
                self.cells[f"stage{stage}_cell{cell}"] = Cell(operations, width)
        self.last = nn.Sequential(
            nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        )
        self.classifier = nn.Linear(width, how.classes)

    def parts(self) -> list[nn.Module]:
        return [self.stem, *self.cells.values(), self.last, self.classifier]

    def place(self, path: str) -> tuple[str, str]:
        first, *rest = path.split(".")
        if first == "cells":
            name, *within = rest
            return name, ".".join(within[1:2] or within) or "add"
        return first, rest[0] if rest else first

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts():
            x = part(x)
        return x


class Cell(nn.Module):
    """Four nodes; a node is the sum of what its edges bring. Edges of `none` compute nothing here
    and bring zeros where no other edge brings anything."""

    def __init__(self, operations: Sequence[str], width: int) -> None:
        super().__init__()
        self.edges = nn.ModuleDict(
            {
                edge_name(*edge): _MADE[operation](width)
                for edge, operation in zip(EDGES, operations, strict=True)
                if operation != NONE
            }
        )

    def forward(self, x: Tensor) -> Tensor:
        nodes: list[Tensor | None] = [x]
        for target in range(1, NODES):
            brought = [
                self.edges[edge_name(source, target)](value)
                for source, value in enumerate(nodes)
                if value is not None and edge_name(source, target) in self.edges
            ]
            nodes.append(sum(brought[1:], brought[0]) if brought else None)
        output = nodes[-1]
        return torch.zeros_like(x) if output is None else output


class Reduction(nn.Module):
    """The residual block of stride 2 between two stages."""

    def __init__(self, in_width: int, out_width: int) -> None:
        super().__init__()
        self.first = activated(in_width, out_width, 3, 2)
        self.second = activated(out_width, out_width, 3)
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2), nn.Conv2d(in_width, out_width, 1, bias=False)
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.shortcut(x) + self.second(self.first(x))


def activated(in_width: int, out_width: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """ReLU, convolution and batch norm, in this order."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(in_width, out_width, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(out_width),
    )


_MADE: dict[str, Callable[[int], nn.Module]] = {
    SKIP: lambda width: nn.Identity(),
    POOL: lambda width: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
    "nor_conv_1x1": lambda width: activated(width, width, 1),
    "nor_conv_3x3": lambda width: activated(width, width, 3),
}
