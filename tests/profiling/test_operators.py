"""The graph of an exported network: it is whole, its numbers add up, and it is a graph."""

import pytest

from foxnas_core.families import family_of, load_shipped
from foxnas_core.measurement.cost import cost_of
from foxnas_core.profiling.operators import network_graph
from foxnas_core.profiling.result import IMAGE
from foxnas_core.supernet.building import build_network
from foxnas_core.supernet.onnx import onnx_model
from tests.profiling.nets import OwnNet, Plain, adapted, rich_space, subnet


def graph_of(network, space):
    return network_graph(network, space, onnx_model(network), weights="random")


@pytest.mark.parametrize("name", ["foxnas-mini-cpu", "nasbench201", "fbnet-cifar100"])
@pytest.mark.parametrize("seed", [0, 1])
def test_parameters_and_macs_add_up_to_those_that_the_family_counts(name, seed):
    space = load_shipped(name)
    [architecture] = space.sample(1, seed=seed)
    network = build_network(space, architecture, seed=0)
    graph = graph_of(network, space)
    costs = cost_of(network)
    assert sum(node.parameters for node in graph.nodes) == costs["parameters"]
    assert sum(node.macs for node in graph.nodes) == costs["macs"]
    for column, told in (("parameters", "parameters"), ("macs", "macs")):
        lookups = family_of(space).counts(space, column)
        if lookups:
            counted = sum(float(own.columns(space.encode([architecture])).sum()) for own in lookups)
            assert sum(getattr(node, told) for node in graph.nodes) == counted


@pytest.mark.parametrize("name", ["nasbench201", "fbnet-cifar100"])
def test_every_node_reads_what_comes_before_and_has_a_shape_and_a_name(name):
    space = load_shipped(name)
    graph = graph_of(build_network(space, space.sample(1, seed=3)[0], seed=0), space)
    assert len(set(graph.names)) == len(graph.nodes)
    for place, node in enumerate(graph.nodes):
        assert node.reads and all(IMAGE <= source < place for source in node.reads)
        assert node.output_shape and all(node.output_shape)
    assert graph.nodes[0].reads == (IMAGE,)


def test_attributes_and_weights_are_told():
    space = rich_space()
    graph = graph_of(subnet(space, "largest"), space)
    depthwise = next(n for n in graph.nodes if n.block == "s2b1" and n.part == "depthwise")
    told = dict(depthwise.attributes)
    side = int(told["kernel_shape"].split(", ")[0])
    weight = depthwise.weights[0]
    assert weight.shape == (int(told["group"]), 1, side, side)
    assert weight.least <= weight.mean <= weight.greatest and 0 <= weight.zeros <= 1
    assert {"squeeze-excitation", "add"} <= {n.part for n in graph.nodes if n.block == "s2b2"}


@pytest.mark.parametrize("module", [OwnNet, Plain])
def test_networks_of_ones_own_code_are_told_too(module):
    network = adapted(module())
    graph = graph_of(network, rich_space())
    assert sum(node.parameters for node in graph.nodes) == cost_of(network)["parameters"]
    assert sum(node.macs for node in graph.nodes) == cost_of(network)["macs"]
    assert all(node.block for node in graph.nodes)
