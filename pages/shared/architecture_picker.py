"""The architecture of a page that needs no measurements."""

import streamlit as st

from foxnas_core.families import family_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from pages.shared import choices
from pages.shared.cost import cost_picker
from pages.shared.editor import architecture_picker, reference_name
from pages.shared.frame import errors_as_cards


def pick_architecture(study: Study) -> Architecture:
    """What was chosen, else the best at the budget, else the family's reference.

    Measurements are needed for the best only, so without them the page goes on.
    """
    with errors_as_cards():
        return architecture_picker(study, cost_picker(study))
    chosen = choices.chosen_architecture(study.space)
    if chosen is None:
        st.caption(f"This is {reference_name(study.space)}; a link can carry another one here.")
    return chosen or family_of(study.space).reference(study.space)
