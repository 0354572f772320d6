"""Small mixtures of cells, whose norms hide no mistakes."""

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from foxnas_core.families import space_from_dict
from foxnas_core.networks import MixtureSupernet
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.adapter import supernet_of

CELLS = {"nasbench201": 1, "darts": 3}


def space_of_cells(family: str, **settings) -> SearchSpace:
    """For images of an odd side, so that halves are no whole numbers."""
    small = {"channels": 2, "cells": CELLS[family], "classes": 3, "input_channels": 1}
    return space_from_dict(
        {"format": 1, "family": family, "name": "small", "resolution": 11} | small | settings
    )


def mixture_of(family: str, seed: int = 0, **settings) -> MixtureSupernet:
    """A mixture with random weights, norms and architecture parameters."""
    torch.manual_seed(seed)
    supernet = supernet_of(space_of_cells(family, **settings))
    assert isinstance(supernet, MixtureSupernet)
    return randomise(supernet)


def randomise(supernet: MixtureSupernet) -> MixtureSupernet:
    """Give it random norms and architecture parameters."""
    for alpha in supernet.alpha.values():
        nn.init.normal_(alpha)
    for norm in supernet.modules():
        if isinstance(norm, _BatchNorm):
            nn.init.normal_(norm.running_mean)
            nn.init.uniform_(norm.running_var, 0.5, 2)
            if norm.affine:
                nn.init.uniform_(norm.weight, 0.5, 2)
                nn.init.normal_(norm.bias)
    return supernet.eval()
