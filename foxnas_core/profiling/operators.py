"""The operators of an exported network as a graph: what each reads, gives, computes and holds."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from foxnas_core.measurement.cost import costs_by_module
from foxnas_core.networks import Network
from foxnas_core.profiling.layers import path_of, place_of
from foxnas_core.profiling.result import IMAGE, NetworkGraph, Node, Weight
from foxnas_core.space.search_space import SearchSpace

# What is computed of functions alone, in no module.
_OUTSIDE = "network"
_COMPUTING = ("Conv", "ConvTranspose", "Gemm", "MatMul")


def network_graph(
    network: Network, space: SearchSpace, model: bytes, *, weights: str
) -> NetworkGraph:
    """The graph of `model`, which `network` was exported to; `weights` says where they are from.

    Its parameters and MACs add up to `cost.cost_of`. What is computed of weights alone, when a
    model is loaded, is left out.
    """
    graph = onnx.shape_inference.infer_shapes(onnx.load_from_string(model)).graph
    shapes = {
        value.name: tuple(d.dim_value for d in value.type.tensor_type.shape.dim[1:])
        for value in (*graph.input, *graph.value_info, *graph.output)
    }
    constants = {tensor.name: tensor for tensor in graph.initializer}
    images = {value.name for value in graph.input} - set(constants)
    givers = dict.fromkeys(images, IMAGE)
    modules = dict(network.named_modules())
    nodes: list[Node] = []
    paths: list[str] = []
    for number, node in enumerate(graph.node):
        reads = tuple(givers[name] for name in node.input if name in givers)
        if not reads:
            if node.op_type == "Identity" and node.input[0] in constants:
                constants[node.output[0]] = constants[node.input[0]]
            continue
        path = path_of(node.name, modules)
        block, part = place_of(network, path, space)
        held = [constants[name] for name in node.input if name in constants]
        told = Node(
            number, node.op_type, block or _OUTSIDE, part, reads,
            shapes.get(node.output[0], ()), attributes=_attributes(node),
            weights=tuple(found for tensor in held if (found := _weight(tensor)) is not None),
        )  # fmt: skip
        givers |= dict.fromkeys(node.output, len(nodes))
        nodes.append(told)
        paths.append(path)
    costs = _costs(network, nodes, paths)
    return NetworkGraph(
        tuple(replace(node, **costs.get(place, {})) for place, node in enumerate(nodes)),
        tuple(network.input_shape),
        weights,
    )


def _costs(network: Network, nodes: list[Node], paths: list[str]) -> Mapping[int, dict[str, Any]]:
    """Parameters and MACs by node: a module's are those of its node that computes most, and what
    has none, as a norm that was folded, is counted with what comes before it."""
    own: dict[str, list[int]] = {}
    for place, path in enumerate(paths):
        own.setdefault(path, []).append(place)
    found: dict[int, dict[str, Any]] = {}
    host = 0
    for path, cost in costs_by_module(network).items():
        if places := own.get(path):
            host = max(places, key=lambda p: (nodes[p].kind in _COMPUTING, bool(nodes[p].weights)))
        known = found.setdefault(host, {"parameters": 0, "macs": 0.0})
        known["parameters"] += cost.parameters
        known["macs"] += cost.macs
    return found


def _attributes(node: onnx.NodeProto) -> tuple[tuple[str, str], ...]:
    told = []
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        if isinstance(value, int | float | str):
            told.append((attribute.name, f"{value:g}" if isinstance(value, float) else str(value)))
        elif isinstance(value, list):
            told.append((attribute.name, ", ".join(map(str, value))))
    return tuple(told)


def _weight(tensor: onnx.TensorProto) -> Weight | None:
    """None of what holds no fractions, such as a shape, or of a bound, which is no weight."""
    array = numpy_helper.to_array(tensor)
    if array.dtype.kind != "f" or not array.ndim or not array.size:
        return None
    array = array.astype(np.float64)
    return Weight(
        array.shape, float(array.mean()), float(array.std()), float(array.min()),
        float(array.max()), float((array == 0).mean()),
    )  # fmt: skip
