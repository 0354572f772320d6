"""Commands that a page names for what takes longer than a page should."""

import streamlit as st

from foxnas_core.study import Study


def show_command(study: Study, command: str, *, light: bool = False) -> None:
    """A command, and what the study lacks for it: weights and images, unless it is `light`."""
    st.code(f"python -m foxnas_core {command}", language="bash", wrap_lines=True)
    if light:
        return
    parts = {"weights": study.checkpoint_file, "images": study.images_file}
    missing = " and ".join(name for name, path in parts.items() if not path.exists())
    if missing:
        st.caption(
            f"This study has no {missing}, which the command needs; run it where they are, or copy "
            "them into the study's folder."
        )
