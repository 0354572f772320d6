"""Architectures as genes: one for each decision, whether it is active or not.

A decision that is off keeps a gene without effect, so that crossing and mutating never make an
invalid architecture: what is expressed follows from the conditions.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from foxnas_core.search.strategies.goal import SearchGoal
from foxnas_core.space.architecture import Architecture


class Encoding:
    """Genes (rows, decisions) are positions in `choices`, the allowed codes of each decision."""

    def __init__(self, goal: SearchGoal) -> None:
        self.space = goal.space
        self.choices = [
            np.array(
                [
                    code
                    for code, choice in enumerate(decision.choices)
                    if choice in goal.allowed.get(decision.name, decision.choices)
                ]
            )
            for decision in self.space.decisions
        ]

    @cached_property
    def sizes(self) -> np.ndarray:
        """The number of allowed choices of each decision."""
        return np.array([len(choices) for choices in self.choices])

    def draw(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """Genes (count, decisions), each uniform over its choices."""
        return rng.integers(self.sizes, size=(count, len(self.sizes)))

    def codes(self, genes: np.ndarray) -> np.ndarray:
        """The codes that genes express, -1 where inactive; see `SearchSpace.encode`."""
        codes = np.full(genes.shape, -1, dtype=np.int16)
        for column, decision in enumerate(self.space.decisions):
            active = self.space.active(codes, decision)
            codes[active, column] = self.choices[column][genes[active, column]]
        return codes

    def architectures(self, genes: np.ndarray) -> list[Architecture]:
        return self.space.decode(self.codes(genes))

    def genes(self, architectures: Sequence[Architecture], rng: np.random.Generator) -> np.ndarray:
        """Genes that express the architectures; those without effect are drawn.

        A choice that is not allowed becomes the nearest that is.
        """
        codes = self.space.encode(architectures)
        genes = self.draw(rng, len(codes))
        for column, choices in enumerate(self.choices):
            distance = np.abs(codes[:, column, None].astype(int) - choices)
            active = codes[:, column] >= 0
            genes[active, column] = distance.argmin(axis=1)[active]
        return genes

    def redraw_one(self, rng: np.random.Generator, genes: np.ndarray) -> np.ndarray:
        """Each row with one of its active decisions given another choice."""
        genes = genes.copy()
        free = (self.codes(genes) >= 0) & (self.sizes > 1)
        # The greatest of as many uniform numbers as can change falls on each alike.
        column = np.where(free, rng.random(genes.shape), -1.0).argmax(axis=1)
        rows = np.flatnonzero(free.any(axis=1))
        column = column[rows]
        step = 1 + (rng.random(len(rows)) * (self.sizes[column] - 1)).astype(int)
        genes[rows, column] = (genes[rows, column] + step) % self.sizes[column]
        return genes

    def redraw(self, rng: np.random.Generator, genes: np.ndarray, probability: float) -> np.ndarray:
        """Each gene drawn anew with this probability."""
        chosen = rng.random(genes.shape) < probability
        return np.where(chosen, self.draw(rng, len(genes)), genes)

    @staticmethod
    def cross(rng: np.random.Generator, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """Each gene from either parent alike (uniform crossover)."""
        return np.where(rng.random(first.shape) < 0.5, first, second)
