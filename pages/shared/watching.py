"""The charts of a search, drawn again and again while it runs."""

from collections.abc import Callable

import streamlit as st

from foxnas_core.cards import course as cards
from foxnas_core.cards.course import Drawn, SearchRun
from foxnas_core.cards.quest import Quest
from foxnas_core.figures.live import Spans
from foxnas_core.search.problem import Candidate
from foxnas_core.search.result import SearchResult
from foxnas_core.study import Study
from pages.shared import cache, process
from pages.shared.cards import stressed
from pages.shared.frame import errors_as_cards
from pages.shared.jobs import Job
from pages.shared.picture import show_architecture
from pages.shared.search_runs import proven_for
from pages.shared.theme import vega_chart

FRAME_EVERY = 0.1  # seconds
PICTURES_EVERY = 1.0  # seconds: each brings the script that draws it
PAUSED_EVERY = 0.5  # seconds between two looks at whether a run is still paused


def run_of_job(job: Job) -> SearchRun | None:
    """None until the job's thread has set up its run."""
    state, annealer, course = job.state, job.annealer, job.course
    if annealer is None or course is None:
        return None
    events = annealer.events
    begun = next((event.was for event in events if event.was is not None), None)
    first = annealer.problem.limits[0].bound if begun is None else begun
    quest = job.quest
    known = quest is not None and quest.searched == annealer.problem.limits[0].bound
    asked = tuple(bound for _, bound, _ in quest.asked) if quest is not None and known else ()
    return SearchRun(
        state, annealer.in_force, course.frame, annealer.proposals, annealer.total, annealer.chains,
        annealer.problem.objective.target,
        tuple((x.predictor.target, x.bound, x.side) for x in annealer.problem.limits),
        annealer.best, annealer.current,
        cards.stages_of(float(first), events, job.proven_under), events, job.replays, asked,
    )  # fmt: skip


def run_of_kept(study: Study, result: SearchResult, search_id: str) -> SearchRun:
    """A kept search, with its course as it was watched while the server remembers that."""
    watched = [job for job in cache.works().runs(Job) if job.kept == search_id and job.course]
    course = watched[-1].course if watched else None
    trace = result.trace if course is None else course.frame
    return SearchRun.of_result(result, trace, lambda bound: proven_for(study, result, bound))


def show_job(quest: Quest, job: Job) -> None:
    """The live part: draws itself again while the job runs, and the page when its state moves."""
    drawn = job.state
    moving = drawn in ("starting", "running")

    # However many watch searches in this server, and whatever else it does, they leave it time.
    every = FRAME_EVERY * max(1, cache.works().watched(Job)) * process.slowdown()

    @st.fragment(run_every=every if moving else None)
    def draw(spans: Spans) -> None:
        with errors_as_cards():
            # Looked up anew, so that the registry knows that someone watches.
            cache.works().get(Job, job.id, job.study)
            run = run_of_job(job)
            if run is not None:
                show_run(quest, run, spans)
            elif moving:
                st.write("Starting; the first search on a machine takes some seconds to prepare …")
        follow()

    @st.fragment(run_every=PICTURES_EVERY * process.slowdown() if moving else None)
    def picture() -> None:
        with errors_as_cards():
            run = run_of_job(job)
            if run is not None:
                show_pictures(quest, run)

    def follow() -> None:
        """Draw the page anew where the buttons, which stand outside, are of another state: a second
        tab may have pressed them, or the run has ended, perhaps since the page looked whether it
        was kept; and where it made steps although it is paused."""
        state, another = job.state, job.view is not seen
        another |= drawn == "paused" and made != (job.annealer and job.annealer.proposals)
        if job.kept or another or (state != drawn and {state, drawn} != {"starting", "running"}):
            st.rerun()

    seen, made = job.view, job.annealer and job.annealer.proposals
    show_watched(quest, job.problem.limits[0].bound, job.exact, draw)
    picture()
    if drawn == "paused":
        st.fragment(follow, run_every=PAUSED_EVERY)()


