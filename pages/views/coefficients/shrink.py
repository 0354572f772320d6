"""Which blocks should be smaller to save so much, and what each costs and gives."""

from dataclasses import replace

import streamlit as st

from foxnas_core.cards import counterfactuals, shrink
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.cost import cost_picker
from pages.shared.frame import errors_as_cards
from pages.shared.reached import show_reached
from pages.shared.starting_points import architecture_picker

SENTENCE = (
    "Which blocks should be smaller to save a fifth of the cost: the cheapest edits, each with its "
    "chance when measured, and what every block costs and gives when it is made smaller."
)


def needs(study: Study) -> str | None:
    return counterfactuals.untraded(cards.given_of(study))


def show(study: Study) -> None:
    left, right = st.columns([1, 2], gap="large")
    with left:
        cost = cost_picker(study)
    given = cards.given_of(study, cost=cost)
    given = replace(given, architecture=architecture_picker(study, cost, right))
    cards.show(counterfactuals.base, given, header=False)
    with errors_as_cards():
        show_reached(given, details=False)
    cards.show(shrink.shrink, given)
