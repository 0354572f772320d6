"""The searches that are kept with the study: listed, overlaid, opened, deleted."""

import streamlit as st

from foxnas_core.cards import search as cards
from foxnas_core.study import Study
from pages.shared import choices
from pages.shared.cards import given_of
from pages.shared.cards import show as show_card
from pages.shared.frame import errors_as_cards
from pages.shared.kept_searches import compare, delete_button, labelled, pick_kept

SENTENCE = (
    "Every finished search is kept with the study. Overlay their courses, click a point for its "
    "details, and open one to replay it step by step."
)


def show(study: Study) -> None:
    """Draw the list, then what was chosen of it."""
    with errors_as_cards():
        if show_card(cards.kept, given_of(study), header=False) is None:
            chosen = pick_kept(study)  # damaged ones can be deleted
            if chosen:
                delete_button(study, chosen)
            return
        chosen = pick_kept(study)
        if chosen:
            row = st.container(horizontal=True)
            with row:
                open_button(study, chosen[0])
                delete_button(study, chosen)
        compare(study, chosen)


def open_button(study: Study, search_id: str) -> None:
    """Open a kept search in the live view."""

    def open_it() -> None:
        choices.choose_view("Search", "live")
        choices.update(search=search_id, view="live")

    st.button(f"Open {labelled(study)(search_id)}", key="open-kept", on_click=open_it)
