"""Image batches for the network: from stored bytes to normalised tensors of a resolution."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def to_batch(images: np.ndarray, resolution: int, mean: float, std: float) -> Tensor:
    """Images (N, H, W) or (N, H, W, C), uint8, to (N, C, resolution, resolution), float32.

    Pixels are scaled to 0…1, resized by antialiased bilinear interpolation, then normalised.
    """
    if images.ndim == 3:
        images = images[..., None]
    batch = torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32)) / 255
    if batch.shape[-2:] != (resolution, resolution):
        size = (resolution, resolution)
        batch = F.interpolate(batch, size=size, mode="bilinear", antialias=True)
    return (batch - mean) / std
