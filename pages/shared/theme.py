"""Light or dark: what the reader's browser shows, told in time, and charts drawn to match.

Figures come in the light theme's colours; here is the one place where they get the dark one's.
"""

from typing import TYPE_CHECKING, Any

import streamlit as st

from foxnas_core.figures.theme import as_text, in_dark

if TYPE_CHECKING:
    import pandas as pd
    from plotly.graph_objects import Figure
    from streamlit.delta_generator import DeltaGenerator

# Streamlit draws its own parts anew when the theme changes, and asks for no figures.
_watch = st.components.v2.component(
    "theme_watch",
    js="""
export default function ({ data, setStateValue }) {
  const scheme = getComputedStyle(document.querySelector('[data-testid="stApp"]')).colorScheme;
  if (scheme !== data.drawn) setStateValue("scheme", scheme);
}
""",
)


def is_dark() -> bool:
    """Whether the page is shown in the dark theme."""
    return st.context.theme.type == "dark"


def follow_theme() -> None:
    """Draw the page again once another theme is chosen, in the menu or by the system."""
    _watch(
        key="theme-watch",
        data={"drawn": "dark" if is_dark() else "light"},
        on_scheme_change=lambda: None,
    )


def css(colour: str) -> str:
    """A colour of the figures as a style sheet says it: each theme's own."""
    return f"light-dark({colour}, {in_dark({'': colour})['']})"


def themed(figure: "Figure") -> "Figure":
    """A figure in the colours of the theme that is shown, names in it as text."""
    figure = as_text(figure)
    return in_dark(figure) if is_dark() else figure


def vega_chart(
    table: "pd.DataFrame", spec: dict[str, Any], *, key: str, place: "DeltaGenerator | None" = None,
    **more: Any,
) -> Any:  # fmt: skip
    """Draw a table by a Vega-Lite description, in the colours of the theme that is shown; `more` as
    `st.vega_lite_chart` takes it. Returns what is selected where that is asked for."""
    draw = st.vega_lite_chart if place is None else place.vega_lite_chart
    return draw(table, in_dark(spec) if is_dark() else spec, key=key, **more)
