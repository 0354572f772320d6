"""Rounds of searching and measuring, as they are kept and written."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import numpy as np

from foxnas_core.errors import InvalidInput
from foxnas_core.records import CHOICE_PAIRS, RecordKind, Stored, or_nan
from foxnas_core.search.limits import rounded_up
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import Metric, metric_of

if TYPE_CHECKING:
    from foxnas_core.regression import Predictor

PER_ROUND = 8
MOST_PER_ROUND = 100
ORIGIN = "search"
OPTIMUM, IMPROVEMENT = "optimum", "improvement"
# What is measured in a round for each budget.
WAYS = {
    OPTIMUM: "the optimum",
    IMPROVEMENT: "what is expected to improve most on the best measured",
}


@dataclass(frozen=True)
class FindEstimate:
    """A number in the target's unit, with its 95 % interval of one measurement."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Find:
    """A subnet that a round searched under `budget` (ms) and measured.

    `passed_over` counts the better predicted subnets that were measured already; `predicted` and
    `measured`, empty until it is, hold each target's by column, and `expected`, where measured
    optima told, what it was expected to measure.
    """

    architecture: Annotated[Architecture, CHOICE_PAIRS]
    budget: float
    passed_over: int
    predicted: dict[str, FindEstimate]
    measured: dict[str, float] = field(default_factory=dict)
    expected: Annotated[dict[str, FindEstimate], Stored(omitted=True)] = field(default_factory=dict)


@dataclass(frozen=True)
class BestMeasured:
    """The subnet of the best measured objective (`accuracy`, whichever it is) whose measured cost
    (`latency`) is within `budget`; its id is empty and its numbers NaN where none is."""

    budget: float
    id: str
    accuracy: Annotated[float, Stored(read=or_nan)]
    latency: Annotated[float, Stored(read=or_nan)]


@dataclass(frozen=True)
class FitQuality:
    """A predictor's form and rows, and the R², RMSE (target's unit) and Kendall's τ of its
    cross-validation."""

    form: str
    rows: int
    r2: float
    rmse: float
    tau: float

    @classmethod
    def of(cls, predictor: "Predictor") -> "FitQuality":
        cv = predictor.cv
        return cls(predictor.form.name, predictor.rows, cv.r2, cv.rmse, cv.tau)


@dataclass(frozen=True)
class Round:
    """One round; `after` and `best` are empty until it is measured and fitted.

    - `parents`: fingerprints of the space, the measurements it was searched with and the weights.
    - `before`, `after`: the fits, by column, without and with its finds.
    - `best_before`, `best`: the best measured subnet for each budget, without and with its finds.
    - `moved`: how far the round moved predictions of random subnets, by column, beside what chance
      alone does, see `movement`: well above 1 its rows disagree with those before it.
    """

    parents: dict[str, str]
    finds: tuple[Find, ...]
    before: dict[str, FitQuality]
    best_before: tuple[BestMeasured, ...]
    after: dict[str, FitQuality] = field(default_factory=dict)
    best: tuple[BestMeasured, ...] = ()
    moved: dict[str, float] = field(default_factory=dict)

    @property
    def done(self) -> bool:
        return bool(self.after)

    @property
    def alternatives(self) -> int:
        """How many finds are near an optimum that was measured already."""
        return sum(find.passed_over > 0 for find in self.finds)

    def improved(self, objective: Metric) -> int:
        """For how many budgets the round measured a better subnet than there was."""
        pairs = zip(self.best_before, self.best, strict=False)
        sign = objective.sign
        return sum(
            not sign * now.accuracy <= sign * before.accuracy for before, now in pairs if now.id
        )

    def sentence(self, columns: Sequence[str]) -> str:
        """What a finished round came to, for an objective and its cost."""
        said = f"{len(self.finds)} subnets measured"
        if self.alternatives:
            said += (
                f", {self.alternatives} of them the next best, as the optimum was measured already"
            )
        for column in columns:
            plain, told = (front_error(self.finds, column, expected=own) for own in (False, True))
            error = told or plain
            if error is not None and plain is not None:
                target = metric_of(column)
                off = target.text(error.bias, signed=True)
                said += (
                    f"; {target.label} measured {off} {target.difference_unit} off "
                    f"{'what was expected' if told else 'its prediction'} on average (RMSE "
                    f"{target.text(error.rmse)}), {100 * error.inside:.0f} % inside "
                    f"{'its' if told else 'the prediction'} interval"
                )
                if told:
                    said += f", {target.text(plain.bias, signed=True)} off the plain prediction"
        improved = self.improved(metric_of(columns[0]))
        return f"{said}; better than before at {improved} of {len(self.best)} budgets."


