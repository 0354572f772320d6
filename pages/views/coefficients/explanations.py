"""Which blocks predictions come from, through four lenses, and how far the lenses agree."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import streamlit as st

from foxnas_core.cards import explanations, machine, near_budget, trees_find
from foxnas_core.cards.analysis import Analysis
from foxnas_core.cards.given import DRAWN, Given
from foxnas_core.errors import MissingPart
from foxnas_core.study import Study
from foxnas_core.table.sums import tells
from pages.shared import cache, choices
from pages.shared.architecture_picker import pick_architecture
from pages.shared.cards import beside, given_of
from pages.shared.cards import show as show_card
from pages.shared.cost import budget_picker, chosen_cost
from pages.shared.frame import errors_as_cards, may_write
from pages.shared.panel import block_picker
from pages.shared.picked import picked, show_part
from pages.shared.text import plain
from pages.shared.verifications import Verification, show_job

SENTENCE = "Which blocks a prediction comes from, seen through four lenses, and how far they agree."

ONE, ALL = "One subnet", "The whole space"
SHAPLEY, DEPENDENCE, NEAR = "Shapley values", "Partial dependence", "Near the budget"
TREES = "Second opinion"
# What each slower lens does, and how long it takes.
WAITS = {
    explanations.PERMUTATION: "shuffle each block 30 times among the measured subnets, which takes "
    "a few seconds, once",
    explanations.TREES: "fit trees that know nothing of the regression's form, and more to test "
    "them on subnets they never saw, which takes 10 to 20 seconds, once",
}


def target_picker(given: Given) -> Given:
    """Draw the picker of what is explained."""
    targets = explanations.targets(given)
    if not targets or not tells(given.table):
        objective, cost = given.study.objective.word, given.study.cost.word
        raise MissingPart(
            f"This study has no measured {objective} or {cost} to explain yet; measure subnets "
            "with 'python -m foxnas_core measure' or import a table."
        )
    if not len(given.table):
        st.caption(
            f"No subnet is measured here: {DRAWN} that are drawn at random stand for measured ones."
        )
    return given.into(
        picked(st.selectbox, "Explain the prediction of", targets, key="explained-target")
    )


def scope_picker() -> bool:
    """Draw the choice of one subnet or all."""
    scope = picked(
        st.segmented_control, "Through four lenses", [ALL, ONE], key="explained-scope",
        required=True,
    )  # fmt: skip
    return scope == ONE


def lens_toggle(name: str, label: str) -> bool:
    """Draw the switch of a lens that takes longer; it holds when one comes back."""
    does = f"{WAITS[label][:1].upper()}{WAITS[label][1:]}."
    return picked(st.toggle, label, key=f"lens-{name}", default=False, help=does)


def offer(analysis: Analysis, given: Given, label: str, *, on: bool) -> None:
    """A card that takes long, or how it is asked for."""
    if on:
        show_card(analysis, given)
        return
    st.header(analysis.title)
    st.info(plain(f"Not computed yet; switch on '{label}' above to {WAITS[label]}."))


def folded(analysis: Analysis, given: Given) -> None:
    with st.expander(analysis.title):
        show_card(analysis, given, header=False)


def show_lenses(given: Given, slower: Mapping[str, bool]) -> None:
    """All lenses so far beside their agreement."""
    left, right = st.columns([3, 2], gap="large")
    with left:
        show_card(explanations.lenses, given, **slower)
        block_picker(explanations.blocks(given))
    with right:
        show_card(explanations.agreement, given, **slower)


def one_parts(given: Given, trees: bool) -> dict[str, Callable[[], None]]:
    """What each lens says of one subnet."""
    parts = {SHAPLEY: lambda: single(explanations.shapley, given)}
    if not explanations.same_lenses(given):
        others = ((explanations.coefficients, {}), (explanations.dependence, {}))
        parts["Coefficients and dependence"] = lambda: beside(given, *others)
    return parts | {
        TREES: lambda: offer(explanations.second_opinion, given, explanations.TREES, on=trees)
    }


def space_parts(given: Given, permutation: bool, trees: bool) -> dict[str, Callable[[], None]]:
    """What each lens says of the whole space."""
    same = explanations.same_lenses(given)
    return {
        SHAPLEY: lambda: show_swarm(given),
        DEPENDENCE: lambda: single(explanations.dependence, given),
        "Permutation" if same else "Coefficients and permutation": lambda: show_others(
            given, permutation
        ),
        TREES: lambda: show_trees(given, trees),
    }


def single(analysis: Analysis, given: Given) -> None:
    show_card(analysis, given)


def show_swarm(given: Given) -> None:
    """What each block adds in every measured subnet."""
    st.header(explanations.shapley.title)
    role = {
        name: picked(st.segmented_control, "Colour by", roles, key=name, required=True)
        for name, roles in explanations.shapley.options(given).items()
    }
    show_card(explanations.shapley, given, header=False, **role)


def show_others(given: Given, permutation: bool) -> None:
    """Coefficients, where they say more than Shapley values, and permutation importance."""
    left, right = st.columns(2, gap="large")
    if not explanations.same_lenses(given):
        with left:
            show_card(explanations.coefficients, given)
    with right if not explanations.same_lenses(given) else left:
        offer(explanations.permutation, given, explanations.PERMUTATION, on=permutation)
        if permutation:
            folded(explanations.repeats, given)


def show_trees(given: Given, trees: bool) -> None:
    """What a model says that knows nothing of the regression's form."""
    left, right = st.columns(2, gap="large")
    with left:
        offer(explanations.second_opinion, given, explanations.TREES, on=trees)
        if trees:
            folded(explanations.terms, given)
    with right:
        if trees:
            show_card(explanations.interactions, given)
            if given.column == given.traded[0] and show_card(trees_find.find, given):
                offer_measuring(given)


def offer_measuring(given: Given) -> None:
    """The button that measures both finds, where that can be done here."""
    if machine.can_measure(given) or show_job(given.study):
        return
    if not may_write("neither find can be measured"):
        return
    st.button("Measure both now", key="measure-finds", on_click=choices.ask("finds"))
    if choices.asked("finds"):
        with errors_as_cards():
            cache.works().start(Verification(given.study, finds=trees_find.finds_of(given)))
            st.rerun()


def show_near(study: Study) -> None:
    """What matters near a budget."""
    given = given_of(study, cost=chosen_cost(study))
    if near_budget.near.lacks(given) is None:
        front = given.front_of(given.main[-1])
        with st.container(width=600):
            given = replace(given, budget=budget_picker(study, front))
    if show_card(near_budget.near, given):
        with st.expander(near_budget.repeats.title):
            show_card(near_budget.repeats, given, header=False)


def show(study: Study) -> None:
    given = given_of(study)
    left, right = st.columns(2)
    with left:
        given = target_picker(given)
    with right:
        is_one = scope_picker()
    explanations.lenses.lacks(given)  # what keeps it from being fitted is said once
    if is_one:
        given = replace(given, architecture=pick_architecture(study, with_cost=False))
        show_card(explanations.prediction, given, header=False)
    with st.container(horizontal=True):
        permutation = not is_one and lens_toggle("permutation", explanations.PERMUTATION)
        trees = lens_toggle("second-opinion", explanations.TREES)
    show_lenses(given, {"permutation": permutation, "trees": trees})
    parts = one_parts(given, trees) if is_one else space_parts(given, permutation, trees)
    show_part("explained-part", parts | {NEAR: lambda: show_near(study)})
