"""The architecture that a page looks at, and how it is looked at."""

import json

import streamlit as st

from foxnas_core.cards.given import Given
from foxnas_core.families import family_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from pages.shared import cache, choices
from pages.shared.bar import architecture_bar
from pages.shared.cards import given_of
from pages.shared.cost import chosen_cost
from pages.shared.frame import errors_as_cards
from pages.shared.limits import terms_of
from pages.shared.starting_points import architecture_picker, start_of


def pick_architecture(study: Study, *, with_cost: bool = True) -> Architecture:
    """What was chosen, else the best at the budget, else the family's reference.

    Measurements are needed for the best only, so without them the page goes on; that of a page
    without a picker `with_cost`, without complaint.
    """
    cost = None if with_cost else chosen_cost(study)
    if with_cost or (cost and study.objective.column in cache.table_of(study).frame):
        with errors_as_cards():
            return architecture_picker(study, cost) if cost else architecture_bar(study)[1]
    family = family_of(study.space)
    chosen = choices.chosen_architecture(study.space)
    if chosen is None:
        what = "the largest subnet" if family.extremes(study.space) else "a subnet to start from"
        st.caption(f"This is {what}; a link can carry another one here.")
    return chosen or family.reference(study.space)


def download_architecture(architecture: Architecture) -> None:
    """Draw the button that gives an architecture as a file."""
    st.download_button(
        "Architecture as JSON",
        json.dumps(architecture.to_dict(), indent=2),
        file_name=f"{architecture.id}.json",
        mime="application/json",
        key="architecture-download",
        on_click="ignore",
    )


def looked_at(study: Study) -> Given:
    """Draw cost, budget and the ways to pick an architecture, and return that as it is looked at,
    with what it is edited from."""
    _, now = architecture_bar(study)
    start = start_of(now, study.space)
    return given_of(study, **terms_of(study), architecture=now, start=start)
