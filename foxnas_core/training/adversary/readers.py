"""Small classifiers beside the game: one reads all there is, others nothing that may change."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_PLACES = 4


class Reader(nn.Module):
    """Three convolutions, of pixels (N, C, H, W) in 0…1; `features` are directions (N, width)."""

    def __init__(self, channels: int, classes: int, width: int = 16) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, width, 3, padding=1), nn.GroupNorm(4, width), nn.ReLU(),
            nn.Conv2d(width, width, 3, 2, padding=1), nn.GroupNorm(4, width), nn.ReLU(),
            nn.Conv2d(width, width, 3, 2, padding=1), nn.GroupNorm(4, width), nn.ReLU(),
        )  # fmt: skip
        # Where something is tells classes apart: of a letter's strokes, halves tell too little.
        self.pool = nn.AdaptiveAvgPool2d(_PLACES)
        self.last = nn.Linear(_PLACES**2 * width, classes)

    def pooled(self, pixels: Tensor) -> Tensor:
        return self.pool(self.layers(pixels)).flatten(1)

    def features(self, pixels: Tensor) -> Tensor:
        return F.normalize(self.pooled(pixels), dim=1)

    def forward(self, pixels: Tensor) -> Tensor:
        return self.last(self.pooled(pixels))


def disturbed(pixels: Tensor, draw: torch.Generator) -> Tensor:
    """Pixels (N, C, H, W) with what may change of a picture drawn anew for each: its hues mixed,
    its contrast and its brightness, so that no classifier can read them."""
    count, channels = pixels.shape[:2]

    def drawn(*shape: int) -> Tensor:
        return torch.rand(count, *shape, generator=draw)

    mixed = drawn(channels, channels) ** 2
    mixed = mixed / mixed.sum(2, keepdim=True)
    hues = torch.einsum("nij,njhw->nihw", mixed, pixels)
    contrast, brightness = 0.5 + 0.5 * drawn(1, 1, 1), 0.5 * drawn(1, 1, 1)
    return hues * contrast + brightness * (1 - contrast)
