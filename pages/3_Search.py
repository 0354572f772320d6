"""Simulated annealing under a latency budget or above an accuracy floor, watched as it runs, beside
the exact optimum."""

import math
from collections.abc import Callable, Sequence

import streamlit as st

from foxnas_core.errors import FoxnasError, MissingPart
from foxnas_core.figures import search as tables
from foxnas_core.search.problem import Candidate
from foxnas_core.search.solving import Solution
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import Metric
from pages.shared import cache, choices
from pages.shared.annealing import run_buttons, settings_picker
from pages.shared.frame import errors_as_cards, page
from pages.shared.kept_searches import kept_picker, show_kept, show_kept_searches
from pages.shared.panel import panel
from pages.shared.search_form import Quest, quest_picker
from pages.shared.search_text import described, predictors_of, under
from pages.shared.text import plain
from pages.shared.watching import front_of_job, front_table, show_architecture, show_front, show_job


def show_optimum(quest: Quest, solution: Solution, targets: Sequence[Metric]) -> None:
    """The optimum in a sentence, and what is known where it is out of reach."""
    limits = quest.problem.limits
    asked = [
        (limit.predictor.target, bound, limit.side)
        for limit, (_, bound) in zip(limits, quest.asked, strict=True)
    ]
    unit = limits[0].predictor.target.unit
    how = "under" if limits[0].side == "at_most" else "above"
    guarded = (
        "" if quest.searched == quest.bound else f" (searched {how} {quest.searched:.4g} {unit})"
    )
    kept_choices = ", with the choices kept" if quest.terms.kept else ""
    st.write(
        f"{'Exact optimum' if solution.exact else 'Best found'} {under(asked)}{guarded}"
        f"{kept_choices}: {described(solution.candidate, targets)}."
    )
    if not solution.exact:
        beyond = "below" if targets[0].sign < 0 else "above"
        st.write(
            "The exact optimum is out of reach in the time a page has; no subnet within the limits "
            f"is predicted {beyond} {targets[0].text(solution.bound)} {targets[0].unit}."
        )


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
        count = found[study.objective.column].count
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
    if search_id := cache.jobs().kept_as(chosen, str(study.folder)):
        # From here on the kept search is shown, whose address lasts.
        chosen, job = search_id, None
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
        settings, seconds = settings_picker(quest.reachable, study)
        kept = chosen if job is None and chosen in cache.searches_of(study) else None
        job = run_buttons(study, quest.problem, job, solution, settings, seconds, kept)
        chosen = choices.current().search  # another one where it was just started
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
            st.caption("Press Start, at the side, to watch the annealer look for it.")
    if take is None and optimum is not None:
        take = lambda: optimum.architecture  # noqa: E731
    if take is not None:
        take_along(name, take)
    with errors_as_cards():
        show_kept_searches(study)
