"""Fake quantization against the subnet itself and against the int8 model in ONNX Runtime."""

import numpy as np
import pytest
import torch
from conftest import tiny_document
from hypothesis import given
from hypothesis import strategies as st
from volumes import volumetric_space, volumetric_supernet

from foxnas_core.families import space_from_dict
from foxnas_core.families.mbconv.supernet import Supernet
from foxnas_core.supernet.onnx import INPUT, onnx_model, quantized_model, session_of
from foxnas_core.supernet.recalibration import recalibrate
from foxnas_core.training.fake_quantization import FakeQuantized, folded, rounded, rounded_weight


def subnet_of(**stage):
    """A recalibrated random subnet of the tiny space, and 300 images for it."""
    document = tiny_document()
    document["stages"] = [{**s, **stage} for s in document["stages"]]
    torch.manual_seed(0)
    space = space_from_dict(document)
    subnet = Supernet(space).extract(space.extreme("largest"))
    images = torch.randn(300, 1, 12, 12)
    recalibrate(subnet, [images])
    return subnet, images


DESIGNS = [{}, {"activation": "h_swish", "squeeze_excitation": True}]


@pytest.mark.parametrize("design", DESIGNS)
def test_without_rounding_it_is_the_subnet(design):
    subnet, images = subnet_of(**design)
    with torch.no_grad():
        assert torch.allclose(FakeQuantized(subnet).plain(images), subnet(images), atol=1e-4)


def test_volumes_are_rounded_too():
    space = volumetric_space()
    subnet = volumetric_supernet(space).extract(space.sample(1, seed=0)[0])
    volumes = torch.randn(4, *subnet.input_shape)
    recalibrate(subnet, [volumes])
    fake = FakeQuantized(subnet)
    fake.observe(volumes)
    with torch.no_grad():
        logits, plain, found = subnet(volumes), fake.plain(volumes), fake(volumes)
    assert torch.allclose(plain, logits, atol=1e-4)
    assert 0 < (found - logits).abs().max() < 0.1 * logits.abs().max()


@pytest.mark.parametrize("design", DESIGNS)
def test_rounding_gives_nearly_the_int8_models_logits(design):
    subnet, images = subnet_of(**design)
    fake = FakeQuantized(subnet)
    fake.observe(images)
    with torch.no_grad():
        rounded_logits, plain = fake(images).numpy(), subnet(images).numpy()
    model = quantized_model(onnx_model(subnet), images.numpy())
    int8 = session_of(model).run(None, {INPUT: images.numpy()})[0]
    lost, missed = plain - int8, rounded_logits - int8
    # Most of what int8 changes is what fake quantization changes.
    assert np.square(missed).mean() < 0.5 * np.square(lost).mean()
    assert np.corrcoef((rounded_logits - plain).ravel(), (int8 - plain).ravel())[0, 1] > 0.6


def test_every_parameter_gets_a_gradient_and_statistics_stay():
    subnet, images = subnet_of()
    before = subnet.stem[0][1].running_mean.clone()
    fake = FakeQuantized(subnet)
    fake.observe(images)
    fake(images).square().mean().backward()
    # The bias of the last layer alone has a gradient that is never zero; weights may be cut off.
    assert all(p.grad is not None for p in subnet.parameters())
    assert torch.equal(subnet.stem[0][1].running_mean, before)


@given(
    st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=30),
    st.floats(-20, 0, width=32),
    st.floats(0.125, 20, width=32),
)
def test_activations_stand_on_256_levels_that_hold_zero(values, low, high):
    x = torch.tensor(values, requires_grad=True)
    ends = torch.tensor(low), torch.tensor(high)
    out = rounded(x, *ends)
    step = (high - low) / 255
    levels = out.detach().double() / step
    assert torch.allclose(levels, levels.round(), atol=1e-2)
    inside = (x.detach() >= low + step) & (x.detach() <= high - step)
    assert ((out - x).detach().abs()[inside] <= 0.5 * step * 1.01).all()
    assert rounded(torch.zeros(1), *ends).item() == 0
    out.sum().backward()
    assert (x.grad[inside] == 1).all()
    assert (x.grad[(x.detach() < low - step) | (x.detach() > high + step)] == 0).all()


def test_weights_are_symmetric_for_each_channel():
    weight = torch.tensor([[1.0, -0.5, 0.004], [100.0, 3.0, -100.0], [0.0, 0.0, 0.0]])
    out = rounded_weight(weight)
    assert out[0].tolist() == pytest.approx([1, -64 / 127, 1 / 127])
    assert out[1].tolist() == pytest.approx([100, 400 / 127, -100])
    assert out[2].tolist() == [0, 0, 0]


def test_folding_is_convolution_then_norm():
    torch.manual_seed(0)
    layer, norm = torch.nn.Conv2d(2, 3, 3, bias=False), torch.nn.BatchNorm2d(3).eval()
    for tensor in (norm.weight, norm.bias, norm.running_mean):
        torch.nn.init.normal_(tensor)
    norm.running_var.uniform_(0.5, 2)
    x = torch.randn(2, 2, 6, 6)
    weight, bias = folded(layer, norm)
    assert torch.allclose(torch.conv2d(x, weight, bias), norm(layer(x)), atol=1e-5)
