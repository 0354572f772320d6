"""Simulated annealing under a latency budget, watched as it runs, beside the exact optimum."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd
import streamlit as st

from foxnas_core.architecture import Architecture
from foxnas_core.errors import FoxnasError, InvalidInput
from foxnas_core.figures import live
from foxnas_core.figures import search as tables
from foxnas_core.regression import Predictor
from foxnas_core.search.annealing import suggest_temperatures
from foxnas_core.search.exact import Front
from foxnas_core.search.problem import Candidate, SearchProblem
from foxnas_core.search.result import SearchResult
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.storage import Study
from pages.shared import cache, choices
from pages.shared.frame import errors_as_cards, page, plain
from pages.shared.jobs import Job
from pages.shared.latency import (
    budget_slider,
    guard_picker,
    latency_picker,
    searched_budget,
)
from pages.shared.panel import panel

SCHEDULES = ["geometric", "linear", "logarithmic"]
STEPS = [m * 10**k for k in range(3, 7) for m in (1, 2, 5)][:-1]
# Seconds that a run is drawn out over, so that it can be watched.
PACES = {3.0: "over 3 seconds", 8.0: "over 8 seconds", 20.0: "over 20 seconds",
         60.0: "over a minute", 0.0: "at full speed"}  # fmt: skip
# Few enough steps that the search can be seen to improve.
START_SETTINGS = AnnealingSettings(steps=10_000)
EQUAL = 1e-9  # two sums of the same numbers


@dataclass(frozen=True)
class Run:
    """What is drawn of a search, whether it runs, was stopped or was kept."""

    state: str
    settings: AnnealingSettings
    trace: pd.DataFrame
    proposals: int
    total: int
    budget: float
    best: Candidate | None
    current: Candidate | None
    exact: Candidate | None

    @classmethod
    def of_job(cls, job: Job) -> "Run | None":
        """None until the job's thread has set up its run."""
        state, annealer = job.state, job.annealer
        if annealer is None:
            return None
        return cls(
            state, annealer.settings, annealer.trace, annealer.proposals, annealer.total,
            job.problem.budget, annealer.best, annealer.current, job.exact,
        )  # fmt: skip

    @classmethod
    def of_result(cls, result: SearchResult) -> "Run":
        return cls(
            "kept", result.settings, result.trace, result.proposals, result.proposals,
            result.limits[0][1], result.best, None, result.exact,
        )  # fmt: skip


def described(candidate: Candidate, accuracy: Predictor, latency: Predictor) -> str:
    """A candidate with its predicted values."""
    parts = [
        f"**{p.target.text(value)} {p.target.unit}**"
        for p, value in zip((accuracy, latency), (candidate.value, *candidate.costs), strict=True)
    ]
    return f"subnet **{candidate.architecture.id}**, predicted at {' and '.join(parts)}"


def show_promise(study: Study, front: Front, candidate: Candidate, budget: float) -> None:
    """What the optimum will measure: plain intervals beside those of measured optima."""
    accuracy, latency = front.problem.objective, front.problem.limits[0].predictor
    found, missing = {}, ""
    try:
        found = cache.calibrations_of(study, latency.target.column)
    except FoxnasError as error:
        missing = str(error)
    table = tables.promise_table(candidate, (accuracy, latency), found, budget)
    for row, predictor, place in zip(
        table.to_dict("records"), (accuracy, latency), st.columns(2), strict=True
    ):
        text, unit = predictor.target.text, predictor.target.unit
        plain_interval = f"[{text(row['low'])}, {text(row['high'])}]"
        with place.container(border=True):
            if not found:
                st.write(
                    f"{row['target']}: **{text(row['predicted'])} {unit}** {plain_interval} if the "
                    "subnet had been chosen without looking"
                )
                continue
            chance = row["chance in budget"]
            keeps = "" if math.isnan(chance) else (
                f" It keeps {budget:.4g} ms with a chance of **{100 * chance:.0f} %**."
            )  # fmt: skip
            st.write(
                f"{row['target']}: will measure **{text(row['as searched'])} {unit}** "
                f"[{text(row['searched low'])}, {text(row['searched high'])}]."
                f"{keeps} Predicted {text(row['predicted'])} {plain_interval}."
            )
    if found:
        count = found[accuracy.target.column].count
        st.caption(
            f"Bold, with 95 % interval: by {count} other optima that were measured and kept out of "
            "the fit, since a search picks out what the regression overrates. Behind it, the plain "
            "prediction interval, which holds for a subnet chosen without looking."
        )
    else:
        st.caption(
            "A search picks out what the regression overrates, so the optimum tends to measure "
            f"worse than this. {plain(missing)}"
        )
    with st.expander("Table"):
        panel("", "", table, key="promise")


