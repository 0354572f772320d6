"""Studies that were deleted, to restore or to remove for good."""

import streamlit as st

from foxnas_core.study import Study, library
from pages.shared.frame import studies_folder
from pages.shared.shelf import show_trash, tell_done

SENTENCE = "Studies that were deleted stay here until they are removed for good."


def show(study: Study | None) -> None:
    tell_done()
    if items := library.trashed(studies_folder()):
        show_trash(items)
    else:
        st.info("The trash is empty.")
