"""Subnets that were trained from scratch by themselves, for hours: kept apart from what a supernet
makes of them, so that one that is trained anew is held against the same."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from foxnas_core.errors import InvalidInput
from foxnas_core.records import CHOICES, RecordKind
from foxnas_core.space.architecture import Architecture
from foxnas_core.tasks.task import Score


@dataclass(frozen=True)
class AloneNetwork:
    """A subnet trained from scratch by a seed, what it scores on the held-out cases, the seconds
    that took, and by which processor and version of torch."""

    architecture: Annotated[Architecture, replace(CHOICES, with_id=True)]
    seed: int
    score: Score
    seconds: float
    device: str
    torch: str


@dataclass(frozen=True)
class AloneRecord:
    """All that were trained by one recipe (see `handmade.record.RECIPE`) on one data set.

    `parents` holds the fingerprint of the space.
    """

    parents: dict[str, str]
    dataset: str
    training_images: int
    recipe: dict[str, float]
    networks: tuple[AloneNetwork, ...] = ()

    def __post_init__(self) -> None:
        if set(self.parents) != {"space"}:
            raise ValueError(f"parents {sorted(self.parents)!r:.40}")

    def of(self, architecture: Architecture, seed: int) -> AloneNetwork | None:
        asked = (architecture, seed)
        return next((own for own in self.networks if (own.architecture, own.seed) == asked), None)

    def with_network(self, network: AloneNetwork) -> "AloneRecord":
        """With a network beside those there are; one of that subnet and seed is kept."""
        known = self.of(network.architecture, network.seed) is not None
        return self if known else replace(self, networks=(*self.networks, network))


ALONE = RecordKind[AloneRecord | None](
    "alone.json", AloneRecord, "subnets trained from scratch, each by itself"
)


def check_alike(record: AloneRecord, begun: AloneRecord) -> None:
    """Raise `InvalidInput` where the networks of `record` were trained otherwise."""

    def how(one: AloneRecord) -> tuple[Any, ...]:
        return one.parents, one.dataset, one.training_images, one.recipe

    if how(record) != how(begun):
        told = " and ".join(_told(own) for own in (record, begun))
        raise InvalidInput(
            f"The study's subnets trained alone are of another recipe, space or data than these: "
            f"{told}; train alike, or move alone.json away to begin anew."
        )


def _told(record: AloneRecord) -> str:
    recipe = ", ".join(f"{name} {value:g}" for name, value in record.recipe.items())
    return f"{record.training_images:,} images of {record.dataset} by {recipe}"
