"""What networks designed by hand and searched ones reached, side by side, as plain values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.handmade.designs import DESIGNS
from foxnas_core.records import (
    CHOICES,
    RecordKind,
    Stored,
)
from foxnas_core.space.architecture import Architecture
from foxnas_core.tasks.task import Score

SEARCHED = "searched"
FAMILIES = {design.name: design.title for design in DESIGNS} | {SEARCHED: "Searched"}
Way = Literal["alone", "inherited"]
ALONE: Way = "alone"
INHERITED: Way = "inherited"
RECIPE = ("epochs", "batch", "learning_rate", "weight_decay", "warmup")
"""What a single network's training reads of a recipe; the rest shapes a supernet's."""

PRECISIONS = {"": "fp32", ":int8": "int8"}
"""The precisions, by the suffix of their columns."""


@dataclass(frozen=True)
class Latency:
    """Latency in ms: the meter's value, its least and greatest round, and the reference's drift
    around its visits (a share); see `foxnas_core.measurement.latency.columns_of`."""

    value: float
    low: float
    high: float
    drift_range: float

    def __post_init__(self) -> None:
        if not 0 < self.low <= self.value <= self.high:
            raise ValueError(f"latency {self.value}")


@dataclass(frozen=True)
class Result:
    """The held-out accuracies of one set of weights, by precision as in `PRECISIONS`.

    `way` is `ALONE` (from random weights, by `seed`) or `INHERITED` (the supernet's weights, batch
    norms recalibrated, whose `seed` is the supernet's). `seconds` is what training took; `device`
    and `torch` name the processor and the version.
    """

    way: Way
    seed: int
    accuracy: Annotated[Mapping[str, Score], Stored(names=PRECISIONS)]
    seconds: float
    device: str
    torch: str


@dataclass(frozen=True, kw_only=True)
class Contender:
    """A network: one of a `family` at a `width`, or a searched subnet with its `architecture`.

    `chosen` says how a searched one was found. `latency` is by precision, empty until measured.
    """

    name: str
    family: str
    width: float | None = None
    architecture: Annotated[Architecture | None, CHOICES] = None
    chosen: str = ""
    resolution: int
    parameters: float = 0
    macs: float = 0
    latency: Annotated[
        Mapping[str, Latency] | None,
        Stored("latency_ms", names=PRECISIONS),
    ] = None
    results: tuple[Result, ...] = ()

    def __post_init__(self) -> None:
        if self.family not in FAMILIES or self.searched != (self.architecture is not None):
            raise ValueError(f"family {self.family!r:.40}")

    @property
    def searched(self) -> bool:
        return self.family == SEARCHED

    def of(self, way: str) -> tuple[Result, ...]:
        return tuple(result for result in self.results if result.way == way)

    def lacks(self, way: str, seed: int) -> bool:
        return all(result.seed != seed for result in self.of(way))


@dataclass(frozen=True)
class HandmadeRecord:
    """All networks of one comparison.

    `parents` holds the fingerprints of the space, the checkpoint and the measurements that the
    searched subnets were chosen by, `recipe` how every network was trained (its seed left to the
    results), `circumstances` those of the one campaign that timed them all, empty before it.
    """

    parents: dict[str, str]
    dataset: str
    training_images: int
    held_out_images: int
    recipe: dict[str, float]
    circumstances: Mapping[str, Any]
    contenders: Annotated[tuple[Contender, ...], Stored("networks")]

    def __post_init__(self) -> None:
        if not {"space", "checkpoint", "measurements"} <= set(self.parents):
            raise ValueError("a parent is missing")
        if not set(RECIPE) <= set(self.recipe):
            raise ValueError("the recipe lacks something")
        if self.circumstances and not {"device", "runtime", "threads", "rounds"} <= set(
            self.circumstances
        ):
            raise ValueError(f"circumstances {sorted(self.circumstances)}")

    def named(self, name: str) -> Contender:
        return next(c for c in self.contenders if c.name == name)

    def with_result(self, name: str, result: Result) -> "HandmadeRecord":
        """With a result of one network; one that is there of that way and seed is kept."""
        return replace(
            self,
            contenders=tuple(
                replace(c, results=(*c.results, result))
                if c.name == name and c.lacks(result.way, result.seed)
                else c
                for c in self.contenders
            ),
        )

    def with_latencies(
        self, latencies: Mapping[str, Mapping[str, Latency]], circumstances: Mapping[str, Any]
    ) -> "HandmadeRecord":
        """With the latencies, by name, of the campaign of these circumstances."""
        timed = tuple(replace(c, latency=latencies[c.name]) for c in self.contenders)
        return replace(self, contenders=timed, circumstances=dict(circumstances))

    @property
    def timed(self) -> bool:
        return all(c.latency is not None for c in self.contenders)

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds that any network was trained alone by, in order."""
        return tuple(sorted({r.seed for c in self.contenders for r in c.of(ALONE)}))

    def seed_spread(self, precision: str) -> float:
        """The standard deviation (points) of one network's accuracy alone over seeds, pooled over
        the networks that have several; NaN where none has."""
        squares, freedom = 0.0, 0
        for contender in self.contenders:
            values = [r.accuracy[precision].value for r in contender.of(ALONE)]
            mean = sum(values) / len(values) if values else 0.0
            squares += sum((value - mean) ** 2 for value in values)
            freedom += max(0, len(values) - 1)
        return math.sqrt(squares / freedom) if freedom else math.nan

    def score(self, contender: Contender, way: str, precision: str) -> Score | None:
        """The mean accuracy over seeds and its standard error; None without any result.

        The error is that of the held-out images, which all seeds share, and, where it is known, of
        the seeds.
        """
        results = contender.of(way)
        if not results:
            return None
        scores = [result.accuracy[precision] for result in results]
        value = sum(score.value for score in scores) / len(scores)
        error = sum(score.std_error for score in scores) / len(scores)
        spread = self.seed_spread(precision)
        if way == ALONE and math.isfinite(spread):
            error = math.hypot(error, spread / math.sqrt(len(scores)))
        return Score(value, error)


HANDMADE = RecordKind[HandmadeRecord | None](
    "handmade.json", HandmadeRecord, "networks designed by hand beside searched ones"
)


def check_continues(record: HandmadeRecord, begun: HandmadeRecord) -> None:
    """Raise `InvalidInput` where results of `begun` can't stand beside those of `record`.

    The measurements may have changed: the searched subnets stay those that were chosen first.
    """
    where = "move handmade.json away to begin anew"
    for part in ("space", "checkpoint"):
        if record.parents[part] != begun.parents[part]:
            raise InvalidInput(
                f"The study's hand-made networks stand beside subnets of {part} "
                f"{record.parents[part]}, but its {part} is {begun.parents[part]} now; {where}."
            )
    if record.recipe != begun.recipe:
        raise InvalidInput(
            f"The study's hand-made networks were trained for {record.recipe['epochs']:g} "
            f"epochs, by a recipe that is not this one; go on with that, or {where}."
        )
    if (record.dataset, record.training_images) != (begun.dataset, begun.training_images):
        raise InvalidInput(
            f"The study's hand-made networks were trained on {record.training_images:,} images of "
            f"{record.dataset}, not on {begun.training_images:,} of {begun.dataset}; name those "
            f"with --data, or {where}."
        )
    if made(record) != made(begun):
        raise InvalidInput(
            f"The study's hand-made networks are {', '.join(made(record))}, not "
            f"{', '.join(made(begun))}; name those with --widths, or {where}."
        )


def made(record: HandmadeRecord) -> Sequence[str]:
    """The names of the hand-made networks."""
    return [c.name for c in record.contenders if not c.searched]
