"""Simulated annealing under a latency budget, watched as it runs, beside the exact optimum."""

import pandas as pd
import streamlit as st

from foxnas_core.errors import FoxnasError
from foxnas_core.figures.search import (
    architecture_cells,
    cloud_table,
    context_text,
    points_table,
    trace_table,
)
from foxnas_core.search.annealing import suggest_temperatures
from foxnas_core.search.exact import Front
from foxnas_core.search.problem import Candidate
from foxnas_core.search.result import SearchResult
from foxnas_core.search.schedule import AnnealingSettings
from foxnas_core.storage import Study
from pages.shared import cache, choices, live
from pages.shared.frame import page, plain
from pages.shared.jobs import Job
from pages.shared.latency import budget_slider, latency_picker
from pages.shared.panel import panel

SPEEDS = {"As fast as it can": 0.0, "About 5 seconds": 5.0, "About 20 seconds": 20.0}


def settings_form(front: Front) -> tuple[AnnealingSettings, float] | None:
    """Draw the annealer's settings; returns them, with the seconds to spread the run over, when
    Start was pressed."""
    start, end = suggest_temperatures(front.problem)
    with st.form("annealing", border=True):
        places = st.columns(4)
        hot = places[0].slider(
            "Start temperature (points)", 0.01, round(max(5.0, 2 * start), 2),
            value=round(start, 2), step=0.01, key="start-temperature",
            help="In percentage points of accuracy: a step that loses this much is accepted "
            "with probability 1/e.",
        )  # fmt: skip
        cold = places[1].slider(
            "End temperature (points)", 0.001, 0.5, value=round(max(end, 0.001), 3), step=0.001,
            format="%.3f", key="end-temperature",
        )  # fmt: skip
        steps = places[2].select_slider(
            "Steps of a chain", [1_000, 5_000, 20_000, 50_000, 200_000, 1_000_000], value=50_000,
            key="steps", format_func=lambda n: f"{n:,}",
        )  # fmt: skip
        chains = places[3].slider("Chains for each resolution", 1, 8, value=1, key="chains")
        places = st.columns(4, vertical_alignment="bottom")
        schedule = places[0].selectbox(
            "Schedule", ["geometric", "linear", "logarithmic"], key="schedule"
        )
        speed = places[1].selectbox("Speed", list(SPEEDS), index=1, key="speed")
        seed = places[2].number_input("Seed", 0, 2**31 - 1, value=0, step=1, key="seed")
        pressed = places[3].form_submit_button("Start", type="primary", key="start", width="stretch")
    if not pressed:
        return None
    settings = AnnealingSettings(
        steps=int(steps), chains=int(chains), start_temperature=float(hot),
        end_temperature=float(cold), schedule=schedule, seed=int(seed),
    )  # fmt: skip
    return settings, SPEEDS[speed]


def controls(job: Job) -> None:
    """Pause, resume and stop of a running job."""
    left, middle, _ = st.columns([1, 1, 4])
    if job.state == "paused":
        left.button("Resume", key="resume", on_click=job.resume, width="stretch")
    else:
        left.button("Pause", key="pause", on_click=job.pause, width="stretch")
    middle.button("Stop", key="stop", on_click=job.stop, width="stretch")


def show_architecture(study: Study, name: str, candidate: Candidate, key: str) -> None:
    where = context_text(study.space, candidate.architecture)
    st.markdown(
        f"**{name}** · {candidate.value:.3f} % · {candidate.costs[0]:.4g} ms"
        + (f" · {plain(where)}" if where else "")
    )
    cells = architecture_cells(study.space, candidate.architecture)
    st.altair_chart(live.architecture_chart(cells), key=key)


