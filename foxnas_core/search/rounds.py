"""FOX-NAS's outer loop: search, measure what was found, fit anew, and search again.

A round takes one find for each of some budgets, fixed over the rounds so that these can be
compared: the predicted optimum, which is exact, or, where that was measured already, the best
predicted subnet near the front that was not. What the predictors said before a find was measured
is kept with what it measured, since a later fit has seen it.
"""

import heapq
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import numpy as np
import pandas as pd

from foxnas_core.errors import InvalidInput
from foxnas_core.records import CHOICE_PAIRS, RecordKind, Stored, document_of, or_nan
from foxnas_core.regression import Predictor, fit
from foxnas_core.search.exact import Front
from foxnas_core.search.problem import rounded_up
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of

PER_ROUND = 8
MOST_PER_ROUND = 100
ORIGIN = "search"
# Points of the front below a budget that stand in for an optimum that was measured.
_NEAREST = 30


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

    architecture: Annotated[Architecture, CHOICE_PAIRS]
    budget: float
    passed_over: int
    predicted: dict[str, FindEstimate]
    measured: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class BestMeasured:
    """The subnet of the highest measured accuracy whose measured latency is within `budget`; its
    id is empty and its numbers NaN where none is."""

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

    @property
    def improved(self) -> int:
        """For how many budgets the round measured a better subnet than there was."""
        pairs = zip(self.best_before, self.best, strict=False)
        return sum(not now.accuracy <= before.accuracy for before, now in pairs if now.id)

    def sentence(self, latency: str) -> str:
        """What a finished round came to."""
        said = f"{len(self.finds)} subnets measured"
        if self.alternatives:
            said += (
                f", {self.alternatives} of them the next best, as the optimum was measured already"
            )
        for column in ("accuracy", latency):
            error = front_error(self.finds, column)
            if error is not None:
                target = metric_of(column)
                said += (
                    f"; {target.label} measured {target.text(error.bias, signed=True)} "
                    f"{target.difference_unit} off its prediction on average (RMSE "
                    f"{target.text(error.rmse)}), "
                    f"{100 * error.inside:.0f} % inside the prediction interval"
                )
        return f"{said}; better than before at {self.improved} of {len(self.best)} budgets."


@dataclass(frozen=True)
class RoundsRecord:
    """Rounds of one latency at fixed budgets (ms); `shared` is the one that was asked for."""

    latency: str
    budgets: tuple[float, ...]
    shared: float | None
    seed: int
    rounds: tuple[Round, ...] = ()

    def __post_init__(self) -> None:
        columns = {"accuracy", metric_of(self.latency).column}
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


ROUNDS = RecordKind[RoundsRecord | None](
    "rounds.json", RoundsRecord, "rounds of search and measurement"
)


# Planning


def spread_budgets(front: Front, count: int, shared: float | None = None) -> tuple[float, ...]:
    """`count` budgets (ms) at the middles of equal parts of the front's range of costs; the one
    nearest to `shared`, where given, is replaced by it.

    Raises `InvalidInput` for a count out of range, and `InfeasibleBudget` for a `shared` that none
    can keep.
    """
    if not 1 <= count <= MOST_PER_ROUND:
        raise InvalidInput(
            f"A round of {count} finds can't be planned; ask for 1 to {MOST_PER_ROUND}."
        )
    low, high = float(front.costs[0]), float(front.costs[-1])
    budgets = low + (high - low) * (np.arange(count) + 0.5) / count
    if shared is not None:
        front.within(shared)
        budgets[np.abs(budgets - shared).argmin()] = shared
    return tuple(float(b) for b in np.sort(budgets))


def plan_finds(
    front: Front, predictors: Sequence[Predictor], budgets: Sequence[float], taken: Collection[str]
) -> tuple[Find, ...]:
    """One find a budget, none of whose ids is in `taken`; fewer where the space has no more.

    `predictors` are the objective's and the limit's.
    """
    used = set(taken)
    finds = []
    for budget in budgets:
        found = best_not_taken(front, budget, used)
        if found is None:
            continue
        architecture, passed_over = found
        used.add(architecture.id)
        predicted = {}
        for predictor in predictors:
            row = predictor.predict([architecture]).iloc[0]
            ends = (row["value"], row["prediction_low"], row["prediction_high"])
            predicted[predictor.target.column] = FindEstimate(*map(float, ends))
        finds.append(Find(architecture, float(budget), passed_over, predicted))
    return tuple(finds)


def best_not_taken(
    front: Front, budget: float, taken: Collection[str]
) -> tuple[Architecture, int] | None:
    """The predicted optimum of a budget or, where its id is in `taken`, a near one that is not,
    and how many better ones were passed over; None where none is left within the budget.

    The near ones are the optima of smaller budgets and what single edits make, within the budget,
    of those passed over; the best predicted is taken. It need not be the second best of the whole
    space, which may differ from the best in several edits.
    """
    problem = front.problem
    objective, limit = problem.objective, problem.limits[0].predictor
    first = front.within(budget)
    below = int(np.searchsorted(front.costs, budget, side="right")) - 1
    nearest = [front.candidate(k) for k in range(max(below - _NEAREST, 0), below)]
    heap = [(-problem.sign * c.value, c.architecture.id, c.architecture) for c in (first, *nearest)]
    heapq.heapify(heap)
    seen = {found for _, found, _ in heap}
    passed_over = 0
    while heap:
        _, found, architecture = heapq.heappop(heap)
        if found not in taken:
            return architecture, passed_over
        passed_over += 1
        near = [a for a in problem.space.neighbours(architecture) if a.id not in seen]
        if not near:
            continue
        seen |= {a.id for a in near}
        values, costs = (p.predict(near)["value"].to_numpy() for p in (objective, limit))
        for place in np.flatnonzero(costs <= budget):
            key = -problem.sign * float(values[place])
            heapq.heappush(heap, (key, near[place].id, near[place]))
    return None


