"""Simulated annealing under a latency budget or above an accuracy floor, watched as it runs, beside
the exact optimum."""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import get_args

import pandas as pd
import streamlit as st

from foxnas_core.architecture import Architecture
from foxnas_core.errors import FoxnasError, InvalidInput, MissingPart
from foxnas_core.figures import live
from foxnas_core.figures import search as tables
from foxnas_core.regression import Predictor
from foxnas_core.search.annealing import suggest_temperatures
from foxnas_core.search.exact import Front
from foxnas_core.search.milp import Solution
from foxnas_core.search.problem import Candidate, SearchProblem, Side, noun_of
from foxnas_core.search.result import SearchResult
from foxnas_core.search.schedule import AnnealingSettings, Schedule
from foxnas_core.storage import Study
from foxnas_core.target import Target, target_of
from foxnas_core.writing import is_read_only
from pages.shared import cache, choices
from pages.shared.frame import errors_as_cards, page, plain
from pages.shared.jobs import Job, replayed
from pages.shared.limits import in_words
from pages.shared.panel import panel
from pages.shared.quest import Quest, quest_picker

SCHEDULES = list(get_args(Schedule))
MODES = {"full": "soft limit, polished", "teaching": "teaching: Metropolis alone"}
STEPS = [m * 10**k for k in range(3, 7) for m in (1, 2, 5)][:-1]
# Seconds that a run is drawn out over, so that it can be watched.
PACES = {3.0: "over 3 seconds", 8.0: "over 8 seconds", 20.0: "over 20 seconds",
         60.0: "over a minute", 0.0: "at full speed"}  # fmt: skip
# Few enough steps that the search can be seen to improve.
START_SETTINGS = AnnealingSettings(steps=10_000, chains=1, restarts=0)
EQUAL = 1e-9  # two sums of the same numbers
FRAME_EVERY = 0.1  # seconds
MOST_COMPARED = 8


@dataclass(frozen=True)
class Run:
    """What is drawn of a search, whether it runs, was stopped or was kept."""

    state: str
    settings: AnnealingSettings
    trace: pd.DataFrame
    proposals: int
    total: int
    objective: Target
    limits: tuple[tuple[Target, float, Side], ...]
    best: Candidate | None
    current: Candidate | None
    exact: Candidate | None
    bound: float | None = None
    replays: str = ""

    @property
    def first_bound(self) -> float:
        return self.limits[0][1]

    @property
    def least_cost(self) -> bool:
        """Whether it looks for the least cost at a floor."""
        return self.limits[0][2] == "at_least"

    @property
    def targets(self) -> list[Target]:
        """Those of the objective and of every limit, in order."""
        return [self.objective, *(target for target, _, _ in self.limits)]

    @classmethod
    def of_job(cls, job: Job) -> "Run | None":
        """None until the job's thread has set up its run."""
        state, annealer = job.state, job.annealer
        if annealer is None:
            return None
        return cls(
            state, annealer.settings, annealer.trace, annealer.proposals, annealer.total,
            job.problem.objective.target,
            tuple((x.predictor.target, x.bound, x.side) for x in job.problem.limits),
            annealer.best, annealer.current, job.exact, job.bound, job.replays,
        )  # fmt: skip

    @classmethod
    def of_result(cls, result: SearchResult) -> "Run":
        return cls(
            "kept", result.settings, result.trace, result.proposals, result.proposals,
            target_of(result.objective),
            tuple(
                (target_of(column), bound, side)
                for (column, bound), side in zip(result.limits, result.sides, strict=True)
            ),
            result.best, None, result.exact, result.bound,
        )  # fmt: skip


def described(candidate: Candidate, targets: Sequence[Target]) -> str:
    """A candidate with its predicted values."""
    parts = [
        f"**{target.text(value)} {target.unit or noun_of(target)}**"
        for target, value in zip(targets, (candidate.value, *candidate.costs), strict=True)
    ]
    *first, last = parts
    return f"subnet **{candidate.architecture.id}**, predicted at {', '.join(first)} and {last}"


def under(limits: Sequence[tuple[Target, float, Side]]) -> str:
    """The limits of a search, within a sentence."""
    (first, bound, side), *further = limits
    if side == "at_least":
        start = f"at {noun_of(first)} of {bound:.4g} {first.unit} or more"
    else:
        start = f"under {bound:.4g} {first.unit or noun_of(first)}"
    return ", ".join([start, *in_words(further)])


