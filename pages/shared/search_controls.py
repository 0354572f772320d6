"""What steers a search: its buttons, and the annealer's settings."""

import streamlit as st

from foxnas_core.cards.quest import Quest
from foxnas_core.study import Study
from pages.shared import annealing, cache, choices
from pages.shared import search_runs as runs
from pages.shared.annealing import Chosen
from pages.shared.jobs import Job


class Buttons:
    """Start, or pause, step, resume and stop what is under way, and replay the kept search that is
    opened: a row that is placed first and drawn last."""

    def __init__(self) -> None:
        self._row = st.container(
            horizontal=True, gap="small", vertical_alignment="center", key="run-buttons"
        )
        self._drawn = False

    def act(self, quest: Quest, job: Job | None, chosen: Chosen, *, startable: bool) -> Job | None:
        """Start what was asked for, which is returned."""
        study = quest.given.study
        if choices.asked("search") and startable:
            return runs.start(quest, chosen.begun(quest.given.table), chosen.pace)
        if search_id := choices.asked("replay"):
            return runs.replay(study, search_id, chosen.pace)
        return None

    def draw(self, study: Study, job: Job | None, *, startable: bool) -> None:
        """Draw the row, unless it was drawn already."""
        if self._drawn:
            return
        self._drawn = True
        row, opened = self._row, choices.current().search
        if job is None or job.ended:
            row.button(
                "Start", key="start", type="primary", on_click=choices.ask("search"),
                disabled=not startable,
            )  # fmt: skip
            if job is None and opened in cache.searches_of(study):
                row.button(
                    "Replay", key="replay", on_click=choices.ask("replay", of=opened),
                    help="Runs the opened search again from its seed, at the chosen speed, with "
                    "all that was done to it: the same steps to the last bit. It is not kept "
                    "twice.",
                )  # fmt: skip
            return
        if job.state == "paused":
            row.button("Resume", key="resume", type="primary", on_click=job.resume)
            row.button("Step", key="step", on_click=job.step,
                       help="Advances by one frame of the chosen speed.")  # fmt: skip
        else:
            row.button("Pause", key="pause", type="primary", on_click=job.pause)
        if not job.replays:
            row.button(
                "Reheat", key="reheat", help="Back to the start temperature, from where it cools.",
                on_click=lambda: runs.touch(start_temperature=job.in_force.start_temperature),
            )  # fmt: skip
        row.button("Stop", key="stop", on_click=job.stop)


def annealing_controls(quest: Quest, job: Job | None) -> Chosen:
    """Draw the annealer's settings, those that act on a search under way first."""
    study, chosen = quest.given.study, annealing.chosen_settings()
    settings, active = chosen.settings, runs.under_way(job)
    held = bool(active and job is not None and job.replays)
    ends = annealing.temperatures_of(quest.reachable, settings)
    if active and job is not None and job.annealer is not None:
        now = job.in_force
        assert now.start_temperature is not None and now.end_temperature is not None
        ends = now.start_temperature, now.end_temperature
    unit = quest.problem.objective.target.difference_unit

    def heat(changed: dict[str, float]) -> None:
        annealing.change(**changed)
        runs.touch(**changed)

    def cool(schedule: str) -> None:
        annealing.change(schedule=schedule)
        runs.touch(schedule=schedule)

    def hurry(pace: float) -> None:
        annealing.change(pace=pace)
        if (run := runs.chosen_job(study)) is not None:
            run.seconds, run.view = pace, runs.view_now()

    annealing.temperature_picker(ends, unit, heat, disabled=held)
    if not active and (settings.start_temperature or settings.end_temperature):
        st.button(
            "Take the suggested temperatures", key="suggested", type="tertiary",
            on_click=lambda: annealing.change(start_temperature=None, end_temperature=None),
        )  # fmt: skip
    left, right = st.columns([2, 3], gap="xsmall")  # as wide as what they show
    with left:
        annealing.schedule_picker(cool, chosen=settings.schedule, disabled=held)
    with right:
        annealing.pace_picker(hurry, chosen=chosen.pace)
    if held:
        st.caption("A replay shows what was, so nothing acts on it; stop it to search anew.")
    with st.expander("Beginning, steps, chains, seed"):
        annealing.fixed_pickers(study, settings, under_way=active)
    return chosen
