"""Subnets as ONNX models, in memory: fp32, and int8 by static quantization."""

import contextlib
import io
import logging
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
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from foxnas_core.supernet.subnet import (
    FirstBlock,
    Head,
    MBConvBlock,
    Network,
    SqueezeExcitation,
    Subnet,
)

INPUT, OUTPUT = "image", "logits"
_OPSET = 17


def onnx_model(subnet: Network) -> bytes:
    """The subnet, in evaluation mode, as an ONNX model with a free batch size.

    The names of nodes begin with those of the modules that they come from.
    """
    if not isinstance(subnet, Subnet):
        return _exported(subnet)
    size = subnet.resolution
    names = {module: name for name, module in subnet.named_modules()}
    return onnx_of_parts(subnet.parts(), ["batch", subnet.input_channels, size, size], names)


def onnx_of_parts(
    parts: Sequence[nn.Module],
    shape: Sequence[int | str | None],
    names: Mapping[nn.Module, str] | None = None,
) -> bytes:
    """Consecutive parts of a subnet as an ONNX model from `INPUT`, of this shape, to `OUTPUT`.

    Node for node what torch's tracing exporter writes, in a twentieth of its time: norms folded
    into convolutions, nothing else changed.
    """
    graph = _Graph(names or {})
    x = INPUT
    for part in parts:
        x = graph.add_part(part, x)
    return graph.model(x, shape)


def _exported(subnet: Network) -> bytes:
    """Any module, by torch's tracing exporter: the newer one takes twenty times as long for the
    same graph."""
    example = torch.zeros(1, subnet.input_channels, subnet.resolution, subnet.resolution)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            subnet,
            (example,),
            buffer,  # type: ignore[arg-type]  # the tracing exporter takes a file object
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "batch"}, OUTPUT: {0: "batch"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    return buffer.getvalue()


class _Graph:
    """Nodes and weights as they are added; every `add_…` takes and returns names of tensors."""

    def __init__(self, names: Mapping[nn.Module, str]) -> None:
        self._names = names
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def add_part(self, part: nn.Module, x: str) -> str:
        if isinstance(part, MBConvBlock):
            y = self._convolution(part.expand, x)
            y = self._convolution(part.depthwise, y)
            if isinstance(part.excitation, SqueezeExcitation):
                y = self._excitation(part.excitation, y)
            y = self._convolution(part.project, y)
            return self._node(part, "Add", x, y) if part.residual else y
        if isinstance(part, FirstBlock):
            y = self._convolution(part.project, self._convolution(part.depthwise, x))
            return self._node(part, "Add", x, y) if part.residual else y
        if isinstance(part, Head):
            x = self._convolution(part.convolution, x)
            x = self._node(part, "ReduceMean", x, axes=[2, 3], keepdims=0)
            if isinstance(part.hidden, nn.Sequential):
                x = self._linear(cast(nn.Linear, part.hidden[0]), x)
                x = self._activation(part.hidden[1], x)
            return self._linear(part.classifier, x)
        if isinstance(part, nn.Sequential) and isinstance(part[0], nn.Conv2d):
            return self._convolution(part, x)
        assert isinstance(part, nn.Sequential)
        for own in part:
            x = self.add_part(own, x)
        return x

    def model(self, output: str, shape: Sequence[int | str | None]) -> bytes:
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
        return onnx.shape_inference.infer_shapes(model).SerializeToString()

    def _node(self, module: nn.Module, kind: str, *inputs: str, **attributes: Any) -> str:
        tensor = f"{kind}_{len(self._nodes)}"
        within = self._names.get(module)
        name = f"/{within}/{tensor}" if within else tensor
        self._nodes.append(helper.make_node(kind, inputs, [tensor], name, **attributes))
        return tensor

    def _weight(self, tensor: torch.Tensor) -> str:
        name = f"weight_{len(self._weights)}"
        array = np.ascontiguousarray(tensor.detach().numpy())
        self._weights.append(numpy_helper.from_array(array, name))
        return name

    def _convolution(self, layers: nn.Sequential, x: str) -> str:
        convolution, norm = cast(nn.Conv2d, layers[0]), cast(nn.BatchNorm2d, layers[1])
        fused = fuse_conv_bn_eval(convolution, norm)
        x = self._conv2d(fused, x, convolution)
        return self._activation(layers[2], x) if len(layers) > 2 else x

    def _conv2d(self, layer: nn.Conv2d, x: str, module: nn.Module | None = None) -> str:
        assert layer.bias is not None
        (pad, _), kernel = cast(tuple[int, int], layer.padding), list(layer.kernel_size)
        return self._node(
            module or layer,
            "Conv",
            x,
            self._weight(layer.weight),
            self._weight(layer.bias),
            dilations=[1, 1],
            group=layer.groups,
            kernel_shape=kernel,
            pads=[pad] * 4,
            strides=list(layer.stride),
        )

    def _excitation(self, layer: SqueezeExcitation, x: str) -> str:
        gate = self._node(layer, "ReduceMean", x, axes=[2, 3], keepdims=1)
        gate = self._node(layer.activation, "Relu", self._conv2d(layer.reduce, gate))
        gate = self._conv2d(layer.expand, gate)
        gate = self._node(layer.gate, "HardSigmoid", gate, alpha=1 / 6)
        return self._node(layer, "Mul", x, gate)

    def _linear(self, layer: nn.Linear, x: str) -> str:
        weights = self._weight(layer.weight), self._weight(layer.bias)
        return self._node(layer, "Gemm", x, *weights, alpha=1.0, beta=1.0, transB=1)

    def _activation(self, layer: nn.Module, x: str) -> str:
        if isinstance(layer, nn.ReLU6):
            bounds = [self._weight(torch.tensor(bound)) for bound in (0.0, 6.0)]
            return self._node(layer, "Clip", x, *bounds)
        return self._node(layer, "HardSwish" if isinstance(layer, nn.Hardswish) else "Relu", x)


def quantized_model(model: bytes, calibration: np.ndarray) -> bytes:
    """The int8 version: static QDQ, weights per channel, activations unsigned.

    `calibration` holds normalised training images (N, C, H, W), float32. Unsigned activations,
    since signed ones run several times slower on x86-64.
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
        quant_pre_process(source, prepared)
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
    """Silence the quantizer's advice, which it logs to the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
