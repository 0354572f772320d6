"""A search as it is shown: its course, whether it runs or was kept, and that in words."""

from dataclasses import dataclass

import pandas as pd

from foxnas_core.cards.card import Card
from foxnas_core.cards.search import EQUAL, described, gap_text, limits_text, values_of
from foxnas_core.search.limits import Side
from foxnas_core.search.problem import Candidate
from foxnas_core.search.result import SearchResult
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.study import Study
from foxnas_core.table.metrics import Metric, metric_of
from pages.shared.jobs import Job


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


def run_card(run: SearchRun) -> Card:
    """A run in a sentence."""
    start = {
        "kept": "Finished and kept with the study",
        "stopped": "Stopped; a search that was stopped is not kept",
    }.get(run.state, run.state.capitalize())
    if run.replays:
        start = f"{run.state.capitalize()}, a replay of kept search {run.replays}"
    where = f"{start}: {run.proposals:,} of {run.total:,} proposals {limits_text(run.limits)}"
    if run.best is None:
        return Card(sentence=f"{where}. No subnet within the limits was met yet.")
    stress = (run.best.architecture.id, *values_of(run.best, run.targets))
    text = f"{where}. Best found: {described(run.best, run.targets)}."
    if run.exact is not None:
        gap = abs(run.exact.value - run.best.value)
        left = "none" if gap < EQUAL else gap_text(gap, run.objective)
        return Card(sentence=f"{text} Gap to the exact optimum: {left}.", stress=(*stress, left))
    if run.bound is None:
        return Card(sentence=text, stress=stress)
    left = gap_text(abs(run.bound - run.best.value), run.objective)
    return Card(sentence=f"{text} No subnet is more than {left} better.", stress=(*stress, left))
