"""The network around a cell of NAS-Bench-201 (arXiv 2001.00326, section 2.1): stem, three stages of
cells with a residual block of stride 2 between two stages, average pooling and classifier."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from foxnas_core.families.layers import place_in_cells
from foxnas_core.families.nasbench201.space import (
    EDGES,
    NODES,
    NONE,
    POOL,
    SKIP,
    STAGES,
    Settings,
    edge_name,
    input_shape,
    operations_of,
    settings_of,
)
from foxnas_core.networks import MixtureWeights, Network
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace


class CellNetwork(Network):
    """The network of one cell, with random weights."""

    stem: nn.Module
    cells: nn.ModuleDict
    last: nn.Module
    classifier: nn.Module

    def __init__(self, space: SearchSpace, architecture: Architecture) -> None:
        super().__init__()
        how, operations = settings_of(space), operations_of(architecture)
        self.input_shape = input_shape(how)
        surround(self, how, lambda width: Cell(_edges(operations, width)))

    def parts(self) -> list[nn.Module]:
        return [self.stem, *self.cells.values(), self.last, self.classifier]

    def place(self, path: str) -> tuple[str, str]:
        return place_in_cells(path)

    def forward(self, x: Tensor) -> Tensor:
        for part in self.parts():
            x = part(x)
        return x


def surround(network: nn.Module, how: Settings, made: Callable[[int], nn.Module]) -> None:
    """Give a module all that stands around cells, and the cells, which are `made` for a width."""
    width, side = how.channels, how.resolution
    network.stem = nn.Sequential(
        nn.Conv2d(how.input_channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
    )
    network.cells = nn.ModuleDict()
    for stage in range(1, STAGES + 1):
        if stage > 1:
            network.cells[f"reduce{stage - 1}"] = Reduction(width, 2 * width, side)
            width, side = 2 * width, -(-side // 2)
        for cell in range(1, how.cells + 1):
            network.cells[f"stage{stage}_cell{cell}"] = made(width)
    network.last = nn.Sequential(
        nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    network.classifier = nn.Linear(width, how.classes)


class Cell(nn.Module):
    """Four nodes; a node is the sum of what its edges bring. Edges of `none` compute nothing here
    and bring zeros where no other edge brings anything."""

    def __init__(self, edges: nn.ModuleDict) -> None:
        super().__init__()
        self.edges = edges

    def forward(self, x: Tensor) -> Tensor:
        return self._summed(x, lambda name, value: self.edges[name](value))

    def mixed(self, x: Tensor, weights: MixtureWeights) -> Tensor:
        """As `forward`, of edges that are mixtures, each by its own weights."""
        return self._summed(x, lambda name, value: self.edges[name](value, weights[name]))

    def _summed(self, x: Tensor, brings: Callable[[str, Tensor], Tensor | None]) -> Tensor:
        nodes: list[Tensor | None] = [x]
        for target in range(1, NODES):
            total: Tensor | None = None
            for source, value in enumerate(nodes):
                name = edge_name(source, target)
                if value is None or name not in self.edges:
                    continue
                brought = brings(name, value)
                if brought is not None:
                    total = brought if total is None else total + brought
            nodes.append(total)
        output = nodes[-1]
        return torch.zeros_like(x) if output is None else output


class Reduction(nn.Module):
    """The residual block of stride 2 between two stages."""

    def __init__(self, in_width: int, out_width: int, side: int) -> None:
        super().__init__()
        self.first = activated(in_width, out_width, 3, 2)
        self.second = activated(out_width, out_width, 3)
        # Of an odd side the last row and column are pooled alone.
        self.shortcut = nn.Sequential(
            nn.AvgPool2d(2, ceil_mode=side % 2 == 1),
            nn.Conv2d(in_width, out_width, 1, bias=False),
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


def _edges(operations: Sequence[str], width: int) -> nn.ModuleDict:
    """The operations of `EDGES`, by edge, but for those of `none`."""
    chosen = {edge_name(*edge): own for edge, own in zip(EDGES, operations, strict=True)}
    return nn.ModuleDict({n: OPERATION[own](width) for n, own in chosen.items() if own != NONE})


OPERATION: Mapping[str, Callable[[int], nn.Module]] = {
    SKIP: lambda width: nn.Identity(),
    POOL: lambda width: nn.AvgPool2d(3, 1, 1, count_include_pad=False),
    "nor_conv_1x1": lambda width: activated(width, width, 1),
    "nor_conv_3x3": lambda width: activated(width, width, 3),
}
"""Operations other than `none`, by width."""
