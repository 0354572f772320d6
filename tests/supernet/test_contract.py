"""Supernets, ours and of one's own code, keep their contract."""

import pytest
import torch
from conftest import tiny_document
from weights import randomised

from foxnas_core.families import space_from_dict
from foxnas_core.supernet.adapter import AdaptedSupernet
from foxnas_core.testing.supernets import check_extracted, check_supernet


def test_the_familys_own_keeps_it(tiny_space):
    check_supernet(randomised(tiny_space))


def test_one_with_squeeze_and_excitation_keeps_it():
    document = tiny_document(channel_divisor=4)
    for stage in document["stages"]:
        stage |= {"squeeze_excitation": True, "activation": "h_swish"}
    check_supernet(randomised(space_from_dict(document)))


class Own(torch.nn.Module):
    """Somebody's own, which is set to an architecture."""

    input_shape = (1, 12, 12)

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(144, 3) for _ in range(2))
        self.depth = 2

    def set_active(self, choices):
        self.depth = choices["depth"]

    def forward(self, x):
        flat = x.flatten(1)[:, :144]
        return sum(layer(flat) for layer in self.layers[: self.depth])


LISTED = {
    "format": 1, "family": "listed", "name": "own",
    "decisions": [{"name": "depth", "group": "g", "role": "depth", "choices": [1, 2]}],
}  # fmt: skip


def test_one_of_ones_own_keeps_it():
    space = space_from_dict(LISTED)
    check_supernet(AdaptedSupernet(Own(), space, input_shape=(1, 12, 12)), count=2)


def test_the_suite_finds_a_subnet_that_computes_another_thing(tiny_space):
    supernet = randomised(tiny_space)
    cut = supernet.extract

    def wrong(architecture):
        subnet = cut(architecture)
        torch.nn.init.ones_(subnet.head.classifier.weight)
        return subnet

    supernet.extract = wrong
    with pytest.raises(AssertionError, match="computes another thing"):
        check_extracted(supernet, tiny_space.extreme("largest"))
