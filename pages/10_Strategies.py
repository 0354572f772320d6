"""Search strategies side by side on the study's predictors, and what the annealer is worth."""

import math
from collections.abc import Callable

import pandas as pd
import streamlit as st

from foxnas_core.errors import InvalidInput
from foxnas_core.figures import strategies as figures
from foxnas_core.search.limits import Side, noun_of
from foxnas_core.search.solving import Solution
from foxnas_core.search.strategies import ANNEALER, STRATEGIES, Race
from foxnas_core.table.metrics import Metric
from pages.shared import cache, choices
from pages.shared.frame import errors_as_cards, page, plain
from pages.shared.limits import in_words
from pages.shared.panel import panel
from pages.shared.races import RaceJob
from pages.shared.search_form import Quest, quest_picker
from pages.shared.theme import vega_chart

START = ("Random", "Regularised evolution", "OFA's evolution", "NSGA-II")
COUNTS = (100, 200, 500, 1000, 2000, 5000, 10_000, 50_000)
# Its own model takes ever longer, so more evaluations would take minutes.
MOST_TPE = 500


def settings_picker() -> tuple[list[str], int, list[int]]:
    """Draw the choice of strategies, evaluations and seeds."""

    def remembered() -> tuple:
        return choices.remembered("race") or (list(START), 1000, 0, 1)

    names, count, seed, runs = remembered()

    def change(key: str, position: int) -> Callable[[], None]:
        def keep(value: object) -> None:
            before = remembered()
            choices.remember("race", (*before[:position], value, *before[position + 1 :]))

        return choices.on_change(key, keep)

    chosen = st.multiselect(
        "Strategies", list(STRATEGIES), default=names, key="strategies",
        on_change=change("strategies", 0),
    )  # fmt: skip
    evaluations = st.select_slider(
        "Evaluations of a run", COUNTS, value=count, key="evaluations",
        format_func=lambda n: f"{n:,}", on_change=change("evaluations", 1),
        help="Predictions of one architecture. Within the same time the annealer makes more "
        "proposals, and it makes its usual number here.",
    )  # fmt: skip
    left, right = st.columns(2)
    first = left.number_input(
        "First seed", 0, 2**31 - 10, value=seed, key="seed", on_change=change("seed", 2)
    )
    many = right.number_input(
        "Seeds", 1, 5, value=runs, key="seeds", on_change=change("seeds", 3),
        help="Each strategy runs once with each.",
    )  # fmt: skip
    return chosen, evaluations, list(range(first, first + many))


def run_buttons(quest: Quest, job: RaceJob | None, solution: Solution | None) -> RaceJob | None:
    """Draw the settings, and start or stop the race, which is returned."""
    names, evaluations, seeds = settings_picker()
    with errors_as_cards():
        if choices.asked("race") and solution is not None:
            job = started(quest, solution, names, evaluations, seeds)
    if job is None or job.ended:
        st.button(
            "Start", key="start", type="primary", width="stretch", on_click=choices.ask("race"),
            disabled=solution is None,
        )  # fmt: skip
    else:
        st.button("Stop", key="stop", width="stretch", on_click=job.stop)
    return job


def started(
    quest: Quest, solution: Solution, names: list[str], evaluations: int, seeds: list[int]
) -> RaceJob:
    """A race under way, which the address names."""
    if not names:
        raise InvalidInput("No strategy is chosen; choose at least one.")
    if "TPE" in names and evaluations > MOST_TPE:
        raise InvalidInput(
            f"TPE takes minutes for {evaluations:,} evaluations; leave it out or choose at most "
            f"{MOST_TPE:,}."
        )
    problem = quest.problem
    job = cache.races().start(
        str(quest.study.folder),
        lambda: Race(problem, names, evaluations=evaluations, seeds=seeds),
        solution,
    )
    choices.update(race=job.id)
    return job


