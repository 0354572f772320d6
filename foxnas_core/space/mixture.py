"""Where a supernet computes operations side by side and adds them up, each by a weight of its own,
so that one can be told by what is lost without it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture, Value


@dataclass(frozen=True)
class MixtureEdge:
    """An edge of a cell, called like the decision that takes one of `operations` for it.

    Those of `mixed_only` are in the mixture but are never taken.
    """

    name: str
    operations: tuple[str, ...]
    mixed_only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Junction:
    """A node that keeps some of its edges: which, by each choice of the decision `name`."""

    name: str
    options: Mapping[Value, tuple[str, ...]]

    @property
    def keeps(self) -> int:
        return len(next(iter(self.options.values())))

    @property
    def edges(self) -> tuple[str, ...]:
        """All that there are to choose from."""
        return tuple(dict.fromkeys(edge for kept in self.options.values() for edge in kept))

    def choice(self, kept: Sequence[str]) -> Value:
        """The choice that keeps these edges and no other."""
        return next(value for value, own in self.options.items() if set(own) == set(kept))


Weights = Mapping[str, Sequence[float]]
"""By edge, the weight of each of its operations; an operation of weight 0 is not computed."""


@dataclass(frozen=True)
class Mixture:
    """The edges of a mixture, and the nodes that keep only some of them."""

    edges: tuple[MixtureEdge, ...]
    junctions: tuple[Junction, ...] = ()

    @cached_property
    def by_name(self) -> dict[str, MixtureEdge]:
        return {edge.name: edge for edge in self.edges}

    def one_hot(self, architecture: Architecture) -> dict[str, list[float]]:
        """Weight 1 for what an architecture has, and 0 for all else."""
        return {
            edge.name: [float(architecture.get(edge.name) == own) for own in edge.operations]
            for edge in self.edges
        }

    def alone(self, edge: str, operation: str) -> list[float]:
        """The weights of an edge that has one operation left."""
        return [float(own == operation) for own in self.by_name[edge].operations]

    def masked(self, weights: Weights, edge: str, operation: str) -> dict[str, Sequence[float]]:
        """The weights without an operation, all others as they are.

        Raises `InvalidInput` where it is the last one of its edge.
        """
        own = [
            0.0 if name == operation else float(weight)
            for name, weight in zip(self.by_name[edge].operations, weights[edge], strict=True)
        ]
        if not any(own):
            raise InvalidInput(
                f"{operation} is the only operation left at {edge}, which would be lost without "
                "it; mask another edge, or remove the whole edge."
            )
        return {**weights, edge: own}

    def removed(self, weights: Weights, edge: str) -> dict[str, Sequence[float]]:
        """The weights without a whole edge."""
        return {**weights, edge: [0.0] * len(weights[edge])}
