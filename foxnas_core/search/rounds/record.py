"""Rounds of searching and measuring, as they are kept and written."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from foxnas_core.documents import choices, number, text, whole
from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor
from foxnas_core.search.limits import rounded_up
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import Metric, metric_of

PER_ROUND = 8


MOST_PER_ROUND = 100


ORIGIN = "search"


_ENDS = ("value", "low", "high")


@dataclass(frozen=True)
class FindEstimate:
    """A prediction with its 95 % prediction interval, in the target's unit."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Find:
    """A subnet that a round searched under `budget` (ms) and measured.

    `passed_over` counts the better predicted subnets that were measured already; `predicted` and
    `measured`, empty until it is, hold each target's by column.
    """

    architecture: Architecture
    budget: float
    passed_over: int
    predicted: dict[str, FindEstimate]
    measured: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class BestMeasured:
    """The subnet of the best measured objective (`accuracy`, whichever it is) whose measured cost
    (`latency`) is within `budget`; its id is empty and its numbers NaN where none is."""

    budget: float
    id: str
    accuracy: float
    latency: float


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
    def of(cls, predictor: Predictor) -> "FitQuality":
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
            error = front_error(self.finds, column)
            if error is not None:
                target = metric_of(column)
                said += (
                    f"; {target.label} measured {target.text(error.bias, signed=True)} "
                    f"{target.difference_unit} off its prediction on average (RMSE "
                    f"{target.text(error.rmse)}), "
                    f"{100 * error.inside:.0f} % inside the prediction interval"
                )
        improved = self.improved(metric_of(columns[0]))
        return f"{said}; better than before at {improved} of {len(self.best)} budgets."


@dataclass(frozen=True)
class RoundsRecord:
    """Rounds for one objective at fixed budgets of one cost, the column `latency` (whichever it
    is), in its unit; `shared` is the one that was asked for."""

    latency: str
    budgets: tuple[float, ...]
    shared: float | None
    seed: int
    rounds: tuple[Round, ...] = ()
    objective: str = "accuracy"

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

    def to_dict(self) -> dict[str, Any]:
        """A JSON document; see `docs/schemas.md`."""
        return {
            "objective": self.objective,
            "format": 1,
            "latency": self.latency,
            "budgets": list(self.budgets),
            "shared": self.shared,
            "seed": self.seed,
            "rounds": [_round_document(r) for r in self.rounds],
        }

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "RoundsRecord":
        """The inverse of `to_dict`; raises `ValueError`, `KeyError` or `TypeError` for what is
        none."""
        if document["format"] != 1:
            raise ValueError(f"format {document['format']}")
        shared = document["shared"]
        rounds = tuple(_round_of(r) for r in document["rounds"])
        objective = metric_of(document.get("objective", "accuracy")).column
        columns = {objective, metric_of(document["latency"]).column}
        for one in rounds:
            if one.done and not columns <= set(one.after):
                raise ValueError("a fit is missing")
            if not all(set(find.measured) <= set(find.predicted) for find in one.finds):
                raise ValueError("what was not predicted is measured")
        return cls(
            latency=text(document["latency"]),
            budgets=tuple(number(b) for b in document["budgets"]),
            shared=None if shared is None else number(shared),
            seed=whole(document["seed"]),
            rounds=rounds,
            objective=objective,
        )


@dataclass(frozen=True)
class FrontError:
    """How predictions made before measuring differ from measurements, over some finds: mean
    (`bias`) and root mean square (`rmse`) of measured less predicted, in the target's unit, and the
    share `inside` the 95 % prediction interval."""

    finds: int
    bias: float
    rmse: float
    inside: float


def front_error(finds: Sequence[Find], column: str) -> FrontError | None:
    """The error at the front for one target; None where none of the finds was measured."""
    known = [(f.measured[column], f.predicted[column]) for f in finds if column in f.measured]
    if not known:
        return None
    errors = np.array([measured - predicted.value for measured, predicted in known])
    inside = [predicted.low <= measured <= predicted.high for measured, predicted in known]
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
) -> None:
    """Raises `InvalidInput` where rounds were begun with other settings."""
    for what, asked, kept in (
        ("objective", columns[0], record.objective),
        ("cost", columns[1], record.latency),
        ("finds a round", per_round, len(record.budgets)),
        ("budget", shared, record.shared),
        ("seed", seed, record.seed),
    ):
        if asked is not None and asked != kept:
            shown = rounded_up(kept, 6) if isinstance(kept, float) else kept
            raise InvalidInput(
                f"This study's rounds were begun with the {what} {shown}, not {asked}; go on with "
                "that, or move rounds.json away to begin anew."
            )


def _round_document(done: Round) -> dict[str, Any]:
    return {
        "parents": done.parents,
        "finds": [
            {
                "id": find.architecture.id,
                "choices": [list(choice) for choice in find.architecture.choices],
                "budget": find.budget,
                "passed_over": find.passed_over,
                "predicted": {c: vars(e) for c, e in find.predicted.items()},
                "measured": find.measured,
            }
            for find in done.finds
        ],
        "before": {c: vars(quality) for c, quality in done.before.items()},
        "best_before": [_plain(vars(b)) for b in done.best_before],
        "after": {c: vars(quality) for c, quality in done.after.items()},
        "best": [_plain(vars(b)) for b in done.best],
        "moved": done.moved,
    }


def _round_of(document: Mapping[str, Any]) -> Round:
    return Round(
        parents={text(k): text(v) for k, v in document["parents"].items()},
        finds=tuple(
            Find(
                Architecture.from_mapping(choices(find["choices"])),
                number(find["budget"]),
                whole(find["passed_over"]),
                {
                    text(c): FindEstimate(*(number(e[end]) for end in _ENDS))
                    for c, e in find["predicted"].items()
                },
                {text(c): number(v) for c, v in find["measured"].items()},
            )
            for find in document["finds"]
        ),
        before=_qualities(document["before"]),
        best_before=_bests(document["best_before"]),
        after=_qualities(document["after"]),
        best=_bests(document["best"]),
        moved={text(c): number(v) for c, v in document["moved"].items()},
    )


def _qualities(document: Mapping[str, Any]) -> dict[str, FitQuality]:
    return {
        text(c): FitQuality(
            text(q["form"]), whole(q["rows"]), number(q["r2"]), number(q["rmse"]), number(q["tau"])
        )
        for c, q in document.items()
    }


def _bests(documents: Sequence[Mapping[str, Any]]) -> tuple[BestMeasured, ...]:
    def known(value: float | None) -> float:
        return math.nan if value is None else number(value)

    return tuple(
        BestMeasured(number(b["budget"]), text(b["id"]), known(b["accuracy"]), known(b["latency"]))
        for b in documents
    )


def _plain(document: dict[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in document.items()}
