"""The annealer's settings, and the buttons that start, steer and replay a search."""

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import get_args

import streamlit as st

from foxnas_core.cards.quest import Quest
from foxnas_core.cards.search import predictors_of
from foxnas_core.errors import InvalidInput
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.result import SEARCHES
from foxnas_core.search.schedule import AnnealingSettings, Schedule
from foxnas_core.search.suggestion import suggest_temperatures
from foxnas_core.study import Study
from pages.shared import cache, choices
from pages.shared.frame import errors_as_cards
from pages.shared.jobs import Job, replayed

SCHEDULES = list(get_args(Schedule))
MODES = {"full": "soft limit, polished", "teaching": "teaching: Metropolis alone"}
STEPS = [m * 10**k for k in range(3, 7) for m in (1, 2, 5)][:-1]
# Seconds that a run is drawn out over, so that it can be watched.
PACES = {3.0: "over 3 seconds", 8.0: "over 8 seconds", 20.0: "over 20 seconds",
         60.0: "over a minute", 0.0: "at full speed"}  # fmt: skip
# Few enough steps that the search can be seen to improve.
START_SETTINGS = AnnealingSettings(steps=10_000, chains=1, restarts=0)


def settings_picker(problem: SearchProblem, study: Study) -> tuple[AnnealingSettings, float]:
    """Draw the annealer's settings; returns them and the seconds to draw the run out over, which
    also holds for what is under way."""
    # Temperatures are in the objective's unit, so each has its own.
    heat = f"temperatures-{problem.objective.target.column}"
    start, end = choices.remembered(heat) or (None, None)

    def kept() -> AnnealingSettings:
        return choices.remembered("annealing") or START_SETTINGS

    chosen = replace(kept(), start_temperature=start, end_temperature=end)
    pace = choices.remembered("pace")

    def change(name: str) -> Callable[[], None]:
        return choices.on_change(
            name, lambda value: choices.remember("annealing", replace(kept(), **{name: value}))
        )

    def hurry(seconds: float) -> None:
        choices.remember("pace", seconds)
        job = cache.works().get(Job, choices.current().search, str(study.folder))
        if job is not None:
            job.seconds = seconds

    st.selectbox(
        "Mode", list(MODES), index=list(MODES).index(chosen.mode), key="mode",
        format_func=MODES.get, on_change=change("mode"),
        help="Full: the budget may be crossed at a price, and the best is polished at the end. "
        "Teaching: the plain rule of Metropolis from the cheapest subnet on; a step over the "
        "budget is refused and nothing is polished, so that one sees what the temperature does.",
    )  # fmt: skip
    _temperature_picker(chosen, problem, heat)
    st.selectbox(
        "Cooling schedule", SCHEDULES, index=SCHEDULES.index(chosen.schedule), key="schedule",
        on_change=change("schedule"),
        help="Adaptive: the temperature is steered, between the two chosen, so that the share of "
        "accepted steps falls as Lam and Delosme found best: to 44 %, level, then to none.",
    )  # fmt: skip
    st.select_slider(
        "Steps of a chain", STEPS, value=chosen.steps, key="steps", on_change=change("steps"),
        format_func=lambda n: f"{n:,}",
    )  # fmt: skip
    left, right = st.columns(2)
    left.number_input(
        "Chains", 1, 8, value=chosen.chains, key="chains", on_change=change("chains"),
        help="Runs side by side, the best of which counts. Each input resolution has so many.",
    )  # fmt: skip
    right.number_input(
        "Restarts", 0, 9, value=chosen.restarts, key="restarts", on_change=change("restarts"),
        help="How often each chain begins anew, elsewhere and hot again, after its steps.",
    )  # fmt: skip
    st.number_input(
        "Seed", 0, 2**31 - 1, value=chosen.seed, key="seed", on_change=change("seed"),
        help="The same seed and settings give the same search.",
    )  # fmt: skip
    seconds = list(PACES)
    pace = st.selectbox(
        "Run it", seconds, index=seconds.index(8.0 if pace is None else pace), key="pace",
        format_func=PACES.get, on_change=choices.on_change("pace", hurry),
    )  # fmt: skip
    return chosen, pace


