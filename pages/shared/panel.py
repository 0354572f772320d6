"""A panel: title, one sentence, figure, and its table to read and to take away."""

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def panel(
    title: str, sentence: str, table: pd.DataFrame, figure: "Figure | None" = None, *, key: str
) -> None:
    """Draw a panel; without a figure the table stands open."""
    st.subheader(title)
    st.write(sentence)
    if figure is not None:
        st.plotly_chart(figure, key=f"{key}-figure", config={"displaylogo": False})
        with st.expander("Table"):
            _table(table, key)
    else:
        _table(table, key)


def _table(table: pd.DataFrame, key: str) -> None:
    st.dataframe(table, hide_index=True, key=f"{key}-table")
    st.download_button(
        "Download CSV",
        lambda: as_csv(table),
        file_name=f"{key}.csv",
        mime="text/csv",
        key=f"{key}-download",
    )


def as_csv(table: pd.DataFrame) -> bytes:
    """The table as CSV, with text that a spreadsheet would take for a formula made harmless."""

    def harmless(cell: object) -> object:
        return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell else cell

    return table.map(harmless).to_csv(index=False).encode()
