"""How often a draw takes each choice of a decision."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from foxnas_core.space.decisions import Decision, count_options

Sampling = Literal["decisions", "balanced", "architectures"]


def shares_of(
    decision: Decision, by: Sampling, *, governs: bool, group: Sequence[Decision]
) -> np.ndarray:
    """The shares (choices,) of an active decision, as `SearchSpace.sample` says; it `governs`
    others of its `group` where their conditions name it."""
    n = len(decision.choices)
    weights = np.ones(n)
    if by == "balanced" and governs and n > 1:
        weights = np.array([2.0, 3.0, 5.0]) if n == 3 else np.linspace(2.0, 5.0, n)
    elif by == "architectures":
        own = ({decision.name: (choice,)} for choice in decision.choices)
        weights = np.array([float(count_options(group, taken)) for taken in own])
    return weights / weights.sum()
