"""What a search found, and the documents it is saved and printed as."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pandas as pd

from foxnas_core import documents
from foxnas_core.records import CollectionKind
from foxnas_core.search.limits import AdditivePredictor, Side
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.space.architecture import Value
from foxnas_core.table.metrics import Metric, metric_of

if TYPE_CHECKING:
    from foxnas_core.search.calibration import SearchCalibration

TRACE_COLUMNS = (
    "proposals", "temperature", "current_value", "current_cost", "best_value", "best_cost",
    "acceptance",
)  # fmt: skip


def gap_to(problem: SearchProblem, best: Candidate, other: float | None) -> float | None:
    """By how much a value is better than the best found, in units of the objective."""
    return None if other is None else problem.sign * (other - best.value) + 0.0


def certificate_of(gap: float | None, bound: float | None) -> str:
    """What is proven of the best found, as a sentence; see `SearchResult`."""
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


@dataclass(frozen=True, eq=False)
class SearchResult:
    """A finished search.

    - `objective`: the column searched for; `limits`: pairs of a column and its limit; `sides`:
      for each whether it is "at_most" or "at_least" that.
    - `allowed`: by decision, the choices that it was restricted to.
    - `fingerprints`: of the space ("space") and, by column, of the tables that the predictors
      were fitted on.
    - `settings`: as run, temperatures filled in.
    - `gap`: how much better the exact optimum is than the best found, in units of the objective
      (0 where it was found), or at most is, by `bound`; None without both.
    - `bound`: what no architecture within the limits is better than, where the exact optimum is
      out of reach; else None.
    - `trace`: see `Annealer.trace`.

    It holds no times, so that equal searches give equal documents.
    """

    objective: str
    limits: tuple[tuple[str, float], ...]
    fingerprints: dict[str, str]
    settings: AnnealingSettings
    best: Candidate
    exact: Candidate | None
    gap: float | None
    proposals: int
    trace: pd.DataFrame = field(repr=False)
    sides: tuple[Side, ...] = ()
    allowed: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    bound: float | None = None

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
        )

    @property
    def certificate(self) -> str:
        """What is proven of the best found, as a sentence."""
        return certificate_of(self.gap, self.bound)

    def to_dict(self) -> dict[str, Any]:
        """A JSON document; NaN becomes null. What a search of one ceiling lacks is left out."""
        further: dict[str, Any] = {}
        if "at_least" in self.sides:
            further["sides"] = list(self.sides)
        if self.allowed:
            further["allowed"] = {name: list(choices) for name, choices in self.allowed.items()}
        if self.bound is not None:
            further["bound"] = self.bound
        return {
            "format": 1,
            "objective": self.objective,
            "limits": [list(limit) for limit in self.limits],
            "fingerprints": dict(self.fingerprints),
            "settings": self.settings.to_dict(),
            "best": self.best.to_dict(),
            "exact": None if self.exact is None else self.exact.to_dict(),
            "gap": self.gap,
            "proposals": self.proposals,
            "trace": {
                str(column): [None if math.isnan(x) else x for x in self.trace[column].tolist()]
                for column in self.trace
            },
        } | further

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> "SearchResult":
        """The inverse of `to_dict`."""
        trace = pd.DataFrame(document["trace"], columns=list(TRACE_COLUMNS), dtype=float)
        if np.isinf(trace.to_numpy()).any():
            raise ValueError("a trace that is not finite")
        exact = document["exact"]
        sides = tuple(document.get("sides", ["at_most"] * len(document["limits"])))
        if len(sides) != len(document["limits"]) or not set(sides) <= set(get_args(Side)):
            raise ValueError(f"sides {sides}")
        if not {"space", document["objective"], *(c for c, _ in document["limits"])} <= set(
            document["fingerprints"]
        ):
            raise ValueError("a fingerprint is missing")
        return cls(
            objective=metric_of(document["objective"]).column,
            limits=tuple(
                (metric_of(column).column, documents.number(at_most))
                for column, at_most in document["limits"]
            ),
            fingerprints={
                documents.text(k): documents.text(v) for k, v in document["fingerprints"].items()
            },
            settings=AnnealingSettings.from_dict(document["settings"]),
            best=Candidate.from_dict(document["best"]),
            exact=None if exact is None else Candidate.from_dict(exact),
            gap=_number_or_none(document["gap"]),
            proposals=documents.whole(document["proposals"]),
            trace=trace.astype({"proposals": "int64"}),
            sides=sides,
            allowed={
                documents.text(name): tuple(documents.choice(value) for value in values)
                for name, values in document.get("allowed", {}).items()
            },
            bound=_number_or_none(document.get("bound")),
        )


SEARCHES = CollectionKind[SearchResult](
    "searches",
    SearchResult,
    "kept searches",
    most=2 << 20,
    read=SearchResult.from_dict,
    write=SearchResult.to_dict,
    one="search",
)


def _number_or_none(value: Any) -> float | None:
    return None if value is None else documents.number(value)


def field_of(cost: Metric) -> str:
    """What the cost is called in a search's document: scripts read one field whichever device's
    latency was asked for."""
    return cost.head if cost.timed else cost.column


def search_document(
    result: SearchResult,
    predictors: Mapping[str, AdditivePredictor],
    objective: Metric,
    cost: Metric,
    calibrations: "Mapping[str, SearchCalibration] | None" = None,
) -> dict[str, Any]:
    """What `search --json` prints: the objective, the cost and every limited value, each in its
    unit with its 95 % prediction interval, and, where calibrations are given by column, what a
    searched optimum will measure. No times, so that the same seed gives the same bytes.
    `predictors` are by column. The fields are named by columns, but a latency's on whatever device
    `latency_ms`.
    """
    fields = {objective.column: objective, field_of(cost): cost}

    def searched(candidate: Candidate) -> dict[str, float]:
        """The values as searched, by column, which the limits were held against."""
        columns = [result.objective, *(column for column, _ in result.limits)]
        return dict(zip(columns, (candidate.value, *candidate.costs), strict=True))

    def estimate(candidate: Candidate, column: str) -> dict[str, float]:
        row = predictors[column].predict([candidate.architecture]).iloc[0]
        return {
            "value": searched(candidate).get(column, float(row["value"])),
            "low": float(row["prediction_low"]),
            "high": float(row["prediction_high"]),
        }

    def described(candidate: Candidate) -> dict[str, Any]:
        known = {
            key: (metric.column, estimate(candidate, metric.column))
            for key, metric in fields.items()
        }
        return {
            "id": candidate.architecture.id,
            "architecture": candidate.architecture.to_dict(),
            **{key: value for key, (_, value) in known.items()},
            "as_searched": {
                key: dict(
                    zip(("value", "low", "high"), found.interval(value["value"]), strict=True)
                )
                for key, (column, value) in known.items()
                if (found := (calibrations or {}).get(column))
            },
        }

    exact = result.exact
    return {
        "best": described(result.best),
        "exact": None if exact is None else described(exact),
        "gap": result.gap,
        "bound": result.bound,
        "certificate": result.certificate,
        "objective": result.objective,
        "limits": [
            {
                "column": column,
                side: bound,
                "best": estimate(result.best, column),
                "exact": None if exact is None else estimate(exact, column),
            }
            for (column, bound), side in zip(result.limits, result.sides, strict=True)
        ],
        "allowed": {name: list(choices) for name, choices in result.allowed.items()},
        "seed": result.settings.seed,
        "proposals": result.proposals,
    }
