"""Small spaces of volumetric networks, and supernets of them whose norms hide no mistakes."""

import torch
from mixtures import randomise

from foxnas_core.families import space_from_dict
from foxnas_core.networks import MixtureSupernet
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.supernet.adapter import supernet_of

SMALL = {
    "cells": [1, 1], "widths": [3, 4], "decoder": 1, "deep_halvings": 0, "pools": [2, 4],
    "input_shape": [6, 8, 4], "classes": 2,
}  # fmt: skip
# With a stem that halves, and halvings along the third axis.
DEEP = SMALL | {"decoder": 3, "deep_halvings": 2, "pools": [8], "input_shape": [8, 8, 16]}


def volumetric_space(**settings) -> SearchSpace:
    document = {"format": 1, "family": "volumetric", "name": "small"}
    return space_from_dict(document | SMALL | settings)


def volumetric_supernet(space: SearchSpace, seed: int = 0) -> MixtureSupernet:
    torch.manual_seed(seed)
    supernet = supernet_of(space)
    assert isinstance(supernet, MixtureSupernet)
    return randomise(supernet)
