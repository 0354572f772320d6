"""What a distribution over subnets draws as it is learnt, and what it decides."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import streamlit as st

from foxnas_core.cards import sampled
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cache, cards, process
from pages.shared.cards import given_of
from pages.shared.frame import errors_as_cards
from pages.shared.selections import Selecting, pick_kept, ways_on

SENTENCE = (
    "A distribution over subnets, learnt with a supernet of its own: many are drawn a step while "
    "it is uncertain, few once it has decided. What is most probable at the end is selected."
)
LIVE_EVERY = 2.0  # seconds between two drawings of what is under way


def parts(study: Study) -> dict[str, Callable[[], object]]:
    given = given_of(study)
    job = cache.works().latest(Selecting, str(study.folder), sampled.FPNAS)
    nothing = sampled.KEPT.nothing(given)
    if job is not None and (not job.ended or (nothing and job.so_far)):
        return {"What it draws": lambda: show_live(given, job)}
    if nothing:
        # what there is to do first
        first = sampled.PARTS[sampled.steps_card]
        return {first.title: lambda: cards.show(first, given)}
    selection = pick_kept(sampled.KEPT.options(given)["selection"])
    found = sampled.KEPT.shown(given, selection).selected
    st.write(f"Selected is subnet {found.id}.")
    ways_on(found.architecture)

    def show_cards(*made: sampled.Make) -> None:
        for make in made:
            cards.show(sampled.PARTS[make], given, selection=selection)

    return {
        title: partial(show_cards, *made)
        for title, made in {
            "How it learnt": (sampled.steps_card, sampled.spent_card),
            "Who decided when": (sampled.courses_card,),
            "What it decided": (sampled.modes_card, sampled.choices_card),
        }.items()
    }


def show_live(given: Given, job: Selecting) -> None:
    """The cards of a selection that is under way, drawn again and again, or was stopped."""
    # What is paused at its beginning still makes its first step.
    moving = not job.ended and (job.state != "paused" or job.so_far is None)

    @st.fragment(run_every=LIVE_EVERY * process.slowdown() if moving else None)
    @errors_as_cards()
    def draw() -> None:
        found = job.so_far
        if found is None or not found.course["steps"]:
            st.caption("What it draws is shown here from its first step on.")
            return
        for make, analysis in sampled.PARTS.items():
            card = make(given, found)
            cards.draw(replace(card, key=f"live-{analysis.name}", title=analysis.title))

    draw()
