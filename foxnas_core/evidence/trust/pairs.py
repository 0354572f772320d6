"""Subnets that were trained alone, beside what they inherit from the supernet, and which to take.

Everything here is plain values; `evidence.trust.alone` trains, `evidence.trust.report`
says what the pairs tell.
"""

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.records import CHOICES, RecordKind, Stored
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.tasks.task import Score

# Draws that find nothing new before a combination of context choices counts as used up.
_MISSES = 1000


@dataclass(frozen=True)
class TrustSettings:
    """How the subnets are trained: by the supernet's own recipe but for these.

    `epochs` from scratch; `fine_tune_epochs` from the inherited weights, at `fine_tune_rate` times
    the recipe's learning rate. The first `repeated` subnets are trained from scratch by a second
    seed too, which tells how much of a difference is the luck of one training.
    """

    epochs: int = 12
    fine_tune_epochs: int = 3
    fine_tune_rate: float = 0.1
    repeated: Annotated[int, Stored(omitted=True)] = 0

    def seeds(self, place: int, seed: int) -> tuple[int, ...]:
        """What the subnet at a place of the sample is trained from scratch by; the sample is drawn
        by the first."""
        return (seed, seed + 1) if place < self.repeated else (seed,)


@dataclass(frozen=True)
class TrustPair:
    """One subnet: what it inherits, and what it reaches when it is trained itself.

    - `inherited`: with the supernet's weights and batch norms recalibrated; `unrecalibrated`: with
      the supernet's own norm statistics.
    - `alone`: trained from scratch; `fine_tuned`: trained on from the inherited weights. Both are
      recalibrated too.
    - `seed` drew the subnet and was trained with; `seconds` is what all of it took; `device` and
      `torch` name the processor and the version.
    - `again`: trained from scratch by further seeds.
    """

    architecture: Annotated[Architecture, replace(CHOICES, with_id=True)]
    parameters: float
    macs: float
    inherited: Annotated[Score, Stored(under="accuracy")]
    unrecalibrated: Annotated[Score, Stored(under="accuracy")]
    alone: Annotated[Score, Stored(under="accuracy")]
    fine_tuned: Annotated[Score, Stored(under="accuracy")]
    seed: int
    seconds: float
    device: str
    torch: str
    again: Annotated[tuple[Score, ...], Stored(under="accuracy", omitted=True)] = ()


SCORES = ("inherited", "unrecalibrated", "alone", "fine_tuned")


@dataclass(frozen=True)
class TrustRecord:
    """The pairs of one checkpoint.

    `parents` holds the fingerprints of the space and of the checkpoint, `dataset` the name of the
    images, which `training_images` were trained on.
    """

    parents: dict[str, str]
    dataset: str
    training_images: int
    settings: TrustSettings
    pairs: tuple[TrustPair, ...] = ()

    def __post_init__(self) -> None:
        if not {"space", "checkpoint"} <= set(self.parents):
            raise ValueError("a parent is missing")

    @property
    def ids(self) -> set[str]:
        return {pair.architecture.id for pair in self.pairs}

    def holds(self, architecture: Architecture, seeds: int) -> bool:
        """Whether there is a pair of that subnet, trained from scratch by so many seeds or more."""
        return any(p.architecture == architecture and len(p.again) + 1 >= seeds for p in self.pairs)

    def with_pair(self, pair: TrustPair) -> "TrustRecord":
        """With a pair beside those there are, or in the place of one of that subnet that was
        trained by fewer seeds; another one of that subnet is kept."""
        if self.holds(pair.architecture, len(pair.again) + 1):
            return self
        others = tuple(p for p in self.pairs if p.architecture != pair.architecture)
        return replace(self, pairs=(*others, pair))

    def repeating(self, repeated: int) -> "TrustRecord":
        """With at least so many that a second seed is for, which a later run goes on with."""
        most = max(repeated, self.settings.repeated)
        return replace(self, settings=replace(self.settings, repeated=most))


TRUST = RecordKind[TrustRecord | None](
    "trust.json", TrustRecord, "subnets trained alone beside what they inherit"
)


def check_continues(record: TrustRecord, begun: TrustRecord) -> None:
    """Raise `InvalidInput` where the pairs of `record` are not such as `begun` would add."""
    where = "move trust.json away to begin anew"
    both = where.replace("trust.json", "trust.json and alone.json")
    if record.parents != begun.parents:
        raise InvalidInput(
            f"The study's trust pairs are of checkpoint {record.parents['checkpoint']}, but its "
            f"checkpoint is {begun.parents['checkpoint']} now; {where}."
        )
    old = record.settings
    if replace(old, repeated=begun.settings.repeated) != begun.settings:
        raise InvalidInput(
            f"The study's trust pairs were trained for {old.epochs} epochs from scratch and "
            f"{old.fine_tune_epochs} of fine-tuning at {old.fine_tune_rate:g} times the learning "
            f"rate; go on with these, or {where if old.epochs == begun.settings.epochs else both}."
        )
    if (record.dataset, record.training_images) != (begun.dataset, begun.training_images):
        raise InvalidInput(
            f"The study's trust pairs were trained on {record.training_images:,} images of "
            f"{record.dataset}, not on {begun.training_images:,} of {begun.dataset}; name those "
            f"with --data, or {both}."
        )


def spread_sample(space: SearchSpace, count: int, *, seed: int) -> list[Architecture]:
    """`count` distinct architectures, spread over the space's sizes.

    Each decision is drawn uniformly over its choices, as in `SearchSpace.sample`, so that depths,
    which govern the costs, are all there; the context (the resolution) is not drawn but taken in
    turn, so that each of its choices has equally many. The first of more are those of fewer. Raises
    `InvalidInput` where the space has fewer.
    """
    if count > space.size:
        raise InvalidInput(
            f"Space {space.name!r} has {space.size} architectures; ask for at most that many."
        )
    rng = np.random.default_rng(seed)
    contexts = space.context_options()
    found: dict[str, Architecture] = {}
    turn = 0
    while len(found) < count:
        context = contexts[turn % len(contexts)]
        for _ in range(_MISSES):
            drawn = space.draw(rng, "decisions")
            own = {n: v for n, v in drawn.choices if space.by_name[n].group not in space.context}
            architecture = space.architecture({**own, **context})
            if architecture.id not in found:
                found[architecture.id] = architecture
                turn += 1
                break
        else:
            contexts.remove(context)
            if not contexts:
                raise InvalidInput(
                    f"Only {len(found)} architectures of space {space.name!r} were found; ask for "
                    "at most that many."
                )
    return list(found.values())
