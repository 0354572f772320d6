"""A study begun from a space, or brought in as one file."""

import streamlit as st

from foxnas_core.study import Study
from pages.shared.frame import may_write
from pages.shared.shelf import show_import, show_new, tell_done

SENTENCE = "Begin a study of a search space, or bring in one that was downloaded as one zip."


def show(study: Study | None) -> None:
    tell_done()
    if not may_write("studies can be neither brought in nor changed"):
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.header("From a space")
        show_new()
    with right:
        st.header("From a zip")
        show_import()