def gap_text(gap: float, target: Target) -> str:
    """A gap of the objective in its unit."""
    number = f"{gap:.3f}" if target.unit == "%" else f"{gap:.3g}"
    return f"{number} {target.difference_unit}".rstrip()


def show_promise(quest: Quest, candidate: Candidate) -> None:
    """What the optimum will measure: plain intervals beside those of measured optima."""
    problem = quest.problem
    predictors = predictors_of(problem)
    found, missing = {}, ""
    try:
        found = cache.calibrations_of(quest.study, quest.latency)
    except FoxnasError as error:
        missing = str(error)
    table = tables.promise_table(candidate, predictors, found, quest.bound)
    limited = predictors[1].target
    for row, predictor, place in zip(
        table.to_dict("records")[:2], predictors[:2], st.columns(2), strict=True
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
            chance = row["chance"]
            keeps = "" if math.isnan(chance) else (
                f" It keeps {quest.bound:.4g} {limited.unit} with a chance of "
                f"**{100 * chance:.0f} %**."
            )  # fmt: skip
            st.write(
                f"{row['target']}: will measure **{text(row['as searched'])} {unit}** "
                f"[{text(row['searched low'])}, {text(row['searched high'])}]."
                f"{keeps} Predicted {text(row['predicted'])} {plain_interval}."
            )
    if found:
        count = found["accuracy"].count
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


def predictors_of(problem: SearchProblem) -> list[Predictor]:
    """Those of the objective and of every limit, in order."""
    return [problem.objective, *(limit.predictor for limit in problem.limits)]


def settings_picker(problem: SearchProblem, job: Job | None) -> tuple[AnnealingSettings, float]:
    """Draw the annealer's settings; returns them and the seconds to draw the run out over, which
    also holds for what is under way."""
    # Temperatures are in the objective's unit, so each has its own.
    heat = f"temperatures-{problem.objective.target.column}"
    start, end = choices.remembered(heat) or (None, None)
    chosen: AnnealingSettings = replace(
        choices.remembered("annealing") or START_SETTINGS,
        start_temperature=start,
        end_temperature=end,
    )
    pace = choices.remembered("pace")

    def change(name: str) -> Callable[[], None]:
        return choices.on_change(
            name, lambda value: choices.remember("annealing", replace(chosen, **{name: value}))
        )

    def hurry(seconds: float) -> None:
        choices.remember("pace", seconds)
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
    study: Study, problem: SearchProblem, job: Job | None, solution: Solution | None,
    settings: AnnealingSettings, seconds: float, kept: str | None,
) -> None:  # fmt: skip
    """Start, or pause, step, resume and stop what is under way; replay the kept search `kept`."""

    def start() -> None:
        with errors_as_cards():
            assert solution is not None
            exact, bound = (solution.candidate, None) if solution.exact else (None, solution.bound)
            new = cache.jobs().start(
                str(study.folder), problem, settings,
                seconds=seconds, exact=exact, keep=study.save_search, bound=bound,
            )  # fmt: skip
            choices.update(search=new.id)

    if job is None or job.ended:
        st.button(
            "Start", key="start", type="primary", width="stretch", on_click=start,
            disabled=solution is None,
        )  # fmt: skip
        if kept is not None:
            st.button(
                "Replay", key="replay", width="stretch", on_click=replay,
                args=(study, kept, seconds),
                help="Runs the opened search again from its seed, at the chosen pace: the same "
                "steps to the last bit. It is not kept twice.",
            )  # fmt: skip
        return
    left, right = st.columns(2)
    if job.state == "paused":
        st.button("Step", key="step", width="stretch", on_click=job.step,
                  help="Advances by one frame of the chosen pace.")  # fmt: skip
        left.button("Resume", key="resume", type="primary", width="stretch", on_click=job.resume)
    else:
        left.button("Pause", key="pause", width="stretch", on_click=job.pause)
    right.button("Stop", key="stop", width="stretch", on_click=job.stop)


