"""An architecture edited in its picture: what each edit costs is seen at once."""

from dataclasses import replace

import streamlit as st

from foxnas_core.cards import numbers, what_if
from foxnas_core.cards.given import Given
from foxnas_core.space.editing.history import History
from foxnas_core.study import Study
from pages.shared import cards, choices
from pages.shared.architecture_picker import download_architecture, looked_at
from pages.shared.comparison_picker import editor_places, show_editor, show_toolbar
from pages.shared.editor import history_of, written
from pages.shared.frame import errors_as_cards, pin
from pages.shared.limits import terms_of
from pages.shared.panel import closed_table
from pages.shared.picked import picked
from pages.shared.predictions import show_predictions
from pages.shared.text import plain
from pages.shared.views import go

SENTENCE = (
    "Edit an architecture in its picture: the predictions move at once, and each edit shows what "
    "it costs against the architecture you started from."
)
BY_EDIT, BY_BLOCK = "edit by edit", "block by block"


def show(study: Study) -> None:
    given = looked_at(study)
    if not numbers.is_looked_up(given):
        for sentence in given.fits()[1]:
            st.warning(plain(sentence))
    choices.remember("drawn-start", history_of(study).now.start.id)
    workbench(study)
    st.caption(
        "Predicted values with the 95 % prediction interval, within which one measurement of such "
        "a subnet would fall, and their change: this less what it is compared with. “Exact” where "
        "the regression reproduces every measured row, “counted” or “summed” where none is needed. "
        "They stay in view as you scroll."
    )
    if not given.table.ordered:
        st.caption(
            "The measured table does not tell the order of the blocks after a stage's first, so "
            "exchanging them changes nothing here."
        )


@st.fragment
def workbench(study: Study) -> None:
    """All that an edit changes, and no more: an edit draws this part of the page alone."""
    if choices.current().architecture is None:
        # The budget was moved in the same moment; the whole page knows what is best in it.
        st.rerun()
    with errors_as_cards():
        # An edit that came while the last was drawn may have kept that from the address.
        choices.show_in_address(choices.current())
        history = history_of(study)
        _draw_the_rest_again(history)
        given = cards.given_of(
            study,
            **terms_of(study),
            architecture=history.now.architecture,
            start=history.now.start,
        )
        place = pin("predictions")
        bar, left, right = editor_places()
        with bar:
            reference = show_toolbar(given)
        with place:
            show_predictions(given, reference.architecture)
        if said := what_if.equal_of(given):
            st.info(plain(said))
        show_editor(given, reference, left, right)
        held = replace(given, start=reference.architecture)
        if reference.drawn:
            cards.show(what_if.difference, held, title=f"This against {reference.name}")
            cards.show(what_if.diff, held)
        show_edits(held, reference.name, history)
        closed_table(
            "Every prediction as a table",
            lambda: what_if.predictions.compute(held).table,
            key="predictions",
        )
        show_ways_on(given)


def _draw_the_rest_again(history: History) -> None:
    """What is above the workbench shows the start, which undoing may have changed."""
    start = history.now.start.id
    if choices.remembered("drawn-start") not in (None, start):
        choices.remember("drawn-start", None)
        st.rerun()


def show_edits(given: Given, named: str, history: History) -> None:
    """What each edit changes in one target, as a waterfall from what it is held against."""
    st.header(what_if.edits.title)
    # Only from the start is there a way edit by edit.
    path = history.path() if given.start == history.now.start else ()
    if given.subnet != given.start:
        row = st.container(horizontal=True, vertical_alignment="bottom")
        targets = what_if.edit_targets(given)
        with row.container(width=260):
            given = given.into(picked(st.selectbox, "In", targets, key="edits-target"))
        if path:
            orders = [BY_EDIT, BY_BLOCK]
            order = picked(row.segmented_control, "Order", orders, key="edits-order", required=True)
            path = path if order == BY_EDIT else ()
    cards.show(what_if.edits, given, header=False, lazy=True, path=path, named=named)


def show_ways_on(given: Given) -> None:
    """Where the architecture may go from here."""
    now = given.subnet
    if text := written(now, given.study.space):
        st.code(text, language=None)
    row = st.container(horizontal=True)
    with row:
        download_architecture(now)
    if row.button("Explain this subnet", key="to-explained"):
        go("What-if", "explained")
    if row.button("Verify this subnet", key="to-verify"):
        go("Trust", "verify")
    if row.button("Export this subnet", key="to-export"):
        go("Export")
