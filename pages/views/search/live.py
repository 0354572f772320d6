"""Simulated annealing under a budget of the cost or above a floor of the objective, watched as it
runs and changed on its way, beside the exact optimum."""

from collections.abc import Callable

import streamlit as st

from foxnas_core.cards import search as cards
from foxnas_core.cards.quest import Quest
from foxnas_core.errors import MissingPart
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from pages.shared import choices
from pages.shared import search_runs as runs
from pages.shared.cards import draw
from pages.shared.frame import errors_as_cards
from pages.shared.jobs import Job, get_ready
from pages.shared.kept_searches import show_kept
from pages.shared.panel import panel
from pages.shared.search_controls import Buttons, annealing_controls
from pages.shared.search_form import quest_picker
from pages.shared.text import plain
from pages.shared.watching import show_job, show_sought

SENTENCE = (
    "Watch simulated annealing look for the best predicted subnet, beside the exact optimum, and "
    "steer it while it runs."
)

# On a phone the chart stands right under what steers it, and the settings and words under that.
_PHONE = """<style>
@media (max-width: 640px) {
  .stMainBlockContainer {padding-top: 2.5rem}
  .st-key-search > div > [data-testid="stHorizontalBlock"] {flex-flow: column}
  .st-key-search [data-testid="stColumn"]:has(> div > div > .st-key-steer),
  .st-key-search [data-testid="stVerticalBlock"]:has(> div > .st-key-steer) {display: contents}
  .st-key-search div:has(> .st-key-settings) {order: 2}
  .st-key-search div:has(> .st-key-sought) {order: -1}
  .st-key-steer [data-testid="stCaptionContainer"] {display: none}
  .st-key-settings [data-testid="stVerticalBlock"] {gap: 0.5rem}
}
</style>"""

Taken = tuple[str, Callable[[], Architecture]]


def show(study: Study) -> None:
    """Draw the controls and, beside them, the search."""
    job, moved = runs.chosen_job(study), runs.touched()
    runs.follow(study, job, moved)
    st.html(_PHONE)
    with st.container(key="search"):
        controls, shown = st.columns([1.2, 2.7], gap="medium")
    with controls:
        with st.container(key="steer"):
            buttons, bound = Buttons(), st.container()
        settings = st.container(key="settings")
    # A search that only goes on, or was paused or stopped, says so before the rest is drawn.
    known = None
    if job is not None and not moved and not choices.is_asked():
        known = job.quest
    taken = None
    if known is not None and job is not None:
        if runs.under_way(job):
            buttons.draw(study, job, startable=True)
        with shown, errors_as_cards():
            taken = show_run(known, job)
    with settings:
        quest = quest_picker(study, job, first=bound)
        chosen = annealing_controls(quest, job)
    startable = False
    with shown, errors_as_cards():
        startable = quest.solution() is not None
    if known is None:
        with shown, errors_as_cards():
            if moved and job is not None and runs.under_way(job):
                runs.move(job, quest, moved)
            elif moved:
                runs.leave_be()
            job = buttons.act(quest, job, chosen, startable=startable) or job
    buttons.draw(study, job, startable=startable)
    first = startable and job is None and choices.current().search is None
    with shown, errors_as_cards():
        if first:
            taken = show_optimum(quest, None)
        if known is None:
            taken = show_search(quest, job, startable=startable) or taken
    if startable and not first:
        taken = show_optimum(quest, taken)
    if taken is not None:
        take_along(*taken)
    if startable and not runs.under_way(job):
        get_ready(quest.problem)


def show_search(quest: Quest, job: Job | None, *, startable: bool) -> Taken | None:
    """The search that is under way, or was kept, or what there is to look for; returns what can be
    taken along of it."""
    study, kept = quest.given.study, choices.current().search
    if job is not None:
        return show_run(job.quest or quest, job)
    if kept is not None:
        best = show_kept(study, kept)
        return "the best found", lambda: best
    if startable:
        show_sought(quest)
        st.caption("Press Start to watch the annealer look for it.")
    return None


def show_run(quest: Quest, job: Job) -> Taken:
    """A search of this server; returns what can be taken along of it."""
    if job.note:
        (st.error if job.state == "failed" else st.warning)(plain(job.note))
    show_job(quest, job)
    return "the best found", lambda: best_of(job)


def show_optimum(quest: Quest, taken: Taken | None) -> Taken:
    """The exact optimum, and what it will measure; returns what can be taken along."""
    with errors_as_cards(), st.container(key="optimum"):
        card = cards.optimum.compute(quest.given)
        draw(card, quest.given.study, header=False, tabled=False)
        with st.expander("Table"):
            panel("", "", card.table, key="promise")
    return taken or ("the exact optimum", lambda: quest.solution().candidate.architecture)


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
