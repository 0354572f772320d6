"""What a supernet loses without an operation, beside what else tells its worth."""

from collections.abc import Callable

import streamlit as st

from foxnas_core.cards import decisions, operations
from foxnas_core.cards.given import Given
from foxnas_core.study import Study
from pages.shared import cards, choices
from pages.shared.picked import picked
from pages.shared.selections import pick_kept, with_others
from pages.shared.text import plain

SENTENCE = (
    "An operation is worth what the supernet loses without it: beside its weight in the mixture, "
    "measured cells and the truth where a table has it."
)


def show_replay(given: Given, selection: str) -> None:
    """The decisions, one at a time."""
    steps = decisions.replay.options(given).get("step", {})
    st.header("Decision by decision")
    row = st.container(horizontal=True, vertical_alignment="bottom")
    step = picked(
        row.select_slider, "Decisions made", list(steps), key="replay-step", value=_step(steps),
    )  # fmt: skip
    row.button(
        "Step", key="replay-next", disabled=step >= max(steps),
        on_click=lambda: choices.remember("replay-step", step + 1),
    )  # fmt: skip
    row.button("Back to the start", key="replay-start", disabled=not step,
               on_click=lambda: choices.remember("replay-step", 0))  # fmt: skip
    cards.show(decisions.replay, given, header=False, selection=selection, step=step)


def _step(steps: dict[int, str]) -> int:
    """The one that was chosen last, where there is one, else all decisions."""
    kept = choices.remembered("replay-step")
    return kept if kept in steps else max(steps)


def parts(study: Study) -> dict[str, Callable[[], object]]:
    given = with_others(study)
    if operations.no_perturbation(given):
        # what there is to do first
        return {operations.claim.title: lambda: cards.show(operations.claim, given, header=False)}
    selection = pick_kept(operations.selection_options(given)["selection"])
    return {
        operations.claim.title: lambda: show_claim(given, selection),
        "What each operation is worth": lambda: show_worth(given, selection),
        "Decision by decision": lambda: show_decisions(given, selection),
    }


def show_claim(given: Given, selection: str) -> None:
    """What was selected, and how far the ways of telling what operations are worth agree."""
    cards.show(operations.claim, given, selection=selection)
    cards.show(operations.agreement, given, selection=selection)


def show_worth(given: Given, selection: str) -> None:
    """What each operation is worth by every way of telling."""
    told = [one for one in operations.maps.values() if one.needs(given) is None]
    each = 2 if operations.is_narrow(given) else 1
    for first in range(0, len(told), each):
        cards.beside(
            given, *((one, {"selection": selection}) for one in told[first : first + each])
        )
    for one in operations.maps.values():
        if sentence := one.needs(given):
            st.caption(plain(f"{one.title}: {sentence}"))


def show_decisions(given: Given, selection: str) -> None:
    """The decisions, replayed, and what other orders of them select."""
    show_replay(given, selection)
    cards.show(decisions.other_orders, given, selection=selection)
