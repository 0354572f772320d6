"""Networks for volumes: their sizes by hand, their supernet, and how far they see."""

import numpy as np
import pytest
import torch
from torch import nn
from volumes import DEEP, volumetric_space, volumetric_supernet

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of, load_shipped
from foxnas_core.families.volumetric.reach import reach_of
from foxnas_core.families.volumetric.space import uniform
from foxnas_core.measurement.cost import cost_of
from foxnas_core.supernet.building import build_network
from foxnas_core.testing.supernets import check_supernet

SPACES = [volumetric_space(), volumetric_space(**DEEP)]


@pytest.mark.parametrize("space", SPACES)
def test_a_mixture_keeps_the_contract_of_supernets(space):
    check_supernet(volumetric_supernet(space))


@torch.no_grad()
def test_a_cell_is_the_weighted_sum_of_inputs_and_operations():
    """y = Σ softmax(α)(x + op(x)), by each operation alone."""
    supernet = volumetric_supernet(SPACES[0])
    cell, weights = supernet.cells["cell2"], supernet.weights()["cell2"]
    x = torch.randn(2, 4, 6, 4, 2)
    operations = cell.edges["cell2"].values()
    each = [w * (x + own.layers(x)) for w, own in zip(weights, operations, strict=True)]
    assert torch.allclose(cell.mixed(x, supernet.weights()), sum(each), atol=1e-6)


def test_a_picture_has_skip_connections_where_the_decoder_reads_the_encoder():
    shallow, deep = (family_of(space).layout(space) for space in SPACES)
    assert [row.skip for row in shallow.rows] == [True, False]
    # A stem that halves leaves nothing of the image's own size, and the deepest is handed down.
    assert [row.skip for row in deep.rows] == [False, True, True, False]


# The cells of `SMALL`: channels, and voxels that they see.
CELLS = [(3, 6 * 8 * 4), (4, 6 * 4 * 2), (3, 6 * 8 * 4)]


def by_hand(taps):
    """Parameters and MACs of `SMALL` with cells whose two convolutions have so many taps."""
    parameters = sum(w * w * sum(taps) + 4 * w for w, _ in CELLS)
    macs = sum(w * w * sum(taps) * voxels for w, voxels in CELLS)
    fine, coarse = CELLS[0][1], CELLS[1][1]
    # Stem; the halving and what undoes it; two poolings of one channel; masks of two classes.
    parameters += 9 * 3 + 6 + (3 * 4 + 8) + (4 * 3 + 6) + 2 * (3 + 1) + (5 + 1) * 2
    macs += 27 * fine + 2 * 12 * coarse + 3 * (fine // 4 + fine // 16) + 5 * 2 * fine
    return {"parameters": parameters, "macs": macs}


@pytest.mark.parametrize(("choice", "taps"), [("2D", (9, 1)), ("P3D", (9, 3)), ("3D", (27, 1))])
def test_sizes_by_hand(choice, taps):
    space = SPACES[0]
    assert cost_of(build_network(space, uniform(space, choice), seed=0)) == by_hand(taps)


def test_published_sizes():
    """3, 4, 6 and 3 cells of the encoder and 5 of the decoder; deep cells have 2.8 times the
    weights of flat ones."""
    space, groups = (
        load_shipped("vnas"),
        ("encoder1", "encoder2", "encoder3", "encoder4", "decoder"),
    )
    assert [len(space.in_group(group)) for group in groups] == [3, 4, 6, 3, 5]
    flat, deep = (family_of(space).landmarks(space)[n] for n in ("2D everywhere", "3D everywhere"))
    [one, other] = family_of(space).totals(space, space.encode([flat, deep]), "parameters")
    squares = 3 * 64**2 + 4 * 128**2 + 6 * 256**2 + 3 * 512**2  # the encoder's channels
    squares += 256**2 + 128**2 + 64**2 + 64**2 + 64**2
    assert other - one == 18 * squares


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("choice", ["2D", "P3D", "3D", "mixed"])
def test_reach_is_where_the_gradient_goes(space, choice):
    [drawn] = space.sample(1, seed=1)
    architecture = drawn if choice == "mixed" else uniform(space, choice)
    network = build_network(space, architecture, seed=0)
    # All that is read counts: nothing is cut off by a ReLU, or is less than the greatest.
    for name, parameter in network.named_parameters():
        parameter.data.abs_() if parameter.ndim > 1 else parameter.data.fill_("weight" in name)
    for parent in list(network.modules()):
        for name, pool in parent.named_children():
            if isinstance(pool, nn.MaxPool3d):
                setattr(parent, name, nn.AvgPool3d(pool.kernel_size, pool.stride))
    found, x = reach_of(space, architecture), torch.rand(1, *network.input_shape) + 1
    x.requires_grad_()
    outputs = network(x)
    for place in range(x.shape[2]):
        [gradient] = torch.autograd.grad(outputs[:, :, place].sum(), x, retain_graph=True)
        [seen] = np.nonzero(gradient.abs().sum((0, 1, 3, 4)).numpy())
        assert (seen.min(), seen.max()) == (found.first[place], found.last[place])
    if choice == "2D" and space is SPACES[0]:
        assert found.most == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"input_shape": [6, 9, 4]}, "9 rows, which can't be divided by 2"),
        ({"input_shape": [6, 8]}, "has 2 numbers"),
        ({"input_shape": [1, 8, 4], "deep_halvings": 1}, "1 slices, which can't be divided by 2"),
        ({"widths": [3]}, "'widths' of 1"),
        ({"decoder": 0}, "'decoder' of space 'small' must be a whole number from 1"),
        ({"deep_halvings": 2}, "it halves only 1 times"),
        ({"cells": [1, "2"]}, "'cells' of space 'small' must be a list"),
        ({"cells": 3}, "'cells' of space 'small' must be a list"),
        ({"pools": [3]}, "can't be divided by 3"),
    ],
)
def test_a_wrong_size_is_told(wrong, said):
    with pytest.raises(InvalidInput, match=said):
        volumetric_space(**wrong)