def settings_picker(problem: SearchProblem) -> tuple[AnnealingSettings, float]:
    """Draw the annealer's settings; returns them and the seconds to draw the run out over."""
    chosen: AnnealingSettings = choices.remembered("annealing") or START_SETTINGS
    pace = choices.remembered("pace")

    def change(name: str) -> Callable[[], None]:
        return choices.on_change(
            name, lambda value: choices.remember("annealing", replace(chosen, **{name: value}))
        )

    _temperature_picker(chosen, problem)
    st.selectbox(
        "Cooling schedule", SCHEDULES, index=SCHEDULES.index(chosen.schedule), key="schedule",
        on_change=change("schedule"),
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
        "Seed", 0, 2**31 - 1, value=chosen.seed, key="seed", on_change=change("seed"),
        help="The same seed and settings give the same search.",
    )  # fmt: skip
    seconds = list(PACES)
    pace = st.selectbox(
        "Run it", seconds, index=seconds.index(8.0 if pace is None else pace), key="pace",
        format_func=PACES.get, on_change=choices.on_change(
            "pace", lambda value: choices.remember("pace", value)
        ),
    )  # fmt: skip
    return chosen, pace


def _temperature_picker(chosen: AnnealingSettings, problem: SearchProblem) -> None:
    """A slider with two ends over a grid of round temperatures, set to the suggested ones until
    it is moved."""
    suggested = suggest_temperatures(problem)
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
        new = replace(chosen, start_temperature=ends[1], end_temperature=ends[0])
        choices.remember("annealing", new)

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
            on_click=lambda: choices.remember(
                "annealing", replace(chosen, start_temperature=None, end_temperature=None)
            ),
        )


def run_buttons(
    study: Study, front: Front, job: Job | None, optimum: Candidate | None, budget: float,
    settings: AnnealingSettings, seconds: float,
) -> None:  # fmt: skip
    """Start, or pause, resume and stop what is under way."""

    def start() -> None:
        with errors_as_cards():
            new = cache.jobs().start(
                str(study.folder), front.problem.within(budget), settings,
                seconds=seconds, exact=optimum, keep=study.save_search,
            )  # fmt: skip
            choices.update(search=new.id)

    if job is None or job.ended:
        st.button(
            "Start", key="start", type="primary", width="stretch", on_click=start,
            disabled=optimum is None,
        )  # fmt: skip
        return
    left, right = st.columns(2)
    if job.state == "paused":
        left.button("Resume", key="resume", type="primary", width="stretch", on_click=job.resume)
    else:
        left.button("Pause", key="pause", width="stretch", on_click=job.pause)
    right.button("Stop", key="stop", width="stretch", on_click=job.stop)


def told(run: Run, accuracy: Predictor, latency: Predictor) -> str:
    """A run in a sentence."""
    start = {
        "kept": "Finished and kept with the study",
        "stopped": "Stopped; a search that was stopped is not kept",
    }.get(run.state, run.state.capitalize())
    where = f"{start}: {run.proposals:,} of {run.total:,} proposals under {run.budget:.4g} ms"
    if run.best is None:
        return f"{where}. No subnet within the budget was met yet."
    text = f"{where}. Best found: {described(run.best, accuracy, latency)}"
    if run.exact is None:
        return f"{text}."
    gap = abs(run.exact.value - run.best.value)
    if gap < EQUAL:
        return f"{text}. Gap to the exact optimum: **none**."
    return f"{text}. Gap to the exact optimum: **{gap:.3f} {accuracy.target.difference_unit}**."


