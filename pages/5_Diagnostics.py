"""What speaks against a fitted regression: its rows, its errors, its terms, its form."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from foxnas_core.cards import diagnostics
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError
from foxnas_core.study import Study
from foxnas_core.table.files import as_csv
from pages.shared import choices
from pages.shared.cards import beside, given_of, show
from pages.shared.cost import budget_of, chosen_cost
from pages.shared.frame import page
from pages.shared.picked import picked

_MOST_OFFERED = 200


def watching(given: Given) -> Given:
    """With the budget within which the best is looked at, too, where there is one."""
    if len(given.main) < 2:
        return given
    with suppress(FoxnasError):  # where no search is possible, the page for it says why
        return replace(given, budget=budget_of(given.study, given.front(given.main[-1])))
    return given


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
    """The flagged rows, and a way to open one in What-if."""
    study, target = given.study, given.fitted.target

    def choose(state: Mapping[str, Mapping[str, list]]) -> None:
        rows = state["selection"]["rows"]
        if card and rows and rows[0] < len(card.table):
            choices.remember(_row_of(study), int(card.table["row"].iloc[rows[0]]))

    card = show(
        diagnostics.offending, given, on_select=choices.on_change("offending-table", choose)
    )
    assert card is not None
    st.caption("Choose a row here, or click a point in a figure above, to open its subnet.")
    residuals = diagnostics.diagnosis(given).residuals
    known = residuals.set_index("row")
    why = dict(zip(card.table["row"], card.table["why"], strict=True))
    offered = [int(row) for row in card.table["row"].head(_MOST_OFFERED)]
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


def show_curve(given: Given) -> None:
    """The learning curve, at once where it is quick."""
    many = given.fitted.rows > diagnostics.QUICK_ROWS
    if many:
        st.header(diagnostics.learning.title)
        if not st.toggle("Fit parts of the table to draw the learning curve", key="curve"):
            return
    show(diagnostics.learning, given, header=not many)


with page(
    "Diagnostics",
    "What speaks against the fitted regression: its rows, its errors, its terms, its form, and "
    "how many more rows it needs.",
) as study:
    now = choices.current()
    given = given_of(
        study,
        cost=chosen_cost(study),
        form=now.form,
        link=now.link,
        architecture=choices.chosen_architecture(study.space),
    )
    left, right = st.columns(2)
    with left:
        labels = {target.column: target.label for target in given.table.targets}
        usual = given.column
        given = given.into(picked(st.selectbox, "Target", labels, key="target", default=usual))
    right.metric("Form of the regression", given.fitted.form.title)
    if right.button("Choose another on Coefficients", key="to-coefficients"):
        st.switch_page("pages/1_Coefficients.py")
    if diagnostics.verdict.lacks(given):
        show(diagnostics.verdict, given)
        st.stop()
    show(diagnostics.verdict, watching(given), header=False)
    places = [*st.columns(2, gap="large"), *st.columns(2, gap="large")]
    for place, one in zip(places, diagnostics.OF_ROWS, strict=True):
        with place:
            show(one, given, on_select=choose_point(study, one.name))
    show_rows(given)
    beside(given, (diagnostics.inflation, {}), (diagnostics.specification, {}))
    show_curve(given)
