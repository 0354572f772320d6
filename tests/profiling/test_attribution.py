"""Who computes what, on graphs small enough to see, and on those that ONNX Runtime makes."""

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from foxnas_core.profiling.attribution import (
    attribute,
    mark_of,
    marked,
    node_origins,
)
from foxnas_core.supernet.onnx import INPUT, onnx_model, quantized_model, session_of
from tests.profiling.nets import rich_space, subnet

FLOAT = onnx.TensorProto.FLOAT


def graph(*nodes: tuple[str, str, str]) -> onnx.ModelProto:
    """A model of nodes (kind, what it reads, what it gives) from "x", with a weight "w"."""
    made = [helper.make_node(kind, reads.split(), [gives], gives) for kind, reads, gives in nodes]
    ends = [helper.make_tensor_value_info(n, FLOAT, [1, 2, 3, 3]) for n in ("x", nodes[-1][2])]
    weight = numpy_helper.from_array(np.ones((2, 2, 1, 1), "f4"), "w")
    return helper.make_model(
        helper.make_graph(made, "g", ends[:1], ends[1:], [weight]),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
    )  # fmt: skip


CHAIN = graph(
    ("Conv", "x w", "one"), ("Relu", "one", "two"), ("Conv", "two w", "three"),
    ("Add", "two three", "four"),
)  # fmt: skip
CHAIN_LAYERS = ("a", "a", "b", "c")


@pytest.mark.parametrize(
    ("left", "groups"),
    [
        ({0, 1, 2, 3}, (("a",), ("b",), ("c",))),
        ({0, 2, 3}, (("a",), ("b",), ("c",))),  # the activation is its own layer's
        ({1, 2, 3}, (("a",), ("b",), ("c",))),
        ({1, 2}, (("a",), ("b", "c"))),  # added to what nobody else reads
        ({1, 3}, (("a",), ("b", "c"))),  # a convolution lives on in what follows it
    ],
)
def test_layers_that_share_an_operator_share_a_group(left, groups) -> None:
    found = attribute(CHAIN, CHAIN_LAYERS, "abc", left)
    assert found.groups == groups
    for mark in left:
        number = found.group_of(mark)
        assert number is not None and CHAIN_LAYERS[mark] in groups[number]
    assert found.group_of(None) is None


def test_a_layer_without_nodes_was_folded_into_the_one_before() -> None:
    found = attribute(CHAIN, CHAIN_LAYERS, ["a", "norm", "b", "c"], {0, 1, 2, 3})
    assert found.groups == (("a", "norm"), ("b",), ("c",))


def test_quantizing_belongs_to_whom_it_quantizes_and_new_results_to_the_next() -> None:
    quantized = graph(
        ("QuantizeLinear", "x s", "xq"), ("DequantizeLinear", "xq s", "xd"),
        ("Conv", "xd w", "one"), ("QuantizeLinear", "one s", "oneq"),
        ("DequantizeLinear", "oneq s", "oned"), ("Sigmoid", "oned", "new"),
        ("QuantizeLinear", "new s", "newq"), ("DequantizeLinear", "newq s", "newd"),
        ("Mul", "oned newd", "two"), ("Conv", "two w", "inner"),
        ("QuantizeLinear", "inner s", "innerq"), ("DequantizeLinear", "innerq s", "three"),
    )  # fmt: skip
    assert node_origins(quantized, CHAIN) == (None, None, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2)
    assert node_origins(CHAIN, CHAIN) == (0, 1, 2, 3)


def test_marks_tell_nodes_by_name_or_by_what_they_give() -> None:
    assert mark_of("Conv", "#12#_nchwc", []) == 12
    assert mark_of("Gelu", "Gelu_token_3", ["#7#"]) == 7
    assert mark_of("ReorderOutput", "ReorderOutput", ["#7#"]) is None
    assert mark_of("Transpose", "#4#", []) == 4
    assert mark_of("Conv", "conv", ["reorder"]) is None


def test_a_marked_model_computes_the_same() -> None:
    network = subnet(rich_space(), "largest")
    model = onnx.load_from_string(onnx_model(network))
    x = np.random.default_rng(0).standard_normal((1, 1, 12, 12)).astype("f4")
    ran = [
        session_of(m.SerializeToString()).run(None, {INPUT: x})[0] for m in (model, marked(model))
    ]
    assert np.array_equal(*ran)
    assert [n.name for n in marked(model).graph.node] == [
        f"#{i}#" for i in range(len(model.graph.node))
    ]


def test_tensors_that_a_branch_may_read_keep_their_names() -> None:
    branch = helper.make_graph(
        [helper.make_node("Identity", ["one"], ["out"])], "b", [],
        [helper.make_tensor_value_info("out", FLOAT, None)],
    )  # fmt: skip
    model = graph(("Relu", "x", "one"), ("Relu", "one", "two"))
    model.graph.node.append(helper.make_node("If", ["c"], ["y"], then_branch=branch))
    assert [n.output[0] for n in marked(model).graph.node] == ["one", "two", "y"]
    assert [n.name for n in marked(model).graph.node] == ["#0#", "#1#", "#2#"]


def test_every_node_of_an_int8_model_has_its_origin() -> None:
    """Only what quantizes the image has none, and what multiplies does so for one that did."""
    network = subnet(rich_space(), "largest")
    fp32 = onnx_model(network)
    images = np.random.default_rng(0).standard_normal((8, 1, 12, 12)).astype("f4")
    quantized = onnx.load_from_string(quantized_model(fp32, images))
    source = onnx.load_from_string(fp32)
    origins = node_origins(quantized, source)
    weights = {tensor.name for tensor in quantized.graph.initializer}
    nodes = list(zip(quantized.graph.node, origins, strict=True))
    without = [n.op_type for n, origin in nodes if origin is None and n.input[0] not in weights]
    assert without == ["QuantizeLinear", "DequantizeLinear"]
    names = [node.name.split("/")[1].rpartition(".")[0] for node in source.graph.node]
    multiply = ("Conv", "Gemm")
    mine = [names[origin] for n, origin in nodes if n.op_type in multiply and origin is not None]
    assert mine == [
        name
        for node, name in zip(source.graph.node, names, strict=True)
        if node.op_type in multiply
    ]
