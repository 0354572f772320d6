"""One set of weights for all ladders: the first channels of a width, the middle of a kernel."""

import torch
from outside.ladders.family import KERNELS, MOST_RUNGS, WIDTHS
from torch import Tensor, nn
from torch.nn import functional as F

from foxnas_core.networks import Network, SupernetAdapter
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

SIDE = 8


class Ladder(Network):
    input_shape = (1, SIDE, SIDE)

    def __init__(self, stem: Tensor, rungs: list[Tensor], head: Tensor) -> None:
        super().__init__()
        self.stem, self.head = nn.Parameter(stem.clone()), nn.Parameter(head.clone())
        self.rungs = nn.ParameterList([nn.Parameter(rung.clone()) for rung in rungs])

    def forward(self, x: Tensor) -> Tensor:
        return climbed(x, self.stem, list(self.rungs), self.head)


class LadderSupernet(SupernetAdapter):
    def __init__(self, space: SearchSpace) -> None:
        super().__init__()
        self.space = space
        width, kernel = max(WIDTHS), max(KERNELS)
        self.stem = nn.Parameter(torch.randn(width, 1, kernel, kernel) / kernel)
        self.rungs = nn.ParameterList(
            [
                nn.Parameter(torch.randn(width, width, kernel, kernel) / (kernel * width**0.5))
                for _ in range(MOST_RUNGS)
            ]
        )
        self.head = nn.Parameter(torch.randn(1, width * SIDE * SIDE) / 20)

    def input_shape(self, architecture: Architecture) -> tuple[int, ...]:
        return (1, SIDE, SIDE)

    def forward(self, x: Tensor, architecture: Architecture) -> Tensor:
        return climbed(x, *self._weights(architecture))

    def extract(self, architecture: Architecture) -> Network:
        choices = self.space.architecture(architecture.to_dict())
        return Ladder(*(self._weights(choices))).eval()

    def _weights(self, architecture: Architecture) -> tuple[Tensor, list[Tensor], Tensor]:
        choices = architecture.to_dict()
        width, edge = int(choices["width"]), (max(KERNELS) - int(choices["kernel"])) // 2
        middle = slice(edge, max(KERNELS) - edge)
        rungs = list(self.rungs)[: int(choices["rungs"])]
        return (
            self.stem[:width, :, middle, middle],
            [rung[:width, :width, middle, middle] for rung in rungs],
            self.head[:, : width * SIDE * SIDE],
        )


def climbed(x: Tensor, stem: Tensor, rungs: list[Tensor], head: Tensor) -> Tensor:
    x = F.relu(F.conv2d(x, stem, padding=stem.shape[-1] // 2))
    for rung in rungs:
        x = F.relu(x + F.conv2d(x, rung, padding=rung.shape[-1] // 2))
    return F.linear(x.flatten(1), head)
