import io

import numpy as np
import onnx
import pytest
import torch
from volumes import DEEP, volumetric_space, volumetric_supernet

from foxnas_core.families import family_of, load_shipped, space_from_dict
from foxnas_core.families.mbconv.supernet import Supernet
from foxnas_core.networks import Network
from foxnas_core.supernet.building import BlockNetwork, build_network
from foxnas_core.supernet.onnx import (
    INPUT,
    onnx_model,
    onnx_of_parts,
    quantized_model,
    session_of,
)
from foxnas_core.supernet.recalibration import recalibrate


def images(subnet, count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(count, *subnet.input_shape, generator=generator)


def test_the_model_equals_the_subnet_at_any_batch_size(tiny_supernet):
    for architecture in tiny_supernet.space.sample(2, seed=0):
        subnet = tiny_supernet.extract(architecture)
        session = session_of(onnx_model(subnet))
        for count in (1, 7):
            x = images(subnet, count)
            with torch.no_grad():
                expected = subnet(x).numpy()
            assert np.abs(session.run(None, {INPUT: x.numpy()})[0] - expected).max() < 1e-4


def subnet_of(name: str) -> Network:
    if family_of(space := load_shipped(name)).network:
        return build_network(space, space.sample(1, seed=3)[0], seed=0)
    torch.manual_seed(0)
    return Supernet(space).eval().extract(space.sample(1, seed=3)[0])


@pytest.mark.parametrize("space", ["foxnas-mini-cpu", "foxnas-cpu", "fbnet-cifar100"])
def test_the_model_is_what_torchs_exporter_writes(space):
    """Node for node and digit for digit, so that it takes as long; the exporter is slow."""
    subnet = subnet_of(space)
    file = io.BytesIO()
    torch.onnx.export(
        subnet, (images(subnet, 1),), file, input_names=[INPUT], output_names=["logits"],
        dynamic_axes={INPUT: {0: "batch"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    models = [onnx.load_from_string(m) for m in (file.getvalue(), onnx_model(subnet))]
    theirs, ours = (
        [n.op_type for n in model.graph.node if n.op_type not in ("Identity", "Constant")]
        for model in models
    )
    assert ours == theirs
    x = images(subnet, 2).numpy()
    runs = [session_of(m.SerializeToString()).run(None, {INPUT: x})[0] for m in models]
    assert np.array_equal(*runs)
    onnx.checker.check_model(models[1], full_check=True)


def test_volumes_are_models_in_both_precisions():
    """Without torch's exporter: operators of rank 5, poolings, doublings and what joins them."""
    space = volumetric_space(**DEEP)
    [architecture] = space.sample(1, seed=0)
    network = volumetric_supernet(space).extract(architecture)
    x = images(network, 4)
    recalibrate(network, [x])
    with torch.no_grad():
        expected = network(x).numpy()
    fp32 = onnx_of_parts([network], ["batch", *network.input_shape])
    for model, near in ((fp32, 1e-5), (quantized_model(fp32, x.numpy()), 0.1)):
        found = session_of(model).run(None, {INPUT: x.numpy()})[0]
        assert np.sqrt(np.square(found - expected).mean()) < near * expected.std()


CELLS = [
    "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|",
    "|none~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|none~0|nor_conv_3x3~1|none~2|",  # hands nothing on
]


@pytest.mark.parametrize("cell", CELLS)
def test_cells_are_models_in_both_precisions(cell):
    space = space_from_dict({
        "format": 1, "name": "cells", "family": "nasbench201", "channels": 4, "cells": 1,
        "resolution": 14,  # halved to 7, and that to 4
    })  # fmt: skip
    network = build_network(space, family_of(space).read(space, cell), seed=0)
    x = images(network, 3)
    with torch.no_grad():
        expected = network(x).numpy()
    fp32 = onnx_model(network)
    for model, near in ((fp32, 1e-5), (quantized_model(fp32, x.numpy()), 0.05)):
        found = session_of(model).run(None, {INPUT: x.numpy()})[0]
        assert np.abs(found - expected).max() < near


def test_a_block_that_hands_its_input_on_is_a_model_in_both_precisions():
    block = BlockNetwork(torch.nn.Identity(), (2, 3, 3))
    x = images(block, 1).numpy()
    fp32 = onnx_model(block)
    for model in (fp32, quantized_model(fp32, x)):
        assert np.array_equal(session_of(model).run(None, {INPUT: x})[0], x)


def test_quantized_convolutions_are_int8_per_channel_and_near_the_original(tiny_supernet):
    subnet = tiny_supernet.extract(tiny_supernet.space.extreme("largest"))
    model = onnx_model(subnet)
    x = images(subnet, 64).numpy()
    quantized = quantized_model(model, x)
    kinds = [node.op_type for node in onnx.load_from_string(quantized).graph.node]
    assert kinds.count("QuantizeLinear") >= kinds.count("Conv") > 0
    expected = session_of(model).run(None, {INPUT: x})[0]
    logits = session_of(quantized).run(None, {INPUT: x})[0]
    assert logits.shape == expected.shape
    assert expected.std(axis=0).min() > 0.05
    # Random weights quantize poorly; unrelated logits would correlate by about 0.1.
    for own, original in zip(logits.T, expected.T, strict=True):
        assert np.corrcoef(own, original)[0, 1] > 0.6


def test_a_session_has_one_thread(tiny_supernet):
    subnet = tiny_supernet.extract(tiny_supernet.space.extreme("smallest"))
    options = session_of(onnx_model(subnet)).get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_nodes_are_named_by_the_modules_that_they_come_from(tiny_supernet):
    subnet = tiny_supernet.extract(tiny_supernet.space.extreme("largest"))
    names = [node.name for node in onnx.load_from_string(onnx_model(subnet)).graph.node]
    assert len(set(names)) == len(names)
    modules = dict(subnet.named_modules())
    for name in names:
        start, module, _ = name.split("/")
        assert start == "" and module in modules
    assert names[0] == "/stem.0.0/Conv_0" and names[-1].startswith("/head.classifier/Gemm_")
    assert any(name.startswith("/blocks.s1b2/Add_") for name in names)
