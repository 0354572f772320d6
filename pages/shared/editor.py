"""The editor of an architecture's choices."""

from collections.abc import Callable, Sequence
from contextlib import suppress

import streamlit as st

from foxnas_core.errors import InvalidInput
from foxnas_core.families import architecture_from_text, family_of
from foxnas_core.figures.picture import picture_data, role_keys
from foxnas_core.figures.search import group_title
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.decisions import Decision
from foxnas_core.space.editing.bulk import Edited, set_choices, step_choices, turned
from foxnas_core.space.editing.cells import Cell, cells_of, roles_of
from foxnas_core.space.editing.changes import changes_between
from foxnas_core.space.editing.history import History
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.study import Study
from pages.shared import choices
from pages.shared.picture import Event, picture
from pages.shared.starting_points import start_of
from pages.shared.text import plain

# Choices that together are longer than this stand in a list instead of side by side.
BUTTONS_LENGTH = 24
PICKED = "Picked in the picture"


def history_of(study: Study) -> History:
    """This session's edits of the study, with what was chosen elsewhere as the last of them.

    Raises `InvalidInput` where no architecture is chosen.
    """
    text = choices.current().architecture
    if text is None:
        raise InvalidInput("No architecture is chosen; pick one above.")
    now = architecture_from_text(study.space, text)
    start = start_of(now, study.space)
    known: History | None = choices.remembered(_name_of(study))
    history = History.begin(now, start) if known is None else known.then(now, start)
    choices.remember(_name_of(study), history)
    return history


def _name_of(study: Study) -> str:
    return f"history-{study.folder.name}-{study.space.fingerprint}"


def _go(study: Study, history: History, refused: Sequence[str] = ()) -> None:
    """Choose the history's present.

    The address comes last: a browser that is in a hurry may break off there.
    """
    choices.remember(_name_of(study), history)
    choices.remember("refused", tuple(refused))
    moment = history.now
    choices.update(
        architecture=choices.as_text(moment.architecture), start=choices.as_text(moment.start)
    )


def edit(study: Study, edited: Edited) -> None:
    """Make an edit the last of the history, where one click undoes it."""
    _go(study, history_of(study).then(edited.architecture), edited.refused)


def written(architecture: Architecture, space: SearchSpace) -> str:
    """As its family writes it, "" where it has no notation."""
    return family_of(space).write(space, architecture) or ""


def history_buttons(study: Study) -> None:
    """Draw undo, redo and the way back to the start."""
    history = history_of(study)
    ways: tuple[tuple[str, str, bool, Callable[[History], History]], ...] = (
        ("Undo", "Ctrl+Z", history.can_undo, History.undo),
        ("Redo", "Ctrl+Y", history.can_redo, History.redo),
    )
    # Whatever else changed about a button would take the focus from it.
    for label, shortcut, can, move in ways:
        st.button(
            label,
            key=label.lower(),
            shortcut=shortcut,
            disabled=not can,
            on_click=lambda move=move: _go(study, move(history_of(study))),
        )
    start = history.now.start
    st.button(
        "Back to the start",
        key="restart",
        disabled=history.now.architecture == start,
        on_click=lambda: edit(study, Edited(start)),
    )


def selected_cells(space: SearchSpace) -> tuple[Cell, ...]:
    """The cells that are edited: those chosen last, or the first block."""
    names = choices.remembered("cells") or ()
    cells = cells_of(space)
    chosen = tuple(cell for cell in cells if cell.name in names)
    return chosen or tuple(cell for cell in cells if cell.slot)[:1] or cells[:1]


def editable_picture(study: Study, other: Architecture | None = None) -> None:
    """Draw the picture of the architecture; cells that differ from `other` are marked."""
    space = study.space
    now = history_of(study).now.architecture
    names = [cell.name for cell in selected_cells(space)]
    picture(
        picture_data(space, now, other, selected=names),
        label="The architecture, block by block",
        key="picture",
        act=lambda events: _act(study, events),
    )


def keys_in_words(space: SearchSpace) -> str:
    """How the picture is edited without a mouse."""
    keys = ", ".join(f"**{letter}** {plain(role)}" for letter, role in role_keys(space).items())
    blocks = (
        "; **Enter** and **Delete** turn a block on and off; a title selects its row or column"
        if any(decision.conditions for decision in space.decisions)
        else ""
    )
    return (
        f"In the picture: arrows move, with Shift they select several; {keys}: the next choice, "
        f"with Shift the one before{blocks}."
    )


def _act(study: Study, events: Sequence[Event]) -> None:
    """Do what was done in the picture. What names no cell of the space is left aside, and so is
    all where, in the same moment, another start was chosen than the one in the picture."""
    if choices.current().architecture is None:
        return
    space, history = study.space, history_of(study)
    cells = {cell.name: cell for cell in cells_of(space)}
    before, refused = history, tuple(choices.remembered("refused") or ())
    for event in events:
        meant = [cells[name] for name in event.cells if name in cells]
        if event.kind == "select":
            choices.remember("cells", tuple(cell.name for cell in meant))
            continue
        edited = _done(space, history.now.architecture, event, meant)
        history, refused = history.then(edited.architecture), edited.refused
    if history is not before or refused:
        _go(study, history, refused)


