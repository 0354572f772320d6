"""Subnets that were trained alone, beside what they inherit from the supernet, and which to take.

Everything here is plain values; `evidence.trust.alone` trains, `evidence.trust.report`
says what the pairs tell.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from foxnas_core.documents import number, text, whole
from foxnas_core.errors import InvalidInput
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

# Draws that find nothing new before a combination of context choices counts as used up.
_MISSES = 1000


@dataclass(frozen=True)
class TrustSettings:
    """How the subnets are trained: by the supernet's own recipe but for these.

    `epochs` from scratch; `fine_tune_epochs` from the inherited weights, at `fine_tune_rate` times
    the recipe's learning rate.
    """

    epochs: int = 12
    fine_tune_epochs: int = 3
    fine_tune_rate: float = 0.1


@dataclass(frozen=True)
class Score:
    """Top-1 accuracy on the held-out images and its standard error, in percent."""

    value: float
    std_error: float


@dataclass(frozen=True)
class TrustPair:
    """One subnet: what it inherits, and what it reaches when it is trained itself.

    - `inherited`: with the supernet's weights and batch norms recalibrated; `unrecalibrated`: with
      the supernet's own norm statistics.
    - `alone`: trained from scratch; `fine_tuned`: trained on from the inherited weights. Both are
      recalibrated too.
    - `seed` drew the subnet and was trained with; `seconds` is what all of it took; `device` and
      `torch` name the processor and the version.
    """

    architecture: Architecture
    parameters: float
    macs: float
    inherited: Score
    unrecalibrated: Score
    alone: Score
    fine_tuned: Score
    seed: int
    seconds: float
    device: str
    torch: str


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

    @property
    def ids(self) -> set[str]:
        return {pair.architecture.id for pair in self.pairs}

    def to_dict(self) -> dict[str, Any]:
        """A JSON document; see `docs/schemas.md`."""
        return {
            "format": 1,
            "parents": self.parents,
            "dataset": self.dataset,
            "training_images": self.training_images,
            "settings": asdict(self.settings),
            "pairs": [_pair_document(pair) for pair in self.pairs],
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "TrustRecord":
        """The inverse of `to_dict`; raises `ValueError`, `KeyError` or `TypeError` for what is
        none."""
        if document["format"] != 1:
            raise ValueError(f"format {document['format']}")
        settings = document["settings"]
        return cls(
            parents={name: text(document["parents"][name]) for name in ("space", "checkpoint")},
            dataset=text(document["dataset"]),
            training_images=whole(document["training_images"]),
            settings=TrustSettings(
                whole(settings["epochs"]),
                whole(settings["fine_tune_epochs"]),
                number(settings["fine_tune_rate"]),
            ),
            pairs=tuple(_pair_of(pair) for pair in document["pairs"]),
        )


def check_continues(record: TrustRecord, begun: TrustRecord) -> None:
    """Raise `InvalidInput` where the pairs of `record` are not such as `begun` would add."""
    where = "move trust.json away to begin anew"
    if record.parents != begun.parents:
        raise InvalidInput(
            f"The study's trust pairs are of checkpoint {record.parents['checkpoint']}, but its "
            f"checkpoint is {begun.parents['checkpoint']} now; {where}."
        )
    if record.settings != begun.settings:
        old = record.settings
        raise InvalidInput(
            f"The study's trust pairs were trained for {old.epochs} epochs from scratch and "
            f"{old.fine_tune_epochs} of fine-tuning at {old.fine_tune_rate:g} times the learning "
            f"rate; go on with these, or {where}."
        )
    if (record.dataset, record.training_images) != (begun.dataset, begun.training_images):
        raise InvalidInput(
            f"The study's trust pairs were trained on {record.training_images:,} images of "
            f"{record.dataset}, not on {begun.training_images:,} of {begun.dataset}; name those "
            f"with --data, or {where}."
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


def _pair_document(pair: TrustPair) -> dict[str, Any]:
    return {
        "id": pair.architecture.id,
        "choices": pair.architecture.to_dict(),
        "parameters": pair.parameters,
        "macs": pair.macs,
        "accuracy": {name: asdict(getattr(pair, name)) for name in SCORES},
        "seed": pair.seed,
        "seconds": round(pair.seconds, 1),
        "device": pair.device,
        "torch": pair.torch,
    }


def _pair_of(document: Mapping[str, Any]) -> TrustPair:
    scores = {
        name: Score(number(score["value"]), number(score["std_error"]))
        for name, score in ((n, document["accuracy"][n]) for n in SCORES)
    }
    return TrustPair(
        architecture=Architecture.from_mapping(document["choices"]),
        parameters=number(document["parameters"]),
        macs=number(document["macs"]),
        **scores,
        seed=whole(document["seed"]),
        seconds=number(document["seconds"]),
        device=text(document["device"]),
        torch=text(document["torch"]),
    )
