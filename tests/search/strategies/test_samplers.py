"""What Optuna's samplers are told of limits, seen in what they ask for."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from foxnas_core.families import space_from_dict
from foxnas_core.search.strategies.goal import SearchGoal
from foxnas_core.search.strategies.samplers import OptunaStrategy
from foxnas_core.space.architecture import Architecture

SPACE = space_from_dict(
    {
        "format": 1, "family": "listed", "name": "sums",
        "decisions": [
            {"name": name, "group": name, "role": "kernel", "choices": list(range(1, 11))}
            for name in "abc"
        ],
    }
)  # fmt: skip
LIMIT = 12.0
"""Of the sum, which is the value as well: the larger the better, and most are too large."""


def sizes_of(architectures: Sequence[Architecture]) -> np.ndarray:
    return np.array([float(sum(a.to_dict().values())) for a in architectures])


def limited(bound: float, sampler: str) -> OptunaStrategy:
    return OptunaStrategy(SearchGoal(SPACE, "max", ((-math.inf, bound),)), 1, sampler=sampler)


def share_within(strategy: OptunaStrategy, rounds: int, count: int) -> float:
    """Of what is asked for in so many rounds after the first, each told before the next."""
    within = []
    for _ in range(rounds + 1):
        asked = strategy.ask(count)
        sizes = sizes_of(asked)
        strategy.tell(asked, sizes, sizes[:, None])
        within.append(np.mean(sizes <= LIMIT))
    return float(np.mean(within[1:]))


@pytest.mark.parametrize("sampler, rounds, count", [("tpe", 5, 15), ("nsga2", 7, 50)])
def test_a_sampler_keeps_to_limits_that_it_was_told_of(
    sampler: str, rounds: int, count: int
) -> None:
    """One that isn't goes where the value is best, out of them."""
    shares = [share_within(limited(bound, sampler), rounds, count) for bound in (LIMIT, math.inf)]
    assert shares[0] > 2 * shares[1]


def test_it_learns_of_limits_from_what_it_never_asked_for() -> None:
    known = SPACE.sample(60, seed=1)
    sizes, within = sizes_of(known), []
    for bound in (LIMIT, math.inf):
        strategy = limited(bound, "tpe")
        strategy.tell(known, sizes, sizes[:, None])
        within.append(np.mean(sizes_of(strategy.ask(40)) <= LIMIT))
    assert within[0] > 1.5 * within[1]