def _done(
    space: SearchSpace, architecture: Architecture, event: Event, cells: Sequence[Cell]
) -> Edited:
    """The architecture after a step in the cells, or after they were opened or closed."""
    if event.kind == "step":
        decisions = _decisions(space, cells, event.role)
        return step_choices(space, architecture, decisions, event.by)
    for cell in cells:
        edited = _turned(space, architecture, cell, on=event.kind == "open")
        if edited.refused:
            return edited
        architecture = edited.architecture
    return Edited(architecture)


def _decisions(space: SearchSpace, cells: Sequence[Cell], role: str) -> tuple[Decision, ...]:
    """The role's decisions in the cells, or, where they have none, those of their groups, or what
    alone has that role in the whole space, such as the resolution."""
    groups = {cell.group for cell in cells}
    every = cells_of(space)
    whole = [cell for cell in every if cell.group in groups and not cell.slot]
    alone = roles_of(every).get(role, ())
    return (
        roles_of(cells).get(role) or roles_of(whole).get(role) or (alone if len(alone) == 1 else ())
    )


def _turned(space: SearchSpace, architecture: Architecture, cell: Cell, *, on: bool) -> Edited:
    if not cell.slot or cell.is_on(architecture) == on:
        return Edited(architecture)
    try:
        return Edited(turned(space, architecture, cell.slot, on=on))
    except InvalidInput as error:
        return Edited(architecture, (str(error),))


def scopes_of(space: SearchSpace) -> dict[str, tuple[str, ...]]:
    """What may be edited at once, by its name: each cell, each group, everything."""
    cells = cells_of(space)
    found: dict[str, tuple[str, ...]] = {}
    for group in space.groups:
        own = [cell for cell in cells if cell.group == group]
        title = group_title(space, group)
        if len(own) > 1:
            found[f"All of {title[0].lower()}{title[1:]}"] = tuple(cell.name for cell in own)
        for cell in own:
            found[cell.name if cell.slot else _named(title, cell)] = (cell.name,)
    changing = tuple(cell.name for cell in cells if cell.group not in space.context)
    if len(space.additive_groups) > 1:
        found["All stages" if space.slots else "Everything"] = changing
    return found


def _named(title: str, cell: Cell) -> str:
    roles = ", ".join(dict.fromkeys(d.role for d in cell.decisions))
    return f"{title}: {roles}"


def inspector(study: Study) -> None:
    """Draw the choices of the selected cells: what differs among them stands at none."""
    space = study.space
    now = history_of(study).now.architecture
    scopes = scopes_of(space)
    cells = selected_cells(space)
    names = tuple(cell.name for cell in cells)
    current = next((scope for scope, own in scopes.items() if set(own) == set(names)), PICKED)
    options = [*scopes, PICKED] if current == PICKED else list(scopes)
    key, react = choices.fresh_widget(
        "scope", current, lambda scope: choices.remember("cells", scopes.get(scope, names))
    )
    st.container(width=240, key="scope").selectbox(
        "Edit",
        options,
        format_func=lambda scope: f"{scope} ({len(cells)} cells)" if scope == PICKED else scope,
        key=key,
        on_change=react,
    )
    for role, decisions in roles_of(cells).items():
        _role_control(study, now, role, decisions)
    if len(cells) == 1 and cells[0].slot:
        _switch(study, now, cells[0])
    for sentence in choices.remembered("refused") or ():
        st.caption(f":orange[{plain(sentence)}]")


def _role_control(
    study: Study, now: Architecture, role: str, decisions: Sequence[Decision]
) -> None:
    """The choices of one role; nothing where all its decisions are off."""
    active = [decision for decision in decisions if decision.name in now]
    if not active:
        return
    options = list(dict.fromkeys(choice for decision in active for choice in decision.choices))
    values = {now[decision.name] for decision in active}

    def act(value: Value | None) -> None:
        if value is not None:
            present = history_of(study).now.architecture
            edit(study, set_choices(study.space, present, decisions, value))

    shown = values.pop() if len(values) == 1 else None
    key, react = choices.fresh_widget(f"set-{role}", shown, act)
    told = plain(role) if len(active) == 1 else f"{plain(role)} of {len(active)}"
    if len("".join(map(str, options))) > BUTTONS_LENGTH:
        st.selectbox(
            told,
            options,
            index=None,
            placeholder="mixed",
            key=key,
            on_change=react,
        )
    else:
        st.segmented_control(told, options, required=True, key=key, on_change=react)


def _switch(study: Study, now: Architecture, cell: Cell) -> None:
    """The button that turns a block on or off, with what that changes."""
    on = cell.is_on(now)
    with suppress(InvalidInput):
        after = turned(study.space, now, cell.slot, on=not on)
        moved = changes_between(study.space, now, after)
        governing = [c for c in moved if not c.decision.slot]
        how = ", ".join(f"{c.decision.role} {c.before} → {c.after}" for c in governing)
        st.button(
            plain(f"Turn {cell.slot} {'off' if on else 'on'} ({how})"),
            key="turn",
            on_click=lambda: edit(
                study,
                _turned(study.space, history_of(study).now.architecture, cell, on=not on),
            ),
        )