def show_run(study: Study, front: Front, run: Run) -> None:
    """The sentence and the charts of a run."""
    accuracy, latency = front.problem.objective, front.problem.limits[0].predictor
    with st.container(key="progress"):
        st.progress(run.proposals / run.total)
        st.write(told(run, accuracy, latency))
    exact = run.exact
    course = tables.course_table(run.trace, None if exact is None else exact.value, run.total)
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        spec = live.course_spec(accuracy.target, run.total, *course_range(run, front))
        st.vega_lite_chart(course, spec, key="course-chart")
        schedule = tables.schedule_table(run.trace)
        unit = accuracy.target.difference_unit
        for place, column, title in zip(
            st.columns(2),
            ("temperature", "accepted"),
            (f"Temperature ({unit})", "Accepted (%)"),
            strict=True,
        ):
            spec = live.schedule_spec(column, title, run.total)
            place.vega_lite_chart(schedule, spec, key=f"{column}-chart")
    with right:
        if run.best is not None:
            show_architecture(study, "Best found", run.best, exact, "best-chart")
        if run.current is not None:
            show_architecture(study, "Current", run.current, exact, "current-chart")
            st.caption(
                "Outlined cells differ from the exact optimum. The current subnet may exceed the "
                "budget, at a price, on its way to a better one; the best never does."
            )
        elif exact is not None:
            show_architecture(study, "Exact optimum", exact, exact, "current-chart")
    candidates = {tables.EXACT: exact, tables.CURRENT: run.current, tables.BEST: run.best}
    show_front(study, front, run.budget, candidates)


def course_range(run: Run, front: Front) -> tuple[float, float]:
    """The part of the objective's axis in which the run takes place: some start temperatures
    round the optimum; a run starts far below it."""
    start = run.settings.start_temperature or 1.0
    span = min(30 * start, 1.5 * float(front.values.max() - front.values.min())) or 1.0
    top = (run.exact or run.best or front.candidate(len(front) - 1)).value
    return top - span, top + 0.25 * span


def show_front(
    study: Study, front: Front, budget: float, candidates: dict[str, Candidate | None]
) -> None:
    predictors = (front.problem.limits[0].predictor, front.problem.objective)
    table = tables.front_table(cache.table_of(study).frame, front, budget=budget)
    table = tables.with_candidates(table, {k: c for k, c in candidates.items() if c is not None})
    st.vega_lite_chart(table, live.front_spec(*(p.target for p in predictors)), key="front-chart")


def show_architecture(
    study: Study, name: str, candidate: Candidate, exact: Candidate | None, key: str
) -> None:
    st.markdown(f"**{name}** · {candidate.value:.2f} % · {candidate.costs[0]:.3g} ms")
    other = None if exact is None else exact.architecture
    grid = tables.architecture_table(study.space, candidate.architecture, other)
    st.vega_lite_chart(grid, live.architecture_spec(grid["row"].nunique()), key=key)


def show_job(study: Study, front: Front, job: Job) -> None:
    """The live part: draws itself again while the job runs, and the page when its state moves."""
    drawn = job.state
    moving = drawn in ("starting", "running")

    @st.fragment(run_every=0.3 if moving else None)
    def draw() -> None:
        with errors_as_cards():
            # Looked up anew, so that the registry knows that someone watches.
            cache.jobs().get(job.id, job.study)
            state = job.state
            run = Run.of_job(job)
            if run is not None:
                show_run(study, front, run)
            elif moving:
                st.write("Starting; the first search on a machine takes some seconds to prepare …")
        # Buttons stand outside; a second tab may have pressed them, or the run has ended.
        if state != drawn and {state, drawn} != {"starting", "running"}:
            st.rerun()

    draw()


def show_kept(study: Study, search_id: str) -> Architecture:
    """A search that was kept with the study; returns its best."""
    result = study.load_search(search_id)
    table = cache.table_of(study)
    if result.fingerprints["space"] != study.space.fingerprint:
        raise InvalidInput(f"Search {search_id} is of another space than the study's; delete it.")
    if result.fingerprints[result.objective] != table.fingerprint:
        st.info(
            "The measurements have changed since this search: its values are those of the older "
            "regression, the intervals and the front those of the present one."
        )
    show_run(study, cache.front_of(study, result.limits[0][0]), Run.of_result(result))
    panel(
        "Trace",
        f"{len(result.trace)} points of the run; seed {result.settings.seed}, "
        f"{result.settings.schedule} schedule from {result.settings.start_temperature:.3g} to "
        f"{result.settings.end_temperature:.3g}.",
        result.trace,
        key="trace",
    )
    return result.best.architecture


