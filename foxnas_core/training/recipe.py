"""How a supernet is trained."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """How to train. `batch` counts images over all processes of a step.

    `largest_share` and `smallest_share` are the shares of steps in which the largest and the
    smallest subnet take part (1 and 1 is the sandwich rule as published), `random_subnets` the
    number of random ones in each, and `distillation` the weight of the largest one's predictions
    beside the labels; of a subnet's that was trained beforehand where `taught_by` is the
    fingerprint of its supernet, who then teaches every subnet in every step. Random subnets take
    their resolution in proportion to its `inputs`: "pixels", "sides" or "equal" shares. `alone`
    holds the choices of one architecture to train it by itself, or None for the sandwich.
    """

    epochs: int = 42
    batch: int = 128
    learning_rate: float = 3e-3
    weight_decay: float = 1e-2
    warmup: float = 0.03
    largest_share: float = 0.3
    smallest_share: float = 0.05
    random_subnets: int = 1
    distillation: float = 0.5
    taught_by: str = ""
    inputs: str = "pixels"
    seed: int = 0
    alone: dict[str, Any] | None = None
