import pytest
import torch
from torch import nn
from torch.nn import functional as F

from foxnas_core.families.mbconv.layers import (
    ElasticDepthwise,
    ElasticNorm,
    ElasticPointwise,
    ElasticSqueezeExcitation,
    activation_of,
)
from foxnas_core.families.mbconv.space import squeezed


def test_pointwise_uses_the_first_channels():
    layer = ElasticPointwise(6, 8)
    x = torch.randn(2, 4, 3, 3)
    expected = torch.einsum("oi,nihw->nohw", layer.weight[:5, :4, 0, 0], x)
    assert torch.allclose(layer(x, 5), expected, atol=1e-6)


def test_the_largest_kernel_is_the_weight_itself():
    layer = ElasticDepthwise(4, (3, 5, 7), stride=1)
    assert torch.equal(layer.part(3, 7), layer.weight[:3])


def test_smaller_kernels_start_as_the_centre():
    layer = ElasticDepthwise(4, (3, 5, 7), stride=1)
    assert torch.equal(layer.part(4, 5), layer.weight[:, :, 1:6, 1:6])
    assert torch.equal(layer.part(4, 3), layer.weight[:, :, 2:5, 2:5])


def test_kernel_transforms_chain_from_the_next_larger_kernel():
    layer = ElasticDepthwise(2, (3, 5, 7), stride=1)
    for transform in layer.transforms.values():
        nn.init.normal_(transform)
    five = (layer.transforms["to_5"] @ layer.weight[:, 0, 1:6, 1:6].reshape(2, 25).T).T
    three = (layer.transforms["to_3"] @ five.view(2, 5, 5)[:, 1:4, 1:4].reshape(2, 9).T).T
    assert torch.allclose(layer.part(2, 5), five.view(2, 1, 5, 5), atol=1e-5)
    assert torch.allclose(layer.part(2, 3), three.view(2, 1, 3, 3), atol=1e-5)


def test_kernel_transforms_are_learnt():
    layer = ElasticDepthwise(2, (3, 5), stride=1)
    layer(torch.randn(1, 2, 6, 6), 3).square().sum().backward()
    assert layer.transforms["to_3"].grad is not None
    assert layer.transforms["to_3"].grad.abs().sum() > 0


@pytest.mark.parametrize(("kernel", "stride"), [(3, 1), (5, 2), (7, 2)])
def test_depthwise_keeps_the_size_that_its_stride_asks_for(kernel, stride):
    layer = ElasticDepthwise(4, (3, 5, 7), stride=stride)
    assert layer(torch.randn(1, 4, 9, 9), kernel).shape == (1, 4, -(-9 // stride), -(-9 // stride))


def test_norm_normalises_by_its_first_statistics_in_evaluation_and_by_the_batch_in_training():
    norm = ElasticNorm(6)
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    x = torch.randn(8, 4, 5, 5) * 3 + 1
    expected = (x - norm.running_mean[:4, None, None]) / (
        norm.running_var[:4, None, None] + norm.eps
    ).sqrt()
    assert torch.allclose(norm.eval()(x), expected, atol=1e-5)
    y = norm.train()(x)
    assert torch.allclose(y.mean((0, 2, 3)), torch.zeros(4), atol=1e-5)


def test_excitation_gates_by_the_first_channels():
    layer = ElasticSqueezeExcitation(16, divisor=4)
    x = torch.randn(2, 8, 3, 3)
    hidden = squeezed(8, 4)
    pooled = x.mean((2, 3))
    h = F.relu(pooled @ layer.reduce.weight[:hidden, :8, 0, 0].T + layer.reduce.bias[:hidden])
    gate = F.hardsigmoid(h @ layer.expand.weight[:8, :hidden, 0, 0].T + layer.expand.bias[:8])
    assert torch.allclose(layer(x), x * gate[:, :, None, None], atol=1e-6)


@pytest.mark.parametrize("name", ["relu", "relu6", "h_swish"])
def test_activations_by_their_formula(name):
    x = torch.linspace(-8, 8, 33)
    expected = {
        "relu": x.clamp(min=0),
        "relu6": x.clamp(0, 6),
        "h_swish": x * (x + 3).clamp(0, 6) / 6,
    }[name]
    assert torch.allclose(activation_of(name)(x), expected, atol=1e-6)
