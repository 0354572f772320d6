"""A search while it runs, or as it was kept: what it has found, said and drawn."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from foxnas_core.cards.card import Card
from foxnas_core.cards.expected import expected_of, promised
from foxnas_core.cards.quest import Quest
from foxnas_core.cards.search import EQUAL, asked_text, gap_text
from foxnas_core.figures import live
from foxnas_core.figures import search as tables
from foxnas_core.figures.search import Stage
from foxnas_core.search.events import Event
from foxnas_core.search.exact import Front
from foxnas_core.search.limits import Side
from foxnas_core.search.problem import Candidate
from foxnas_core.search.result import SearchResult
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.table.metrics import Metric, metric_of

Proven = tuple[Candidate | None, float | None]


@dataclass(frozen=True)
class SearchRun:
    """What is told of a search, whether it runs, was stopped or was kept.

    - `settings`: those in force; `chains`: how many run side by side, 0 where it is not known.
    - `stages`: its limit and optimum, from the first to what is in force now.
    - `trace`: the rows to draw, see `Annealer.trace`; `replays`: the id of the kept search that it
      shows again; `asked`: the limits' numbers as they were asked for.
    """

    state: str
    settings: AnnealingSettings
    trace: pd.DataFrame
    proposals: int
    total: int
    chains: int
    objective: Metric
    limits: tuple[tuple[Metric, float, Side], ...]
    best: Candidate | None
    current: Candidate | None
    stages: tuple[Stage, ...]
    events: tuple[Event, ...] = ()
    replays: str = ""
    asked: tuple[float, ...] = ()

    @property
    def wanted(self) -> tuple[tuple[Metric, float, Side], ...]:
        """The limits as they were asked for, where that is known."""
        asked = self.asked or tuple(bound for _, bound, _ in self.limits)
        return tuple(
            (target, bound, side)
            for (target, _, side), bound in zip(self.limits, asked, strict=True)
        )

    @property
    def exact(self) -> Candidate | None:
        return self.stages[-1].exact

    @property
    def bound(self) -> float:
        """The first limit's number that is in force."""
        return self.stages[-1].bound

    @classmethod
    def of_result(
        cls, result: SearchResult, trace: pd.DataFrame, proven: Callable[[float], Proven]
    ) -> "SearchRun":
        """A kept search; `proven` is the optimum, or a bound on it, under numbers that its first
        limit had before the last."""
        limits = tuple(
            (metric_of(column), bound, side)
            for (column, bound), side in zip(result.limits, result.sides, strict=True)
        )
        stages = stages_of(
            result.begun_limits[0][1], result.events,
            lambda bound: (result.exact, result.bound) if bound == limits[0][1] else proven(bound),
        )  # fmt: skip
        settings = result.settings
        each = settings.steps * (1 + settings.restarts)
        moved = any(event.bound is not None for event in result.events)
        return cls(
            "kept", settings, trace, result.proposals, result.proposals,
            0 if moved else result.proposals // each, metric_of(result.objective), limits,
            result.best, None, stages, result.events, asked=result.asked,
        )  # fmt: skip


def stages_of(
    begun: float, events: Iterable[Event], proven: Callable[[float], Proven]
) -> tuple[Stage, ...]:
    """The numbers that the first limit had, in order, with what is proven under each."""
    moved = [(event.at, event.bound) for event in events if event.bound is not None]
    return tuple(Stage(since, bound, *proven(bound)) for since, bound in [(0, begun), *moved])


# Words


def made_of(run: SearchRun, contexts: str) -> str:
    """What the proposals of a run are made of, in brackets: "(3 resolutions × 10,000 steps)", where
    `contexts` is what a space has more than one of; "" where it is not known."""
    settings = run.settings
    each, rest = divmod(run.chains, settings.chains)
    if not run.chains or rest:
        return ""
    parts = [
        (each, contexts if each > 1 else ""),
        (settings.chains, "chains" if settings.chains > 1 else ""),
        (1 + settings.restarts, "starts" if settings.restarts else ""),
        (settings.steps, "steps"),
    ]
    return f" ({' × '.join(f'{count:,} {word}' for count, word in parts if word)})"