def told(table: pd.DataFrame, objective: Metric, reference: str, done: bool) -> str:
    """Who wins, by how much from the `reference`, and what the others do without."""
    unit = objective.difference_unit
    [ours] = table[table["strategy"] == ANNEALER].to_dict("records")
    rivals = table[table["strategy"] != ANNEALER]
    parts = []
    if rivals["median gap"].notna().any():
        best = rivals.iloc[0]
        parts.append(
            f"{'Of' if done else 'So far, of'} the strategies that know nothing of the predictor "
            f"**{plain(best['strategy'])}** comes nearest the {reference}: "
            f"{_gap(best['median gap'], unit)} after {best['evaluations']:,} evaluations and "
            f"{_seconds(best['seconds'])}."
        )
        worst = rivals.iloc[-1]
        if len(rivals) > 1:
            far = (
                "met nothing within the limits"
                if math.isnan(worst["median gap"])
                else f"is {_gap(worst['median gap'], unit)}"
            )
            parts.append(f"The last, {plain(worst['strategy'])}, {far}.")
        if not math.isnan(ours["median gap"]):
            ratio = best["seconds"] / ours["seconds"] if ours["seconds"] else math.inf
            faster = f", {ratio:,.0f} times quicker" if ratio >= 2 else ""
            parts.append(
                f"Our annealer is {_gap(ours['median gap'], unit)} after "
                f"{ours['evaluations']:,} proposals in {_seconds(ours['seconds'])}{faster}."
            )
    else:
        parts.append("Nothing within the limits was met yet.")
    parts.append(
        "It may, since the prediction is a sum over stages and a proposal costs two additions. "
        "The others do without that: they would search any predictor, or measurements, alike."
    )
    return " ".join(parts)


def _gap(gap: float, unit: str) -> str:
    return "exactly at it" if gap == 0 else f"**{gap:.3g} {unit}** away"


def _seconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


def limit_text(target: Metric, bound: float, side: Side) -> str:
    """The limit that is traded against, at the start of a sentence."""
    how = "At" if side == "at_least" else "Under"
    more = " or more" if side == "at_least" else ""
    return f"{how} {bound:.4g} {target.unit}{more} of predicted {noun_of(target)}"


def show_race(job: RaceJob, race: Race) -> None:
    """Progress, the sentence, both charts and the table."""
    objective = race.problem.objective.target
    # Where the optimum is out of reach, what nothing can be better than.
    best = job.solution.bound
    reference = figures.EXACT if job.solution.exact else figures.BOUND
    finished = job.state == "finished"
    if not job.ended:
        left = race.seconds_left
        rest = "" if math.isnan(left) else f", about {max(1, round(left)):,} s to go"
        st.progress(race.share, f"Running: {race.share:.0%}{rest}")
    elif not finished:
        st.write(f"Stopped at {race.share:.0%}; what was found until then stands below.")
    first, *further = ((x.predictor.target, x.bound, x.side) for x in race.problem.limits)
    limits = ", ".join([limit_text(*first), *in_words(further)])
    kept_choices = ", with the choices kept" if race.problem.allowed else ""
    seeds = list(dict.fromkeys(seed for _, seed in race.courses))
    st.caption(
        f"{limits}{kept_choices}; seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}."
    )
    courses = figures.courses_table(race)
    standings = figures.standings_table(race, best)
    st.write(told(standings, objective, reference, finished))
    if len(courses):
        for place, by, title in zip(
            st.columns(2, gap="medium"),
            ("evaluations", "seconds"),
            ("Evaluations; proposals of the annealer", "Seconds of the processor"),
            strict=True,
        ):
            spec = figures.course_spec(courses, best, objective, by, title, reference)
            vega_chart(courses, spec, key=f"{by}-chart", place=place)
    if job.ended:
        unit = objective.difference_unit
        panel(
            "Standings",
            f"Gaps are to the {reference}, {objective.text(best)} {objective.unit}, in {unit}; "
            "seconds are the processor's, for the strategy and its evaluations.",
            standings,
            key="standings",
        )
        panel("Courses", "Every point of the charts above.", courses, key="courses")


def show_job(job: RaceJob) -> None:
    """The live part: draws itself again while the race runs, and the page once it has ended."""
    ended = job.ended

    @st.fragment(run_every=None if ended else 0.5)
    def draw() -> None:
        with errors_as_cards():
            # Looked up anew, so that the registry knows that someone watches.
            cache.races().get(job.id, job.study)
            race = job.race
            if race is not None:
                show_race(job, race)
            elif not job.ended:
                st.write("Starting; the first search on a machine takes some seconds to prepare …")
        if job.ended != ended:
            st.rerun()

    draw()


with page(
    "Strategies",
    "Search strategies that only ask and are told, on this study's predictors and within the "
    "limits chosen here, beside the annealer and the exact optimum.",
) as study:
    with st.sidebar:
        quest = quest_picker(study, cache.table_of(study), guarded=False)
    job = cache.races().get(choices.current().race, str(study.folder))
    solution: Solution | None = None
    with errors_as_cards():
        solution = quest.solution()
    with st.sidebar:
        job = run_buttons(quest, job, solution)
    if job is not None:
        if job.failed:
            st.error(plain(job.note))
        show_job(job)
    elif solution is not None:
        st.info("Press Start, at the side, to race the chosen strategies.")
