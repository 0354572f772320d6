"""What a search found, and the documents it is saved and printed as."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd

from foxnas_core import documents
from foxnas_core.records import CollectionKind, Stored, document_of, value_of
from foxnas_core.search.events import Event
from foxnas_core.search.limits import AdditivePredictor, Side
from foxnas_core.search.lookup import whole_of
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.space.architecture import Value
from foxnas_core.table.metrics import Metric, metric_of
from foxnas_core.table.readings import Readings

if TYPE_CHECKING:
    from foxnas_core.search.calibration import SearchCalibration

TRACE_COLUMNS = (
    "proposals", "temperature", "current_value", "current_cost", "best_value", "best_cost",
    "acceptance",
)  # fmt: skip


def gap_to(problem: SearchProblem, best: Candidate, other: float | None) -> float | None:
    """By how much a value is better than the best found, in units of the objective."""
    return None if other is None else problem.sign * (other - best.value) + 0.0


def certificate_of(gap: float | None, bound: float | None, looked_up: bool = False) -> str:
    """What is proven of the best found, as a sentence; see `SearchResult`."""
    if looked_up and gap == 0:
        return (
            "It is the best of all: every architecture is measured, and none within the limits "
            "measured better."
        )
    if gap is None:
        return "The exact optimum is not known, so nothing is proven of the best found."
    if bound is not None:
        return (
            "The exact optimum is out of reach; no architecture within the limits is "
            f"predicted better than {bound:.6g}, from which the best found is {gap:.3g} away."
        )
    if gap == 0:
        return (
            "The best found is the exact optimum: no architecture within the limits is "
            "predicted better."
        )
    return f"The exact optimum is predicted better than the best found by {gap:.3g}."


def _trace_of(document: Any) -> pd.DataFrame:
    trace = pd.DataFrame(document, columns=list(TRACE_COLUMNS), dtype=float)
    if np.isinf(trace.to_numpy()).any():
        raise ValueError("it is not finite")
    return trace.astype({"proposals": "int64"})


def trace_of(problem: SearchProblem, records: Sequence[tuple[float, ...]]) -> pd.DataFrame:
    """The trace of a run whose records have `TRACE_COLUMNS`, score and cost as the chains have
    them."""
    # Arrays until the end: this is read with every frame of a run that is watched.
    rows = np.array(records, dtype=float).reshape(-1, len(TRACE_COLUMNS))
    # Before anything within the limits is found, its score is minus infinity.
    best = [TRACE_COLUMNS.index(f"best_{what}") for what in ("value", "cost")]
    rows[np.ix_(rows[:, best[0]] == -math.inf, best)] = math.nan
    columns = dict(zip(TRACE_COLUMNS, rows.T, strict=True))
    for which in ("current", "best"):
        columns[f"{which}_value"] = problem.value_of(columns[f"{which}_value"])
        columns[f"{which}_cost"] = problem.cost_of(columns[f"{which}_cost"])
    return pd.DataFrame(columns | {"proposals": columns["proposals"].astype("int64")})


def _trace_columns(trace: pd.DataFrame) -> dict[str, list[float]]:
    return {str(column): trace[column].tolist() for column in trace}


def _choices_of(document: Any) -> dict[str, tuple[Value, ...]]:
    return {
        documents.text(name): tuple(documents.choice(value) for value in values)
        for name, values in document.items()
    }


@dataclass(frozen=True, eq=False)
class SearchResult:
    """A finished search.

    - `objective`: the column searched for; `limits`: pairs of a column and its limit; `sides`:
      for each whether it is "at_most" or "at_least" that.
    - `allowed`: by decision, the choices that it was restricted to.
    - `fingerprints`: of the space ("space") and, by column, of the tables that the predictors
      were fitted on; `forms` those of these regressions, by column, empty in older documents.
    - `settings`: as run, temperatures filled in.
    - `gap`: how much better the exact optimum is than the best found, in units of the objective
      (0 where it was found), or at most is, by `bound`; None without both.
    - `bound`: what no architecture within the limits is better than, where the exact optimum is
      out of reach; else None.
    - `source`: whether values are predicted by a "regression", or those of a "table" that holds
      every architecture.
    - `trace`: see `Annealer.trace`.
    - `events`: what was done to the run while it ran, in order; `limits`, `sides`, `exact`, `gap`
      and `bound` are those of its end.
    - `asked`: the number of each limit as it was chosen, which a `guard` has made tighter; empty
      and None where nobody told.

    It holds no times, so that equal searches give equal documents.
    """

    objective: str
    limits: tuple[tuple[str, float], ...]
    fingerprints: dict[str, str]
    settings: Annotated[AnnealingSettings, Stored(read=AnnealingSettings.from_dict)]
    best: Candidate
    exact: Candidate | None
    gap: float | None
    proposals: int
    trace: Annotated[pd.DataFrame, Stored(read=_trace_of, write=_trace_columns)] = field(repr=False)
    sides: tuple[Side, ...] = ()
    allowed: Annotated[Mapping[str, tuple[Value, ...]], Stored(read=_choices_of)] = field(
        default_factory=dict
    )
    bound: float | None = None
    source: Literal["regression", "table"] = "regression"
    events: tuple[Event, ...] = ()
    asked: tuple[float, ...] = ()
    guard: float | None = None
    forms: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        problem: SearchProblem,
        settings: AnnealingSettings,
        best: Candidate,
        exact: Candidate | None,
        proposals: int,
        trace: pd.DataFrame,
        bound: float | None = None,
        events: tuple[Event, ...] = (),
    ) -> "SearchResult":
        other = bound if exact is None else exact.value
        return cls(
            objective=problem.objective.target.column,
            limits=tuple((limit.column, float(limit.bound)) for limit in problem.limits),
            fingerprints={
                "space": problem.space.fingerprint,
                **{p.target.column: p.table_fingerprint for p in problem.predictors},
            },
            settings=settings,
            best=best,
            exact=exact,
            gap=gap_to(problem, best, other),
            proposals=proposals,
            trace=trace,
            sides=tuple(limit.side for limit in problem.limits),
            allowed=problem.allowed,
            bound=bound,
            source="regression" if whole_of(problem) is None else "table",
            events=events,
            forms=forms_in(problem),
        )

    @property
    def asked_for(self) -> tuple[float, ...]:
        """The limits' numbers as they were asked for, where a guard made them tighter too."""
        return self.asked or tuple(bound for _, bound in self.limits)

    @property
    def begun_limits(self) -> tuple[tuple[str, float], ...]:
        """The limits with which it began, before the first of them was moved."""
        for event in self.events:
            if event.was is not None:
                return ((self.limits[0][0], event.was), *self.limits[1:])
        return self.limits

    @property
    def certificate(self) -> str:
        """What is proven of the best found, as a sentence."""
        return certificate_of(self.gap, self.bound, looked_up=self.source == "table")

    def to_dict(self) -> dict[str, Any]:
        """A JSON document; NaN becomes null. What a search of one ceiling lacks is left out."""
        document = {"format": 1} | document_of(self)
        lacking = {
            "sides": "at_least" not in self.sides,
            "allowed": not self.allowed,
            "bound": self.bound is None,
            "source": self.source == "regression",
            "events": not self.events,
            "asked": not self.asked,
            "guard": self.guard is None,
            "forms": not self.forms,
        }
        return {name: value for name, value in document.items() if not lacking.get(name)}

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "SearchResult":
        """The inverse of `to_dict`."""
        lacking: dict[str, Any] = {
            "sides": ["at_most"] * len(document["limits"]),
            "allowed": {},
            "bound": None,
            "source": "regression",
            "events": [],
            "asked": [],
            "guard": None,
            "forms": {},
        }
        found = value_of(cls, lacking | dict(document))
        columns = {found.objective, *(column for column, _ in found.limits)}
        if len(found.sides) != len(found.limits):
            raise ValueError(f"sides {found.sides}")
        if not {"space", *(metric_of(column).column for column in columns)} <= set(
            found.fingerprints
        ):
            raise ValueError("a fingerprint is missing")
        return found