def run_card(run: SearchRun, quest: Quest) -> Card:
    """A run in some sentences: what its best is expected to measure, whether that keeps what was
    asked for, and how far it is from the optimum."""
    start = {
        "kept": "Finished and kept with the study",
        "stopped": "Stopped; a search that was stopped is not kept",
    }.get(run.state, run.state.capitalize())
    if run.replays:
        start = f"{run.state.capitalize()}, a replay of kept search {run.replays}"
    made = made_of(run, _contexts(quest))
    where = f"{start}: {run.proposals:,} of {run.total:,} proposals{made} "
    where += asked_text(run.wanted, run.limits[0][1])
    if run.best is None:
        return Card(sentence=f"{where}. No subnet within the limits was met yet.")
    found = expected_of(quest, run.best)
    *first, last = [each.value_text for each in found]
    text = (
        f"{where}. Best found: subnet {run.best.architecture.id}, {found[0].how} "
        f"{', '.join(first)} and {last}."
    )
    stress = [run.best.architecture.id, *first, last]
    stage = run.stages[-1]
    if stage.exact is not None:
        gap = abs(stage.exact.value - run.best.value)
        left = "none" if gap < EQUAL else gap_text(gap, run.objective)
        text = f"{text} Gap to the exact optimum: {left}."
        stress.append(left)
    elif stage.least is not None:
        left = gap_text(abs(stage.least - run.best.value), run.objective)
        text = f"{text} No subnet is more than {left} better."
        stress.append(left)
    return Card(sentence=f"{text} {promised(quest, run.best)}", stress=tuple(stress))


def _contexts(quest: Quest) -> str:
    """What the space has chains for each of, in the plural."""
    names = quest.given.study.space.context
    found = [d.role for d in quest.given.study.space.decisions if d.group in names]
    if quest.reachable.settled:
        return f"choices of {' and '.join([*found, 'depths'])}"
    return f"{found[0]}s" if len(found) == 1 else "contexts"


def event_text(event: Event, limit: Metric) -> str:
    """What was done, as a chart has room for it."""
    told = []
    if event.bound is not None:
        told.append(limit.value_text(event.bound if event.asked is None else event.asked))
    if event.start_temperature is not None:
        told.append(f"reheated to {event.start_temperature:.2g}")
    if event.end_temperature is not None:
        told.append(f"down to {event.end_temperature:.2g}")
    if event.schedule is not None:
        told.append(event.schedule)
    return ", ".join(told) or "paused"


# Charts: each a table and its description, which stays the same while the run goes on


Drawn = tuple[pd.DataFrame, live.Spec]


def _marked(run: SearchRun, table: pd.DataFrame) -> pd.DataFrame:
    """A table over proposals with the events of the run below it."""
    limit = run.limits[0][0]
    marks = [
        {"proposals": event.at, "event": event_text(event, limit), "word": word}
        for event, word in zip(run.events, _words(run, limit), strict=True)
    ]
    if not marks:
        return table.assign(event=None, word=None)
    return pd.concat([table, pd.DataFrame(marks)], ignore_index=True)


def _words(run: SearchRun, limit: Metric) -> list[str | None]:
    """What stands beside each event: of those that lie so close that their words would cover each
    other, the first has all, where one undid another only what stayed."""
    groups: list[list[Event]] = []
    begun = -math.inf
    for event in run.events:
        at = live.place_of(event.at, run.total)
        if at - begun >= live.APART:
            groups, begun = [*groups, []], at
        groups[-1].append(event)
    found: list[str | None] = []
    for group in groups:
        done: dict[str, Any] = {}
        for event in group:
            done |= event.cooling
            if event.bound is not None:
                done |= {"bound": event.bound, "asked": event.asked}
        found += [event_text(Event(**done), limit), *[None] * (len(group) - 1)]
    return found


def gap_chart(run: SearchRun, front: Front, *, least_cost: bool) -> Drawn | None:
    """The gap to the optimum or to the bound on it; None where neither is known."""
    if any(stage.reference is None for stage in run.stages):
        return None
    floor = live.least_gap(run.settings.end_temperature or 1.0)
    table = tables.gap_table(run.trace, run.stages, run.objective, floor)
    to = tables.EXACT if run.exact is not None else "bound on it"
    reference = float(run.stages[-1].reference or 0.0)
    ends = gap_ends(front, floor, least_cost=least_cost)
    spec = live.gap_spec(run.objective, run.total, ends, to, reference)
    return _marked(run, table), spec


def gap_ends(front: Front, floor: float, *, least_cost: bool) -> tuple[float, float]:
    """The ends of the axis of gaps, of which the least drawn is `floor`: up to all of the front."""
    values = front.costs if least_cost else front.values
    return floor, max(float(np.ptp(values)), 100 * floor)


def value_chart(run: SearchRun, front: Front, *, least_cost: bool) -> Drawn:
    """The objective over proposals, for where no optimum is known."""
    values = front.costs if least_cost else front.values
    ends = float(values.min()), float(values.max())
    spec = live.course_spec(run.objective, run.total, ends, "value")
    return _marked(run, tables.course_table(run.trace, "value", run.stages)), spec


def cost_chart(run: SearchRun, front: Front, *, least_cost: bool) -> Drawn:
    """What the first limit is on, over proposals, and that limit as it was moved."""
    values = front.values if least_cost else front.costs
    bounds = [stage.bound for stage in run.stages]
    # A quarter of all there is on either side of the limit: what happens is near it.
    room = 0.25 * float(np.ptp(values))
    ends = min(bounds) - room, max(bounds) + room
    name = tables.FLOOR if least_cost else tables.BUDGET
    spec = live.course_spec(run.limits[0][0], run.total, ends, name, height=150)
    return _marked(run, tables.course_table(run.trace, "cost", run.stages)), spec


