"""Elastic widths and splits: settings, one set of weights, and what a block has, by hand."""

import io
from copy import deepcopy

import numpy as np
import onnx
import pytest
import torch
from weights import randomised

from foxnas_core.errors import InvalidInput
from foxnas_core.families import family_of, load_shipped, space_from_dict
from foxnas_core.measurement.cost import cost_of
from foxnas_core.supernet.building import build_network
from foxnas_core.supernet.onnx import INPUT, onnx_model, quantized_model, session_of
from foxnas_core.testing.supernets import check_supernet

STAGE = {
    "widths": [2, 4], "hidden": 4, "stride": 2, "depths": [1, 2], "kernels": [1, 3],
    "expands": [1, 2], "splits": [1, 2], "squeeze_excitation": ["off", "on"],
    "activations": ["relu", "h-swish"],
}  # fmt: skip
DOCUMENT = {
    "format": 1, "family": "fbnetv2", "name": "tiny", "input_channels": 1, "classes": 3,
    "resolutions": [8, 12], "stem_width": 2, "stem_stride": 1, "activation": "h-swish",
    "stages": [STAGE, STAGE | {"splits": [1, 2, 3]}], "head_width": 8, "channel_divisor": 2,
}  # fmt: skip
SPACE = space_from_dict(DOCUMENT)


def test_the_supernet_keeps_the_contract_to_the_last_digit():
    supernet = randomised(SPACE)
    check_supernet(supernet)
    for architecture in SPACE.sample(10, seed=1):
        network = supernet.extract(architecture)
        x = torch.randn(2, *network.input_shape)
        with torch.no_grad():
            assert torch.equal(network(x), supernet(x, architecture))


def test_a_narrower_stage_has_the_first_channels_of_the_widest():
    supernet = randomised(SPACE)
    largest = family_of(SPACE).extremes(SPACE)["largest"]
    narrow = SPACE.architecture(largest.to_dict() | {"s1_width": 2, "s1b2_splits": 1})
    wide, own = supernet.extract(largest), supernet.extract(narrow)
    assert torch.equal(own.widen["s2"][0].weight, wide.widen["s2"][0].weight[:, :2])
    ours, theirs = own.blocks["s1b2"], wide.blocks["s1b2"]
    assert torch.equal(ours.depthwise[0][0].weight, theirs.depthwise[0][0].weight[:4])
    assert len(ours.depthwise) == 1 and len(theirs.depthwise) == 2


def test_parameters_are_those_counted_by_hand():
    """Two channels at s1, in blocks of two splits, the first gated; s2 as small as can be."""
    chosen = family_of(SPACE).extremes(SPACE)["smallest"].to_dict() | {
        "s1_depth": 2, "s1b1_splits": 2, "s1b1_excitation": "on",
        "s1b2_kernel": 3, "s1b2_expand": 1, "s1b2_splits": 2, "s1b2_excitation": "off",
        "s1b2_activation": "relu",
    }  # fmt: skip
    norm, gate = 2, 4 * 2 + 2  # of a channel; of 4 channels by 2 hidden ones
    stem, widened = 9 * 2 + norm * 2, 2 * 4 + norm * 4
    projected = 4 * 2 + norm * 2
    first = 2 * (4 + norm * 4) + gate + 2 * (2 * 4 + 4) + gate + (2 * 4 + 4) + projected
    second = (2 * 2 + norm * 2) + 2 * (9 * 2 + norm * 2) + 6 + 2 * 6 + (2 * 2 + norm * 2)
    last = widened + (4 + norm * 4) + projected
    head = 2 * 8 + norm * 8 + 9 * 3
    network = build_network(SPACE, SPACE.architecture(chosen), seed=0)
    expected = stem + widened + first + second + last + head
    assert cost_of(network)["parameters"] == expected


def test_splits_are_a_model_in_both_precisions_as_torchs_exporter_writes_them():
    largest = family_of(SPACE).extremes(SPACE)["largest"]
    network = build_network(SPACE, largest, seed=0)
    x = torch.randn(4, *network.input_shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network(x).numpy()
    fp32, file = onnx_model(network), io.BytesIO()
    torch.onnx.export(network, (x[:1],), file, opset_version=17, dynamo=False)
    ours, theirs = (
        [n.op_type for n in onnx.load_from_string(model).graph.node if n.op_type != "Constant"]
        for model in (fp32, file.getvalue())
    )
    assert ours == [kind for kind in theirs if kind != "Identity"]
    for model, near in ((fp32, 1e-6), (quantized_model(fp32, x.numpy()), 0.05)):
        found = session_of(model).run(None, {INPUT: x.numpy()})[0]
        assert np.abs(found - expected).max() < near


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"activation": "h_swish"}, "'activation' is 'h_swish'; known: relu, h-swish"),
        ({"stages": []}, "a list of at least one stage"),
        ({"stages": [STAGE | {"splits": [2, 1]}]}, "'splits' must increase"),
        ({"stages": [STAGE | {"splits": [1, 99]}]}, "'splits' must be at most"),
        ({"stages": [STAGE | {"kernels": [2]}]}, "'kernels' must be odd"),
        ({"stages": [STAGE | {"squeeze_excitation": ["on", "off"]}]}, "some of off, on"),
        ({"stages": [STAGE | {"activations": []}]}, "some of relu, h-swish"),
        ({"stages": [STAGE | {"width": 4}]}, "Stage 1 has the unknown field 'width'"),
        ({"stages": ["wide"]}, "Stage 1 of the space must be a JSON object"),
        ({"first_width": 8}, "unknown field 'first_width'"),
    ],
)
def test_a_wrong_field_is_named(change, why):
    with pytest.raises(InvalidInput, match=".") as refused:
        space_from_dict(deepcopy(DOCUMENT) | change)
    assert why in str(refused.value)


def test_the_published_sizes_hold_the_networks_that_were_released():
    """FBNetV2's space is said to have 1e35 members; its networks of 224 and 288 pixels have some
    240 and 750 million MACs."""
    space = load_shipped("fbnetv2-imagenet")
    assert 1e34 < space.size < 1e36
    ends = space.encode(list(family_of(space).extremes(space).values()))
    smallest, largest = family_of(space).totals(space, ends.astype(np.intp), "macs")
    assert smallest < 56e6 and largest > 750e6