def _temperature_picker(chosen: AnnealingSettings, problem: SearchProblem, heat: str) -> None:
    """A slider with two ends over a grid of round temperatures, set to the suggested ones until
    it is moved; both ends are then remembered as `heat`."""
    suggested = suggest_temperatures(problem, chosen.schedule)
    hot, cold = chosen.start_temperature or suggested[0], chosen.end_temperature or suggested[1]
    lowest = math.floor(math.log10(min(suggested[1], cold)))
    highest = math.ceil(math.log10(max(suggested[0], hot))) + 1
    grid = [
        float(f"{mantissa}e{power}")
        for power in range(lowest, highest)
        for mantissa in (1, 1.5, 2, 3, 5, 7)
    ]

    def nearest(temperature: float) -> float:
        return min(grid, key=lambda g: abs(math.log(g / temperature)))

    def keep(ends: tuple[float, float]) -> None:
        choices.remember(heat, (ends[1], ends[0]))

    unit = problem.objective.target.difference_unit
    moved = chosen.start_temperature is not None
    # Made anew where the suggestion moves with the budget.
    key = f"temperature-{nearest(cold):g}-{nearest(hot):g}-{lowest}-{highest}"
    with st.container(key="temperature"):
        st.select_slider(
            f"Temperatures ({unit})", grid, value=(nearest(cold), nearest(hot)),
            key=key, format_func=lambda t: f"{t:g}", on_change=choices.on_change(key, keep),
            help="Where the schedule ends (left) and starts (right). "
            f"At temperature T a step that loses T {unit} is taken with probability 1/e.",
        )  # fmt: skip
    if moved:
        st.button(
            f"Take the suggested {suggested[1]:.2g} and {suggested[0]:.2g}",
            key="suggested",
            type="tertiary",
            on_click=lambda: choices.remember(heat, None),
        )


def run_buttons(
    quest: Quest, job: Job | None, settings: AnnealingSettings, seconds: float, *, startable: bool
) -> Job | None:
    """Start, or pause, step, resume and stop what is under way, which is returned; replay the kept
    search that is opened."""
    study, opened = quest.given.study, choices.current().search
    with errors_as_cards():
        if choices.asked("search") and startable:
            solution = quest.solution()
            exact, bound = (solution.candidate, None) if solution.exact else (None, solution.bound)
            job = begun(
                Job(
                    str(study.folder), quest.problem, settings,
                    seconds=seconds, exact=exact, keep=partial(study.keep, SEARCHES), bound=bound,
                )
            )  # fmt: skip
        elif search_id := choices.asked("replay"):
            job = replay(study, search_id, seconds)
    if job is None or job.ended:
        st.button(
            "Start", key="start", type="primary", width="stretch", on_click=choices.ask("search"),
            disabled=not startable,
        )  # fmt: skip
        if job is None and opened in cache.searches_of(study):
            st.button(
                "Replay", key="replay", width="stretch", on_click=choices.ask("replay", of=opened),
                help="Runs the opened search again from its seed, at the chosen pace: the same "
                "steps to the last bit. It is not kept twice.",
            )  # fmt: skip
        return job
    left, right = st.columns(2)
    if job.state == "paused":
        st.button("Step", key="step", width="stretch", on_click=job.step,
                  help="Advances by one frame of the chosen pace.")  # fmt: skip
        left.button("Resume", key="resume", type="primary", width="stretch", on_click=job.resume)
    else:
        left.button("Pause", key="pause", width="stretch", on_click=job.pause)
    right.button("Stop", key="stop", width="stretch", on_click=job.stop)
    return job


def replay(study: Study, search_id: str, seconds: float) -> Job:
    """Start a kept search again from its seed, if what it searched is still the same."""
    kept = study.kept(SEARCHES, search_id)
    allowed = tuple(kept.allowed.items())
    problem = cache.problem_of(study, kept.objective, kept.limits, allowed)
    if tuple(limit.side for limit in problem.limits) != kept.sides:
        raise InvalidInput("This search can't be replayed: a page limits costs from above only.")
    now = {p.target.column: p for p in predictors_of(problem)}
    if any(kept.fingerprints[c] != p.table_fingerprint for c, p in now.items()):
        raise InvalidInput(
            "The measurements have changed since this search, so it can't be replayed; start "
            "it anew."
        )
    return begun(
        Job(
            str(study.folder), problem, kept.settings, seconds=seconds, exact=kept.exact,
            keep=replayed(search_id, kept), replays=search_id, bound=kept.bound,
        )
    )  # fmt: skip


def begun(job: Job) -> Job:
    """Start a search, which the address then names."""
    cache.works().start(job)
    choices.update(search=job.id)
    return job
