"""Dice, the overlap of two masks: the metric, and what training makes small in its place.

Of the voxels P and T that two masks give one class, 2·|P ∩ T| / (|P| + |T|) (Dice, Ecology 26,
1945), which is 1 where neither has any: nothing was to be found, and nothing was. A class that one
mask alone has is 0.
"""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

_SMOOTH = 1.0


def overlaps(found: np.ndarray, wanted: np.ndarray, classes: int) -> np.ndarray:
    """Dice of each case and foreground class (N, classes − 1), of masks (N, …) of class numbers,
    in which 0 is the background."""
    own = [_overlap(found == number, wanted == number) for number in range(1, classes)]
    return np.stack(own, 1)


def _overlap(found: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    axes = tuple(range(1, found.ndim))
    both = (found & wanted).sum(axes)
    sizes = found.sum(axes) + wanted.sum(axes)
    return np.where(sizes == 0, 1.0, 2 * both / np.maximum(sizes, 1))


def soft_loss(outputs: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy (nats a voxel) plus 1 − Dice of probabilities, each the mean over cases.

    `outputs` are logits (N, classes, …), `labels` class numbers (N, …). With p a class's
    probability and t whether a voxel is of it, Dice is (2·Σpt + 1) / (Σp + Σt + 1), the mean over
    foreground classes, after Milletari et al. (arXiv 1606.04797, section 3); the 1 makes it that of
    the metric where a class is absent.
    """
    shares = outputs.softmax(1)[:, 1:].flatten(2)
    wanted = F.one_hot(labels, outputs.shape[1]).movedim(-1, 1)[:, 1:].flatten(2)
    both = (shares * wanted).sum(2)
    sizes = shares.sum(2) + wanted.sum(2)
    dice = (2 * both + _SMOOTH) / (sizes + _SMOOTH)
    return F.cross_entropy(outputs, labels) + 1 - torch.mean(dice)
