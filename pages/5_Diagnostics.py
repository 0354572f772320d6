"""What speaks against a fitted regression: its rows, its errors, its terms, its form."""

from contextlib import suppress
from dataclasses import replace

import streamlit as st

from foxnas_core.cards import diagnostics
from foxnas_core.cards.analysis import Analysis
from foxnas_core.cards.given import Given
from foxnas_core.errors import FoxnasError
from pages.shared import choices
from pages.shared.cards import beside, given_of, show
from pages.shared.cost import budget_of, chosen_cost
from pages.shared.diagnosed_rows import choose_point, open_row, show_rows
from pages.shared.frame import page
from pages.shared.picked import picked, show_part


def watching(given: Given) -> Given:
    """With the budget within which the best is looked at, too, where there is one."""
    if len(given.main) < 2:
        return given
    with suppress(FoxnasError):  # where no search is possible, the page for it says why
        return replace(given, budget=budget_of(given.study, given.front(given.main[-1])))
    return given


def show_figures(given: Given, *analyses: Analysis) -> None:
    """Figures of rows beside each other, of which a click chooses one."""
    for place, one in zip(st.columns(2, gap="large"), analyses, strict=True):
        with place:
            show(one, given, on_select=choose_point(given.study, one.name))


def show_fit(given: Given) -> None:
    """How far predictions hold, row by row."""
    show_figures(given, diagnostics.predicted, diagnostics.residuals)
    show_rows(given)
    open_row(given)


def show_errors(given: Given) -> None:
    """How errors are spread, and which rows weigh most."""
    show_figures(given, diagnostics.quantiles, diagnostics.influence)
    open_row(given)


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
    show_part(
        "diagnosed",
        {
            "Row by row": lambda: show_fit(given),
            "Errors and influence": lambda: show_errors(given),
            "Terms and form": lambda: beside(
                given, (diagnostics.inflation, {}), (diagnostics.specification, {})
            ),
            "More rows": lambda: show_curve(given),
        },
    )
