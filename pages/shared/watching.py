"""The charts of a search, drawn again and again while it runs."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from foxnas_core.cards.quest import Quest
from foxnas_core.cards.search import predictors_of
from foxnas_core.figures import live
from foxnas_core.figures import search as tables
from foxnas_core.search.exact import Front
from foxnas_core.search.problem import Candidate
from foxnas_core.study import Study
from foxnas_core.table.metrics import Metric
from pages.shared import cache, picture, process
from pages.shared.cards import stressed
from pages.shared.frame import errors_as_cards
from pages.shared.jobs import Job
from pages.shared.search_text import SearchRun, run_card
from pages.shared.theme import vega_chart

FRAME_EVERY = 0.1  # seconds


def show_job(study: Study, job: Job) -> None:
    """The live part: draws itself again while the job runs, and the page when its state moves."""
    front = front_of_job(study, job)
    drawn = job.state
    moving = drawn in ("starting", "running")

    # However many watch searches in this server, and whatever else it does, they leave it time.
    every = FRAME_EVERY * max(1, cache.works().watched(Job)) * process.slowdown()

    @st.fragment(run_every=every if moving else None)
    def draw(spans: live.Spans) -> None:
        with errors_as_cards():
            # Looked up anew, so that the registry knows that someone watches.
            cache.works().get(Job, job.id, job.study)
            state = job.state
            run = SearchRun.of_job(job, study)
            if run is not None:
                show_run(study, front, run, spans)
            elif moving:
                st.write("Starting; the first search on a machine takes some seconds to prepare …")
        # Buttons stand outside; a second tab may have pressed them, or the run has ended: perhaps
        # since the page looked whether it was kept.
        if job.kept or (state != drawn and {state, drawn} != {"starting", "running"}):
            st.rerun()

    least_cost = job.problem.objective.target != study.objective
    bound = job.problem.limits[0].bound
    show_watched(study, front, bound, job.exact, draw, least_cost=least_cost)


def front_of_job(study: Study, job: Job) -> Front:
    """The front of the objective and the cost that a job weighs it against."""
    problem = job.problem
    least_cost = problem.objective.target != study.objective
    cost = problem.objective.target.column if least_cost else problem.limits[0].column
    return cache.front_of(study, cost, tuple(problem.allowed.items()))


def show_watched(
    study: Study, front: Front, bound: float, exact: Candidate | None,
    draw: Callable[[live.Spans], None], *, least_cost: bool,
) -> None:  # fmt: skip
    """What `draw` draws with every frame, and under it the measured cloud, which is sent once."""
    table = front_table(study, front, bound, exact, least_cost=least_cost)
    spans = tables.frame_of(table)
    st.html(_MOVING)
    with st.container(key="watched"):
        draw(spans)
        show_front(front, table, spans)


# Lays the chart of what moves, the last that `draw` draws, on that of the measured cloud.
_MOVING = """<style>
.st-key-watched {position: relative}
.st-key-moving {position: absolute; bottom: 0; left: 0; width: 100%; z-index: 1;
  pointer-events: none}
