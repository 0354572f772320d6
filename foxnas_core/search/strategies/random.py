"""Architectures drawn at random."""

from collections.abc import Sequence

import numpy as np

from foxnas_core.search.strategies.encoding import Encoding
from foxnas_core.search.strategies.goal import SearchGoal
from foxnas_core.space.architecture import Architecture

_TRIES = 20


class RandomStrategy:
    """Each decision uniform over its choices; architectures asked for before are drawn again, so
    that a small space is soon seen whole."""

    batch = 100

    def __init__(self, goal: SearchGoal, seed: int) -> None:
        self._encoding = Encoding(goal)
        self._rng = np.random.default_rng(seed)
        self._seen: set[Architecture] = set()

    def ask(self, count: int) -> list[Architecture]:
        asked: list[Architecture] = []
        for attempt in range(_TRIES):
            genes = self._encoding.draw(self._rng, count - len(asked))
            for architecture in self._encoding.architectures(genes):
                if attempt == _TRIES - 1 or architecture not in self._seen:
                    self._seen.add(architecture)
                    asked.append(architecture)
            if len(asked) == count:
                break
        return asked

    def tell(
        self, architectures: Sequence[Architecture], values: np.ndarray, costs: np.ndarray
    ) -> None:
        self._seen.update(architectures)
