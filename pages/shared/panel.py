"""A panel: title, one sentence, figure, and its table to read and to take away."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from foxnas_core.figures.points import block_of, has_ids, highlighted, id_at
from foxnas_core.figures.theme import is_wide
from foxnas_core.glossary import meaning_of, term_of
from foxnas_core.table.files import as_csv
from foxnas_core.table.headings import heading_of
from pages.shared import choices
from pages.shared.picked import picked
from pages.shared.theme import themed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


# A column of sentences, which the others leave room for.
WORDS = "in words"
# Columns of what decisions, and terms made of them, are called.
NAMES = ("decision", "term")


def panel(
    title: str,
    sentence: str,
    table: pd.DataFrame,
    figure: "Figure | None" = None,
    *,
    key: str,
    on_select: Callable[[], None] | None = None,
    box: bool = False,
    lazy: bool = False,
) -> None:
    """Draw a panel; without a figure the table stands open.

    `on_select` is called when a point is clicked in the figure (widget `key`-figure) or, where
    there is none, a row is chosen in the table (widget `key`-table). Without it, a click highlights
    the subnet or block that a point stands for, here and in all figures that show it. With `box`,
    it is called when a box is drawn in the figure instead. `lazy` as in `closed_table`.
    """
    if title:
        st.header(title)
    if sentence:
        st.write(sentence)
    if figure is not None:
        now = choices.current()
        if on_select is None and has_ids(figure):
            on_select = _highlight_clicked(figure, f"{key}-figure")
        # On a phone it is scrolled sideways.
        place = st.container(key=f"wide-{key}") if is_wide(figure) else st
        place.plotly_chart(
            themed(highlighted(figure, now.subnet, now.block)),
            theme=None,
            key=f"{key}-figure",
            config={"displaylogo": False},
            on_select=on_select or "ignore",
            selection_mode="box" if box else "points",
        )
        if lazy:
            closed_table("Table", lambda: table, key=key)
        else:
            with st.expander("Table"):
                _table(table, key)
    else:
        _table(table, key, on_select)


def closed_table(label: str, make: Callable[[], pd.DataFrame], *, key: str) -> None:
    """A table behind its label, made and sent once it is opened: for what is drawn anew with every
    edit, for many at once."""
    place = st.expander(label, key=f"{key}-open", on_change="rerun")
    if place.open:
        with place:
            _table(make(), key)


def block_picker(blocks: Iterable[str]) -> None:
    """Draw the picker of the block that is highlighted in all figures."""
    options = ["", *blocks]
    chosen = choices.current().block or ""
    if chosen not in options:  # one of another form's, which may be made of several of these
        options.append(chosen)
    picked(
        st.selectbox,
        "Highlight in all figures",
        options,
        key="highlighted-block",
        value=chosen,
        act=lambda name: choices.update(block=name or None),
        format_func=lambda name: name or "no block",
        width=260,
    )


def _highlight_clicked(figure: "Figure", key: str) -> Callable[[], None]:
    def clicked(state: Any) -> None:
        for point in state["selection"]["points"]:
            if found := id_at(figure, point["curve_number"], point["point_index"]):
                block = block_of(found)
                choices.highlight(**({"subnet": found} if block is None else {"block": block}))
                return

    return choices.on_change(key, clicked)


def _table(table: pd.DataFrame, key: str, on_select: Callable[[], None] | None = None) -> None:
    st.dataframe(
        readable(table),
        hide_index=True,
        placeholder="–",
        key=f"{key}-table",
        on_select=on_select or "ignore",
        selection_mode="single-row",
        # Streamlit's own format would cut 0.00172 ms down to 0.0017, and "plain" shows some
        # 82.07 as 82.07000000000001.
        column_config=shown_columns(table),
    )
    st.download_button(
        "Download CSV",
        lambda: as_csv(table),
        file_name=f"{key}.csv",
        mime="text/csv",
        # A rerun started by the click would revoke the file before it is fetched.
        on_click="ignore",
        key=f"{key}-download",
    )


def shown_columns(table: pd.DataFrame) -> dict[str, Any]:
    """How columns are shown: headed in words, and those of a statistic tell what it is when pointed
    at."""
    numbers = set(table.select_dtypes("float"))
    found: dict[str, Any] = {}
    for column in table:
        told = {"label": heading_of(column), "help": meaning_of(column)}
        if column == WORDS:
            found[column] = st.column_config.TextColumn(width=820)
        elif column in numbers:
            how = "%.2g" if _is_tiny(column) else "%.12g"
            found[column] = st.column_config.NumberColumn(format=how, **told)
        elif told["label"] != column or told["help"]:
            found[column] = st.column_config.Column(**told)
    return found


def _is_tiny(column: str) -> bool:
    term = term_of(column)
    return term is not None and term.tiny


def readable(table: pd.DataFrame) -> pd.DataFrame:
    """The table with names in words, and fractions rounded to four significant digits and to six
    decimals at most."""
    words = {
        name: table[name].map(heading_of, na_action="ignore") for name in NAMES if name in table
    }
    numbers = table.select_dtypes("float")
    numbers = numbers.drop(columns=[c for c in numbers if _is_tiny(c)])
    with np.errstate(divide="ignore", invalid="ignore"):
        digits = 3 - np.floor(np.log10(numbers.abs().to_numpy()))
    scale = 10.0 ** np.nan_to_num(digits, posinf=6.0, neginf=0.0).clip(0, 6)
    return table.assign(**words, **dict((numbers * scale).round().div(scale).items()))
