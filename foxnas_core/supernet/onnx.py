"""Subnets as ONNX models, in memory: fp32, and int8 by static quantization."""

import contextlib
import io
import logging
import operator
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from torch import Tensor, fx, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.modules.conv import _ConvNd
from torch.nn.utils.fusion import fuse_conv_bn_eval

from foxnas_core.networks import Network
from foxnas_core.supernet.tracing import traced

INPUT, OUTPUT = "image", "logits"
_OPSET = 17


def onnx_model(subnet: Network) -> bytes:
    """The subnet, in evaluation mode, as an ONNX model with a free batch size.

    The names of nodes begin with those of the modules that they come from.
    """
    if subnet.foreign:
        return _exported(subnet)
    try:
        return onnx_of_parts([subnet], ["batch", *subnet.input_shape])
    except NOT_WRITTEN:
        return _exported(subnet)


def onnx_of_parts(parts: Sequence[nn.Module], shape: Sequence[int | str | None]) -> bytes:
    """Consecutive parts of a subnet as an ONNX model from `INPUT`, of this shape, to `OUTPUT`.

    Node for node what torch's tracing exporter writes, in a tenth of its time: norms folded into
    convolutions, nothing else changed. Raises one of `NOT_WRITTEN` for other kinds of layers.
    """
    graph = _Graph()
    x = INPUT
    for part in parts:
        x = graph.add(part, x)
    return graph.model(x, shape)


def _exported(subnet: Network) -> bytes:
    """Any module, by torch's tracing exporter: the newer one takes twenty times as long for the
    same graph."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            subnet,
            (subnet.example(),),
            buffer,  # type: ignore[arg-type]  # the tracing exporter takes a file object
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "batch"}, OUTPUT: {0: "batch"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    return buffer.getvalue()


_POOLS = (nn.MaxPool2d, nn.MaxPool3d)
_MEANS = (nn.AvgPool2d, nn.AvgPool3d)
_GLOBAL_MEANS = (nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d)
_Pooling = nn.MaxPool2d | nn.MaxPool3d | nn.AvgPool2d | nn.AvgPool3d


class _NotKnown(Exception):
    """An operation that `_Graph` has no node for."""


NOT_WRITTEN = (_NotKnown, fx.proxy.TraceError, onnx.shape_inference.InferenceError)
"""What is raised for what torch's own exporter has to write."""


