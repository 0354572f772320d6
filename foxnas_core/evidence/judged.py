"""Selected networks, each trained from scratch by one recipe, beside others trained alike.

Plain values; `steps.judge` trains.
"""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.evidence.cases import PairedGain, paired_gain
from foxnas_core.records import CHOICES, RecordKind, Stored
from foxnas_core.space.architecture import Architecture
from foxnas_core.tasks.task import Score

PERTURBATION, MAGNITUDE = "perturbation", "magnitude"
BEST, LARGEST, RANDOM = "best inherited", "largest", "random"
CHOICES_OF_A_SEED = (PERTURBATION, MAGNITUDE, BEST, LARGEST, RANDOM)
"""How a network was chosen: by a selection, as the measured one that inherits most, as the largest
of the space, or at random. Others are selections on other data, and landmarks of a family."""
SEEN, HELD, MADE = "seen domains", "held-out domain", "made images"
HELD_AT_SIZE, MADE_AT_SIZE, RANDOM_AT_SIZE = (
    f"{choice}, equal size" for choice in (HELD, MADE, RANDOM)
)
CHOICES_OUTSIDE = (SEEN, HELD, MADE, HELD_AT_SIZE, MADE_AT_SIZE, RANDOM_AT_SIZE)
"""How one was chosen for unseen domains: as the best candidate of a selection there, by what it is
told by; at equal size of those about as large as the best in seen domains."""
_LONGEST = 200


@dataclass(frozen=True)
class JudgedNetwork:
    """A network trained from scratch: the seed of its training, by which the selection was made
    too, how it was chosen (such as `CHOICES_OF_A_SEED`), what it scores on the held-out cases, its
    `rank` by the record's `truth`, 1 the best, None where that has none, what it scores on each
    of the `cases`, empty where they are too many to be told one by one, and what else is told of it
    by column in `columns`."""

    seed: int
    choice: str
    architecture: Annotated[Architecture, replace(CHOICES, with_id=True)]
    written: str
    score: Score
    seconds: float
    rank: int | None = None
    cases: Annotated[tuple[float, ...], Stored(omitted=True)] = ()
    columns: Annotated[dict[str, float], Stored(omitted=True)] = field(
        default_factory=dict, hash=False
    )

    def __post_init__(self) -> None:
        if not 0 < len(self.choice) <= _LONGEST or not self.choice.isprintable():
            raise ValueError(f"choice {self.choice!r:.40}")


@dataclass(frozen=True)
class JudgedRecord:
    """All networks that were trained by one recipe, of which each seed has one of every choice.

    `objective` is the column that scores are of; `truth` names the table that ranks are by, of so
    many `cells`, "" and 0 without one; `device` and `torch` are where it was begun.
    """

    parents: dict[str, str]
    objective: str
    dataset: str
    training_images: int
    held_out_images: int
    recipe: dict[str, float]
    device: str
    torch: str
    truth: str = ""
    cells: int = 0
    networks: tuple[JudgedNetwork, ...] = ()

    @property
    def choices(self) -> tuple[str, ...]:
        """How its networks were chosen, in the order of `CHOICES_OF_A_SEED`, others after them."""
        found = dict.fromkeys(own.choice for own in self.networks)
        return tuple(dict.fromkeys([own for own in CHOICES_OF_A_SEED if own in found] + [*found]))

    @property
    def outside(self) -> bool:
        """Whether its networks were selected for unseen domains."""
        return any(own.choice in CHOICES_OUTSIDE for own in self.networks)

    def has(self, seed: int, choice: str, architecture: Architecture) -> bool:
        asked = (seed, choice, architecture)
        return any((own.seed, own.choice, own.architecture) == asked for own in self.networks)

    def alike(self, seed: int, architecture: Architecture) -> JudgedNetwork | None:
        """The same network trained by the same seed, whatever it was chosen by: training it once
        more would give it again."""
        asked = (seed, architecture)
        return next((own for own in self.networks if (own.seed, own.architecture) == asked), None)

    def with_network(self, network: JudgedNetwork) -> "JudgedRecord":
        """With a network in the place of the one of its seed and choice, where there is one: more
        measurements may have another one that inherits most."""
        place = (network.seed, network.choice)
        others = (own for own in self.networks if (own.seed, own.choice) != place)
        return replace(self, networks=(*others, network))


JUDGED = RecordKind[JudgedRecord | None](
    "judged.json", JudgedRecord, "selected networks trained from scratch, beside others"
)


def check_continues(record: JudgedRecord, begun: JudgedRecord) -> None:
    """Raise `InvalidInput` where networks would be trained otherwise than those of `record`."""

    def how(one: JudgedRecord) -> dict[str, Any]:
        return {
            "images": (one.dataset, one.training_images, one.held_out_images),
            "recipe": one.recipe,
            "weights": one.parents,
        }

    others = [name for name, own in how(begun).items() if how(record)[name] != own]
    if others:
        raise InvalidInput(
            f"The networks in judged.json were trained with other {' and other '.join(others)}; "
            "go on as they were, or move the file away to begin anew."
        )


def judged_table(record: JudgedRecord) -> pd.DataFrame:
    """A row a network, seed by seed: seed, chosen, the network as it is written, its score with the
    standard error, what else is told of it by column, and its rank where there is a truth."""
    order = record.choices.index
    networks = sorted(record.networks, key=lambda own: (own.seed, order(own.choice)))
    table = pd.DataFrame(
        {
            "seed": own.seed,
            "chosen": own.choice,
            "network": own.written,
            record.objective: own.score.value,
            "std error": own.score.std_error,
            **own.columns,
            "rank": own.rank,
        }
        for own in networks
    )
    return table if record.truth else table.drop(columns="rank")


def paired(record: JudgedRecord, one: str, other: str, column: str = "") -> pd.Series:
    """By seed, how much more the first choice's network has than the other's of what is scored, or
    of another column, of the seeds that have both."""
    scores = pd.DataFrame(
        {
            "seed": own.seed,
            "choice": own.choice,
            "score": own.columns[column] if column else own.score.value,
        }
        for own in record.networks
    ).pivot(index="seed", columns="choice", values="score")
    if not {one, other} <= set(scores):
        return pd.Series(dtype=float)
    return (scores[one] - scores[other]).dropna()


def gain_over_cases(record: JudgedRecord, one: str, other: str) -> PairedGain | None:
    """How much more the first choice's networks score than the other's, case by case, each case
    the mean of the seeds that have both; None where no seed has, or cases were not kept."""
    by = {(own.seed, own.choice): own.cases for own in record.networks}
    both = [(by[s, one], by[s, other]) for s, choice in by if choice == one and (s, other) in by]
    if not both or any(len(cases) != record.held_out_images for pair in both for cases in pair):
        return None
    first, second = np.mean(both, axis=0)
    return paired_gain(first, second)


def ranks(record: JudgedRecord, choice: str) -> list[int]:
    """Of a choice's networks, by seed."""
    own = sorted((n for n in record.networks if n.choice == choice), key=lambda n: n.seed)
    return [network.rank for network in own if network.rank is not None]
