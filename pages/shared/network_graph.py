"""A network's graph, drawn in the browser: blocks to open, and what is pointed at in detail."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import streamlit as st

from foxnas_core.cards import operators as cards
from foxnas_core.cards.given import Given
from foxnas_core.cards.model_graph import effects_of
from foxnas_core.errors import FoxnasError
from foxnas_core.figures import operators as figures
from foxnas_core.figures.network_graph import graph_data
from foxnas_core.figures.theme import in_dark
from pages.shared import choices
from pages.shared.cards import draw, show
from pages.shared.comparison_picker import Reference
from pages.shared.frame import errors_as_cards
from pages.shared.panel import closed_table
from pages.shared.picked import picked
from pages.shared.picture import new_events
from pages.shared.text import plain
from pages.shared.theme import is_dark
from pages.shared.views import go

_HERE = Path(__file__).parent
_KEY = "network"
_draw = st.components.v2.component(
    "network_graph",
    html='<div class="network"></div>',
    css=(_HERE / "network_graph.css").read_text(),
    js=(_HERE / "network_graph.js").read_text(),
)


@st.fragment
def show_network(
    given: Given,
    reference: Reference | None,
    *,
    precision: str,
    profiled: bool,
    device: str = "",
) -> None:
    """The graph, beside that of the `reference` where it is drawn, what is chosen in it and its
    table; drawn alone at each click."""
    with errors_as_cards():
        graph = cards.graph_of(given, given.subnet)
        found = cards.profile_of(given, precision, profiled)
        beside = None
        if reference is not None and reference.drawn:
            beside = replace(given, architecture=reference.architecture, start=given.subnet)
        boxes = {box.name: box for box in figures.boxes_of(graph)}
        opened = {name for name in choices.remembered("opened") or () if name in boxes}
        chosen = _chosen(given)
        row = st.container(horizontal=True, vertical_alignment="bottom")
        _find(row, graph, boxes, chosen)
        by = picked(
            row.segmented_control, "Colour by", figures.measures(found), key="network-by",
            required=True,
        )  # fmt: skip
        row.button("Open all", key="open-all", on_click=lambda: _open(boxes))
        row.button("Close all", key="close-all", on_click=lambda: _open(()))
        differ, gone = cards.differing(given)
        st.caption(plain(_said(graph.weights, differ, gone)))
        left, right = st.columns(2 if beside else [3, 2], gap="large")
        how = {"by": by, "precision": precision, "profiled": profiled, "device": device}
        how |= {"opened": opened, "chosen": chosen}
        with left:
            if beside:
                st.markdown("**This subnet**")
            _graph(given, _KEY, **how)
        with right:
            if beside and reference:
                st.markdown(f"**{plain(reference.name[:1].upper() + reference.name[1:])}**")
                _graph(beside, f"{_KEY}-beside", **how)
        st.caption(
            "Click for details, double-click or + to open a block; arrows move, Enter chooses, "
            "space opens. Two fingers, Ctrl with the wheel, + and − zoom."
        )
        with st.container() if beside else right:
            _details(given, chosen, precision, profiled, device)
        show(cards.changes, given, chosen=chosen, precision=precision)
        closed_table(
            "All operators as a table",
            lambda: cards.operators.card(given, precision=precision, profiled=profiled).table,
            key="operators",
        )


def _graph(
    given: Given,
    key: str,
    *,
    by: str,
    precision: str,
    profiled: bool,
    device: str,
    opened: set[str],
    chosen: str,
) -> None:
    """One subnet's graph, in which what differs from its start is marked."""
    data = graph_data(
        cards.graph_of(given, given.subnet),
        by=by,
        profile=cards.profile_of(given, precision, profiled),
        effects=effects_of(given, precision, device)[0],
        words=cards.chosen_words(given.study.space, given.subnet),
        opened=opened,
        chosen=chosen,
        differing=cards.differing(given)[0],
    )
    data |= {
        "label": f"The operators of subnet {given.subnet.id}",
        "sought": choices.remembered("sought") or "",
    }
    _draw(
        key=key,
        data=in_dark(data) if is_dark() else data,
        on_events_change=choices.on_change(key, lambda state: _react(state, key)),
    )


def _said(weights: str, differ: frozenset[str], gone: tuple[str, ...]) -> str:
    """What the picture is of, in a caption."""
    told = f"Its weights are {weights}."
    if differ:
        told += f" Dashed: what differs from the start, {', '.join(sorted(differ))}."
    if gone:
        told += f" The start alone has {', '.join(gone)}."
    return told


def _chosen(given: Given) -> str:
    """What was clicked last, where this network has it, else the first block that is decided on."""
    wanted = choices.remembered("chosen-node") or ""
    try:
        cards.place_of(given, wanted)
    except FoxnasError:
        wanted = ""
    return wanted or figures.BLOCK + cards.place_of(given, "")[0]


def _find(row: Any, graph: Any, boxes: Any, chosen: str) -> None:
    """The list of all that can be found by its name."""
    names = {figures.BLOCK + name: name for name in boxes}
    names |= {f"{figures.NODE}{place}": name for place, name in enumerate(graph.names)}
    picked(
        row.selectbox,
        "Find a block or operator",
        names,
        key="network-find",
        value=chosen,
        act=lambda found: _reveal(found, boxes),
        width=300,
    )


def _reveal(found: str, boxes: Any) -> None:
    """Choose it, its block opened, and have the view brought there."""
    if found.startswith(figures.NODE):
        place = int(found.removeprefix(figures.NODE))
        home = next(name for name, box in boxes.items() if place in box.nodes)
        _open({*(choices.remembered("opened") or ()), home})
    choices.remember("chosen-node", found)
    times = (choices.remembered("sought-times") or 0) + 1
    choices.remember("sought-times", times)
    choices.remember("sought", f"{found}#{times}")


def _open(names: Any) -> None:
    choices.remember("opened", tuple(names))


def _react(state: Any, key: str) -> None:
    """Do what was done in the graph; what names nothing of this network is left aside when it is
    drawn."""
    sent = state.get("events") if hasattr(state, "get") else None
    events, last = new_events(sent, choices.remembered(f"{key}-seen"))
    choices.remember(f"{key}-seen", last)
    for event in events:
        name = event.cells[0] if event.cells else ""
        if event.kind == "select":
            choices.remember("chosen-node", name)
        elif event.kind in ("open", "close"):
            own = {name.removeprefix(figures.BLOCK)}
            opened = set(choices.remembered("opened") or ())
            _open(opened | own if event.kind == "open" else opened - own)


def _details(given: Given, chosen: str, precision: str, profiled: bool, device: str) -> None:
    """What is known of what is chosen, and the way to the editor of its block."""
    card = cards.details.compute(
        given, chosen=chosen, precision=precision, profiled=profiled, device=device
    )
    draw(card, given.study, tabled=False)
    closed_table("Shapes, attributes and weights", lambda: card.table, key="details")
    cell = cards.cell_at(given, chosen)
    if cell and st.button(plain(f"Edit {cell}"), key="edit-block"):
        choices.remember("cells", (cell,))
        go("What-if", "editor")
