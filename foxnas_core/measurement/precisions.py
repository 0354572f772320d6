"""A subnet's model in each precision, and the input that it is measured on."""

import numpy as np

from foxnas_core.measurement.meter import Prepared
from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Batching


def models_of(prepared: Prepared, calibration: ImageSet, *, task: Batching) -> list[bytes]:
    """ONNX models in fp32 and int8."""
    return [prepared.onnx, prepared.int8(calibration, task)]


def one_image(prepared: Prepared) -> np.ndarray:
    """Noise (1, *input_shape), float32, of the subnet's own size: timing does not read it."""
    shape = (1, *prepared.subnet.input_shape)
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)
