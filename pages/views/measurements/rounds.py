"""What rounds of search and measurement came to, and how to run more."""

import streamlit as st

from foxnas_core.cards import planning
from foxnas_core.study import Study
from pages.shared import cards
from pages.shared.picked import picked

SENTENCE = "What rounds of searching and measuring have come to, and how to run more."


def needs(study: Study) -> str | None:
    return planning.batch.lacks(cards.given_of(study))


def show(study: Study) -> None:
    given = cards.given_of(study)
    if planning.no_rounds(given) is None:
        cards.show(planning.rounds, given, header=False)
        columns = planning.error_columns(given)
        cards.beside(given, *((planning.error, {"column": column}) for column in columns))
        cards.show(planning.best, given)
        cards.show(planning.fits, given)
    chosen = {
        name: picked(
            st.radio, "What is measured in a round for each budget", ways, key=f"rounds-{name}"
        )
        for name, ways in planning.more.options(given).items()
    }
    cards.show(planning.more, given, header=False, **chosen)
