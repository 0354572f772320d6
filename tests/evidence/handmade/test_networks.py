import numpy as np
import pytest
import torch
from torch import nn

from foxnas_core.evidence.handmade.designs import DESIGNS, design_named, plan_of
from foxnas_core.evidence.handmade.networks import HandmadeNetwork
from foxnas_core.families.mbconv.subnet import SqueezeExcitation
from foxnas_core.measurement.cost import cost_of
from foxnas_core.supernet.onnx import INPUT, onnx_model, quantized_model, session_of

# Parameters and MACs at width 1 for 224 pixels and 1,000 classes: parameters as the well-known
# implementations count them (torchvision for both MobileNets, timm for EfficientNet-Lite0).
KNOWN = {
    "mobilenet-v2": (3_504_872, 300_774_272),
    "mobilenet-v3-small": (2_542_856, 56_510_400),
    "efficientnet-lite0": (4_652_008, 385_187_552),
}


def small(name: str, width: float = 0.15, resolution: int = 28) -> HandmadeNetwork:
    kind = {"stem_stride": 1, "input_channels": 1, "classes": 10, "divisor": 4}
    return HandmadeNetwork(
        plan_of(design_named(name), width, resolution=resolution, **kind)
    ).eval()  # fmt: skip


@pytest.mark.parametrize("design", DESIGNS, ids=lambda d: d.name)
def test_unscaled_networks_have_the_published_sizes(design):
    plan = plan_of(
        design, 1, resolution=224, stem_stride=2, input_channels=3, classes=1000, divisor=8
    )
    network = HandmadeNetwork(plan).eval()
    costs = cost_of(network)
    parameters, macs = KNOWN[design.name]
    assert sum(p.numel() for p in network.parameters()) == costs["parameters"] == parameters
    assert costs["macs"] == macs
    # The papers round, and count what they count: 5.5 % apart at most.
    assert costs["parameters"] == pytest.approx(design.parameters, rel=0.032)
    assert costs["macs"] == pytest.approx(design.macs, rel=0.055)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("resolution", [8, 12, 28, 40])
def test_images_of_any_size_become_logits(name, resolution):
    network = small(name, resolution=resolution)
    assert network(torch.zeros(3, 1, resolution, resolution)).shape == (3, 10)


def test_only_mobilenet_v3_squeezes_and_swishes():
    def kinds(name: str) -> set[type]:
        return {type(module) for module in small(name).modules()}

    assert {SqueezeExcitation, nn.Hardswish, nn.ReLU} <= kinds("mobilenet-v3-small")
    for name in ("mobilenet-v2", "efficientnet-lite0"):
        assert nn.ReLU6 in kinds(name)
        assert not {SqueezeExcitation, nn.Hardswish, nn.ReLU} & kinds(name)


@pytest.mark.parametrize("name", KNOWN)
def test_the_models_that_are_measured_compute_what_the_network_does(name):
    torch.manual_seed(0)
    network = small(name)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.normal_(module.running_mean, std=0.1)
    images = np.random.default_rng(0).normal(size=(8, 1, 28, 28)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(images)).numpy()
    model = onnx_model(network)
    found = session_of(model).run(None, {INPUT: images})[0]
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    rounded = session_of(quantized_model(model, images)).run(None, {INPUT: images})[0]
    assert rounded.shape == expected.shape
    assert np.corrcoef(rounded.ravel(), expected.ravel())[0, 1] > 0.9
