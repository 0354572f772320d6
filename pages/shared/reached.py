"""The edits by which a subnet reaches a goal: that, each number of edits, the chosen answer."""

import streamlit as st

from foxnas_core.cards import counterfactuals
from foxnas_core.cards.given import Given
from foxnas_core.space.architecture import Architecture
from pages.shared import choices
from pages.shared.cards import beside, show
from pages.shared.goal_picker import Goal, goal_picker
from pages.shared.picked import picked
from pages.shared.views import go

# More numbers of edits than this stand on a slider instead of side by side.
MOST_SIDE_BY_SIDE = 12


def apply(after: Architecture, before: Architecture, **changes: None) -> None:
    """Choose an answer; edits are held against the subnet that it answers for."""
    choices.update(
        architecture=choices.as_text(after), start=choices.as_text(before), edits=None, **changes
    )


def apply_buttons(key: str, given: Given, after: Architecture, *, anew: bool = False) -> None:
    """Draw what to do with an answer; `anew` where the amount asked for is gone then."""
    row, changes = st.container(horizontal=True), {"amount": None, "percent": None} if anew else {}
    row.button(
        "Apply", key=f"{key}-apply", type="primary", on_click=apply, args=(after, given.subnet),
        kwargs=changes,
    )  # fmt: skip
    if row.button("Apply, and edit it", key=f"{key}-what-if"):
        apply(after, given.subnet, **changes)
        go("What-if", "editor")


def edits_picker(given: Given, goal: Goal) -> int:
    """Draw the choice between the numbers of edits, by default that of the cheapest answer."""
    found, cheapest = counterfactuals.reached(given, **goal)
    numbers = {answer.edits: f"{answer.edits}" for answer in found.answers}
    for answer, end in ((found.fewest, "fewest"), (cheapest, "cheapest")):
        numbers[answer.edits] = f"{answer.edits}: {end}"
    chosen = choices.current().edits
    value = cheapest.edits if chosen not in numbers else int(chosen)
    if len(numbers) < 2:
        return value
    few = len(numbers) <= MOST_SIDE_BY_SIDE
    return picked(
        st.segmented_control if few else st.select_slider, "Edits", numbers, key="edits",
        value=value, act=lambda k: choices.update(edits=float(k)),
        **({"required": True} if few else {}),
    )  # fmt: skip


def show_reached(given: Given, *, details: bool = True) -> None:
    """The goal, the best answer of every number of edits, and the chosen one; with `details`, what
    each of its edits changes."""
    st.header(counterfactuals.edits.title)
    goal = goal_picker(given)
    if goal is None:
        return
    chosen = edits_picker(given, goal)
    asked = {**goal, "chosen": chosen}
    left, right = st.columns([1.2, 1], gap="large")
    with left:
        show(counterfactuals.edits, given, header=False, **asked)
    with right:
        show(counterfactuals.answer, given, **asked)
        if chosen:
            after = counterfactuals.reached(given, **asked)[1].after
            apply_buttons("answer", given, after, anew=goal["aim"] in counterfactuals.RELATIVE)
    if chosen and details:
        each = [(counterfactuals.each, {**asked, "column": column}) for column in given.main]
        with st.expander(counterfactuals.each.title):
            beside(given, *each)
