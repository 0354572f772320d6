"""Image batches for the network: from stored bytes to normalised tensors of a resolution."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

Level = float | Sequence[float]
"""A pixel level, scaled to 0…1: one of all channels, or one a channel."""


def to_batch(images: np.ndarray, resolution: int, mean: Level, std: Level) -> Tensor:
    """Images (N, H, W) or (N, H, W, C), uint8, to (N, C, resolution, resolution), float32.

    Pixels are scaled to 0…1, resized by antialiased bilinear interpolation, then normalised.
    """
    if images.ndim == 3:
        images = images[..., None]
    batch = torch.from_numpy(images.transpose(0, 3, 1, 2).astype(np.float32)) / 255
    if batch.shape[-2:] != (resolution, resolution):
        size = (resolution, resolution)
        batch = F.interpolate(batch, size=size, mode="bilinear", antialias=True)
    return (batch - _shaped(mean)) / _shaped(std)


def _shaped(level: Level) -> float | Tensor:
    if isinstance(level, Sequence):
        return torch.tensor(level, dtype=torch.float32).view(-1, 1, 1)
    return level
