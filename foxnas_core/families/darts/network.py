"""The network around the cells of DARTS (arXiv 1806.09055, section 3 and its published code): stem,
cells that read the two before them, average pooling and classifier."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foxnas_core.families.darts.space import (
    GIVEN,
    NODES,
    NONE,
    OWN_NODES,
    SKIP,
    Settings,
    edge_name,
    input_shape,
    read_by,
    settings_of,
)
from foxnas_core.families.layers import place_in_cells
from foxnas_core.networks import MixtureWeights, Network
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

Edges = Callable[[str, int], nn.ModuleDict]
"""What makes the edges of a normal or a reducing cell, by name, of a width."""


class DARTSNetwork(Network):
    """The network of two cells, with random weights."""

    def __init__(self, space: SearchSpace, architecture: Architecture) -> None:
        super().__init__()
        how = settings_of(space)
        self.input_shape = input_shape(how)

        def edges(kind: str, width: int) -> nn.ModuleDict:
            found = nn.ModuleDict()
            for node in OWN_NODES:
                for source, operation in read_by(architecture, kind, node).items():
                    if operation != NONE:
                        made = OPERATION[operation](width, stride(kind, source))
                        found[edge_name(kind, source, node)] = made
            return found

        surround(self, how, edges)

    def place(self, path: str) -> tuple[str, str]:
        return place_in_cells(path)

    def forward(self, x: Tensor) -> Tensor:
        return through(self, x)


def surround(network: nn.Module, how: Settings, edges: Edges) -> None:
    """Give a module all that stands around cells, and the cells."""
    stem = 3 * how.channels
    network.stem = nn.Sequential(
        nn.Conv2d(how.input_channels, stem, 3, padding=1, bias=False), nn.BatchNorm2d(stem)
    )
    network.cells = nn.ModuleDict()
    before, last, width, after_reduction = stem, stem, how.channels, False
    for number in range(how.cells):
        kind = "reduce" if number in (how.cells // 3, 2 * how.cells // 3) else "normal"
        width *= 2 if kind == "reduce" else 1
        network.cells[f"cell{number + 1}_{kind}"] = Cell(
            kind, (before, last), width, after_reduction, edges(kind, width)
        )
        before, last = last, len(OWN_NODES) * width
        after_reduction = kind == "reduce"
    network.last = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    network.classifier = nn.Linear(last, how.classes)


def through(network: nn.Module, x: Tensor, weights: MixtureWeights | None = None) -> Tensor:
    """A batch through what `surround` has built."""
    before = last = network.stem(x)  # type: ignore[operator]
    for cell in network.cells.values():  # type: ignore[operator,union-attr]
        before, last = last, cell(before, last, weights)
    return network.classifier(network.last(last))  # type: ignore[operator]


def stride(kind: str, source: int) -> int:
    """Edges from other cells halve the image in a cell that reduces."""
    return 2 if kind == "reduce" and source < GIVEN else 1


class Cell(nn.Module):
    """Four nodes, each the sum of what its edges bring, side by side; a node that nothing is
    brought to is zeros."""

    def __init__(
        self,
        kind: str,
        in_widths: tuple[int, int],
        width: int,
        after_reduction: bool,
        edges: nn.ModuleDict,
    ) -> None:
        super().__init__()
        self.kind, self.stride = kind, stride(kind, 0)
        before, last = in_widths
        self.before = (
            FactorizedReduction(before, width)
            if after_reduction
            else activated(before, width, 1, 1)
        )
        self.last = activated(last, width, 1, 1)
        self.edges = edges

    def forward(
        self, before: Tensor, last: Tensor, weights: MixtureWeights | None = None
    ) -> Tensor:
        """With `weights`, of edges that are mixtures, each edge takes its own."""
        nodes = [self.before(before), self.last(last)]
        nothing = torch.zeros_like(nodes[1][:, :, :: self.stride, :: self.stride])
        for node in OWN_NODES:
            total: Tensor | None = None
            for source, value in enumerate(nodes):
                name = edge_name(self.kind, source, node)
                if name not in self.edges:
                    continue
                edge = self.edges[name]
                brought = edge(value) if weights is None else edge(value, weights[name])
                if brought is not None:
                    total = brought if total is None else total + brought
            nodes.append(nothing if total is None else total)
        return torch.cat(nodes[GIVEN:NODES], 1)


class FactorizedReduction(nn.Module):
    """Half of the channels from the even pixels and half from the odd ones."""

    def __init__(self, in_width: int, out_width: int) -> None:
        super().__init__()
        half = out_width // 2
        self.even = nn.Conv2d(in_width, out_width - half, 1, 2, bias=False)
        self.odd = nn.Conv2d(in_width, half, 1, 2, bias=False)
        self.norm = nn.BatchNorm2d(out_width)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(x)
        # One row and column more, so that an odd side has as many odd pixels as even ones.
        further = F.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        return self.norm(torch.cat([self.even(x), self.odd(further)], 1))


def activated(in_width: int, out_width: int, kernel: int, step: int) -> nn.Sequential:
    """ReLU, convolution and batch norm, in this order."""
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(in_width, out_width, kernel, step, kernel // 2, bias=False),
        nn.BatchNorm2d(out_width),
    )


def depthwise(width: int, kernel: int, step: int, dilation: int = 1) -> nn.Sequential:
    """ReLU, a convolution of each channel by itself, one across channels, and batch norm."""
    padding = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(width, width, kernel, step, padding, dilation, groups=width, bias=False),
        nn.Conv2d(width, width, 1, bias=False),
        nn.BatchNorm2d(width),
    )


def separable(width: int, kernel: int, step: int) -> nn.Sequential:
    """Two of those, after one another."""
    return nn.Sequential(depthwise(width, kernel, step), depthwise(width, kernel, 1))


OPERATION: Mapping[str, Callable[[int, int], nn.Module]] = {
    "max_pool_3x3": lambda width, step: nn.MaxPool2d(3, step, 1),
    "avg_pool_3x3": lambda width, step: nn.AvgPool2d(3, step, 1, count_include_pad=False),
    SKIP: lambda width, step: nn.Identity() if step == 1 else FactorizedReduction(width, width),
    "sep_conv_3x3": lambda width, step: separable(width, 3, step),
    "sep_conv_5x5": lambda width, step: separable(width, 5, step),
    "dil_conv_3x3": lambda width, step: depthwise(width, 3, step, 2),
    "dil_conv_5x5": lambda width, step: depthwise(width, 5, step, 2),
}
"""Operations other than `none`, by width and stride. Pooling has no norm after it, in the supernet
as in the network, so that both compute the same."""
