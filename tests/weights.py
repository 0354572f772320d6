"""Supernets whose weights hide no mistakes."""

import torch
from torch import nn

from foxnas_core.families import family_of
from foxnas_core.networks import SupernetAdapter
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.adapter import supernet_of


def randomised(space: SearchSpace, seed: int = 0) -> SupernetAdapter:
    """A supernet whose every weight and norm statistic is random, yet near what images give.

    Defaults (means of 0, kernel transforms of the identity) would hide mistakes, and wholly
    random statistics would kill the signal on its way, so that anything would equal anything.
    """
    torch.manual_seed(seed)
    supernet = supernet_of(space)
    for name, parameter in supernet.named_parameters():
        if "transforms" in name:
            parameter.data += 0.2 * torch.randn_like(parameter)
    norms = [m for m in supernet.modules() if isinstance(m, nn.BatchNorm2d)]
    for norm in norms:
        nn.init.uniform_(norm.weight, 0.7, 1.5)
        nn.init.normal_(norm.bias, std=0.3)
        norm.momentum = 1.0
    largest = family_of(space).extremes(space)["largest"]
    images = torch.randn(16, *supernet.input_shape(largest))
    with torch.no_grad():
        supernet.train()(images, largest)
    for norm in norms:
        norm.running_mean += 0.1 * torch.randn_like(norm.running_mean)
        norm.running_var *= torch.empty_like(norm.running_var).uniform_(0.7, 1.3)
    return supernet.eval()
