"""What networks designed by hand and searched ones reached, side by side, as plain values."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from foxnas_core.documents import number, text, whole
from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.handmade.designs import DESIGNS
from foxnas_core.evidence.trust.pairs import Score
from foxnas_core.space.architecture import Architecture

SEARCHED = "searched"
FAMILIES = {design.name: design.title for design in DESIGNS} | {SEARCHED: "Searched"}
ALONE, INHERITED = "alone", "inherited"
RECIPE = ("epochs", "batch", "learning_rate", "weight_decay", "warmup")
"""What a single network's training reads of a recipe; the rest shapes a supernet's."""

PRECISIONS = {"": "fp32", ":int8": "int8"}
"""The precisions, by the suffix of their columns."""


@dataclass(frozen=True)
class Latency:
    """Latency in ms: the meter's value, its least and greatest round, and the reference's drift
    within a round (a share); see `foxnas_core.measurement.latency.columns_of`."""

    value: float
    low: float
    high: float
    drift_range: float


@dataclass(frozen=True)
class Result:
    """The held-out accuracies of one set of weights, by precision as in `PRECISIONS`.

    `way` is `ALONE` (from random weights, by `seed`) or `INHERITED` (the supernet's weights, batch
    norms recalibrated, whose `seed` is the supernet's). `seconds` is what training took; `device`
    and `torch` name the processor and the version.
    """

    way: str
    seed: int
    accuracy: Mapping[str, Score]
    seconds: float
    device: str
    torch: str


@dataclass(frozen=True)
class Contender:
    """A network: one of a `family` at a `width`, or a searched subnet with its `architecture`.

    `chosen` says how a searched one was found. `latency` is by precision, empty until measured.
    """

    name: str
    family: str
    resolution: int
    parameters: float
    macs: float
    width: float | None = None
    architecture: Architecture | None = None
    chosen: str = ""
    results: tuple[Result, ...] = ()
    latency: Mapping[str, Latency] | None = None

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
    contenders: tuple[Contender, ...]
    circumstances: Mapping[str, Any]

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

    def to_dict(self) -> dict[str, Any]:
        """A JSON document; see `docs/schemas.md`."""
        return {
            "format": 1,
            "parents": self.parents,
            "dataset": self.dataset,
            "training_images": self.training_images,
            "held_out_images": self.held_out_images,
            "recipe": self.recipe,
            "circumstances": dict(self.circumstances),
            "networks": [_contender_document(c) for c in self.contenders],
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "HandmadeRecord":
        """The inverse of `to_dict`; raises `ValueError`, `KeyError` or `TypeError` for what is
        none."""
        if document["format"] != 1:
            raise ValueError(f"format {document['format']}")
        parents = {
            name: text(document["parents"][name])
            for name in ("space", "checkpoint", "measurements")
        }
        circumstances = dict(document["circumstances"])
        if circumstances and not {"device", "runtime", "threads", "rounds"} <= set(circumstances):
            raise ValueError(f"circumstances {sorted(circumstances)}")
        return cls(
            parents=parents,
            dataset=text(document["dataset"]),
            training_images=whole(document["training_images"]),
            held_out_images=whole(document["held_out_images"]),
            recipe={name: number(document["recipe"][name]) for name in RECIPE},
            contenders=tuple(_contender_of(network) for network in document["networks"]),
            circumstances=circumstances,
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


def _contender_document(contender: Contender) -> dict[str, Any]:
    architecture = contender.architecture
    latency = contender.latency
    return {
        "name": contender.name,
        "family": contender.family,
        "width": contender.width,
        "choices": None if architecture is None else architecture.to_dict(),
        "chosen": contender.chosen,
        "resolution": contender.resolution,
        "parameters": contender.parameters,
        "macs": contender.macs,
        "latency_ms": None
        if latency is None
        else {PRECISIONS[p]: asdict(value) for p, value in latency.items()},
        "results": [
            {
                "way": result.way,
                "seed": result.seed,
                "accuracy": {PRECISIONS[p]: asdict(s) for p, s in result.accuracy.items()},
                "seconds": result.seconds,
                "device": result.device,
                "torch": result.torch,
            }
            for result in contender.results
        ],
    }


def _contender_of(document: Mapping[str, Any]) -> Contender:
    family, choices, width = document["family"], document["choices"], document["width"]
    if family not in FAMILIES or (family == SEARCHED) != (choices is not None):
        raise ValueError(f"family {family}")
    latency = document["latency_ms"]
    return Contender(
        name=text(document["name"]),
        family=family,
        resolution=whole(document["resolution"]),
        parameters=number(document["parameters"]),
        macs=number(document["macs"]),
        width=None if width is None else number(width),
        architecture=None if choices is None else Architecture.from_mapping(dict(choices)),
        chosen=text(document["chosen"]),
        results=tuple(_result_of(result) for result in document["results"]),
        latency=None
        if latency is None
        else {p: _latency_of(latency[name]) for p, name in PRECISIONS.items()},
    )


def _latency_of(document: Mapping[str, Any]) -> Latency:
    names = ("value", "low", "high", "drift_range")
    value, low, high, drift = (number(document[name]) for name in names)
    if not 0 < low <= value <= high:
        raise ValueError(f"latency {value}")
    return Latency(value, low, high, drift)


def _result_of(document: Mapping[str, Any]) -> Result:
    if document["way"] not in (ALONE, INHERITED):
        raise ValueError(f"way {document['way']}")
    accuracy = document["accuracy"]
    return Result(
        way=document["way"],
        seed=whole(document["seed"]),
        accuracy={
            p: Score(number(accuracy[name]["value"]), number(accuracy[name]["std_error"]))
            for p, name in PRECISIONS.items()
        },
        seconds=number(document["seconds"]),
        device=text(document["device"]),
        torch=text(document["torch"]),
    )
