"""Made pictures beside what others drew of the same things: true counterfactuals."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from foxnas_core.tasks.dataset import ImageSet
from foxnas_core.tasks.task import Score, mean_of


@dataclass(frozen=True)
class Towards:
    """How far made pictures went the way that another domain drew their things.

    `cosine` is that of the angle between the change made and the true one, `chance` that to what
    the domain drew of another thing, `gain` the paired difference of both, above 0 where pictures
    went their own way; `nearer` is the share that came nearer to its counterfactual.
    """

    pictures: int
    cosine: Score
    chance: Score
    gain: Score
    nearer: float


def towards(real: Tensor, made: Tensor, drawn: Tensor) -> Towards:
    """Of pixels (N, C, H, W), row by row of one thing each; N of 2 or more."""
    real, made, drawn = (own.flatten(1).double() for own in (real, made, drawn))
    change, true, other = made - real, drawn - real, drawn.roll(1, 0) - real
    cosine, chance = (F.cosine_similarity(change, own).numpy() for own in (true, other))
    nearer = (made - drawn).norm(dim=1) < true.norm(dim=1)
    return Towards(
        len(real), mean_of(cosine), mean_of(chance), mean_of(cosine - chance),
        float(torch.mean(nearer.double())),
    )  # fmt: skip


def paired(one: ImageSet, other: ImageSet) -> tuple[np.ndarray, np.ndarray]:
    """The rows of both that show one thing, in the same order; none where things are not told."""
    if one.things is None or other.things is None:
        return np.empty(0, int), np.empty(0, int)
    _, rows, others = np.intersect1d(one.things, other.things, return_indices=True)
    alike = one.labels[rows] == other.labels[others]
    return rows[alike], others[alike]
