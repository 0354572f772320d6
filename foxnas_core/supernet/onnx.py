"""Subnets as ONNX models, in memory: fp32, and int8 by static quantization."""

import contextlib
import io
import logging
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from foxnas_core.supernet.subnet import Network

INPUT, OUTPUT = "image", "logits"
_OPSET = 17


def onnx_model(subnet: Network) -> bytes:
    """The subnet as an ONNX model with a free batch size.

    Uses torch's tracing exporter: the newer one takes twenty times as long for the same graph.
    """
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
