"""Goals of one click beside the editor: the cheapest edits that reach one, applied and undone."""

from dataclasses import replace
from typing import Any

import streamlit as st

from foxnas_core.cards import counterfactuals, individual
from foxnas_core.cards.given import Given, known
from foxnas_core.space.editing.bulk import Edited
from pages.shared import choices
from pages.shared.cards import draw
from pages.shared.editor import edit
from pages.shared.picked import picked
from pages.shared.reached import edits_picker
from pages.shared.views import go

_KEY = "quick-goal"


def show_goals(given: Given) -> None:
    """Draw goals, the answer to the chosen one, and what applies it; nothing where nothing can be
    traded."""
    if counterfactuals.answer.needs(given):
        return
    goals = individual.goals(given)
    st.markdown("**What would have to change**")
    if goals:
        chosen = picked(
            st.pills, "Reach a goal", goals.keys(), key=_KEY, can_be_cleared=True,
            value=choices.remembered(_KEY) if choices.remembered(_KEY) in goals else None,
            act=_choose, help="By edits that keep all else that is kept on this page.",
        )  # fmt: skip
        if chosen:
            _answer(given, goals[chosen])
    else:
        st.caption("There is little left to save or to gain from here.")
    if st.button("All goals, and why not …", key="to-goals", type="tertiary"):
        if goals and (chosen := choices.remembered(_KEY)) in goals:
            aim, amount = goals[chosen]["aim"], goals[chosen]["amount"]
            told = {"percent" if "in_percent" in goals[chosen] else "amount": amount}
            choices.update(aim=aim, edits=None, **{"amount": None, "percent": None, **told})
        go("What-if", "counterfactuals")


def _choose(name: str | None) -> None:
    choices.remember(_KEY, name)
    choices.update(edits=None)


def _answer(given: Given, goal: dict[str, Any]) -> None:
    """The best answer of the chosen number of edits, by default the cheapest, and what makes it."""
    if counterfactuals.reached(given, **goal) is None:
        return
    goal = goal | {"chosen": edits_picker(given, goal)}
    _, answer = known(counterfactuals.reached(given, **goal))
    draw(replace(counterfactuals.answer.card(given, **goal), notes=()), header=False)

    def apply() -> None:
        choices.remember(_KEY, None)
        choices.update(edits=None)
        edit(given.study, Edited(answer.after))

    if answer.edits:
        st.button("Apply these edits", key="quick-apply", type="primary", on_click=apply)
