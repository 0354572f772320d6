"""Search strategies side by side on the study's predictors, and what the annealer is worth."""

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from foxnas_core.cards import strategies as cards
from foxnas_core.cards.course import PICKED, picked_point
from foxnas_core.cards.quest import Quest
from foxnas_core.study import Study
from pages.shared import cache, choices
from pages.shared.cards import draw
from pages.shared.frame import errors_as_cards
from pages.shared.panel import panel
from pages.shared.picked import picked
from pages.shared.picture import show_architecture
from pages.shared.races import RaceJob
from pages.shared.running import to_go
from pages.shared.search_form import quest_picker
from pages.shared.text import plain
from pages.shared.theme import vega_chart

SENTENCE = (
    "Search strategies that only ask and are told, on this study's predictors and within the "
    "limits chosen here, beside the annealer and the exact optimum."
)


def settings_picker() -> tuple[list[str], int, list[int]]:
    """Draw the choice of strategies, evaluations and seeds."""
    chosen = picked(
        st.multiselect, "Strategies", cards.ALL, key="strategies",
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


def run_buttons(
    quest: Quest, job: RaceJob | None, row: DeltaGenerator, *, startable: bool
) -> RaceJob | None:
    """Draw the settings, and in the `row` start or stop the race, which is returned."""
    names, evaluations, seeds = settings_picker()
    with errors_as_cards():
        if choices.asked("race") and startable:
            job = cache.works().start(RaceJob(quest, names, evaluations, seeds))
            choices.update(race=job.id)
    if job is None or job.ended:
        row.button(
            "Start", key="start", type="primary", on_click=choices.ask("race"),
            disabled=not startable,
        )  # fmt: skip
    else:
        row.button("Stop", key="stop", on_click=job.stop)
    return job


def show_race(job: RaceJob) -> None:
    """Progress, the sentence, both charts and the tables."""
    race, quest = job.progress, job.quest
    share = race.share
    if not job.ended:
        st.progress(share, f"Running: {share:.0%}{to_go(race.seconds_left)}")
    elif job.state != "finished":
        st.write(f"Stopped at {share:.0%}; what was found until then stands below.")
    card = cards.race_card(race, quest)
    draw(card, quest.given.study, header=False, tabled=False)
    charts = cards.race_charts(race, quest)
    picks = {"on_select": "rerun", "selection_mode": PICKED} if job.ended else {}
    drawn = [
        vega_chart(table, spec, key=f"{by}-chart", place=place, **picks)
        for place, (by, table, spec) in zip(st.columns(2, gap="medium"), charts, strict=False)
    ]
    if job.ended:
        show_point(job, [point for chart in drawn if (point := picked_point(chart))])
        panel(card.title, "", card.table, key="standings")
        for _, table, _ in charts[:1]:
            panel("Courses", "Every point of the charts above.", table, key="courses")


def show_point(job: RaceJob, points: list[dict[str, Any]]) -> None:
    """What a strategy had found at the point that was clicked, and its best in the end."""
    race, quest = job.progress, job.quest
    card = cards.point_card(race, quest, points[-1]) if points else None
    if card is None:
        st.caption("Click a point of a course for its details.")
        return
    best = race.courses[points[-1]["strategy"], points[-1]["seed"]].best
    with st.container(border=True, key="point"):
        draw(card, quest.given.study, header=False)
        show_architecture(quest.given.study.space, best.architecture, key="point-chart")
        if st.button("Edit it in What-if", key="point-what-if"):
            choices.set_architecture(best.architecture)
            st.switch_page("pages/2_What_if.py")


def show_job(job: RaceJob) -> None:
    """The live part: draws itself again while the race runs, and the page once it has ended."""
    ended = job.ended

    @st.fragment(run_every=None if ended else 0.5)
    @errors_as_cards()
    def redraw() -> None:
        # Looked up anew, so that the registry knows that someone watches.
        cache.works().get(RaceJob, job.id, job.study)
        if job.progress is not None:
            show_race(job)
        elif not job.ended:
            st.write("Starting; the first search on a machine takes some seconds to prepare …")
        if job.ended != ended:
            st.rerun()

    redraw()


def show(study: Study) -> None:
    """Draw what is looked for and who looks, and beside them the race."""
    asked, shown = st.columns([1, 2.7], gap="medium")
    startable = False
    with asked:
        buttons = st.container(horizontal=True, key="run-buttons")
        quest = quest_picker(study)
    job = cache.works().get(RaceJob, choices.current().race, str(study.folder))
    with shown, errors_as_cards():
        startable = quest.solution() is not None
    with asked:
        job = run_buttons(quest, job, buttons, startable=startable)
    with shown:
        if job is not None:
            if job.failed:
                st.error(plain(job.note))
            show_job(job)
        elif startable:
            st.info("Press Start to race the chosen strategies.")