class _Graph:
    """Nodes and weights as they are added; what adds takes and returns names of tensors."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def add(self, module: nn.Module, x: str) -> str:
        """Everything that the module does to `x`; raises `_NotKnown`."""
        graph = traced(module)
        layers = dict(graph.named_modules())
        names: dict[fx.Node, str] = {}
        for node in graph.graph.nodes:
            if node.op == "output":
                return names[node.args[0]]
            if node.op == "placeholder":
                names[node] = x
            elif node.op == "call_module":
                names[node] = self._module(node, layers, names)
            elif node.op == "get_attr":
                names[node] = self._weight(operator.attrgetter(cast(str, node.target))(graph))
            else:
                names[node] = self._function(node, names)
        raise AssertionError("a graph ends with its output")

    def _module(
        self, node: fx.Node, layers: Mapping[str, nn.Module], names: Mapping[fx.Node, str]
    ) -> str:
        path = cast(str, node.target)
        layer, x = layers[path], names[cast(fx.Node, node.args[0])]
        if isinstance(layer, _ConvNd) and not layer.transposed:
            norm = _only_reader(node, layers)
            fused = fuse_conv_bn_eval(layer, norm) if isinstance(norm, _BatchNorm) else layer
            return self._convolution(path, cast(_ConvNd, fused), x)
        if isinstance(layer, _BatchNorm):
            if isinstance(_only_source(node, layers), _ConvNd):
                return x  # in the convolution's weights
            tensors = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
            weights = [self._weight(cast(Tensor, tensor)) for tensor in tensors]
            return self._node(path, "BatchNormalization", x, *weights, epsilon=layer.eps)
        if isinstance(layer, nn.Linear):
            weights = [self._weight(t) for t in (layer.weight, layer.bias) if t is not None]
            return self._node(path, "Gemm", x, *weights, alpha=1.0, beta=1.0, transB=1)
        if isinstance(layer, nn.ReLU6):
            bounds = [self._weight(torch.tensor(bound)) for bound in (0.0, 6.0)]
            return self._node(path, "Clip", x, *bounds)
        if isinstance(layer, nn.Hardsigmoid):
            return self._node(path, "HardSigmoid", x, alpha=1 / 6)
        if isinstance(layer, nn.Identity):
            return x
        if isinstance(layer, _POOLS) or (isinstance(layer, _MEANS) and not layer.divisor_override):
            return self._pooling(path, layer, x)
        if isinstance(layer, nn.Upsample) and layer.mode == "nearest" and layer.scale_factor:
            return self._upsampling(path, layer, x)
        if isinstance(layer, _GLOBAL_MEANS) and layer.output_size == 1:
            return self._node(path, "GlobalAveragePool", x)
        if isinstance(layer, nn.Flatten) and (layer.start_dim, layer.end_dim) == (1, -1):
            return self._node(path, "Flatten", x, axis=1)
        kind = {nn.ReLU: "Relu", nn.Hardswish: "HardSwish"}.get(type(layer))
        if kind is None:
            raise _NotKnown(type(layer).__name__)
        return self._node(path, kind, x)

    def _function(self, node: fx.Node, names: Mapping[fx.Node, str]) -> str:
        stack = list(node.meta.get("nn_module_stack", {}))
        path, inputs = stack[-1] if stack else "", [names.get(a) for a in node.all_input_nodes]
        kind = _FUNCTIONS.get(node.target)
        if kind and len(node.args) == 2 and all(inputs) and not node.kwargs:
            # Both of one tensor are told once among a node's inputs.
            both = [names[cast(fx.Node, own)] for own in node.args if isinstance(own, fx.Node)]
            if len(both) == 2:
                return self._node(path, kind, *both)
        if node.target == "mean" and len(node.args) == 2:
            axes = [int(axis) for axis in cast(tuple[int, ...], node.args[1])]
            keep = int(bool(node.kwargs.get("keepdim", False)))
            return self._node(path, "ReduceMean", cast(str, inputs[0]), axes=axes, keepdims=keep)
        if node.target is torch.zeros_like and len(node.args) == 1:
            shape = self._node(path, "Shape", cast(str, inputs[0]))
            return self._node(path, "ConstantOfShape", shape)
        if node.target is torch.cat and len(node.args) == 2 and all(inputs):
            tensors, axis = cast(tuple[Sequence[fx.Node], int], node.args)
            return self._node(path, "Concat", *(names[own] for own in tensors), axis=axis)
        if node.target == "index_select" and all(inputs):
            return self._node(
                path, "Gather", *cast(list[str], inputs), axis=cast(int, node.args[1])
            )
        if node.target is torch.cat and len(node.args) == 2 and all(inputs):
            return self._node(
                path, "Concat", *cast(list[str], inputs), axis=cast(int, node.args[1])
            )
        if node.target == "softmax" and len(node.args) == 2:
            return self._node(path, "Softmax", cast(str, inputs[0]), axis=cast(int, node.args[1]))
        if node.target == "narrow" and len(node.args) == 4:
            axis, first, count = cast(tuple[int, int, int], node.args[1:])
            ends = [self._weight(torch.tensor([end])) for end in (first, first + count, axis)]
            return self._node(path, "Slice", cast(str, inputs[0]), *ends)
        raise _NotKnown(str(node.target))

    def model(self, output: str, shape: Sequence[int | str | None]) -> bytes:
        if output == INPUT:  # whatever hands its input on
            output = self._node("", "Identity", INPUT)
        # The last node is the only one to name it, so it can be renamed.
        assert self._nodes[-1].output[0] == output
        self._nodes[-1].output[0] = OUTPUT
        float32 = onnx.TensorProto.FLOAT
        graph = helper.make_graph(
            self._nodes,
            "subnet",
            [helper.make_tensor_value_info(INPUT, float32, shape)],
            [helper.make_tensor_value_info(OUTPUT, float32, None)],
            self._weights,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8
        )
        return onnx.shape_inference.infer_shapes(model, strict_mode=True).SerializeToString()

    def _node(self, path: str, kind: str, *inputs: str, **attributes: Any) -> str:
        tensor = f"{kind}_{len(self._nodes)}"
        name = f"/{path}/{tensor}" if path else tensor
        self._nodes.append(helper.make_node(kind, inputs, [tensor], name, **attributes))
        return tensor

    def _weight(self, tensor: Tensor) -> str:
        name = f"weight_{len(self._weights)}"
        array = np.ascontiguousarray(tensor.detach().numpy())
        self._weights.append(numpy_helper.from_array(array, name))
        return name

    def _pooling(self, path: str, layer: _Pooling, x: str) -> str:
        axes = 2 if isinstance(layer, (nn.AvgPool2d, nn.MaxPool2d)) else 3
        pads = _each(layer.padding, axes)
        attributes: dict[str, Any] = {
            "kernel_shape": _each(layer.kernel_size, axes),
            "pads": [*pads, *pads],
            "strides": _each(layer.stride, axes),
            "ceil_mode": int(layer.ceil_mode),
        }
        if isinstance(layer, _POOLS):
            attributes["dilations"] = _each(layer.dilation, axes)
            return self._node(path, "MaxPool", x, **attributes)
        included = int(layer.count_include_pad)
        return self._node(path, "AveragePool", x, **attributes, count_include_pad=included)

    def _upsampling(self, path: str, layer: nn.Upsample, x: str) -> str:
        factors = layer.scale_factor
        if not isinstance(factors, tuple):
            raise _NotKnown("a factor for any number of axes")
        scales = self._weight(torch.tensor([1.0, 1.0, *factors]))
        return self._node(
            path,
            "Resize",
            x,
            "",
            scales,
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def _convolution(self, path: str, layer: _ConvNd, x: str) -> str:
        if isinstance(layer.padding, str) or layer.padding_mode != "zeros":
            raise _NotKnown(f"padding {layer.padding}, {layer.padding_mode}")
        weights = [self._weight(t) for t in (layer.weight, layer.bias) if t is not None]
        return self._node(
            path,
            "Conv",
            x,
            *weights,
            dilations=list(layer.dilation),
            group=layer.groups,
            kernel_shape=list(layer.kernel_size),
            pads=[*layer.padding, *layer.padding],
            strides=list(layer.stride),
        )


_FUNCTIONS: dict[Any, str] = {operator.add: "Add", operator.mul: "Mul"}


def _each(size: int | tuple[int, ...], axes: int) -> list[int]:
    return [size] * axes if isinstance(size, int) else list(size)


def _only_reader(node: fx.Node, layers: Mapping[str, nn.Module]) -> nn.Module | None:
    """The layer that alone reads a node's output."""
    readers = list(node.users)
    return _layer(readers[0], layers) if len(readers) == 1 else None