def show_watched(
    quest: Quest, bound: float, exact: Candidate | None, draw: Callable[[Spans], None]
) -> None:
    """What `draw` draws with every frame, and under it the measured cloud, which is sent once."""
    measured = quest.given.table.frame
    table, spec, spans = cards.cloud_chart(
        measured, quest.front, bound, exact, least_cost=quest.least_cost
    )
    st.html(_MOVING)
    with st.container(key="watched"):
        draw(spans)
        with st.container(key="cloud"):
            vega_chart(table, spec, key="front-chart")


def _place(key: str, row: int, column: str) -> str:
    return (
        f".st-key-watched div:has(> .st-key-{key}) "
        f"{{grid-row: {row}; grid-column: {column}; min-width: 0; width: 100%}}"
    )


# What a fragment draws has a block of its own, which lays out nothing. The gap stands beside the
# front, on whose measured cloud lies the chart of what moves; below each other
# where there is no room.
_WIDE = [
    _place("progress", 1, "1 / -1"), _place("gap", 2, "1"), _place("cloud", 2, "2"),
    _place("moving", 2, "2"), _place("courses", 3, "1 / -1"),
]  # fmt: skip
_NARROW = [_place(key, row, "1") for row, key in enumerate(
    ("gap", "progress", "cloud", "courses"), 1)]  # fmt: skip
_MOVING = f"""<style>
.st-key-watched {{display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr)}}
.st-key-watched > div {{grid-column: 1 / -1}}
.st-key-watched > div:has(.st-key-gap):has(.st-key-moving),
.st-key-watched > div > div:has(.st-key-gap):has(.st-key-moving) {{display: contents}}
.st-key-watched div:has(> .st-key-moving) {{z-index: 1; pointer-events: none}}
{" ".join(_WIDE)}
@media (max-width: 1000px) {{
  .st-key-watched {{grid-template-columns: minmax(0, 1fr)}}
  {" ".join(_NARROW)} {_place("moving", 3, "1")}
}}
</style>"""


def show_run(quest: Quest, run: SearchRun, spans: Spans) -> None:
    """The sentence and the charts of a run: what is sent with every frame."""
    with st.container(key="progress"):
        st.progress(run.proposals / run.total)
        st.write(stressed(cards.run_card(run, quest)))
    front, least = quest.front, {"least_cost": quest.least_cost}
    with st.container(key="gap"):
        _chart(
            cards.gap_chart(run, front, **least) or cards.value_chart(run, front, **least),
            "course-chart",
        )
    charts = [("cost", cards.cost_chart(run, front, **least)), *cards.schedule_charts(run)]
    with st.container(key="courses"):
        for place, (name, drawn) in zip(st.columns(len(charts)), charts, strict=True):
            with place:
                _chart(drawn, f"{name}-chart")
    with st.container(key="moving"):
        _chart(cards.moving_chart(run, front, spans, **least), "moving-chart")


def show_pictures(quest: Quest, run: SearchRun) -> None:
    """The architectures that a run is at, or has come to."""
    shown = {"Current": run.current, "Best found": run.best}
    if run.current is None:
        shown = {"Best found": run.best, "Exact optimum": run.exact}
    for place, (name, candidate) in zip(st.columns(len(shown)), shown.items(), strict=True):
        if candidate is not None:
            with place:
                show_candidate(quest, name, candidate, run.exact)


def show_sought(quest: Quest) -> None:
    """What is to be looked for: the optimum on its front, and its picture."""
    optimum = quest.solution().candidate
    table, spec, _ = cards.cloud_chart(
        quest.given.table.frame, quest.front, quest.searched, optimum, least_cost=quest.least_cost
    )
    with st.container(key="sought"):
        vega_chart(table, spec, key="front-chart")
    show_candidate(quest, "Exact optimum", optimum, None)


def show_candidate(quest: Quest, name: str, candidate: Candidate, exact: Candidate | None) -> None:
    """A subnet's picture, cells outlined where it differs from the optimum."""
    st.markdown(f"**{name}** · {cards.predicted_text(quest, candidate)}")
    other = None if exact is None or exact == candidate else exact.architecture
    key = name.split()[0].lower()
    show_architecture(quest.given.study.space, candidate.architecture, other, key=f"{key}-chart")


def _chart(drawn: Drawn, key: str) -> None:
    table, spec = drawn
    vega_chart(table, spec, key=key)
