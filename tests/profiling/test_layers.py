import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.families import load_shipped
from foxnas_core.families.mbconv.space import settings_of
from foxnas_core.families.mbconv.subnet import Subnet
from foxnas_core.measurement.cost import cost_of, costs_by_module
from foxnas_core.profiling.layers import layers_of, path_of
from tests.profiling.nets import OwnNet, Plain, adapted, rich_space, subnet

SPACES = {s.name: s for s in map(load_shipped, ("foxnas-mini", "foxnas-mini-cpu"))}
SPACES["rich"] = rich_space()


@given(name=st.sampled_from(list(SPACES)), seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_layers_add_up_to_the_cost_meter_and_lie_in_the_spaces_slots(name: str, seed: int) -> None:
    space = SPACES[name]
    [architecture] = space.sample(1, seed=seed)
    network = Subnet(settings_of(space), architecture).eval()
    layers = layers_of(network, space)
    cost = cost_of(network)
    assert sum(layer.parameters for layer in layers) == cost["parameters"]
    assert sum(layer.macs for layer in layers) == pytest.approx(cost["macs"], rel=1e-12)
    assert len({layer.name for layer in layers}) == len(layers)
    slots = [s for s in space.slots if any(d.name in architecture for d in space.in_slot(s))]
    assert list(dict.fromkeys(layer.block for layer in layers)) == ["stem", *slots, "head"]


@pytest.mark.parametrize("name", ["foxnas-cpu", "ofa-mobilenetv3"])
def test_the_large_spaces_too(name: str) -> None:
    space = load_shipped(name)
    network = Subnet(settings_of(space), space.extreme("smallest")).eval()
    layers, cost = layers_of(network, space), cost_of(network)
    assert sum(layer.parameters for layer in layers) == cost["parameters"]
    assert sum(layer.macs for layer in layers) == pytest.approx(cost["macs"], rel=1e-12)


def test_each_layer_by_hand() -> None:
    """The largest rich subnet at 12 px: stem and first block 4 wide, stages 4 and 8 wide, kernel
    5, expand 2; squeezed to 4."""
    layers = {
        layer.name: layer for layer in layers_of(subnet(SPACES["rich"], "largest"), SPACES["rich"])
    }
    assert list(layers) == [
        "stem convolution", "stem first block depthwise", "stem first block project",
        "stem first block add",
        "s1b1 expand", "s1b1 depthwise", "s1b1 project",
        "s1b2 expand", "s1b2 depthwise", "s1b2 project", "s1b2 add",
        "s2b1 expand", "s2b1 depthwise", "s2b1 squeeze-excitation", "s2b1 project",
        "s2b2 expand", "s2b2 depthwise", "s2b2 squeeze-excitation", "s2b2 project", "s2b2 add",
        "head convolution", "head pooling", "head hidden", "head classifier",
    ]  # fmt: skip
    found = layers["s2b1 depthwise"]
    assert (found.input_shape, found.output_shape) == ((8, 6, 6), (8, 3, 3))
    assert (found.macs, found.parameters) == (25 * 8 * 9, 25 * 8 + 16)
    assert found.kind == "depthwise convolution 5×5, stride 2"
    squeeze = layers["s2b2 squeeze-excitation"]
    assert (squeeze.macs, squeeze.parameters) == (2 * 16 * 4, 2 * 16 * 4 + 20)
    assert layers["s1b2 add"].macs == layers["s1b2 add"].parameters == 0
    assert layers["head hidden"].parameters == 8 * 12 + 12
    assert layers["head classifier"].output_shape == (3,)


def test_a_network_of_ones_own_is_told_by_its_modules_and_the_spaces_slots() -> None:
    network = adapted(OwnNet())
    layers = layers_of(network, SPACES["foxnas-mini"])
    names = [layer.name for layer in layers]
    assert names[:3] == ["stem", "s1b1 conv.0", "s1b1 conv.1"]
    assert {"s1b2 more.0.0", "s1b1 itself", "network itself", "fc 2"} <= set(names)
    assert sum(layer.macs for layer in layers) == cost_of(network)["macs"]
    assert sum(layer.parameters for layer in layers) == cost_of(network)["parameters"]


def test_what_computes_without_modules_is_one_layer() -> None:
    network = adapted(Plain())
    [layer] = layers_of(network, SPACES["foxnas-mini"])
    assert layer.name == "network"
    assert (layer.macs, layer.parameters) == (45 * 100 + 15, 60)


def test_counting_by_module_leaves_no_hooks() -> None:
    network = subnet(SPACES["rich"], "smallest")
    costs_by_module(network)
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_nodes_name_their_modules() -> None:
    modules = dict(adapted(OwnNet()).named_modules())
    assert path_of("/module/s1b1/conv/conv.0/Conv", modules) == "module.blocks.s1b1.conv.0"
    assert path_of("/module/s1b2/more.0/more.0.1/Mul", modules) == "module.blocks.s1b2.more.0.1"
    assert path_of("/module/ReduceMean", modules) == "module"
    assert path_of("/module/elsewhere/Conv", modules) == "module"
    assert path_of("Conv_3", modules) == ""
    twice = torch.nn.ModuleDict(
        {name: torch.nn.ModuleDict({"one": torch.nn.ReLU()}) for name in "ab"}
    )
    assert path_of("/one/Relu", dict(twice.named_modules())) == ""
