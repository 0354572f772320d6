"""Search strategies side by side on the study's predictors, and what the annealer is worth."""

import streamlit as st

from foxnas_core.cards import strategies as cards
from foxnas_core.cards.quest import Quest
from foxnas_core.errors import InvalidInput
from foxnas_core.figures import strategies as figures
from foxnas_core.search.strategies.race import Race
from foxnas_core.search.strategies.strategy import STRATEGIES
from foxnas_core.study import Study
from pages.shared import cache, choices
from pages.shared.cards import draw
from pages.shared.frame import errors_as_cards, page, plain
from pages.shared.panel import panel
from pages.shared.picked import picked
from pages.shared.races import RaceJob
from pages.shared.running import to_go
from pages.shared.search_form import quest_picker
from pages.shared.theme import vega_chart

# Its own model takes ever longer, so more evaluations would take minutes.
MOST_TPE = 500


def settings_picker() -> tuple[list[str], int, list[int]]:
    """Draw the choice of strategies, evaluations and seeds."""
    chosen = picked(
        st.multiselect, "Strategies", list(STRATEGIES), key="strategies",
        value=kept if (kept := choices.remembered("strategies")) is not None else list(cards.START),
    )  # fmt: skip
    evaluations = picked(
        st.select_slider, "Evaluations of a run", cards.COUNTS, key="evaluations", default=1000,
        format_func=lambda n: f"{n:,}",
        help="Predictions of one architecture. Within the same time the annealer makes more "
        "proposals, and it makes its usual number here.",
    )  # fmt: skip
    left, right = st.columns(2)
    first = picked(
        left.number_input, "First seed", key="seed", default=0, min_value=0, max_value=2**31 - 10
    )
    many = picked(
        right.number_input, "Seeds", key="seeds", default=1, min_value=1, max_value=5,
        help="Each strategy runs once with each.",
    )  # fmt: skip
    return chosen, evaluations, list(range(first, first + many))


def run_buttons(quest: Quest, job: RaceJob | None, *, startable: bool) -> RaceJob | None:
    """Draw the settings, and start or stop the race, which is returned."""
    names, evaluations, seeds = settings_picker()
    with errors_as_cards():
        if choices.asked("race") and startable:
            job = started(quest, names, evaluations, seeds)
    if job is None or job.ended:
        st.button(
            "Start", key="start", type="primary", width="stretch", on_click=choices.ask("race"),
            disabled=not startable,
        )  # fmt: skip
    else:
        st.button("Stop", key="stop", width="stretch", on_click=job.stop)
    return job


def started(quest: Quest, names: list[str], evaluations: int, seeds: list[int]) -> RaceJob:
    """A race under way, which the address names."""
    if not names:
        raise InvalidInput("No strategy is chosen; choose at least one.")
    if "TPE" in names and evaluations > MOST_TPE:
        raise InvalidInput(
            f"TPE takes minutes for {evaluations:,} evaluations; leave it out or choose at most "
            f"{MOST_TPE:,}."
        )
    problem = quest.problem
    job = RaceJob(
        str(quest.given.study.folder),
        lambda: Race(problem, names, evaluations=evaluations, seeds=seeds),
        quest.solution(),
    )
    cache.works().start(job)
    choices.update(race=job.id)
    return job


def show_race(study: Study, job: RaceJob, race: Race) -> None:
    """Progress, the sentence, both charts and the tables."""
    share = race.share
    if not job.ended:
        st.progress(share, f"Running: {share:.0%}{to_go(race.seconds_left)}")
    elif job.state != "finished":
        st.write(f"Stopped at {share:.0%}; what was found until then stands below.")
    card = cards.race_card(race, job.solution)
    draw(card, study, header=False, tabled=False)
    courses = figures.courses_table(race)
    if len(courses):
        drawn = courses, job.solution.bound, race.problem.objective.target
        for place, by, title in zip(
            st.columns(2, gap="medium"),
            ("evaluations", "seconds"),
            ("Evaluations; proposals of the annealer", "Seconds of the processor"),
            strict=True,
        ):
            spec = figures.course_spec(*drawn, by, title, cards.reference_of(job.solution))
            vega_chart(courses, spec, key=f"{by}-chart", place=place)
    if job.ended:
        panel(card.title, "", card.table, key="standings")
        panel("Courses", "Every point of the charts above.", courses, key="courses")


def show_job(study: Study, job: RaceJob) -> None:
    """The live part: draws itself again while the race runs, and the page once it has ended."""
    ended = job.ended

    @st.fragment(run_every=None if ended else 0.5)
    @errors_as_cards()
    def redraw() -> None:
        # Looked up anew, so that the registry knows that someone watches.
        cache.works().get(RaceJob, job.id, job.study)
        if job.progress is not None:
            show_race(study, job, job.progress)
        elif not job.ended:
            st.write("Starting; the first search on a machine takes some seconds to prepare …")
        if job.ended != ended:
            st.rerun()

    redraw()


with page(
    "Strategies",
    "Search strategies that only ask and are told, on this study's predictors and within the "
    "limits chosen here, beside the annealer and the exact optimum.",
) as study:
    with st.sidebar:
        quest = quest_picker(study)
    job = cache.works().get(RaceJob, choices.current().race, str(study.folder))
    startable = False
    with errors_as_cards():
        startable = quest.solution() is not None
    with st.sidebar:
        job = run_buttons(quest, job, startable=startable)
    if job is not None:
        if job.failed:
            st.error(plain(job.note))
        show_job(study, job)
    elif startable:
        st.info("Press Start, at the side, to race the chosen strategies.")
