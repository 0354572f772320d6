"""Where an architecture comes from, and the editor of its choices."""

from collections.abc import Callable

import streamlit as st

from foxnas_core.architecture import Architecture, Value
from foxnas_core.errors import FoxnasError
from foxnas_core.search_space import Decision, SearchSpace
from foxnas_core.storage import Study
from foxnas_core.table import MeasurementTable
from pages.shared import cache, choices
from pages.shared.latency import budget_slider, searched_budget
from pages.shared.text import plain

COLUMNS = 4
# Choices that together are longer than this stand in a list instead of side by side.
BUTTONS_LENGTH = 16


def architecture_picker(study: Study, latency: str) -> Architecture:
    """Draw the ways to pick an architecture and return the chosen one.

    Where none was chosen, it is the best at the budget.
    """
    space = study.space
    front = cache.front_of(study, latency)

    def best() -> Architecture:
        return front.within(searched_budget(study, front)).architecture

    # With no architecture chosen, the page takes the best: there, what fails has its sentence.
    budget_slider(front, and_then=lambda: choices.update(architecture=None))
    row = st.container(horizontal=True, vertical_alignment="bottom")
    ways: tuple[tuple[str, str, Callable[[], None]], ...] = (
        ("best", "Best in budget", lambda: choices.update(architecture=None)),
        ("largest", "Largest", lambda: choices.set_architecture(space.extreme("largest"))),
        ("smallest", "Smallest", lambda: choices.set_architecture(space.extreme("smallest"))),
    )
    for name, label, pick in ways:
        row.button(label, key=f"pick-{name}", on_click=pick)
    measured = row.container(width=280)
    with row.popover("Paste JSON"):
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
    with measured:
        _measured_picker(cache.table_of(study), latency, start_of(architecture, space))
    return architecture


def _measured_picker(table: MeasurementTable, latency: str, start: Architecture) -> None:
    """A list of the measured subnets, the most accurate first, to pick one from."""
    targets = [t for t in table.targets if t.column in ("accuracy", latency)]
    rows = table.frame.drop_duplicates("id")
    if "accuracy" in rows:
        rows = rows.sort_values("accuracy", ascending=False, kind="stable")
    labels = {
        row["id"]: " · ".join([row["id"], *(f"{t.text(row[t.column])} {t.unit}" for t in targets)])
        for row in rows[["id", *(t.column for t in targets)]].to_dict("records")
    }

    def pick(chosen: str | None) -> None:
        if chosen is not None:
            row = int((table.frame["id"] == chosen).to_numpy().argmax())
            choices.set_architecture(table.space.decode(table.codes[row : row + 1])[0])

    choices.show("pick-measured", start.id if start.id in labels else None)
    st.selectbox(
        "A measured subnet",
        list(labels),
        index=None,
        placeholder="A measured subnet …",
        format_func=lambda name: labels.get(name, name),
        label_visibility="collapsed",
        key="pick-measured",
        on_change=choices.on_change("pick-measured", pick),
    )


def start_of(architecture: Architecture, space: SearchSpace) -> Architecture:
    """The architecture that edits are held against."""
    text = choices.current().start
    return architecture if text is None else choices.parse_architecture(text, space)


def editor(space: SearchSpace, architecture: Architecture) -> None:
    """Draw one selector for each active decision: a row a group, a column a block slot.

    A change goes to the choices by callback, so that the page that draws the editor already sees
    it. Slots past the depth are shown as off. Groups without slots stand side by side.
    """
    flat = [group for group in space.groups if not any(d.slot for d in space.in_group(group))]
    for first in range(0, len(flat), COLUMNS):
        for place, group in zip(st.columns(COLUMNS), flat[first : first + COLUMNS], strict=False):
            with place:
                _group_selectors(space, architecture, group)
    for group in space.groups:
        if group in flat:
            continue
        slots = list(dict.fromkeys(d.slot for d in space.in_group(group) if d.slot))
        places = st.columns([0.75, *[1] * max(len(slots), COLUMNS - 1)], vertical_alignment="top")
        with places[0]:
            _group_selectors(space, architecture, group)
        for place, slot in zip(places[1:], slots, strict=False):
            members = space.in_slot(slot)
            on = any(decision.name in architecture for decision in members)
            with place.container(border=True):
                st.caption(plain(slot) if on else f"{plain(slot)}: off")
                for decision in members:
                    _selector(space, architecture, decision)


def _group_selectors(space: SearchSpace, architecture: Architecture, group: str) -> None:
    st.markdown(f"**{plain(_group_name(space, group))}**")
    for decision in space.in_group(group):
        if not decision.slot:
            _selector(space, architecture, decision)


def _group_name(space: SearchSpace, group: str) -> str:
    number = group.removeprefix("s")
    if group in space.context:
        return group.capitalize()
    return f"Stage {number}" if number.isdigit() else group


def _selector(space: SearchSpace, architecture: Architecture, decision: Decision) -> None:
    """The choices of one decision; nothing where it is inactive."""
    if decision.name not in architecture:
        return
    key = f"edit-{decision.name}"
    choices.show(key, architecture[decision.name])
    react = choices.on_change(key, lambda value: _edit(space, decision.name, value))
    if len("".join(map(str, decision.choices))) > BUTTONS_LENGTH:
        st.selectbox(decision.role, decision.choices, key=key, on_change=react)
    else:
        st.segmented_control(
            decision.role, decision.choices, required=True, key=key, on_change=react
        )


def _edit(space: SearchSpace, name: str, value: Value) -> None:
    """Set one choice; decisions that it opens take their first choice."""
    architecture = choices.chosen_architecture(space)
    if architecture is None:
        return
    first = {d.name: d.choices[0] for d in space.decisions}
    edited = space.architecture({**first, **architecture.to_dict(), name: value})
    choices.update(architecture=choices.as_text(edited))