def show_run(
    study: Study, front: Front, latency: str, budget: float, trace: pd.DataFrame, total: int,
    best: Candidate | None, current: Candidate | None, optimum: Candidate,
) -> None:  # fmt: skip
    """The charts of a run, whether it runs, was stopped, or was reopened."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.altair_chart(
            live.trace_chart(trace_table(trace), optimum.value, total), key="trace-chart"
        )
        st.altair_chart(live.temperature_chart(trace, total), key="temperature-chart")
    with right:
        if current is not None:
            show_architecture(study, "Current", current, "current-chart")
        if best is not None:
            show_architecture(study, "Best so far", best, "best-chart")
    columns = {latency: "latency", "accuracy": "accuracy"}
    points = points_table({"exact optimum": optimum, "current": current, "best": best})
    st.altair_chart(
        live.pareto_chart(
            cloud_table(cache.table_of(study), latency), front.frame.rename(columns=columns),
            points, budget, "ms",
        ),
        key="pareto-chart",
    )  # fmt: skip


def show_job(study: Study, front: Front, job: Job) -> None:
    """The live part: draws itself again while the job runs, and the page once it has ended."""

    @st.fragment(run_every=None if job.ended else 0.3)
    def draw() -> None:
        ended = job.ended
        annealer = job.annealer
        if annealer is None:
            st.progress(0.0, "Starting …")
            return
        best = annealer.best
        share = annealer.proposals / annealer.total
        st.progress(share, f"{annealer.proposals:,} of {annealer.total:,} proposals, {job.state}")
        if best is not None:
            gap = job.exact.value - best.value
            st.write(
                f"Best so far: **{best.value:.3f} %** at {best.costs[0]:.4g} ms, "
                + ("the exact optimum." if gap <= 1e-9 else f"{gap:.3f} points below the exact optimum.")
            )
        trace = annealer.trace
        if len(trace):
            show_run(
                study, front, job.problem.limits[0].predictor.target.column, job.problem.budget,
                trace, annealer.total, best, annealer.current, job.exact,
            )  # fmt: skip
        if ended and choices.first_time(f"ended-{job.id}"):
            st.rerun()

    draw()


def show_kept(study: Study, front: Front, result: SearchResult) -> None:
    """A search that was kept with the study."""
    limit_column, budget = result.limits[0]
    gap = "" if result.gap is None else f", {result.gap:.3f} points below the exact optimum"
    st.write(
        f"A kept search: best **{result.best.value:.3f} %** at {result.best.costs[0]:.4g} ms under "
        f"{budget:.4g} ms{gap}. Seed {result.settings.seed}, {result.proposals:,} proposals."
    )
    table = cache.table_of(study)
    if result.fingerprints.get("accuracy") != table.fingerprint:
        st.info("The measurements have changed since this search, so its predictions are older.")
    show_run(
        study, front, limit_column, budget, result.trace, result.proposals, result.best, None,
        result.exact or result.best,
    )  # fmt: skip
    panel("Trace", "One row every so many proposals.", result.trace, key="trace")


with page(
    "Search",
    "Simulated annealing looks for the best predicted subnet under the budget; the exact optimum "
    "of the same regression stands beside it and moves with the slider.",
) as study:
    table = cache.table_of(study)
    latency = latency_picker(table)
    front = cache.front_of(study, latency)
    budget = budget_slider(front)
    optimum = front.within(budget)
    accuracy, cost = (
        p.predict([optimum.architecture]).iloc[0]
        for p in (front.problem.objective, front.problem.limits[0].predictor)
    )
    with st.container(key="optimum"):
        st.write(
            f"Exact optimum under {budget:.4g} ms: subnet **{optimum.architecture.id}**, "
            f"{optimum.value:.2f} % [{accuracy['prediction_low']:.2f}, "
            f"{accuracy['prediction_high']:.2f}], {optimum.costs[0]:.4g} ms "
            f"[{cost['prediction_low']:.4g}, {cost['prediction_high']:.4g}]. Brackets are 95 % "
            "prediction intervals for a subnet chosen without looking; a searched one tends to "
            "do a little worse than predicted."
        )
    asked = settings_form(front)
    if asked is not None:
        settings, seconds = asked
        job = cache.jobs().start(
            study.folder.name, front.problem.within(budget), settings,
            seconds=seconds, exact=optimum, keep=study.save_search,
        )  # fmt: skip
        choices.update(search=job.id)
    chosen = choices.current().search
    job = cache.jobs().get(chosen, study.folder.name)
    found: Candidate | None = None
    if job is not None:
        if not job.ended:
            controls(job)
        if job.note:
            st.warning(plain(job.note))
        if job.kept:
            st.success(f"This search was kept with the study as {job.kept}.")
        show_job(study, front, job)
        found = job.annealer.best if job.annealer else None
        if job.ended and job.annealer:
            panel(
                "Trace", "One row every so many proposals.", job.annealer.trace, key="trace"
            )
    elif chosen is not None:
        try:
            result = study.load_search(chosen)
            found = result.best
            show_kept(study, front, result)
        except FoxnasError as error:
            st.warning(plain(str(error)))
    else:
        points = points_table({"exact optimum": optimum})
        columns = {latency: "latency", "accuracy": "accuracy"}
        st.altair_chart(
            live.pareto_chart(
                cloud_table(table, latency), front.frame.rename(columns=columns), points, budget, "ms"
            ),
            key="pareto-chart",
        )
        st.caption(
            "Grey points are measured subnets, the grey line the best predicted accuracy for "
            "every latency, the dashed line the budget. Press Start to watch the annealer."
        )

    left, right, third = st.columns(3, vertical_alignment="bottom")
    take = (found or optimum).architecture
    name = "the best found" if found else "the optimum"
    if left.button(f"Edit {name} in What-if", key="to-what-if", width="stretch"):
        choices.set_architecture(take)
        st.switch_page("pages/2_What_if.py")
    if right.button(f"Export {name}", key="to-export", width="stretch"):
        choices.set_architecture(take)
        st.switch_page("pages/4_Export.py")
    kept = study.search_ids()
    if kept:
        third.selectbox(
            "Kept searches", kept, index=None, placeholder="Open a kept search …",
            label_visibility="collapsed", key="kept",
            on_change=choices.on_change("kept", lambda s: choices.update(search=s)),
        )  # fmt: skip