def schedule_charts(run: SearchRun) -> list[tuple[str, Drawn]]:
    """Temperature and acceptance over proposals, by column."""
    table = _marked(run, tables.schedule_table(run.trace))
    titles = {
        "temperature": f"Temperature ({run.objective.difference_unit})".replace(" ()", ""),
        "accepted": "Accepted (%)",
    }
    specs = {name: live.schedule_spec(name, title, run.total) for name, title in titles.items()}
    return [(name, (table[["proposals", name, "event"]], spec)) for name, spec in specs.items()]


def moving_chart(run: SearchRun, front: Front, spans: live.Spans, *, least_cost: bool) -> Drawn:
    """The current subnet with its trail, and the best, on the plane of the front."""
    moving = {tables.CURRENT: run.current, tables.BEST: run.best}
    table = tables.candidates_table(moving, least_cost=least_cost)
    trail = tables.trail_table(run.trace if run.current else run.trace[:0], least_cost=least_cost)
    cost, objective = front.problem.limits[0].predictor.target, front.problem.objective.target
    return pd.concat([trail, table], ignore_index=True), live.moving_spec(cost, objective, spans)


def cloud_chart(
    measured: pd.DataFrame, front: Front, bound: float, exact: Candidate | None, *,
    least_cost: bool,
) -> tuple[pd.DataFrame, live.Spec, live.Spans]:  # fmt: skip
    """What stands still: the measured subnets, the front, the limit and the optimum; and the ends
    of both axes."""
    budget, floor = (None, bound) if least_cost else (bound, None)
    table = tables.front_table(measured, front, budget=budget, floor=floor)
    table = tables.with_candidates(table, {tables.EXACT: exact}, least_cost=least_cost)
    spans = tables.frame_of(table)
    cost, objective = front.problem.limits[0].predictor.target, front.problem.objective.target
    return table, live.front_spec(cost, objective, spans), spans


def predicted_text(quest: Quest, candidate: Candidate) -> str:
    """What a subnet on the way is predicted at, of what is looked for and of the first limit."""
    targets = [predictor.target for predictor in quest.problem.predictors[:2]]
    values = zip(targets, (candidate.value, candidate.costs[0]), strict=True)
    return "predicted " + " · ".join(target.value_text(value) for target, value in values)


# Kept searches beside each other

PICKED, picked_point = live.PICKED, live.picked_point


def comparison(compared: Mapping[str, SearchResult]) -> tuple[Card, pd.DataFrame, live.Spec]:
    """Kept searches for the same on one chart: what it says, its table and its description."""
    results = list(compared.values())
    gaps = [result.gap for result in results if result.gap is not None]
    exact = sum(gap < EQUAL for gap in gaps)
    lengths = [result.proposals for result in results]
    table = tables.comparison_table(compared)[["search", "proposals", "best_value", "exact"]]
    objective = metric_of(results[0].objective)
    searches = f"{len(results)} searches" if len(results) > 1 else "1 search"
    card = Card(
        title="Compared",
        sentence=f"The best so far of {searches}; dashed, the exact optimum of each. {exact} of "
        f"{len(results)} found it.",
        table=tables.searches_table(compared),
    )
    long = max(lengths) > 10 * min(lengths)
    return card, table, live.comparison_spec(objective, list(compared), long)


def point_card(search_id: str, result: SearchResult, proposals: float | None) -> Card:
    """A point of the course of a kept search, and what was done to it until there."""
    rows = result.trace if proposals is None else (
        result.trace[result.trace["proposals"] <= proposals]
    )  # fmt: skip
    row = (rows if len(rows) else result.trace).iloc[-1]
    objective, limit = metric_of(result.objective), metric_of(result.limits[0][0])
    done = [
        f"{event_text(event, limit)} at {event.at:,}"
        for event in result.events
        if event.at <= row["proposals"]
    ]
    return Card(
        key="point",
        sentence=f"Search {search_id}, seed {result.settings.seed}, after "
        f"{int(row['proposals']):,} of {result.proposals:,} proposals, at temperature "
        f"{row['temperature']:.3g}: the best so far is predicted at "
        f"{objective.value_text(row['best_value'])} and {limit.value_text(row['best_cost'])}, "
        f"the current at {objective.value_text(row['current_value'])} and "
        f"{limit.value_text(row['current_cost'])}; {100 * row['acceptance']:.0f} % of the "
        "proposals before were accepted.",
        points=(f"Done to it until there: {'; '.join(done)}.",) if done else (),
        notes=(
            f"Below, its best at the end, subnet {result.best.architecture.id}. "
            f"{result.certificate}",
        ),
    )