def _only_source(node: fx.Node, layers: Mapping[str, nn.Module]) -> nn.Module | None:
    """The layer whose output a node alone reads."""
    source = cast(fx.Node, node.args[0])
    return _layer(source, layers) if len(source.users) == 1 else None


def _layer(node: fx.Node, layers: Mapping[str, nn.Module]) -> nn.Module | None:
    return layers[cast(str, node.target)] if node.op == "call_module" else None


def quantized_model(model: bytes, calibration: np.ndarray) -> bytes:
    """The int8 version: static QDQ, weights per channel, activations unsigned.

    `calibration` holds training cases (N, *input_shape) as networks take them, float32. Unsigned
    activations, since signed ones run several times slower on x86-64.
    """
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        def __init__(self) -> None:
            self.batches: Iterator[np.ndarray] = iter(np.array_split(calibration, 4))

        def get_next(self) -> dict[str, np.ndarray] | None:
            batch = next(self.batches, None)
            return None if batch is None else {INPUT: batch}

    with tempfile.TemporaryDirectory() as folder, _quiet():
        source, prepared, target = (Path(folder) / n for n in ("a.onnx", "b.onnx", "c.onnx"))
        source.write_bytes(model)
        # The model has its shapes; to infer them anew by symbols fails where it resizes.
        resizes = any(node.op_type == "Resize" for node in onnx.load(source).graph.node)
        quant_pre_process(source, prepared, skip_symbolic_shape=resizes)
        quantize_static(
            prepared,
            target,
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return target.read_bytes()


def session_of(model: bytes) -> onnxruntime.InferenceSession:
    """A session on one thread of the CPU that does not spin while it waits."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Processors without VNNI add products of int8 up in 16 bits, which overflow; with this they
    # take a kernel that doesn't. Others are not concerned.
    options.add_session_config_entry("session.x64quantprecision", "1")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence the quantizer's advice, which it logs to the root logger, and what its sessions say
    of constants that it left in the model."""
    onnxruntime.set_default_logger_severity(3)
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
