"""How far what runs in this server is, the same on every page."""

import math
from collections.abc import Callable
from typing import Any

import streamlit as st

from pages.shared import cache
from pages.shared.frame import errors_as_cards
from pages.shared.registry import PausableWork, Work


def show_progress(run: Work[Any], told: Callable[[], tuple[float, str]]) -> None:
    """The share that is done and a sentence, as `told`, drawn again while it runs, and the page
    once it has ended; with buttons that stop it, and hold it where it can be held."""

    @st.fragment(run_every=0.5)
    @errors_as_cards()
    def draw() -> None:
        # Looked up anew, so that the registry knows that someone watches.
        cache.works().get(type(run), run.id, run.study)
        st.progress(*told())
        if run.ended:
            st.rerun()

    with st.container(border=True, key=run.name):
        draw()
        row = st.container(horizontal=True)
        if isinstance(run, PausableWork):
            held = run.state == "paused"
            row.button(
                "Resume" if held else "Pause", key=f"{run.name}-pause", type="primary",
                on_click=run.resume if held else run.pause,
            )  # fmt: skip
        row.button("Stop", key=f"{run.name}-stop", on_click=run.stop)


def to_go(seconds: float) -> str:
    """The end of a sentence that says how long the rest takes, empty where nothing tells."""
    return "" if math.isnan(seconds) else f", about {max(1, round(seconds)):,} s to go"
