"""The tables that a search is drawn from: its course, the front, and architectures as grids."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from foxnas_core.search.exact import Front
from foxnas_core.search.expectation import Expectation
from foxnas_core.search.problem import Candidate
from foxnas_core.search.result import TRACE_COLUMNS, SearchResult
from foxnas_core.space.architecture import Value
from foxnas_core.space.decisions import Decision
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import Metric, metric_of, names_unit

CURRENT, BEST, EXACT = "current", "best", "exact optimum"
LIMIT, TRAIL = "limit", "trail"
MEASURED, FRONT, BUDGET, FLOOR = "measured", "predicted front", "budget", "floor"

_TRAIL = 30  # rows
# How a cell writes a block's choice, and what its sign means.
_SHORT = {
    "kernel": ("k{}", "k: kernel size"),
    "expand": ("e{}", "e: expand ratio"),
    "splits": ("×{}", "×: splits"),
    "squeeze-excitation": ("SE {}", "SE: squeeze-and-excitation"),
}
_OWN = {"depth": "depth {}", "resolution": "{} px", "width": "width {}"}


@dataclass(frozen=True)
class Stage:
    """A part of a run, from `since` proposals on: the number of its first limit, and under it the
    `exact` optimum, or else what nothing is better than, the `least` gap's end."""

    since: int
    bound: float
    exact: Candidate | None = None
    least: float | None = None

    @property
    def reference(self) -> float | None:
        """What gaps are measured from."""
        return self.least if self.exact is None else self.exact.value


def _stage_at(proposals: np.ndarray, stages: Sequence[Stage]) -> np.ndarray:
    """The position of each row's stage: what acted at its last proposal acts on the next."""
    since = np.array([stage.since for stage in stages[1:]])
    return np.searchsorted(since, proposals, side="left")


def gap_table(
    trace: pd.DataFrame, stages: Sequence[Stage], objective: Metric, floor: float
) -> pd.DataFrame:
    """How far from the optimum of its stage a run was, and by how much that is better than the best
    that it had found, one row a point: proposals, current, best (units of the objective).

    Less than `floor` is the floor, since an axis of powers has no 0. The current may be better than
    the optimum where it breaks a limit.
    """
    proposals = trace["proposals"].to_numpy()
    reference = np.array([stage.reference for stage in stages], dtype=float)
    reference = reference[_stage_at(proposals, stages)]
    current, best = (trace[f"{name}_value"].to_numpy(float) for name in (CURRENT, BEST))
    return pd.DataFrame(
        {
            "proposals": proposals,
            CURRENT: np.maximum(np.abs(reference - current), floor).astype("float32"),
            BEST: np.maximum(objective.sign * (reference - best), floor).astype("float32"),
        }
    )


def course_table(
    trace: pd.DataFrame, what: Literal["value", "cost"], stages: Sequence[Stage]
) -> pd.DataFrame:
    """The course of a run's objective or of its cost, one row a point: proposals, current, best,
    limit (that of the cost, missing of the value).

    `trace` is that of `Annealer.trace`. The best is missing where none was found yet. Numbers are
    of half the precision: the table is sent with every frame.
    """
    proposals = trace["proposals"].to_numpy()
    bounds = np.array([stage.bound for stage in stages])[_stage_at(proposals, stages)]
    return pd.DataFrame(
        {
            "proposals": proposals,
            CURRENT: trace[f"current_{what}"].to_numpy("float32"),
            BEST: trace[f"best_{what}"].to_numpy("float32"),
            LIMIT: (bounds if what == "cost" else np.full(len(bounds), math.nan)).astype("float32"),
        }
    )


def schedule_table(trace: pd.DataFrame) -> pd.DataFrame:
    """Temperature (units of the objective) and accepted share of proposals (percent)."""
    return pd.DataFrame(
        {
            "proposals": trace["proposals"].to_numpy(),
            "temperature": trace["temperature"].to_numpy("float32"),
            "accepted": (100 * trace["acceptance"].to_numpy()).astype("float32"),
        }
    )


