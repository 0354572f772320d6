"""The contract of a method: how one architecture of a study is selected, and on what evidence."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

import pandas as pd

from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.regression.counting import with_counted
from foxnas_core.search.selections import SupernetSelection
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.study import Study
from foxnas_core.table.metrics import metric_of
from foxnas_core.table.sums import tells


@dataclass(frozen=True)
class Question:
    """The best value of the column `objective`, by its own direction, with every column of
    `limits` at most its number, or at least that where more is better.

    `allowed` holds the choices that a decision may take, where not all. `guard` is how surely
    measurements shall keep the limits, by default the usual one where optima were measured.
    """

    objective: str
    limits: Mapping[str, float] = field(default_factory=dict)
    allowed: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    guard: float | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.objective, *self.limits)))

    def to_dict(self) -> dict[str, Any]:
        """A JSON document."""
        return asdict(self) | {"allowed": {name: list(own) for name, own in self.allowed.items()}}


@dataclass(frozen=True, eq=False)
class Selection:
    """The architecture that a method selects, and why.

    - `sentence` says what speaks for it and what was proven; `evidence` is what was compared, one
      row a column or an architecture.
    - `document` is what is told beside it as JSON: `exact` (None where it was not proven) and
      `gap` to it, and what else the method has to say.
    """

    architecture: Architecture
    sentence: str
    evidence: pd.DataFrame
    document: Mapping[str, Any]


class Run(Protocol):
    """A method at work: `done` of `total` steps are made, none of which takes long."""

    @property
    def total(self) -> int: ...
    @property
    def done(self) -> int: ...

    def advance(self, steps: int) -> None:
        """Make so many steps, or as many as are left."""
        ...

    def state(self) -> bytes:
        """What `Method.begin` goes on from, wherever the run stands."""
        ...

    def selection(self) -> Selection:
        """What is selected, once all steps are made."""
        ...


@runtime_checkable
class Telling(Run, Protocol):
    """A run on a supernet that tells on its way what it would select."""

    def so_far(self) -> SupernetSelection:
        """What it would select now, and its course so far."""
        ...


class Method(ABC):
    """A way to select an architecture. Equal studies, questions and seeds give equal selections,
    however a run was divided and resumed."""

    name: str
    title: str
    # Whether it selects by what a supernet learned, not by a study's table; and whether that is one
    # of its own, which it trains.
    on_supernet = False
    trains = False
    # Whether it can keep limits.
    keeps_limits = True
    # Its whole-numbered settings that may be chosen on its page, each with its label.
    settings: ClassVar[Mapping[str, str]] = {}

    @abstractmethod
    def lacks(self, study: Study, question: Question | None = None) -> str | None:
        """A sentence that says why it can't run on a study (for a question) and what to do; may
        raise `FoxnasError`s that say as much."""

    @abstractmethod
    def begin(
        self, study: Study, question: Question, *, seed: int = 0, state: bytes | None = None
    ) -> Run:
        """A run from the start, or from the state of an earlier one of equal arguments.

        Raises `InvalidInput` where it makes no sense of the question, and `InfeasibleBudget` where
        nothing can keep the limits.
        """

    def identity(self, study: Study) -> dict[str, Any]:
        """What else than its question tells a run apart, as JSON: settings, and hashes of what it
        reads beside the table."""
        return {}

    def needs(self, study: Study, question: Question | None = None) -> str | None:
        """What `lacks` says or raises; None where it can run."""
        try:
            return self.lacks(study, question)
        except FoxnasError as error:
            return str(error)

    def run(
        self,
        study: Study,
        question: Question,
        *,
        seed: int = 0,
        state: bytes | None = None,
        report: Callable[[Run], None] = lambda run: None,
        parts: int = 100,
    ) -> Selection:
        """Run to the end, in so many parts, after each of which `report` is called.

        Raises `MissingPart` with what `needs` says, and as `begin`.
        """
        if sentence := self.needs(study, question):
            raise MissingPart(sentence)
        run = self.begin(study, question, seed=seed, state=state)
        while run.done < run.total:
            run.advance(max(1, -(-run.total // parts)))
            report(run)
        return run.selection()


def missing_columns(study: Study, question: Question | None) -> str | None:
    """A sentence where the study's table has no rows, or lacks a column of the question."""
    table = with_counted(study.table())
    if not tells(table):
        return (
            f"{study.folder} has no measured subnets yet; measure some with 'python -m "
            "foxnas_core measure' or import a table."
        )
    known = [target.column for target in table.targets]
    for column in question.columns if question else ():
        if metric_of(column).column not in known:
            return (
                f"The table of {study.folder} has no column {column!r}; take one of "
                f"{', '.join(known)}, or measure it."
            )
    return None
