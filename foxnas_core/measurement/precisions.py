"""A subnet's model in each precision, by the suffix of the columns that it is measured in."""

import numpy as np

from foxnas_core.dataset import ImageSet
from foxnas_core.measurement.meter import Prepared
from foxnas_core.supernet.images import to_batch
from foxnas_core.supernet.onnx import quantized_model

FP32, INT8 = "", ":int8"
_CALIBRATION_IMAGES = 200


def models_of(
    prepared: Prepared, calibration: ImageSet, *, mean: float, std: float
) -> dict[str, bytes]:
    """ONNX models in fp32 and int8."""
    images = calibration.images[:_CALIBRATION_IMAGES]
    batch = to_batch(images, prepared.subnet.resolution, mean, std)
    return {FP32: prepared.onnx, INT8: quantized_model(prepared.onnx, batch.numpy())}


def one_image(prepared: Prepared) -> np.ndarray:
    """Noise (1, C, H, W), float32, of the subnet's own size: timing does not read it."""
    subnet = prepared.subnet
    shape = (1, subnet.input_channels, subnet.resolution, subnet.resolution)
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)