def searches_table(
    results: Mapping[str, SearchResult], promises: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Kept searches side by side, one row each: what was searched for, found, and how.

    The objective's column and value, every limit and the gap in the objective's unit; the columns
    of `promises`, with a row for each, stand before the gap.
    """
    table = pd.DataFrame(
        [
            {
                "search": search_id,
                "objective": result.objective,
                "limits": ", ".join(
                    f"{column} {'≤' if side == 'at_most' else '≥'} {asked:.6g}"
                    + ("" if asked == bound else f" (searched {bound:.6g})")
                    for (column, bound), asked, side in zip(
                        result.limits, result.asked_for, result.sides, strict=True
                    )
                ),
                **_values(result),
                "gap": math.nan if result.gap is None else result.gap,
                "subnet": result.best.architecture.id,
                "proposals": result.proposals,
                **result.settings.to_dict(),
                "events": len(result.events),
            }
            for search_id, result in results.items()
        ]
    ).drop(columns="penalty", errors="ignore")
    if promises is None or not len(table):
        return table
    at = table.columns.get_loc("gap")
    return pd.concat([table.iloc[:, :at], promises, table.iloc[:, at:]], axis=1)


def _values(result: SearchResult) -> dict[str, float]:
    """What the best found is predicted at, by name and unit."""
    columns = [result.objective, *(column for column, _ in result.limits)]
    values = (result.best.value, *result.best.costs)
    return {
        _value_name(metric_of(column)): value for column, value in zip(columns, values, strict=True)
    }


def _value_name(metric: Metric) -> str:
    """The column, with its unit where its name says it: "latency (ms)"."""
    if not names_unit(metric):
        return metric.column
    return f"{metric.column.replace(f'_{metric.unit.lower()}', '', 1)} ({metric.unit})"


def comparison_table(results: Mapping[str, SearchResult]) -> pd.DataFrame:
    """The courses of several kept searches below each other: search, the columns of the trace, and
    the exact optimum of each, missing where it is unknown."""
    return pd.concat(
        [
            result.trace.assign(
                search=search_id, exact=result.exact.value if result.exact else math.nan
            )
            for search_id, result in results.items()
        ],
        ignore_index=True,
    )[["search", *TRACE_COLUMNS, "exact"]]


def front_table(
    measured: pd.DataFrame,
    front: Front,
    *,
    budget: float | None = None,
    floor: float | None = None,
    points: int = 250,
) -> pd.DataFrame:
    """Cost and value of the measured subnets, of the predicted front, and of the budget or floor.

    `measured` has the columns of both targets; rows without either are left out. Of a longer
    front so many points are kept, evenly by position, both ends included. Columns: kind, cost,
    which is missing for the floor, value, which is missing for the budget.
    """
    cost, value = front.frame.columns
    rows = measured[[cost, value]].dropna()
    kept = np.unique(np.linspace(0, len(front) - 1, points).round().astype(int))
    parts = [
        pd.DataFrame({"kind": MEASURED, "cost": rows[cost], "value": rows[value]}),
        pd.DataFrame({"kind": FRONT, "cost": front.costs[kept], "value": front.values[kept]}),
    ]
    if budget is not None:
        parts.append(pd.DataFrame({"kind": [BUDGET], "cost": [budget], "value": [math.nan]}))
    if floor is not None:
        parts.append(pd.DataFrame({"kind": [FLOOR], "cost": [math.nan], "value": [floor]}))
    return pd.concat(parts, ignore_index=True)


def with_candidates(
    table: pd.DataFrame, candidates: Mapping[str, Candidate | None], *, least_cost: bool = False
) -> pd.DataFrame:
    """`front_table` with a row for each named candidate that there is; as `candidates_table`."""
    rows = candidates_table(candidates, least_cost=least_cost)
    return pd.concat([table, rows], ignore_index=True) if len(rows) else table


def candidates_table(
    candidates: Mapping[str, Candidate | None], *, least_cost: bool = False
) -> pd.DataFrame:
    """The rows of the named candidates that there are, with the columns of `front_table`.

    With `least_cost` they are of a search for the least cost at a floor: what they were searched
    for is the cost, and their first limit is on the value.
    """
    found = {kind: candidate for kind, candidate in candidates.items() if candidate is not None}
    objective = np.array([candidate.value for candidate in found.values()], dtype=float)
    limited = np.array([candidate.costs[0] for candidate in found.values()], dtype=float)
    cost, value = (objective, limited) if least_cost else (limited, objective)
    return pd.DataFrame({"kind": list(found), "cost": cost, "value": value})


def trail_table(trace: pd.DataFrame, *, least_cost: bool = False) -> pd.DataFrame:
    """Where a run came by last, with the columns of `candidates_table` and the `order`."""
    last = trace.tail(_TRAIL)
    objective, limited = last["current_value"].to_numpy(), last["current_cost"].to_numpy()
    cost, value = (objective, limited) if least_cost else (limited, objective)
    return pd.DataFrame({"kind": TRAIL, "cost": cost, "value": value, "order": range(len(last))})


def frame_of(table: pd.DataFrame) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ranges of cost and value that show all of a `front_table`, with some room."""

    def span(column: str) -> tuple[float, float]:
        low, high = float(table[column].min()), float(table[column].max())
        room = 0.04 * (high - low) or 0.5
        return low - room, high + room

    return span("cost"), span("value")


def group_title(space: SearchSpace, group: str) -> str:
    """A group as people call it: "Input", "Stage 2", or its own name."""
    if group in space.context:
        return group.capitalize()
    stage = re.fullmatch(r"s(\d+)", group)
    return f"Stage {stage[1]}" if stage else group


def choice_text(decision: Decision, value: Value) -> str:
    """A choice as it is written in a cell: "k5", "depth 2"."""
    if decision.slot:
        return _SHORT.get(decision.role, ("{}", ""))[0].format(value)
    return _OWN.get(decision.role, "{}").format(value)


def signs(space: SearchSpace) -> str:
    """What the signs of a space's cells mean: "k: kernel size, e: expand ratio"; "" without any."""
    roles = {decision.role for decision in space.decisions}
    return ", ".join(meaning for role, (_, meaning) in _SHORT.items() if role in roles)


def promise_table(expected: Sequence[Expectation], *chances: float) -> pd.DataFrame:
    """What a searched subnet is promised to measure, one row a target: target, unit, as searched,
    searched low, searched high of what it is expected to measure by measured optima (missing
    without them); predicted, low, high of the plain 95 % prediction interval; the chance of keeping
    its limit, those of the limits being `chances`, which follow what is looked for."""
    missing = (math.nan,) * 3
    return pd.DataFrame(
        [
            {
                "target": one.target.label, "unit": one.target.unit,
                **dict(zip(("as searched", "searched low", "searched high"),
                           (one.value, one.low, one.high) if one.optima else missing, strict=True)),
                "predicted": one.predicted, "low": one.predicted_low, "high": one.predicted_high,
                "chance": chance,
            }
            for one, chance in zip(expected, (math.nan, *chances), strict=True)
        ]
    )  # fmt: skip