def kept_picker(study: Study, chosen: str | None) -> None:
    """Reopen one of the searches that the study holds."""
    kept = cache.searches_of(study)
    if not kept:
        return

    def label(search_id: str) -> str:
        result = kept[search_id]
        (column, budget), gap = result.limits[0], result.gap
        rest = "" if gap is None else ", exact" if gap < EQUAL else f", gap {gap:.3f}"
        device = column.partition(":")[2]
        return (
            f"{budget:.4g} ms{f' {device}' if device else ''}: {result.best.value:.2f} %{rest}, "
            f"seed {result.settings.seed}"
        )

    ids = list(kept)
    key = f"kept-{chosen or 'none'}"
    with st.container(key="kept"):
        st.selectbox(
            "Kept searches", ids, index=ids.index(chosen) if chosen in ids else None,
            placeholder=f"Open one of {len(ids)} …", format_func=label, key=key,
            on_change=choices.on_change(key, lambda s: choices.update(search=s)),
        )  # fmt: skip


def take_along(name: str, take: Callable[[], Architecture]) -> None:
    """Buttons that carry an architecture to other pages; `take` is asked when one is pressed."""
    left, right = st.columns(2)
    for place, verb, target, key in (
        (left, f"Edit {name} in What-if", "pages/2_What_if.py", "to-what-if"),
        (right, f"Export {name}", "pages/4_Export.py", "to-export"),
    ):
        if place.button(verb, key=key, width="stretch"):
            choices.set_architecture(take())
            st.switch_page(target)


with page(
    "Search",
    "Simulated annealing looks for the best predicted subnet under the budget. Beside it stands "
    "the exact optimum of the same regression, which moves with the slider at once.",
) as study:
    table = cache.table_of(study)
    with st.sidebar:
        latency = latency_picker(table)
        front = cache.front_of(study, latency)
        budget = budget_slider(front)
        guard_picker(study, front)
    chosen = choices.current().search
    job = cache.jobs().get(chosen, str(study.folder))
    if job is not None and job.kept:
        # From here on the kept search is shown, whose address lasts.
        chosen, job = job.kept, None
        choices.update(search=chosen)

    if front.problem.limits[0].predictor.df is not None:  # calibrated from another device
        st.warning(plain(front.problem.limits[0].predictor.warnings[0]))
    optimum: Candidate | None = None
    searched = searched_budget(study, front)
    with errors_as_cards(), st.container(key="optimum"):
        optimum = front.within(searched)
        guarded = "" if searched == budget else f" (searched under {searched:.4g} ms)"
        st.write(
            f"Exact optimum under {budget:.4g} ms{guarded}: "
            f"{described(optimum, front.problem.objective, front.problem.limits[0].predictor)}."
        )
        show_promise(study, front, optimum, budget)
    with st.sidebar:
        within = front.problem.within(max(searched, float(front.costs[0])))
        settings, seconds = settings_picker(within)
        run_buttons(study, front, job, optimum, searched, settings, seconds)
        kept_picker(study, chosen)

    take: Callable[[], Architecture] | None = None
    name = "the exact optimum"
    with errors_as_cards():
        if job is not None:
            if job.note:
                (st.error if job.state == "failed" else st.warning)(plain(job.note))
            column = job.problem.limits[0].predictor.target.column
            show_job(study, cache.front_of(study, column), job)
            name, running = "the best found", job

            def take() -> Architecture:
                annealer = running.annealer
                best = annealer.best if annealer else None
                return (best or running.exact).architecture

        elif chosen is not None:
            best = show_kept(study, chosen)
            name, take = "the best found", lambda: best
        elif optimum is not None:
            show_front(study, front, searched, {tables.EXACT: optimum})
            show_architecture(study, "Exact optimum", optimum, None, "best-chart")
            st.caption("Press Start to watch the annealer look for it.")
    if take is None and optimum is not None:
        take = lambda: optimum.architecture  # noqa: E731
    if take is not None:
        take_along(name, take)
