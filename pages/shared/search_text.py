"""A search as it is shown: its course, whether it runs or was kept, and that in words."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from foxnas_core.regression import Predictor
from foxnas_core.search.limits import Side, noun_of
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.result import SearchResult
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.study import Study
from foxnas_core.table.metrics import Metric, metric_of
from pages.shared.jobs import Job
from pages.shared.limits import in_words

EQUAL = 1e-9  # two sums of the same numbers


@dataclass(frozen=True)
class SearchRun:
    """What is drawn of a search, whether it runs, was stopped or was kept.

    `least_cost` tells that it looks for the least cost at a given objective.
    """

    state: str
    settings: AnnealingSettings
    trace: pd.DataFrame
    proposals: int
    total: int
    objective: Metric
    limits: tuple[tuple[Metric, float, Side], ...]
    best: Candidate | None
    current: Candidate | None
    exact: Candidate | None
    least_cost: bool
    bound: float | None = None
    replays: str = ""

    @property
    def first_bound(self) -> float:
        return self.limits[0][1]

    @property
    def targets(self) -> list[Metric]:
        """Those of the objective and of every limit, in order."""
        return [self.objective, *(target for target, _, _ in self.limits)]

    @classmethod
    def of_job(cls, job: Job, study: Study) -> "SearchRun | None":
        """None until the job's thread has set up its run."""
        state, annealer = job.state, job.annealer
        if annealer is None:
            return None
        return cls(
            state, annealer.settings, annealer.trace, annealer.proposals, annealer.total,
            job.problem.objective.target,
            tuple((x.predictor.target, x.bound, x.side) for x in job.problem.limits),
            annealer.best, annealer.current, job.exact,
            job.problem.objective.target != study.objective, job.bound, job.replays,
        )  # fmt: skip

    @classmethod
    def of_result(cls, result: SearchResult, study: Study) -> "SearchRun":
        return cls(
            "kept", result.settings, result.trace, result.proposals, result.proposals,
            metric_of(result.objective),
            tuple(
                (metric_of(column), bound, side)
                for (column, bound), side in zip(result.limits, result.sides, strict=True)
            ),
            result.best, None, result.exact, result.objective != study.objective.column,
            result.bound,
        )  # fmt: skip


def predictors_of(problem: SearchProblem) -> list[Predictor]:
    """Those of the objective and of every limit, in order."""
    return [problem.objective, *(limit.predictor for limit in problem.limits)]


def described(candidate: Candidate, targets: Sequence[Metric]) -> str:
    """A candidate with its predicted values."""
    parts = [
        f"**{target.text(value)} {target.unit or noun_of(target)}**"
        for target, value in zip(targets, (candidate.value, *candidate.costs), strict=True)
    ]
    *first, last = parts
    return f"subnet **{candidate.architecture.id}**, predicted at {', '.join(first)} and {last}"


def under(limits: Sequence[tuple[Metric, float, Side]]) -> str:
    """The limits of a search, within a sentence."""
    (first, bound, side), *further = limits
    if side == "at_least":
        start = f"at {noun_of(first)} of {bound:.4g} {first.unit} or more"
    else:
        start = f"under {bound:.4g} {first.unit or noun_of(first)}"
    return ", ".join([start, *in_words(further)])


def gap_text(gap: float, target: Metric) -> str:
    """A gap of the objective in its unit."""
    number = f"{gap:.3f}" if target.unit == "%" else f"{gap:.3g}"
    return f"{number} {target.difference_unit}".rstrip()


def told(run: SearchRun) -> str:
    """A run in a sentence."""
    start = {
        "kept": "Finished and kept with the study",
        "stopped": "Stopped; a search that was stopped is not kept",
    }.get(run.state, run.state.capitalize())
    if run.replays:
        start = f"{run.state.capitalize()}, a replay of kept search {run.replays}"
    where = f"{start}: {run.proposals:,} of {run.total:,} proposals {under(run.limits)}"
    if run.best is None:
        return f"{where}. No subnet within the limits was met yet."
    text = f"{where}. Best found: {described(run.best, run.targets)}"
    if run.exact is None:
        if run.bound is None:
            return f"{text}."
        gap = abs(run.bound - run.best.value)
        return f"{text}. No subnet is more than **{gap_text(gap, run.objective)}** better."
    gap = abs(run.exact.value - run.best.value)
    if gap < EQUAL:
        return f"{text}. Gap to the exact optimum: **none**."
    return f"{text}. Gap to the exact optimum: **{gap_text(gap, run.objective)}**."
