"""Batch-norm recalibration: giving an extracted subnet statistics of its own.

Without it a subnet of a shared supernet can lose most of its accuracy (Yu & Huang,
arXiv 1903.05134, section 3.3, "post-statistics of batch normalization").
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


@torch.no_grad()
def recalibrate(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Set every batch norm's running mean and variance to the average over `batches`.

    `batches` are normalised training images (N, C, H, W). The network is left in evaluation
    mode. Raises `ValueError` where there is no batch.
    """
    norms = [m for m in network.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over all batches
    network.train()
    count = 0
    for batch in batches:
        network(batch)
        count += 1
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.eval()
    if not count:
        raise ValueError("Recalibration needs at least one batch of images.")
