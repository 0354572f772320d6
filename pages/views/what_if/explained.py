"""One subnet explained: what is known of it, what its blocks bring, what lies near it."""

from dataclasses import replace
from typing import Any

import streamlit as st

from foxnas_core.cards import explanations, individual, what_if
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards, choices
from pages.shared.architecture_picker import looked_at
from pages.shared.editor import history_buttons
from pages.shared.frame import errors_as_cards
from pages.shared.goals import show_goals
from pages.shared.picked import show_part
from pages.shared.picture import show_architecture
from pages.shared.text import plain
from pages.shared.views import go

SENTENCE = (
    "One subnet on one page: what is predicted, expected and measured of it, what each block "
    "contributes, what lies near it, and what would have to change."
)


def show(study: Study) -> None:
    given = looked_at(study)
    for sentence in given.fits()[1]:
        st.warning(plain(sentence))
    with errors_as_cards():
        _known(given)
    with errors_as_cards():
        show_part(
            "explained-shown",
            {
                "Its blocks": lambda: cards.show(individual.blocks, given),
                "Their shares": lambda: _shares(given),
                "Measured subnets near it": lambda: _near(given),
                "Every single edit": lambda: _edits(given),
            },
        )


def _known(given: Given) -> None:
    """The picture, what is known of it, and goals."""
    left, right = st.columns([1, 1.2], gap="large")
    with left:
        show_architecture(given.study.space, given.subnet, key="explained-picture")
        with st.container(horizontal=True):
            history_buttons(given.study)
        row = st.container(horizontal=True)
        if row.button("Edit it", key="to-editor"):
            go("What-if", "editor")
        if row.button("Its layers", key="to-layers"):
            go("What-if", "layers")
        show_goals(given)
    with right:
        cards.show(individual.known, given, header=False)
        if said := what_if.equal_of(given):
            st.info(plain(said))


def _shares(given: Given) -> None:
    """What each block contributes as shares that add up."""
    shown = [given.into(column) for column in given.main if column in given.fits()[0]]
    for own, place in zip(shown, st.columns(max(len(shown), 1), gap="large"), strict=False):
        with place, errors_as_cards():
            card = explanations.shapley.compute(own)
            title = f"From the average to this subnet (Shapley values): {own.fitted.target.label}"
            cards.draw(replace(card, key=f"shapley-{own.column}", title=title), given.study)


def _near(given: Given) -> None:
    """Measured neighbours, each of which may be looked at in turn."""

    def look(state: Any) -> None:
        if rows := state["selection"]["rows"]:
            near = individual.neighbours.card(given).table
            choices.set_architecture(given.table.measured(near["id"].iloc[rows[0]]))

    cards.show(individual.neighbours, given, on_select=choices.on_change("neighbours-table", look))


def _edits(given: Given) -> None:
    """What each single edit would change."""
    cards.show(individual.steps, given)
