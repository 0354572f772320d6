"""Small networks to look into: of the studio's own families, and of somebody's own code."""

import functools

import torch
from conftest import tiny_document
from torch import nn

from foxnas_core.families import space_from_dict
from foxnas_core.families.mbconv.space import settings_of
from foxnas_core.families.mbconv.subnet import Subnet
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.adapter import AdaptedSubnet


def rich_space() -> SearchSpace:
    """The tiny space with all that a network of the family may have."""
    stages = tiny_document()["stages"]
    stages[1] |= {"squeeze_excitation": True, "activation": "h_swish"}
    return space_from_dict(
        tiny_document(stages=stages, first_width=4, feature_width=12, activation="h_swish")
    )


@functools.cache
def subnet(space: SearchSpace, which: str) -> Subnet:
    torch.manual_seed(0)
    return Subnet(settings_of(space), space.extreme(which)).eval()


class OwnBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU())
        self.more = nn.ModuleList([nn.Sequential(nn.Conv2d(4, 4, 1), nn.SiLU())])

    def forward(self, x):
        y = self.conv(x)
        for part in self.more:
            y = part(y)
        return x + y


class OwnNet(nn.Module):
    """Blocks that are named as slots of a space, and a head between functions."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(1, 4, 3)
        self.blocks = nn.ModuleDict({"s1b1": OwnBlock(), "s1b2": OwnBlock()})
        self.fc = nn.Sequential(nn.Linear(4, 8), nn.GELU(), nn.Linear(8, 3))

    def forward(self, x):
        x = self.stem(x)
        for block in self.blocks.values():
            x = block(x)
        return self.fc(x.mean((2, 3)))


class Plain(nn.Module):
    """A network that computes everything itself, as one sliced by attributes does."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(5, 1, 3, 3))
        self.out = nn.Parameter(torch.randn(3, 5))

    def forward(self, x):
        y = nn.functional.conv2d(x, self.weight).relu()
        return nn.functional.linear(y.mean((2, 3)), self.out)


def adapted(module: nn.Module) -> AdaptedSubnet:
    torch.manual_seed(0)
    return AdaptedSubnet(module.eval(), (1, 12, 12)).eval()