def replay(study: Study, search_id: str, seconds: float) -> None:
    """Start a kept search again from its seed, if what it searched is still the same."""
    with errors_as_cards():
        kept = study.load_search(search_id)
        allowed = tuple(kept.allowed.items())
        problem = cache.problem_of(study, kept.objective, kept.limits, allowed)
        if tuple(limit.side for limit in problem.limits) != kept.sides:
            raise InvalidInput(
                "This search can't be replayed: a page limits costs from above only."
            )
        now = {p.target.column: p for p in predictors_of(problem)}
        if any(kept.fingerprints[c] != p.table_fingerprint for c, p in now.items()):
            raise InvalidInput(
                "The measurements have changed since this search, so it can't be replayed; start "
                "it anew."
            )
        new = cache.jobs().start(
            str(study.folder), problem, kept.settings, seconds=seconds, exact=kept.exact,
            keep=replayed(search_id, kept), replays=search_id, bound=kept.bound,
        )  # fmt: skip
        choices.update(search=new.id)


def drawable(result: SearchResult) -> bool:
    """Whether it weighed accuracy against a cost, which is what the charts show."""
    if not result.limits:
        return False
    (first, _), side = result.limits[0], result.sides[0]
    if result.objective == "accuracy":
        return side == "at_most"
    return (first, side) == ("accuracy", "at_least")


def cost_of(result: SearchResult) -> str:
    """The column that a drawable search weighed accuracy against."""
    return result.limits[0][0] if result.objective == "accuracy" else result.objective


def told(run: Run) -> str:
    """A run in a sentence."""
    start = {
        "kept": "Finished and kept with the study",
        "stopped": "Stopped; a search that was stopped is not kept",
    }.get(run.state, run.state.capitalize())
    if run.replays:
        start = f"{run.state.capitalize()}, a replay of kept search {run.replays}"
    where = f"{start}: {run.proposals:,} of {run.total:,} proposals {under(run.limits)}"
    if run.best is None:
        return f"{where}. No subnet within the limits was met yet."
    text = f"{where}. Best found: {described(run.best, run.targets)}"
    if run.exact is None:
        if run.bound is None:
            return f"{text}."
        gap = abs(run.bound - run.best.value)
        return f"{text}. No subnet is more than **{gap_text(gap, run.objective)}** better."
    gap = abs(run.exact.value - run.best.value)
    if gap < EQUAL:
        return f"{text}. Gap to the exact optimum: **none**."
    return f"{text}. Gap to the exact optimum: **{gap_text(gap, run.objective)}**."


def show_run(study: Study, front: Front, run: Run, spans: live.Spans) -> None:
    """The sentence and the charts of a run: what is sent with every frame."""
    accuracy, latency = front.problem.objective, front.problem.limits[0].predictor
    with st.container(key="progress"):
        st.progress(run.proposals / run.total)
        st.write(told(run))
    exact = run.exact
    left, right = st.columns([1.25, 1], gap="medium")
    with left:
        spec = live.course_spec(
            run.objective, run.total, course_range(run, front),
            None if exact is None else exact.value, tables.EXACT,
        )  # fmt: skip
        st.vega_lite_chart(tables.course_table(run.trace, "value"), spec, key="course-chart")
        spec = live.course_spec(
            run.limits[0][0], run.total, limit_range(run, front), run.first_bound,
            tables.FLOOR if run.least_cost else tables.BUDGET, height=210,
        )  # fmt: skip
        st.vega_lite_chart(tables.course_table(run.trace, "cost"), spec, key="cost-chart")
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
            place.vega_lite_chart(schedule[["proposals", column]], spec, key=f"{column}-chart")
    with right:
        if run.best is not None:
            show_architecture(study, "Best found", run.best, run.targets, exact, "best-chart")
        if run.current is not None:
            show_architecture(study, "Current", run.current, run.targets, exact, "current-chart")
            leave = "fall below the floor" if run.least_cost else "exceed the budget"
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
        st.vega_lite_chart(
            tables.candidates_table(moving, least_cost=run.least_cost),
            live.moving_spec(latency.target, accuracy.target, spans),
            key="moving-chart",
        )


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


def course_range(run: Run, front: Front) -> tuple[float, float]:
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
    return goal - span, goal + 0.25 * span


def limit_range(run: Run, front: Front) -> tuple[float, float]:
    """The part of the first limit's axis in which the run takes place."""
    if run.least_cost:
        room = 0.25 * float(front.values[-1] - front.values[0]) or 1.0
        return run.first_bound - room, run.first_bound + room
    low, high = float(front.costs[0]), min(float(front.costs[-1]), 2 * run.first_bound)
    return min(low, 0.9 * run.first_bound), high