</style>"""


def show_run(study: Study, front: Front, run: SearchRun, spans: live.Spans) -> None:
    """The sentence and the charts of a run: what is sent with every frame."""
    accuracy, latency = front.problem.objective, front.problem.limits[0].predictor
    with st.container(key="progress"):
        st.progress(run.proposals / run.total)
        st.write(stressed(run_card(run)))
    exact = run.exact
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        spec = live.course_spec(
            run.objective, run.total, course_range(run, front),
            None if exact is None else exact.value, tables.EXACT,
        )  # fmt: skip
        vega_chart(tables.course_table(run.trace, "value"), spec, key="course-chart")
        spec = live.course_spec(
            run.limits[0][0], run.total, limit_range(run, front), run.first_bound,
            tables.FLOOR if run.least_cost else tables.BUDGET, height=210,
        )  # fmt: skip
        vega_chart(tables.course_table(run.trace, "cost"), spec, key="cost-chart")
        schedule = tables.schedule_table(run.trace)
        start, end = run.settings.start_temperature or 1.0, run.settings.end_temperature or 1.0
        for place, column, title, domain in zip(
            st.columns(2),
            ("temperature", "accepted"),
            (f"Temperature ({run.objective.difference_unit})", "Accepted (%)"),
            ((0.9 * end, 1.1 * start), (0.0, 100.0)),
            strict=True,
        ):
            spec = live.schedule_spec(column, title, run.total, domain)
            vega_chart(schedule[["proposals", column]], spec, key=f"{column}-chart", place=place)
    with right:
        if run.best is not None:
            show_architecture(study, "Best found", run.best, run.targets, exact, "best-chart")
        if run.current is not None:
            show_architecture(study, "Current", run.current, run.targets, exact, "current-chart")
            first = run.limits[0][0]
            short = "fall below the floor" if first.sign > 0 else "exceed the limit"
            leave = short if run.least_cost else "exceed the budget"
            over = (
                f"In this mode the current subnet does not {leave}."
                if run.settings.mode == "teaching"
                else f"The current subnet may {leave}, at a price, on its way to a better one; the "
                "best never does."
            )
            st.caption(f"Outlined cells differ from the exact optimum. {over}")
        elif exact is not None:
            show_architecture(study, "Exact optimum", exact, run.targets, exact, "current-chart")
    moving = {tables.CURRENT: run.current, tables.BEST: run.best}
    with st.container(key="moving"):
        vega_chart(
            tables.candidates_table(moving, least_cost=run.least_cost),
            live.moving_spec(latency.target, accuracy.target, spans),
            key="moving-chart",
        )


def course_range(run: SearchRun, front: Front) -> tuple[float, float]:
    """The part of the objective's axis in which the run takes place: some start temperatures
    round the optimum; a run starts far from it."""
    start = run.settings.start_temperature or 1.0
    reached = front.costs if run.least_cost else front.values
    span = min(30 * start, 1.5 * float(reached.max() - reached.min())) or 1.0
    found = run.exact or run.best
    if run.least_cost:
        goal = found.value if found else float(reached[0])
        return max(0.0, goal - 0.25 * span), goal + span
    goal = found.value if found else float(reached[-1])
    if run.objective.sign < 0:
        return goal - 0.25 * span, goal + span
    return goal - span, goal + 0.25 * span


def limit_range(run: SearchRun, front: Front) -> tuple[float, float]:
    """The part of the first limit's axis in which the run takes place."""
    if run.least_cost:
        room = 0.25 * float(np.ptp(front.values)) or 1.0
        return run.first_bound - room, run.first_bound + room
    low, high = float(front.costs[0]), min(float(front.costs[-1]), 2 * run.first_bound)
    return min(low, 0.9 * run.first_bound), high


def front_table(
    study: Study, front: Front, bound: float, exact: Candidate | None, *, least_cost: bool
) -> pd.DataFrame:
    side = {"floor": bound} if least_cost else {"budget": bound}
    table = tables.front_table(cache.table_of(study).frame, front, **side)
    return tables.with_candidates(table, {tables.EXACT: exact}, least_cost=least_cost)


def show_sought(quest: Quest) -> None:
    """What is to be looked for: the optimum on its front, and as a grid."""
    study, optimum = quest.given.study, quest.solution().candidate
    table = front_table(study, quest.front, quest.searched, optimum, least_cost=quest.least_cost)
    show_front(quest.front, table, tables.frame_of(table))
    targets = [predictor.target for predictor in predictors_of(quest.problem)]
    show_architecture(study, "Exact optimum", optimum, targets, None, "best-chart")


def show_front(front: Front, table: pd.DataFrame, spans: live.Spans) -> None:
    predictors = (front.problem.limits[0].predictor, front.problem.objective)
    spec = live.front_spec(*(p.target for p in predictors), spans)
    vega_chart(table, spec, key="front-chart")


def show_architecture(
    study: Study, name: str, candidate: Candidate, targets: Sequence[Metric],
    exact: Candidate | None, key: str,
) -> None:  # fmt: skip
    values = zip(targets[:2], (candidate.value, candidate.costs[0]), strict=True)
    parts = [f"{target.text(value)} {target.unit}".rstrip() for target, value in values]
    st.markdown(f"**{name}** · predicted {' · '.join(parts)}")
    other = None if exact is None else exact.architecture
    picture.show_architecture(study.space, candidate.architecture, other, key=key)
