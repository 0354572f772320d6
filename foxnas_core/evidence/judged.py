"""Selected networks, each trained from scratch by one recipe, beside others trained alike.

Plain values; `steps.judge` trains.
"""

from dataclasses import dataclass, replace
from typing import Annotated, Any

import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.records import CHOICES, RecordKind
from foxnas_core.space.architecture import Architecture
from foxnas_core.tasks.task import Score

PERTURBATION, MAGNITUDE = "perturbation", "magnitude"
BEST, LARGEST, RANDOM = "best inherited", "largest", "random"
CHOICES_OF_A_SEED = (PERTURBATION, MAGNITUDE, BEST, LARGEST, RANDOM)
"""How a network was chosen: by a selection, as the measured one that inherits most, as the largest
of the space, or at random."""


@dataclass(frozen=True)
class JudgedNetwork:
    """A network trained from scratch: the seed of its training, by which the selection was made
    too, how it was chosen (one of `CHOICES_OF_A_SEED`), what it scores on the held-out cases, and
    its `rank` by the record's `truth`, 1 the best, None where that has none."""

    seed: int
    choice: str
    architecture: Annotated[Architecture, replace(CHOICES, with_id=True)]
    written: str
    score: Score
    seconds: float
    rank: int | None = None

    def __post_init__(self) -> None:
        if self.choice not in CHOICES_OF_A_SEED:
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

    def has(self, seed: int, choice: str, architecture: Architecture) -> bool:
        asked = (seed, choice, architecture)
        return any((own.seed, own.choice, own.architecture) == asked for own in self.networks)

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
    standard error, and its rank where there is a truth."""
    order = CHOICES_OF_A_SEED.index
    networks = sorted(record.networks, key=lambda own: (own.seed, order(own.choice)))
    table = pd.DataFrame(
        {
            "seed": own.seed,
            "chosen": own.choice,
            "network": own.written,
            record.objective: own.score.value,
            "std error": own.score.std_error,
            "rank": own.rank,
        }
        for own in networks
    )
    return table if record.truth else table.drop(columns="rank")


def paired(record: JudgedRecord, one: str, other: str) -> pd.Series:
    """By seed, how much more the first choice's network scores than the other's, of the seeds that
    have both."""
    scores = pd.DataFrame(
        {"seed": own.seed, "choice": own.choice, "score": own.score.value}
        for own in record.networks
    ).pivot(index="seed", columns="choice", values="score")
    if not {one, other} <= set(scores):
        return pd.Series(dtype=float)
    return (scores[one] - scores[other]).dropna()


def ranks(record: JudgedRecord, choice: str) -> list[int]:
    """Of a choice's networks, by seed."""
    own = sorted((n for n in record.networks if n.choice == choice), key=lambda n: n.seed)
    return [network.rank for network in own if network.rank is not None]