def front_table(
    study: Study, front: Front, bound: float, exact: Candidate | None, *, least_cost: bool
) -> pd.DataFrame:
    side = {"floor": bound} if least_cost else {"budget": bound}
    table = tables.front_table(cache.table_of(study).frame, front, **side)
    return tables.with_candidates(table, {tables.EXACT: exact}, least_cost=least_cost)


def show_front(front: Front, table: pd.DataFrame, spans: live.Spans) -> None:
    predictors = (front.problem.limits[0].predictor, front.problem.objective)
    spec = live.front_spec(*(p.target for p in predictors), spans)
    st.vega_lite_chart(table, spec, key="front-chart")


def show_architecture(
    study: Study, name: str, candidate: Candidate, targets: Sequence[Target],
    exact: Candidate | None, key: str,
) -> None:  # fmt: skip
    values = zip(targets[:2], (candidate.value, candidate.costs[0]), strict=True)
    parts = [f"{target.text(value)} {target.unit}".rstrip() for target, value in values]
    st.markdown(f"**{name}** · {' · '.join(parts)}")
    other = None if exact is None else exact.architecture
    grid = tables.architecture_table(study.space, candidate.architecture, other)
    st.vega_lite_chart(grid, live.architecture_spec(grid["row"].nunique()), key=key)


def show_optimum(quest: Quest, solution: Solution, targets: Sequence[Target]) -> None:
    """The optimum in a sentence, and what is known where it is out of reach."""
    limits = quest.problem.limits
    asked = [
        (limit.predictor.target, bound, limit.side)
        for limit, (_, bound) in zip(limits, quest.asked, strict=True)
    ]
    unit = limits[0].predictor.target.unit
    how = "above" if quest.least_latency else "under"
    guarded = (
        "" if quest.searched == quest.bound else f" (searched {how} {quest.searched:.4g} {unit})"
    )
    kept_choices = ", with the choices kept" if quest.terms.kept else ""
    st.write(
        f"{'Exact optimum' if solution.exact else 'Best found'} {under(asked)}{guarded}"
        f"{kept_choices}: {described(solution.candidate, targets)}."
    )
    if not solution.exact:
        beyond = "below" if quest.least_latency else "above"
        st.write(
            "The exact optimum is out of reach in the time a page has; no subnet within the limits "
            f"is predicted {beyond} {targets[0].text(solution.bound)} {targets[0].unit}."
        )


def front_of_job(study: Study, job: Job) -> Front:
    """The front of accuracy and the cost that a job weighs it against."""
    problem = job.problem
    least_cost = problem.limits[0].side == "at_least"
    cost = problem.objective.target.column if least_cost else problem.limits[0].column
    return cache.front_of(study, cost, tuple(problem.allowed.items()))


def show_job(study: Study, front: Front, job: Job) -> None:
    """The live part: draws itself again while the job runs, and the page when its state moves."""
    drawn = job.state
    moving = drawn in ("starting", "running")

    @st.fragment(run_every=FRAME_EVERY if moving else None)
    def draw(spans: live.Spans) -> None:
        with errors_as_cards():
            # Looked up anew, so that the registry knows that someone watches.
            cache.jobs().get(job.id, job.study)
            state = job.state
            run = Run.of_job(job)
            if run is not None:
                show_run(study, front, run, spans)
            elif moving:
                st.write("Starting; the first search on a machine takes some seconds to prepare …")
        # Buttons stand outside; a second tab may have pressed them, or the run has ended: perhaps
        # since the page looked whether it was kept.
        if job.kept or (state != drawn and {state, drawn} != {"starting", "running"}):
            st.rerun()

    limit = job.problem.limits[0]
    least_cost = limit.side == "at_least"
    show_watched(study, front, limit.bound, job.exact, draw, least_cost=least_cost)


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
    if drawable(result):
        front = cache.front_of(study, cost_of(result), tuple(result.allowed.items()))
        run = Run.of_result(result)
        show_watched(
            study, front, run.first_bound, run.exact,
            lambda spans: show_run(study, front, run, spans), least_cost=run.least_cost,
        )  # fmt: skip
    else:
        limits = [
            f"{target_of(column).named} {side.replace('_', ' ')} {bound:.6g}"
            for (column, bound), side in zip(result.limits, result.sides, strict=True)
        ]
        st.write(
            f"Search for the best {target_of(result.objective).label} with {', '.join(limits)}. "
            f"{result.certificate}"
        )
        grid = tables.architecture_table(study.space, result.best.architecture)
        st.vega_lite_chart(grid, live.architecture_spec(grid["row"].nunique()), key="best-chart")
    panel(
        "Trace",
        f"{len(result.trace)} points of the run; seed {result.settings.seed}, "
        f"{result.settings.mode} mode, {result.settings.schedule} schedule from "
        f"{result.settings.start_temperature:.3g} to {result.settings.end_temperature:.3g}.",
        result.trace,
        key="trace",
    )
    return result.best.architecture