def forms_in(problem: SearchProblem) -> dict[str, str]:
    """The names of the forms of a problem's regressions, by column."""
    found = {p.target.column: getattr(p, "form", None) for p in problem.predictors}
    return {column: form.name for column, form in found.items() if form is not None}


SEARCHES = CollectionKind[SearchResult](
    "searches",
    SearchResult,
    "kept searches",
    most=2 << 20,
    read=SearchResult.from_dict,
    write=SearchResult.to_dict,
    one="search",
)


def field_of(cost: Metric) -> str:
    """What the cost is called in a search's document: scripts read one field whichever device's
    latency was asked for."""
    return cost.head if cost.timed else cost.column


@dataclass(frozen=True)
class _Describing:
    """What a search's document says of a candidate; its fields as `search_document` has them."""

    result: SearchResult
    predictors: Mapping[str, AdditivePredictor]
    fields: Mapping[str, Metric]
    calibrations: "Mapping[str, SearchCalibration]"
    readings: Mapping[str, Readings]

    def measured(self, candidate: Candidate) -> dict[str, Any]:
        """What it measured, by column."""
        own = self.readings.get(candidate.architecture.id, {})
        return {column: one.to_dict() for column, one in own.items()}

    def estimate(self, candidate: Candidate, column: str) -> dict[str, Any]:
        """Its value as searched, which the limits were held against, else as predicted, with the
        prediction interval; as measured where the table was searched."""
        if self.result.source == "table" and column in (known := self.measured(candidate)):
            return dict(known[column])
        columns = [self.result.objective, *(limited for limited, _ in self.result.limits)]
        searched = dict(zip(columns, (candidate.value, *candidate.costs), strict=True))
        predictor = self.predictors[column]
        row = predictor.predict([candidate.architecture]).iloc[0]
        exactly = getattr(predictor, "exactly", "")
        return {
            "value": searched.get(column, float(row["value"])),
            "low": float(row["prediction_low"]),
            "high": float(row["prediction_high"]),
        } | dict.fromkeys(("counted", exactly) if exactly else (), True)

    def described(self, candidate: Candidate) -> dict[str, Any]:
        """The candidate with its estimates, by field, and what it will measure as a searched
        optimum."""
        known = {key: self.estimate(candidate, m.column) for key, m in self.fields.items()}
        return {
            "id": candidate.architecture.id,
            "architecture": candidate.architecture.to_dict(),
            **known,
            "as_searched": {
                key: dict(
                    zip(("value", "low", "high"), found.interval(value["value"]), strict=True)
                )
                for key, value in known.items()
                if (found := self.calibrations.get(self.fields[key].column))
            },
            "measured": self.measured(candidate),
        }

    def expected(self, told: Mapping[str, Any]) -> float:
        """The objective of a described candidate, as a searched optimum where that is known."""
        key = next((k for k, m in self.fields.items() if m.column == self.result.objective), "")
        return told["as_searched"].get(key, told[key])["value"]


