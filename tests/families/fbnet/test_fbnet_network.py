"""The built networks: how large they are, by hand, and what a skip is."""

import pytest
from torch import nn

from foxnas_core.families import load_shipped
from foxnas_core.families.fbnet.space import (
    CONFIGURATIONS,
    LAYERS,
    SKIP,
    layer_plans,
    network_of,
)
from foxnas_core.measurement.cost import cost_of
from foxnas_core.supernet.building import build_network


def pointwise_and_norm(width, out, groups=1):
    return width * out // groups + 2 * out


def counted(dataset, operation):
    """Parameters of the network of one operation throughout: convolutions, norms, classifier."""
    how = CONFIGURATIONS[dataset]
    total = 27 * 16 + 32 + pointwise_and_norm(352, how.header) + (how.header + 1) * how.classes
    for plan in layer_plans(how):
        if operation == SKIP:
            if plan.stride > 1 or plan.in_channels != plan.out_channels:
                total += pointwise_and_norm(plan.in_channels, plan.out_channels)
            continue
        kernel, expand, *groups = (int(part[1:]) for part in operation.split("_"))
        width, grouped = plan.in_channels * expand, groups[0] if groups else 1
        total += pointwise_and_norm(plan.in_channels, width, grouped)
        total += kernel**2 * width + 2 * width
        total += pointwise_and_norm(width, plan.out_channels, grouped)
    return total


@pytest.mark.parametrize("dataset", CONFIGURATIONS)
@pytest.mark.parametrize("operation", ["k3_e1", "k5_e1_g2", "k3_e6", SKIP])
def test_parameters_are_those_counted_by_hand(dataset, operation):
    space = load_shipped(f"fbnet-{dataset}")
    network = build_network(space, network_of(space, [operation] * LAYERS), seed=0)
    expected = counted(dataset, operation)
    assert sum(p.numel() for p in network.parameters()) == expected
    assert cost_of(network)["parameters"] == expected


def test_a_skip_convolves_only_where_the_shape_changes():
    space = load_shipped("fbnet-cifar100")
    layers = build_network(space, space.sample(1, seed=0)[0], seed=0).layers
    assert list(layers) == list(space.slots)
    skipped = build_network(space, network_of(space, [SKIP] * LAYERS), seed=0).layers
    through = [name for name, layer in skipped.items() if isinstance(layer, nn.Identity)]
    changes = {"layer01", "layer05", "layer09", "layer13", "layer17", "layer21"}
    assert set(through) == set(space.slots) - changes