def labelled(study: Study) -> Callable[[str], str]:
    """What a kept search is called in a list, where equal names would be taken for one."""
    kept = cache.searches_of(study)

    def label(search_id: str) -> str:
        if search_id not in kept:
            return f"{search_id} (damaged)"
        result = kept[search_id]
        gap, objective = result.gap, target_of(result.objective)
        rest = (
            "" if gap is None else ", exact" if gap < EQUAL else f", gap {gap_text(gap, objective)}"
        )
        limits = [
            f"{'≥ ' if side == 'at_least' else ''}{limit.text(bound)} {limit.unit or limit.label}"
            for (column, bound), side in zip(result.limits, result.sides, strict=True)
            for limit in (target_of(column),)
        ]
        devices = (column.partition(":")[2] for column in (result.objective, *dict(result.limits)))
        device = next(filter(None, devices), "")
        more = f" and {len(limits) - 1} more" if len(limits) > 1 else ""
        return (
            f"{limits[0] if limits else 'no limit'}{f' {device}' if device else ''}"
            f"{more}: {objective.text(result.best.value)} {objective.unit}{rest}, "
            f"seed {result.settings.seed} · {search_id}"
        )

    return label


def kept_picker(study: Study, chosen: str | None) -> None:
    """Reopen one of the searches that the study holds."""
    ids = list(cache.searches_of(study))
    if not ids:
        return
    key = f"kept-{chosen or 'none'}"
    with st.container(key="kept"):
        st.selectbox(
            "Kept searches", ids, index=ids.index(chosen) if chosen in ids else None,
            placeholder=f"Open one of {len(ids)} …", format_func=labelled(study), key=key,
            on_change=choices.on_change(key, lambda s: choices.update(search=s)),
        )  # fmt: skip


def show_kept_searches(study: Study) -> None:
    """All kept searches in a table, to compare some of them or to delete them."""
    kept, ids = cache.searches_of(study), study.search_ids()[: cache.KEPT_SEARCHES]
    if not ids:
        return
    if kept:
        panel(
            "Kept searches",
            f"{len(kept)} {'searches are' if len(kept) > 1 else 'search is'} kept with the study, "
            "the newest first. Values are as "
            "predicted when they were run; the gap is to the exact optimum.",
            tables.searches_table(kept),
            key="searches",
        )
    wanted = (choices.current().compare or "").split(",")
    if unknown := [w for w in wanted if w and w not in ids]:
        st.warning(f"Not kept with this study, and left aside: {plain(', '.join(unknown)[:200])}.")
    known = [w for w in dict.fromkeys(wanted) if w in ids][:MOST_COMPARED]
    choices.show("compare", known)
    st.multiselect(
        "Searches to compare or to delete", ids, key="compare", format_func=labelled(study),
        max_selections=MOST_COMPARED, placeholder="Choose two or more to compare …",
        on_change=choices.on_change(
            "compare", lambda chosen: choices.update(compare=",".join(chosen) or None)
        ),
    )  # fmt: skip
    if known:
        delete_button(study, known)
    found = {i: kept[i] for i in known if i in kept}
    if len(found) > 1:
        [first, *_] = found.values()
        compared = {i: r for i, r in found.items() if r.objective == first.objective}
        if len(compared) < len(found):
            st.info(
                f"{len(found) - len(compared)} of the chosen searches look for something else than "
                f"{search_noun(first)} and are left out of the comparison."
            )
        if len(compared) > 1:
            show_comparison(compared)


def search_noun(result: SearchResult) -> str:
    """What a search looks for, within a sentence."""
    target = target_of(result.objective)
    return f"the {'least' if target.direction == 'min' else 'best'} {noun_of(target)}"