def search_document(
    result: SearchResult,
    predictors: Mapping[str, AdditivePredictor],
    objective: Metric,
    cost: Metric,
    calibrations: "Mapping[str, SearchCalibration] | None" = None,
    readings: Mapping[str, Readings] | None = None,
    asked: Mapping[str, float] | None = None,
    unguarded: Candidate | None = None,
) -> dict[str, Any]:
    """What `search --json` prints: the objective, the cost and every limited value, each in its
    unit with its 95 % prediction interval, and, where calibrations are given by column, what a
    searched optimum will measure; beside them `readings`, by an architecture's id, of what it
    measured. `asked` are the limits without a guard, by column, and `unguarded` the optimum
    under those, where there is a guard. No times, so that the same seed gives the same bytes.
    `predictors` are by column. The fields are named by columns, but a latency's on whatever device
    `latency_ms`.
    """
    fields = {objective.column: objective, field_of(cost): cost}
    say = _Describing(result, predictors, fields, calibrations or {}, readings or {})
    exact, best = result.exact, say.described(result.best)
    other = None if unguarded is None else say.described(unguarded)
    return {
        "best": best,
        "exact": None if exact is None else say.described(exact),
        "gap": result.gap,
        "bound": result.bound,
        "certificate": result.certificate,
        "objective": result.objective,
        "limits": [
            {
                "column": column,
                side: bound,
                "asked": (asked or {}).get(column, bound),
                "best": say.estimate(result.best, column),
                "exact": None if exact is None else say.estimate(exact, column),
            }
            for (column, bound), side in zip(result.limits, result.sides, strict=True)
        ],
        "allowed": {name: list(choices) for name, choices in result.allowed.items()},
        "seed": result.settings.seed,
        "proposals": result.proposals,
        "unguarded": other and other | {"difference": say.expected(best) - say.expected(other)},
    }