# What a round came to


def measured_finds(finds: Sequence[Find], table: MeasurementTable) -> tuple[Find, ...]:
    """The finds with what the table measured of them, means where it did so more than once."""
    return tuple(
        replace(
            find,
            measured={
                column: float(np.nanmean(table.values(column)[own]))
                for column in find.predicted
                if (own := (table.frame["id"] == find.architecture.id).to_numpy()).any()
                and np.isfinite(table.values(column)[own]).any()
            },
        )
        for find in finds
    )


def best_measured(
    table: MeasurementTable, latency: str, budgets: Sequence[float]
) -> tuple[BestMeasured, ...]:
    """For each budget the best measured subnet whose measured latency keeps it."""
    accuracy, cost = table.values("accuracy"), table.values(latency)
    found = []
    for budget in budgets:
        within = np.flatnonzero(np.isfinite(accuracy) & (cost <= budget))
        if not len(within):
            found.append(BestMeasured(float(budget), "", math.nan, math.nan))
            continue
        top = within[np.lexsort((cost[within], -accuracy[within]))[0]]
        row = (str(table.frame["id"].iloc[top]), float(accuracy[top]), float(cost[top]))
        found.append(BestMeasured(float(budget), *row))
    return tuple(found)


def movement(before: Predictor, table: MeasurementTable, *, seed: int) -> float:
    """How far the rows added to `table` since the fit `before` move it, beside what chance would.

    Root mean square over 500 architectures, drawn uniformly over decisions, of the change of the
    prediction (on the link's scale) divided by √(Var before − Var after), which is the standard
    error of that change where the form is right for old and new rows alike (Hausman,
    "Specification tests in econometrics", Econometrica 46, 1978). The same form is fitted to both;
    both variances are by the scatter before.
    """
    link = "none" if before.link.is_identity else "saturating"
    after = fit(table, before.target.column, before.form, link)
    rows = before.form.matrix(before.space.random_codes(500, seed=seed))
    scatter = before.residual_variance / max(after.residual_variance, np.finfo(float).tiny)
    variance = before.std_error(rows) ** 2 - scatter * after.std_error(rows) ** 2
    change = before.link.inverse(rows @ before.estimates) - after.link.inverse(
        rows @ after.estimates
    )
    slope = before.link.slope(rows @ before.estimates)
    known = variance > 1e-9 * before.residual_variance
    if not known.any():
        return 0.0
    return float(np.sqrt(np.mean((change / slope)[known] ** 2 / variance[known])))


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


def rounds_table(record: RoundsRecord) -> pd.DataFrame:
    """One row a finished round: round, rows, finds, alternatives, and for each target, as
    `COLUMN_…`, bias, rmse, inside, cv_r2, cv_rmse and moved.
    """
    rows = []
    for turn, done in enumerate((r for r in record.rounds if r.done), start=1):
        row: dict[str, Any] = {
            "round": turn,
            "rows": done.after["accuracy"].rows,
            "finds": len(done.finds),
            "alternatives": done.alternatives,
        }
        for column in ("accuracy", record.latency):
            error = front_error(done.finds, column)
            if error is not None:
                row |= {
                    f"{column}_bias": error.bias,
                    f"{column}_rmse": error.rmse,
                    f"{column}_inside": error.inside,
                }
            row |= {
                f"{column}_cv_r2": done.after[column].r2,
                f"{column}_cv_rmse": done.after[column].rmse,
                f"{column}_moved": done.moved.get(column, math.nan),
            }
        rows.append(row)
    return pd.DataFrame(rows)


def rounds_document(record: RoundsRecord) -> dict[str, Any]:
    """What `search --rounds --json` prints; missing numbers are null."""
    documents = []
    for turn, done in enumerate((r for r in record.rounds if r.done), start=1):
        errors = {c: front_error(done.finds, c) for c in ("accuracy", record.latency)}
        documents.append(
            {
                "round": turn,
                "finds": len(done.finds),
                "alternatives": done.alternatives,
                "errors": document_of(errors),
                "fit": document_of(done.after),
                "moved": done.moved,
                "best_before": document_of(done.best_before),
                "best": document_of(done.best),
            }
        )
    return {"latency": record.latency, "budgets": list(record.budgets), "rounds": documents}


def check_continues(
    record: RoundsRecord, latency: str, per_round: int | None, shared: float | None, seed: int
) -> None:
    """Raises `InvalidInput` where rounds were begun with other settings."""
    for what, asked, kept in (
        ("latency", latency, record.latency),
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