def show_comparison(compared: dict[str, SearchResult]) -> None:
    """Several kept searches on one chart."""
    st.subheader("Compared")
    gaps = [result.gap for result in compared.values() if result.gap is not None]
    exact = sum(gap < EQUAL for gap in gaps)
    st.write(
        f"The best so far of {len(compared)} searches; dashed, the exact optimum of each. "
        f"{exact} of {len(compared)} found it."
    )
    lengths = [result.proposals for result in compared.values()]
    table = tables.comparison_table(compared)
    objective = target_of(next(iter(compared.values())).objective)
    spec = live.comparison_spec(objective, list(compared), max(lengths) > 10 * min(lengths))
    st.vega_lite_chart(
        table[["search", "proposals", "best_value", "exact"]], spec, key="comparison-chart"
    )
    panel("", "", tables.searches_table(compared), key="compared")
    with st.expander("Courses"):
        panel("", "", table, key="comparison")


def delete_button(study: Study, ids: list[str]) -> None:
    """Delete kept searches, after asking; not where nothing may be changed."""
    if is_read_only():
        return

    def delete() -> None:
        choices.remember("deleting", None)
        with errors_as_cards():
            for search_id in ids:
                with suppress(MissingPart):  # deleted elsewhere
                    study.delete_search(search_id)
        gone = choices.current().search in ids
        choices.update(compare=None, **({"search": None} if gone else {}))

    what = f"{len(ids)} search{'es' if len(ids) > 1 else ''}"
    with st.container(key="delete"):
        if choices.remembered("deleting") != ids:
            st.button(
                f"Delete {what} …", key="ask-delete",
                on_click=lambda: choices.remember("deleting", ids),
            )  # fmt: skip
            return
        st.warning(f"Delete {what} ({', '.join(ids)}) for good? Nothing brings them back.")
        left, right, _ = st.columns([1, 1, 3])
        left.button(
            f"Delete {what}", key="delete-now", type="primary", width="stretch", on_click=delete
        )
        right.button(
            "Keep", key="delete-not", width="stretch",
            on_click=lambda: choices.remember("deleting", None),
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
    "Simulated annealing looks for the best predicted subnet within the limits. Beside it stands "
    "the exact optimum of the same regression, which moves with the slider at once.",
) as study:
    with st.sidebar:
        quest = quest_picker(study, cache.table_of(study))
    chosen = choices.current().search
    job = cache.jobs().get(chosen, str(study.folder))
    if job is not None and job.kept:
        # From here on the kept search is shown, whose address lasts.
        chosen, job = job.kept, None
        choices.update(search=chosen)

    front = quest.front
    if front.problem.limits[0].predictor.df is not None:  # calibrated from another device
        st.warning(plain(front.problem.limits[0].predictor.warnings[0]))
    solution: Solution | None = None
    optimum: Candidate | None = None
    targets = [p.target for p in predictors_of(quest.problem)]
    with errors_as_cards(), st.container(key="optimum"):
        solution = quest.solution()
        optimum = solution.candidate
        show_optimum(quest, solution, targets)
        show_promise(quest, optimum)
    with st.sidebar:
        settings, seconds = settings_picker(quest.reachable, job)
        kept = chosen if job is None and chosen in cache.searches_of(study) else None
        run_buttons(study, quest.problem, job, solution, settings, seconds, kept)
        kept_picker(study, chosen)

    take: Callable[[], Architecture] | None = None
    name = "the exact optimum"
    with errors_as_cards():
        if job is not None:
            if job.note:
                (st.error if job.state == "failed" else st.warning)(plain(job.note))
            show_job(study, front_of_job(study, job), job)
            name, running = "the best found", job

            def take() -> Architecture:
                annealer = running.annealer
                best = (annealer.best if annealer else None) or running.exact
                if best is None:
                    raise MissingPart("No subnet within the limits was met yet; wait a moment.")
                return best.architecture

        elif chosen is not None:
            best = show_kept(study, chosen)
            name, take = "the best found", lambda: best
        elif optimum is not None:
            front_rows = front_table(
                study, front, quest.searched, optimum, least_cost=quest.least_latency
            )
            show_front(front, front_rows, tables.frame_of(front_rows))
            show_architecture(study, "Exact optimum", optimum, targets, None, "best-chart")
            st.caption("Press Start to watch the annealer look for it.")
    if take is None and optimum is not None:
        take = lambda: optimum.architecture  # noqa: E731
    if take is not None:
        take_along(name, take)
    with errors_as_cards():
        show_kept_searches(study)
