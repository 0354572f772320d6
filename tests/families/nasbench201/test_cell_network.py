"""The network around a cell: sizes as NAS-Bench-201 publishes them, and edges that are none."""

import pytest
import torch

from foxnas_core.families import architecture_from_text, family_of, space_from_dict
from foxnas_core.measurement.cost import cost_of
from foxnas_core.supernet.building import build_network
from foxnas_core.testing.families import check_counted

DOCUMENT = {"format": 1, "family": "nasbench201", "name": "cells"}


def network(cell, **settings):
    space = space_from_dict(DOCUMENT | settings)
    return build_network(space, architecture_from_text(space, cell), seed=0)


def cell(*operations):
    first, *rest = operations
    return f"|{first}~0|+|{rest[0]}~0|{rest[1]}~1|+|{rest[2]}~0|{rest[3]}~1|{rest[4]}~2|"


# Parameters and MACs in millions as NAS-Bench-201 gives them for CIFAR-10.
PUBLISHED = {
    cell(*["nor_conv_3x3"] * 6): (1.531546, 220.11968),
    cell(*["skip_connect"] * 6): (0.073306, 7.78304),
    cell(*["avg_pool_3x3"] * 6): (0.073306, 7.78304),
}


@pytest.mark.parametrize("text", PUBLISHED)
def test_sizes_are_the_published_ones(text):
    found = cost_of(network(text))
    assert (found["parameters"] / 1e6, found["macs"] / 1e6) == pytest.approx(PUBLISHED[text])


def test_a_cell_that_brings_nothing_gives_one_answer_to_every_image():
    nothing = network(cell(*["none"] * 6), cells=1)
    images = torch.randn(3, *nothing.input_shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        answers = nothing(images)
    assert torch.isfinite(answers).all() and (answers - answers[0]).abs().max() == 0


def test_a_node_that_nothing_reaches_hands_nothing_on():
    # Node 1 gets nothing, so its convolution to the output computes nothing.
    one = network(cell("none", "none", "none", "skip_connect", "nor_conv_3x3", "none"), cells=1)
    other = network(cell("none", "none", "none", "skip_connect", "none", "none"), cells=1)
    other.load_state_dict(one.state_dict(), strict=False)
    image = torch.randn(1, *one.input_shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        assert torch.equal(one(image), other(image))


@pytest.mark.parametrize(
    "operations",
    [
        ["none"] * 6,
        # Node 1 is not reached, node 2 is, and what is computed there goes nowhere.
        ["none", "nor_conv_1x1", "nor_conv_3x3", "none", "nor_conv_3x3", "none"],
        # Node 2 is reached by way of node 1 alone.
        ["skip_connect", "none", "nor_conv_3x3", "none", "none", "nor_conv_1x1"],
        # Neither is.
        ["none", "none", "nor_conv_3x3", "avg_pool_3x3", "nor_conv_3x3", "nor_conv_3x3"],
    ],
)
def test_what_nothing_reaches_is_not_counted(operations):
    space = space_from_dict(DOCUMENT | {"channels": 4, "cells": 2, "resolution": 8, "classes": 3})
    check_counted(family_of(space), space, architecture_from_text(space, cell(*operations)))


def test_settings_shape_the_network_and_leave_the_published_space_as_it_was():
    small = network(cell(*["skip_connect"] * 6), channels=4, cells=1, classes=7,
                    input_channels=1, resolution=16)  # fmt: skip
    assert small.input_shape == (1, 16, 16)
    with torch.no_grad():
        assert small(small.example(2)).shape == (2, 7)
    told = space_from_dict(DOCUMENT | {"classes": 10, "resolution": 32})
    assert told.fingerprint == space_from_dict(DOCUMENT).fingerprint
    assert space_from_dict(DOCUMENT | {"resolution": 16}).fingerprint != told.fingerprint
