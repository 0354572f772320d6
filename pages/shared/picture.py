"""The picture of an architecture, drawn in the browser; what is done to it comes back as events."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from foxnas_core.figures.picture import picture_data
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace
from pages.shared import choices

_HERE = Path(__file__).parent
_KINDS = ("select", "step", "open", "close")
_draw = st.components.v2.component(
    "architecture_picture",
    html='<div class="picture"></div>',
    css=(_HERE / "picture.css").read_text(),
    js=(_HERE / "picture.js").read_text(),
)


@dataclass(frozen=True)
class Event:
    """What somebody did in the picture.

    `kind` is "select" (the cells are selected now), "step" (the role's choices in the cells move
    on by `by`), "open" or "close" (turn the cells on or off).
    """

    kind: str
    cells: tuple[str, ...]
    role: str = ""
    by: int = 1


def picture(
    data: dict[str, Any],
    *,
    label: str,
    key: str,
    act: Callable[[Sequence[Event]], None] | None = None,
) -> None:
    """Draw `figures.picture.picture_data`; `act` is called with what was done, in order."""

    def react(state: Any) -> None:
        sent = state.get("events") if hasattr(state, "get") else None
        events, last = new_events(sent, choices.remembered(f"{key}-seen"))
        choices.remember(f"{key}-seen", last)
        if events and act is not None:
            act(events)

    shown = {**data, "label": label, "seen": choices.remembered(f"{key}-seen")}
    _draw(key=key, data=shown, on_events_change=choices.on_change(key, react))


def show_architecture(
    space: SearchSpace, architecture: Architecture, other: Architecture | None = None, *, key: str
) -> None:
    """Draw an architecture that is only looked at; what differs from `other` is marked."""
    data = picture_data(space, architecture, other, editable=False)
    picture(data, label=f"Architecture {architecture.id}", key=key)


def new_events(sent: Any, seen: str | None) -> tuple[list[Event], str | None]:
    """The events after the one with the id `seen`, and the id of the last.

    The browser sends its last events anew with each one. What is no event is left out.
    """
    entries = [e for e in sent if isinstance(e, dict)] if isinstance(sent, list) else []
    ids = [entry.get("id") for entry in entries]
    if seen in ids:
        entries = entries[ids.index(seen) + 1 :]
    events = [event for entry in entries if (event := _parsed(entry)) is not None]
    last = next((i for i in reversed(ids) if isinstance(i, str)), seen)
    return events, last


def _parsed(entry: dict[str, Any]) -> Event | None:
    kind, cells = entry.get("kind"), entry.get("cells")
    if kind not in _KINDS or not isinstance(cells, list):
        return None
    role, by = entry.get("role", ""), entry.get("by", 1)
    if not isinstance(role, str) or by not in (-1, 1) or not all(isinstance(c, str) for c in cells):
        return None
    return Event(kind, tuple(cells), role, by)
