"""What would have to change: the edits that reach a goal, why a choice is not taken, what is best
around choices that are kept."""

from dataclasses import replace

import streamlit as st

from foxnas_core.cards import counterfactuals
from foxnas_core.cards.given import Given
from foxnas_core.space.architecture import Value
from foxnas_core.study import Study
from foxnas_core.table.headings import heading_of
from pages.shared import cards, choices
from pages.shared.bar import architecture_bar
from pages.shared.cost import budget_of
from pages.shared.editor import history_buttons
from pages.shared.frame import errors_as_cards
from pages.shared.limits import chosen_terms, pins_picker, terms_picker
from pages.shared.picked import picked, show_part
from pages.shared.reached import apply, apply_buttons, show_reached

SENTENCE = (
    "What would have to change in a subnet to reach a goal, by the fewest edits and by the "
    "cheapest; why a choice is not taken; and what is best around the choices that you keep."
)


def needs(study: Study) -> str | None:
    return counterfactuals.untraded(cards.given_of(study))


def show(study: Study) -> None:
    cost, now = architecture_bar(study)
    given = cards.given_of(study, cost=cost, architecture=now)
    terms = chosen_terms(study, given.table, cost)
    pins = pins_picker(study.space, given.subnet)
    terms_picker(study, given.table, cost, terms)
    given = replace(given, limits=terms.limits, allowed=terms.allowed(study.space))
    kept = counterfactuals.keeping(given, pins)
    cards.show(counterfactuals.base, kept, header=False)
    with st.container(horizontal=True):
        history_buttons(study)
    with errors_as_cards():
        show_part(
            "counterfactual",
            {
                "Reach a goal": lambda: show_reached(kept),
                "Why not": lambda: show_why_not(_bounded(kept)),
                "Best around what is kept": lambda: show_rest(_bounded(kept)),
            },
        )


def _bounded(given: Given) -> Given:
    return replace(given, budget=budget_of(given.study, given.front_of(given.main[-1])))


def asked_picker(given: Given) -> tuple[str, Value]:
    """Draw the choice that is asked for: a decision and one of those it may take but has not."""
    others, base = counterfactuals.asked_of(given), given.subnet
    name, _, text = (choices.current().asked or "").partition(":")
    first = next((n for n in others if n in base and "kernel" in n), next(iter(others)))
    left, right = st.columns([1, 2], vertical_alignment="bottom")
    said = {n: f"{heading_of(n)} (now {base.get(n, 'off')})" for n in others}
    name = picked(
        left.selectbox, "Decision", said, key="asked-decision",
        value=name if name in others else first, act=lambda n: choices.update(asked=f"{n}:"),
    )  # fmt: skip
    by_text = {str(choice): choice for choice in others[name]}
    value = picked(
        right.segmented_control, "Why not", others[name], key=f"asked-{name}", required=True,
        value=by_text.get(text, others[name][-1]),
        act=lambda v: choices.update(asked=f"{name}:{v}"),
    )  # fmt: skip
    return name, value


def show_why_not(given: Given) -> None:
    """Why one choice is not taken, and the best with each choice."""
    st.header(counterfactuals.why_not.title)
    if counterfactuals.why_not.lacks(given):
        cards.show(counterfactuals.why_not, given, header=False)
        return
    asked = asked_picker(given)
    if cards.show(counterfactuals.why_not, given, header=False, asked=asked) is None:
        return
    cards.show(counterfactuals.choices, given, asked=asked)
    best = counterfactuals.why(given, asked)[0].best
    if best is not None and best.architecture != given.subnet:
        st.button(
            "Apply the best with it", key="why-not-apply", on_click=apply,
            args=(best.architecture, given.subnet),
        )  # fmt: skip


def show_rest(given: Given) -> None:
    """The best around what is kept."""
    if cards.show(counterfactuals.rest, given) is None:
        return
    best = counterfactuals.best_of(given)
    if best.after != given.subnet:
        apply_buttons("rest", given, best.after)
        cards.beside(
            given, *((counterfactuals.rest_each, {"column": column}) for column in given.main)
        )
