"""Rows of a diagnosed table: chosen by a click, and opened in What-if."""

from collections.abc import Callable, Mapping

import streamlit as st

from foxnas_core.cards import diagnostics
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from foxnas_core.table.files import as_csv
from pages.shared import choices
from pages.shared.cards import show
from pages.shared.picked import picked

_MOST_OFFERED = 200


def _row_of(study: Study) -> str:
    """What the row chosen last is remembered by."""
    return f"diagnosed-row-{study.folder.name}"


def choose_point(study: Study, key: str) -> Callable[[], None]:
    """A callback that remembers the row of a clicked point, and highlights its subnet."""

    def act(state: Mapping[str, Mapping[str, list]]) -> None:
        points = [p for p in state["selection"]["points"] if p.get("customdata")]
        if points:
            row, subnet, *_ = points[0]["customdata"]
            choices.remember(_row_of(study), int(row))
            if subnet != choices.current().subnet:
                choices.highlight(subnet=subnet)

    return choices.on_change(f"{key}-figure", act)


def show_rows(given: Given) -> None:
    """The flagged rows, of which one is chosen."""
    study = given.study

    def choose(state: Mapping[str, Mapping[str, list]]) -> None:
        rows = state["selection"]["rows"]
        if card and rows and rows[0] < len(card.table):
            choices.remember(_row_of(study), int(card.table["row"].iloc[rows[0]]))

    card = show(
        diagnostics.offending, given, on_select=choices.on_change("offending-table", choose)
    )


def open_row(given: Given) -> None:
    """A way to open a row in What-if, one that was chosen or that is flagged."""
    study, target = given.study, given.fitted.target
    st.caption("Choose a row in the table, or click a point in a figure, to open its subnet.")
    residuals = diagnostics.diagnosis(given).residuals
    known = residuals.set_index("row")
    flagged = diagnostics.offending.card(given).table
    why = dict(zip(flagged["row"], flagged["why"], strict=True))
    offered = [int(row) for row in flagged["row"].head(_MOST_OFFERED)]
    chosen = choices.remembered(_row_of(study))
    if chosen in known.index and chosen not in offered:
        offered.insert(0, chosen)
    told = {
        row: f"row {row}, {own['id']}: measured {target.text(own['measured'])}, predicted "
        f"{target.value_text(own['held_out'])} ({why.get(row, 'not flagged')})"
        for row, own in known.loc[offered].iterrows()
    }
    if offered:
        row = picked(
            st.selectbox,
            "Row to open",
            told,
            key="row",
            value=chosen if chosen in told else offered[0],
            act=lambda number: choices.remember(_row_of(study), number),
        )
    buttons = st.container(horizontal=True)
    if offered and buttons.button("Open it in What-if", key="open-row"):
        choices.set_architecture(study.space.decode(given.table.codes[[row - 1]])[0])
        st.switch_page("pages/2_What_if.py")
    buttons.download_button(
        "Download every row (CSV)",
        lambda: as_csv(residuals),
        file_name="residuals.csv",
        mime="text/csv",
        key="every-row-download",
        on_click="ignore",
    )
