"""Where an architecture comes from: what can be picked, looked up or begun with."""

from typing import TYPE_CHECKING

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from foxnas_core.cards.individual import members
from foxnas_core.cards.quest import Quest
from foxnas_core.errors import FoxnasError
from foxnas_core.families import architecture_from_text, family_of
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.called import called
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import Study
from foxnas_core.study.variants import VARIANTS, Variant
from pages.shared import cache, choices
from pages.shared.cards import given_of
from pages.shared.cost import budget_of, budget_picker
from pages.shared.picked import picked
from pages.shared.text import plain

if TYPE_CHECKING:
    from foxnas_core.search.exact import Front


def architecture_picker(
    study: Study, latency: str, budget: DeltaGenerator | None = None
) -> Architecture:
    """Draw the ways to pick an architecture and return the chosen one.

    Where none was chosen, it is the best at the budget, whose slider goes to `budget` if given, or
    of a table without the objective the family's reference.
    """
    space = study.space
    known = [target.column for target in cache.table_of(study).targets]
    front = cache.front_of(study, latency) if study.objective.column in known else None

    place = budget or st.container()
    row = st.container(horizontal=True, vertical_alignment="bottom")
    if front is not None:
        # With no architecture chosen, the page takes the best: there, what fails has its sentence.
        with place:
            budget_picker(study, front, and_then=lambda: choices.update(architecture=None))
        row.button(
            "Best in budget", key="pick-best", on_click=lambda: choices.update(architecture=None)
        )
    for name, found in reversed(family_of(space).landmarks(space).items()):
        row.button(
            name[:1].upper() + name[1:],
            key=f"pick-{name}",
            on_click=lambda found=found: choices.set_architecture(found),
        )
    measured = row.container(width=280)
    notation = family_of(space).notation
    if notation:
        _query_box(space, row, notation)
    else:
        with row.popover("Paste JSON"):
            text = st.text_area("Architecture as JSON", key="pasted", height=200)
            if st.button("Use it", key="use-pasted"):
                try:
                    choices.set_architecture(architecture_from_text(space, text))
                except FoxnasError as error:
                    st.error(plain(str(error)))
    architecture = choices.chosen_architecture(space)
    if architecture is None:
        architecture = (
            family_of(space).reference(space) if front is None else best_in_budget(study, latency)
        )
        choices.set_architecture(architecture)
    with measured:
        _known_picker(study, latency, front, start_of(architecture, space))
    return architecture


def _query_box(space: SearchSpace, row: DeltaGenerator, notation: str) -> None:
    """Draw the box in which a network is asked for as its family writes it."""

    def take(text: str) -> None:
        try:
            choices.set_architecture(architecture_from_text(space, text))
        except FoxnasError as error:
            choices.remember("asked-error", str(error) if text.strip() else None)

    row.text_input(
        "Look up",
        key="asked",
        width=230,
        placeholder="string or number …",
        help=plain(f"An architecture as {notation}, or as JSON; Enter takes it."),
        on_change=choices.on_change("asked", take),
    )
    # Said once: what is done next has nothing to do with it.
    if sentence := choices.remembered("asked-error"):
        choices.remember("asked-error", None)
        st.error(plain(sentence))


def best_in_budget(study: Study, latency: str) -> Architecture:
    """The optimum at the chosen budget; raises `InfeasibleBudget`, and as `cache.front_of`."""
    front = cache.front_of(study, latency)
    given = given_of(study, cost=latency, budget=budget_of(study, front))
    return front.within(Quest(given).searched).architecture


def _known_picker(study: Study, latency: str, front: "Front | None", start: Architecture) -> None:
    """A list to pick one from: points of the front, the study's variants, and the measured subnets,
    the most accurate first."""
    best, variants = {} if front is None else members(front), kept_variants(study)
    own = {f"variant:{name}": f"{name} · your variant" for name in variants}
    on_front = {
        f"front:{name}": f"{called(name)} · {told} on the front" for name, (told, _) in best.items()
    }
    measured = cache.measured_labels_of(study, latency)

    def take(option: str) -> None:
        kind, _, name = option.rpartition(":")
        if kind == "front":
            choices.set_architecture(best[name][1])
        elif kind == "variant":
            choices.set_architecture(variants[name].architecture)
        else:
            choices.set_architecture(cache.table_of(study).measured(name))

    labels = own | on_front | measured
    known = (
        start.id,
        f"front:{start.id}",
        *(f"variant:{n}" for n, v in variants.items() if v.architecture == start),
    )
    picked(
        st.selectbox,
        "A measured subnet, one of the front or a variant",
        labels,
        key="pick-measured",
        value=next((option for option in known if option in labels), None),
        act=take,
        index=None,
        placeholder="A measured subnet, front, variant …",
        label_visibility="collapsed",
    )


def kept_variants(study: Study) -> dict[str, Variant]:
    """The study's variants by name, with a sentence where they can't be read."""
    try:
        return {variant.name: variant for variant in study.record(VARIANTS)}
    except FoxnasError as error:
        st.warning(plain(str(error)))
        return {}


def start_of(architecture: Architecture, space: SearchSpace) -> Architecture:
    """The architecture that edits are held against."""
    text = choices.current().start
    return architecture if text is None else architecture_from_text(space, text)
