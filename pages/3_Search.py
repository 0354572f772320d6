"""Simulated annealing under a budget of the cost or above a floor of the objective, watched as it
runs, beside the exact optimum."""

from collections.abc import Callable

import streamlit as st

from foxnas_core.cards import search as cards
from foxnas_core.cards.quest import Quest
from foxnas_core.errors import MissingPart
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from pages.shared import cache, choices
from pages.shared.annealing import run_buttons, settings_picker
from pages.shared.cards import draw
from pages.shared.frame import errors_as_cards, page
from pages.shared.jobs import Job
from pages.shared.kept_searches import kept_picker, show_kept, show_kept_searches
from pages.shared.panel import panel
from pages.shared.search_form import quest_picker
from pages.shared.text import plain
from pages.shared.watching import show_job, show_sought

Taken = tuple[str, Callable[[], Architecture]]


def chosen_job(study: Study) -> Job | None:
    """The search under way that the address names; the address of one that was kept gives its
    place to that of the kept search, which lasts."""
    chosen, folder = choices.current().search, str(study.folder)
    if search_id := cache.works().kept_as(chosen, folder):
        choices.update(search=search_id)
        return None
    return cache.works().get(Job, chosen, folder)


def show_optimum(quest: Quest) -> Taken | None:
    """The exact optimum, and what it will measure; None where there is none."""
    with errors_as_cards(), st.container(key="optimum"):
        card = cards.optimum.compute(quest.given)
        draw(card, quest.given.study, header=False, tabled=False)
        with st.expander("Table"):
            panel("", "", card.table, key="promise")
        best = quest.solution().candidate.architecture
        return "the exact optimum", lambda: best
    return None


def show_search(quest: Quest, job: Job | None, optimum: Taken | None) -> Taken | None:
    """The search that is under way, or was kept, or what there is to look for; returns what can be
    taken along of it."""
    study, taken = quest.given.study, optimum
    with errors_as_cards():
        if job is not None:
            if job.note:
                (st.error if job.state == "failed" else st.warning)(plain(job.note))
            show_job(study, job)
            taken = "the best found", lambda: best_of(job)
        elif (kept := choices.current().search) is not None:
            best = show_kept(study, kept)
            taken = "the best found", lambda: best
        elif optimum is not None:
            show_sought(quest)
            st.caption("Press Start, at the side, to watch the annealer look for it.")
    return taken


def best_of(job: Job) -> Architecture:
    """The best that a search has met; raises `MissingPart` where there is none yet."""
    best = (job.annealer.best if job.annealer else None) or job.exact
    if best is None:
        raise MissingPart("No subnet within the limits was met yet; wait a moment.")
    return best.architecture


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
        quest = quest_picker(study)
    job = chosen_job(study)
    optimum = show_optimum(quest)
    with st.sidebar:
        settings, seconds = settings_picker(quest.reachable, study)
        job = run_buttons(quest, job, settings, seconds, startable=optimum is not None)
        kept_picker(study, choices.current().search)
    taken = show_search(quest, job, optimum)
    if taken is not None:
        take_along(*taken)
    with errors_as_cards():
        show_kept_searches(study)
