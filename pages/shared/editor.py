"""Where an architecture comes from, and the editor of its choices."""

from collections.abc import Callable

import streamlit as st

from foxnas_core.architecture import Architecture, Value
from foxnas_core.errors import FoxnasError
from foxnas_core.search_space import Decision, SearchSpace
from foxnas_core.storage import Study
from pages.shared import cache, choices
from pages.shared.frame import plain
from pages.shared.latency import budget_of


def architecture_picker(study: Study, latency: str) -> Architecture:
    """Draw the ways to pick an architecture and return the chosen one.

    Where none was chosen, it is the best at the budget.
    """
    space = study.space
    places = st.columns([1.3, 1, 1, 2, 1.3], vertical_alignment="bottom")
    front = cache.front_of(study, latency)

    def best() -> Architecture:
        return front.within(budget_of(front)).architecture

    ways: tuple[tuple[str, Callable[[], Architecture]], ...] = (
        (f"Best under {budget_of(front):.3g} ms", best),
        ("Largest", lambda: space.extreme("largest")),
        ("Smallest", lambda: space.extreme("smallest")),
    )
    for place, (label, make) in zip(places, ways, strict=False):
        place.button(
            label,
            key=f"pick-{label.split()[0].lower()}",
            width="stretch",
            on_click=lambda make=make: choices.set_architecture(make()),
        )
    table = cache.table_of(study)
    ids = list(dict.fromkeys(table.frame["id"]))

    def pick_measured(chosen: str | None) -> None:
        if chosen is not None:
            row = int((table.frame["id"] == chosen).to_numpy().argmax())
            choices.set_architecture(space.decode(table.codes[row : row + 1])[0])

    places[3].selectbox(
        "A measured subnet",
        ids,
        index=None,
        placeholder="A measured subnet …",
        label_visibility="collapsed",
        key=f"pick-measured-{choices.current().generation}",
        on_change=choices.on_change(f"pick-measured-{choices.current().generation}", pick_measured),
    )
    with places[4].popover("Paste JSON", width="stretch"):
        text = st.text_area("Architecture as JSON", key="pasted", height=200)
        if st.button("Use it", key="use-pasted"):
            try:
                choices.set_architecture(choices.parse_architecture(text, space))
            except FoxnasError as error:
                st.error(plain(str(error)))
    architecture = choices.chosen_architecture(space)
    if architecture is None:
        architecture = best()
        choices.set_architecture(architecture)
    return architecture


def start_of(architecture: Architecture, space: SearchSpace) -> Architecture:
    """The architecture that edits are held against."""
    text = choices.current().start
    return architecture if text is None else choices.parse_architecture(text, space)


def editor(space: SearchSpace, architecture: Architecture) -> None:
    """Draw one selector for each active decision: a row a group, a column a block slot.

    A change goes to the choices by callback, so that the page that draws the editor already sees
    it. Slots past the depth are shown as off.
    """
    for group in space.groups:
        decisions = space.in_group(group)
        slots = list(dict.fromkeys(d.slot for d in decisions if d.slot))
        own = [d for d in decisions if not d.slot]
        places = st.columns(max(len(slots) + 1, 4), vertical_alignment="top")
        with places[0].container(border=False):
            st.markdown(f"**{plain(_group_name(space, group))}**")
            for decision in own:
                _selector(space, architecture, decision, decision.role)
        for place, slot in zip(places[1:], slots, strict=False):
            with place.container(border=True):
                members = space.in_slot(slot)
                on = any(d.name in architecture for d in members)
                st.caption(plain(slot) if on else f"{plain(slot)}: off")
                for decision in members:
                    if decision.name in architecture:
                        _selector(space, architecture, decision, decision.role)


def _group_name(space: SearchSpace, group: str) -> str:
    return "Input" if group in space.context else f"Stage {group.removeprefix('s')}"


def _selector(
    space: SearchSpace, architecture: Architecture, decision: Decision, label: str
) -> None:
    # The generation makes the widgets anew when the architecture was set from outside.
    key = f"edit-{decision.name}-{choices.current().generation}"
    st.segmented_control(
        label,
        decision.choices,
        default=architecture[decision.name],
        required=True,
        key=key,
        on_change=choices.on_change(key, lambda value: _edit(space, decision.name, value)),
    )


def _edit(space: SearchSpace, name: str, value: Value) -> None:
    """Set one choice; decisions that it opens take their first choice."""
    text = choices.current().architecture
    if text is None:
        return
    before = choices.parse_architecture(text, space).to_dict()
    first = {d.name: d.choices[0] for d in space.decisions}
    edited = space.architecture({**first, **before, name: value})
    choices.update(architecture=choices.as_text(edited))
