"""The bar of a page: the cost, its budget with how surely that is kept, and the architecture."""

import streamlit as st

from foxnas_core.space.architecture import Architecture
from foxnas_core.study import Study
from pages.shared.cost import cost_picker
from pages.shared.starting_points import architecture_picker


def architecture_bar(study: Study) -> tuple[str, Architecture]:
    """Draw it; returns the cost's column and the architecture. Raises as `cost_picker` and
    `architecture_picker`."""
    left, right = st.columns([1, 2], gap="large")
    with left:
        cost = cost_picker(study)
    return cost, architecture_picker(study, cost, right)
