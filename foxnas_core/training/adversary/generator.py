"""The generator: what it makes of images, and a gradient turned round for it."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Task


class _Reversed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return -gradients[0]


def reversed_gradient(x: Tensor) -> Tensor:
    """`x` itself, whose gradient has the other sign: what comes before it makes great what all that
    comes after makes small (Ganin & Lempitsky, arXiv 1409.7495, section 3.2)."""
    return _Reversed.apply(x)  # type: ignore[no-any-return]


class Generator(nn.Module):
    """x̃ = x + tanh(f(x, c, c̃)), cut to what pixels may be (NAS-OoD, Bai et al., arXiv 2109.02038,
    section 3.2).

    Pixels (N, C, H, W) lie in 0…1; c and c̃ number the domain that an image is of and the one it is
    moved to, of `codes`. `f` is three convolutions of `width` channels, close to 0 at first.
    """

    def __init__(self, channels: int, codes: int, width: int = 16) -> None:
        super().__init__()
        self.codes = codes
        last = nn.Conv2d(width, channels, 3, padding=1)
        nn.init.normal_(last.weight, std=1e-2)
        assert last.bias is not None
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(
            nn.Conv2d(channels + 2 * codes, width, 3, padding=1), nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), last,
        )  # fmt: skip

    def forward(self, pixels: Tensor, source: Tensor, target: Tensor) -> Tensor:
        told = torch.cat([F.one_hot(source, self.codes), F.one_hot(target, self.codes)], dim=1)
        planes = told.to(pixels)[:, :, None, None].expand(-1, -1, *pixels.shape[2:])
        return (pixels + torch.tanh(self.layers(torch.cat([pixels, planes], dim=1)))).clamp(0, 1)


class Pixels:
    """What a network takes of images, as pixels in 0…1 and back: a task normalises them, each
    place by a line of its own."""

    def __init__(self, task: Task, cases: ImageSet, shape: tuple[int, ...]) -> None:
        ends = np.stack([np.zeros_like(cases.images[0]), np.full_like(cases.images[0], 255)])
        self._black, white = task.batch(ends, shape)
        self._span = white - self._black

    def of(self, x: Tensor) -> Tensor:
        return (x - self._black) / self._span

    def back(self, pixels: Tensor) -> Tensor:
        return pixels * self._span + self._black
