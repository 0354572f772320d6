"""The contract of a task: its data, its loss, and the score that networks are judged by.

`foxnas_core.testing.tasks` holds what each must keep.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.tasks.dataset import Dataset, ImageSet

if TYPE_CHECKING:
    from torch import Tensor

BATCH = 500
"""Cases that are turned into one tensor where nothing is trained."""


@dataclass(frozen=True)
class Score:
    """A metric on held-out cases and its standard error, in the metric's own unit."""

    value: float
    std_error: float


@dataclass(frozen=True)
class Setting:
    """Something of a task's cases that a user may choose: what it is, in words, and what reads it
    from text, raising `ValueError` or `KeyError`."""

    meaning: str
    read: Callable[[str], Any]


class Batching(Protocol):
    """What turns stored inputs into what networks take."""

    def batch(self, inputs: np.ndarray, input_shape: Sequence[int]) -> "Tensor":
        """Stored inputs (N, …) as a network takes them, (N, *input_shape), float32."""


class Task(ABC):
    """What networks are trained for. An instance holds what of the training cases it needs to read
    others alike, such as the mean of their pixels.

    `name` is how checkpoints call it; `objective` the column of the table that `cases` gives first.
    `settings` are what may be asked for of its cases, by name. A study keeps the first `kept`
    training cases beside the held-out ones, to recalibrate norms by; with `keeps_training`, all.
    Stored inputs are (N, …) and labels (N, …), of any shape and type; `input_shape` is as in
    `networks.Network`.
    """

    name: ClassVar[str]
    objective: ClassVar[str]
    keeps_training: ClassVar[bool] = False
    settings: ClassVar[Mapping[str, Setting]] = {}
    kept: ClassVar[int] = 2000

    # Data

    @classmethod
    @abstractmethod
    def load(cls, path: Path | None, input_shape: Sequence[int], **settings: Any) -> Dataset:
        """The cases at `path`, by default those that the task comes with.

        `settings` are values of `settings`, read; what the dataset says of its own gives it again.
        Raises `MissingPart` where nothing is there, `InvalidInput` naming what can't be read.
        """

    @classmethod
    @abstractmethod
    def of(cls, dataset: Dataset) -> Self:
        """The task as the dataset's training part makes it."""

    @classmethod
    @abstractmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        """What `record` told."""

    @abstractmethod
    def record(self) -> dict[str, Any]:
        """Plain values of which `from_record` makes the task again."""

    @classmethod
    @abstractmethod
    def check(
        cls,
        dataset: Dataset,
        input_shape: Sequence[int],
        output_shape: Sequence[int],
        space: str,
    ) -> None:
        """Raises `InvalidInput` where a network from `input_shape` to `output_shape`, each of one
        case, doesn't suit the dataset; `space` is the name of its search space."""

    @abstractmethod
    def batch(self, inputs: np.ndarray, input_shape: Sequence[int]) -> "Tensor":
        """Stored inputs (N, …) as a network takes them, (N, *input_shape), float32."""

    def batches(
        self, inputs: np.ndarray, input_shape: Sequence[int], size: int = BATCH
    ) -> Iterator["Tensor"]:
        """The same, `size` cases at a time."""
        for start in range(0, len(inputs), size):
            yield self.batch(inputs[start : start + size], input_shape)

    # Training

    def variation(self, rng: np.random.Generator, count: int) -> np.ndarray:
        """What is drawn anew at every step for each of `count` cases, (count, …)."""
        return np.zeros(count)

    def varied(self, cases: ImageSet, drawn: np.ndarray) -> ImageSet:
        """The cases, changed as `variation` has drawn, such as flipped; by default as they are."""
        return cases

    @abstractmethod
    def loss(self, outputs: "Tensor", labels: np.ndarray) -> "Tensor":
        """The mean over cases that training makes small, a scalar with a gradient."""

    @abstractmethod
    def imitation(self, outputs: "Tensor", teacher: "Tensor") -> "Tensor":
        """The mean loss of outputs against another network's on the same cases."""

    # Judging

    @abstractmethod
    def cases(self, outputs: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
        """Each metric of each case (N,), by column of the table, the objective first."""

    def score(
        self, outputs: np.ndarray, held_out: ImageSet, domains: Sequence[str] = ()
    ) -> dict[str, Score]:
        """Each metric's mean over cases and the standard error of that.

        With the names of the cases' domains, also `metric:domain` over those of one domain.
        """
        cases = self.cases(outputs, held_out.labels)
        scores = {name: mean_of(values) for name, values in cases.items()}
        if held_out.domains is not None:
            for number, domain in enumerate(domains):
                own = held_out.domains == number
                if not own.any():
                    continue
                scores |= {f"{name}:{domain}": mean_of(v[own]) for name, v in cases.items()}
        return scores

    @abstractmethod
    def agreement(self, outputs: np.ndarray, others: np.ndarray) -> np.ndarray:
        """How far two networks say the same of each case (N,), from 0 to 1."""


def mean_of(values: np.ndarray) -> Score:
    """The mean of values (n,) and its standard error."""
    return Score(float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))))


def check_size(what: str, dataset: Dataset, has: int, takes: int, space: str) -> None:
    """Raise `InvalidInput` where a dataset has other than a space's networks take of something."""
    if has != takes:
        raise InvalidInput(
            f"The images of {dataset.name} have {has} {what}, but space {space!r} is for "
            f"{takes}; train on a space of your own (--space FILE) with {has}."
        )


def read_settings(kind: type[Task], given: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A task's settings from their texts; raises `InvalidInput` for others, or what they can't
    be."""
    found = {}
    for name, text in given:
        if name not in kind.settings:
            known = f"known: {', '.join(kind.settings)}" if kind.settings else "it has none"
            raise InvalidInput(f"The task {kind.name!r} has no setting {name!r}; {known}.")
        setting = kind.settings[name]
        try:
            found[name] = setting.read(text)
        except (ValueError, KeyError) as error:
            raise InvalidInput(
                f"The setting {name!r} can't be {text!r}; it is {setting.meaning}."
            ) from error
    return found
