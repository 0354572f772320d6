import numpy as np
import onnx
import torch

from foxnas_core.supernet.extraction import extract
from foxnas_core.supernet.onnx import INPUT, onnx_model, quantized_model, session_of


def images(subnet, count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    size = subnet.resolution
    return torch.randn(count, subnet.input_channels, size, size, generator=generator)


def test_the_model_equals_the_subnet_at_any_batch_size(tiny_supernet):
    for architecture in tiny_supernet.space.sample(2, seed=0):
        subnet = extract(tiny_supernet, architecture)
        session = session_of(onnx_model(subnet))
        for count in (1, 7):
            x = images(subnet, count)
            with torch.no_grad():
                expected = subnet(x).numpy()
            assert np.abs(session.run(None, {INPUT: x.numpy()})[0] - expected).max() < 1e-4


def test_quantized_convolutions_are_int8_per_channel_and_near_the_original(tiny_supernet):
    subnet = extract(tiny_supernet, tiny_supernet.space.extreme("largest"))
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
    subnet = extract(tiny_supernet, tiny_supernet.space.extreme("smallest"))
    options = session_of(onnx_model(subnet)).get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