@dataclass(frozen=True)
class RoundsRecord:
    """Rounds for one objective at fixed budgets of one cost, the column `latency` (whichever it
    is), in its unit; `shared` is the one that was asked for. Finds keep their budgets when measured
    with the probability `guard`, by what measured optima tell; at 0 their predictions keep them.
    They are each budget's "optimum" or, chosen `by` "improvement", what is expected to improve most
    on the best measured."""

    latency: str
    budgets: tuple[float, ...]
    shared: float | None
    seed: int
    rounds: tuple[Round, ...] = ()
    objective: Annotated[str, Stored(omitted=True)] = "accuracy"
    guard: Annotated[float, Stored(omitted=True)] = 0.0
    by: Annotated[str, Stored(omitted=True)] = OPTIMUM

    def __post_init__(self) -> None:
        if self.by not in WAYS:
            raise ValueError(f"rounds are found by {' or '.join(WAYS)}")
        columns = {metric_of(column).column for column in self.columns}
        for one in self.rounds:
            if one.done and not columns <= set(one.after):
                raise ValueError("a fit is missing")
            if not all(set(find.measured) <= set(find.predicted) for find in one.finds):
                raise ValueError("what was not predicted is measured")

    @property
    def done(self) -> int:
        return sum(r.done for r in self.rounds)

    def with_last(self, last: Round) -> "RoundsRecord":
        """With the last round replaced by `last` where it was not done, else appended."""
        kept = self.rounds if not self.rounds or self.rounds[-1].done else self.rounds[:-1]
        return replace(self, rounds=(*kept, last))

    @property
    def columns(self) -> tuple[str, str]:
        """Those of the objective and the cost."""
        return self.objective, self.latency


ROUNDS = RecordKind[RoundsRecord | None](
    "rounds.json", RoundsRecord, "rounds of search and measurement"
)


@dataclass(frozen=True)
class FrontError:
    """How what was told before measuring differs from measurements, over some finds: mean (`bias`)
    and root mean square (`rmse`) of measured less told, in the target's unit, and the share
    `inside` its 95 % interval."""

    finds: int
    bias: float
    rmse: float
    inside: float


def front_error(finds: Sequence[Find], column: str, *, expected: bool = False) -> FrontError | None:
    """The error at the front of one target's plain predictions, or of what was `expected`; None
    where none of the finds that have it was measured."""
    told = [(f.measured, f.expected if expected else f.predicted) for f in finds]
    known = [(found[column], own[column]) for found, own in told if column in {*found} & {*own}]
    if not known:
        return None
    errors = np.array([measured - own.value for measured, own in known])
    inside = [own.low <= measured <= own.high for measured, own in known]
    return FrontError(
        len(known),
        float(errors.mean()),
        float(np.sqrt(np.mean(errors**2))),
        float(np.mean(inside)),
    )


def check_continues(
    record: RoundsRecord,
    columns: Sequence[str],
    per_round: int | None,
    shared: float | None,
    seed: int,
    guard: float | None = None,
    by: str | None = None,
) -> None:
    """Raises `InvalidInput` where rounds were begun with other settings."""
    for what, asked, kept in (
        ("objective", columns[0], record.objective),
        ("cost", columns[1], record.latency),
        ("finds a round", per_round, len(record.budgets)),
        ("budget", shared, record.shared),
        ("seed", seed, record.seed),
        ("guard", guard, record.guard),
        ("way to choose finds", by, record.by),
    ):
        if asked is not None and asked != kept:
            shown = rounded_up(kept, 6) if isinstance(kept, float) else kept
            raise InvalidInput(
                f"This study's rounds were begun with the {what} {shown}, not {asked}; go on with "
                "that, or move rounds.json away to begin anew."
            )
