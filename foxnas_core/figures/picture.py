"""An architecture as a picture: a cell for each block, its kernel as a shape, its expand ratio as a
colour; where its family knows it as a graph, the cells are that graph's edges. A page draws it
(`pages/shared/picture.js`); what it shows is settled here."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import pandas as pd

from foxnas_core.families import family_of
from foxnas_core.families.family import Graph
from foxnas_core.figures.cell_graph import bends, edge_title
from foxnas_core.figures.search import choice_text, group_title
from foxnas_core.figures.theme import (
    BLUE,
    BROWN,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    RED,
    SILVER,
    SKY,
    contrast,
)
from foxnas_core.space.architecture import Architecture, Value
from foxnas_core.space.editing.cells import cells_of
from foxnas_core.space.search_space import SearchSpace

# One hue from light to dark: its order is seen without telling hues apart, and in print.
_STOPS = ((222, 236, 246), (86, 160, 211), (0, 104, 165), (4, 44, 80))
# What the eye orders at a glance; where there are more choices, text alone tells them.
_MOST_COLOURS = 12
# Choices without an order, such as operations: hues that can be told apart. Text alone tells more.
_HUES = (SILVER, SKY, ORANGE, RED, GREEN, PURPLE, BLUE, BROWN, INK)
# These have a sign of their own, or concern more than one block.
_NOT_COLOURED = ("kernel", "depth", "resolution")


def picture_table(
    space: SearchSpace, architecture: Architecture, other: Architecture | None = None
) -> pd.DataFrame:
    """An architecture as a grid, one row a cell (see `editing.cells`).

    Columns: row (the group's title), column ("block 2", or what concerns the whole group), cell,
    on, words ("kernel 5, expand 3", or "off"), text (the same, short), kernel (missing where there
    is none), colour (hexadecimal, of `colour_scale`; "" without) and ink on it, differs (from
    `other`). An edge of a graph has its nodes as column ("1 → out"), and no colour where it is
    dead.
    """
    rows = _drawn_cells(space, architecture, other, colour_scale(space))
    return pd.DataFrame(rows).astype({"kernel": "Int64"})


def picture_data(
    space: SearchSpace,
    architecture: Architecture,
    other: Architecture | None = None,
    *,
    selected: Sequence[str] = (),
    editable: bool = True,
) -> dict[str, Any]:
    """`picture_table` as what the page's drawing reads: plain values, ready for JSON.

    `selected` names cells. Groups without slots are flat: they stand side by side. Cells that are
    edges of `graphs` stand on these instead: nodes' places and edges' ends are from 0 to 1, and
    a bend is as in `cell_graph.bends`. Edges that the architecture's graphs leave out are left out.
    """
    role, colours = scale = colour_scale(space)
    cells: dict[str, list[dict[str, Any]]] = {}
    # Without a data frame between: this is drawn anew with every edit.
    rows = _drawn_cells(space, architecture, other, scale)
    graphs = family_of(space).graphs(space, architecture)
    layout = family_of(space).layout(space)
    drawn = {edge.cell for graph in graphs for edge in graph.edges}
    for row, cell in zip(rows, cells_of(space), strict=True):
        if graphs and cell.slot and cell.name not in drawn:
            continue
        cells.setdefault(cell.group, []).append(
            {
                "name": cell.name,
                "column": row["column"],
                "isBlock": bool(cell.slot),
                "on": row["on"],
                "text": row["text"],
                "label": f"{cell.name}: {row['words']}" + (", differs" if row["differs"] else ""),
                "kernel": row["kernel"],
                "colour": row["colour"],
                "ink": row["ink"],
                "differs": row["differs"],
            }
        )
    kernels = {c for d in space.decisions if d.role == "kernel" for c in d.choices}
    return {
        "groups": [
            {
                "title": group_title(space, group),
                "isFlat": not any(cell["isBlock"] for cell in own),
                "cells": own,
            }
            for group, own in cells.items()
        ],
        "graphs": [_graph(graph) for graph in graphs],
        "columns": [] if layout is None else list(layout.columns),
        "rows": []
        if layout is None
        else [
            {
                "title": row.title,
                "places": [list(place) for place in row.places],
                "skip": row.skip,
            }
            for row in layout.rows
        ],
        "kernels": sorted(k for k in kernels if isinstance(k, int)),
        "colourRole": role,
        "colours": [
            {"text": str(choice), "colour": colour, "ink": _ink(colour)}
            for choice, colour in colours.items()
        ],
        "keys": role_keys(space),
        "selected": list(selected),
        "editable": editable,
    }


def _graph(graph: Graph) -> dict[str, Any]:
    last = len(graph.nodes) - 1
    return {
        "title": graph.title,
        "nodes": [{"text": name, "x": place / last} for place, name in enumerate(graph.nodes)],
        "edges": [
            {
                "cell": edge.cell, "from": edge.source / last, "to": edge.target / last,
                "bend": bend, "live": edge.live,
            }
            for edge, bend in zip(graph.edges, bends(graph.edges), strict=True)
        ],
    }  # fmt: skip


def _drawn_cells(
    space: SearchSpace,
    architecture: Architecture,
    other: Architecture | None,
    scale: tuple[str, dict[Value, str]],
) -> list[dict[str, Any]]:
    """The rows of `picture_table`."""
    role, colours = scale
    graphs = family_of(space).graphs(space, architecture)
    edges = {edge.cell: (graph, edge) for graph in graphs for edge in graph.edges}
    rows = []
    positions: dict[str, int] = {}
    for cell in cells_of(space):
        position = positions[cell.group] = positions.get(cell.group, 0) + bool(cell.slot)
        found = edges.get(cell.name)
        column = f"block {position}" if cell.slot else _whole(space)
        is_dead = found is not None and not found[1].live
        active = [d for d in cell.decisions if d.name in architecture]
        by_role = {d.role: architecture[d.name] for d in active}
        kernel = by_role.get("kernel")
        colour = colours[by_role[role]] if role in by_role and colours and not is_dead else ""
        rows.append(
            {
                "row": group_title(space, cell.group),
                "column": edge_title(*found) if found else column,
                "cell": cell.name,
                "on": bool(active),
                "words": (", ".join(f"{d.role} {architecture[d.name]}" for d in active) or "off")
                + (", on no path to the output" if is_dead else ""),
                "text": " ".join(choice_text(d, architecture[d.name]) for d in active) or "off",
                "kernel": kernel if isinstance(kernel, int) else None,
                "colour": colour,
                "ink": _ink(colour),
                "differs": other is not None
                and any(architecture.get(d.name) != other.get(d.name) for d in cell.decisions),
            }
        )
    return rows


def role_keys(space: SearchSpace) -> dict[str, str]:
    """A letter for each role that steps through its choices: the first of its name that is
    free."""
    keys: dict[str, str] = {}
    for role in dict.fromkeys(d.role for d in space.decisions):
        letter = next(
            (c for c in role.casefold() if c.isascii() and c.isalpha() and c not in keys), ""
        )
        if letter:
            keys[letter] = role
    return keys


def colour_scale(space: SearchSpace) -> tuple[str, dict[Value, str]]:
    """The role that is shown as colour, and the colour of each of its choices: from light to dark
    where they are numbers, a hue of its own each where they have no order.

    That is "expand", or else what most decisions are about; "" and nothing where that has too
    many choices to be told apart.
    """
    counts: dict[str, int] = {}
    for decision in space.decisions:
        if decision.role not in _NOT_COLOURED:
            counts[decision.role] = counts.get(decision.role, 0) + 1
    if not counts:
        return "", {}
    role = "expand" if "expand" in counts else max(counts, key=lambda name: counts[name])
    choices = dict.fromkeys(c for d in space.decisions if d.role == role for c in d.choices)
    numbers = [choice for choice in choices if not isinstance(choice, str)]
    if len(numbers) < len(choices):
        hues = dict(zip(choices, _HUES, strict=False))
        return (role, hues) if len(hues) == len(choices) else ("", {})
    if len(numbers) > _MOST_COLOURS:
        return "", {}
    last = max(1, len(numbers) - 1)
    return role, {choice: _shade(place / last) for place, choice in enumerate(sorted(numbers))}


def _whole(space: SearchSpace) -> str:
    return "stage" if space.slots else "choice"


def _shade(share: float) -> str:
    place = share * (len(_STOPS) - 1)
    first = min(int(place), len(_STOPS) - 2)
    ends = zip(_STOPS[first], _STOPS[first + 1], strict=True)
    mixed = (round(a + (place - first) * (b - a)) for a, b in ends)
    return "#" + "".join(f"{part:02X}" for part in mixed)


@cache
def _ink(colour: str) -> str:
    """Black or white, whichever has the greater contrast to a colour by WCAG 2, at least 4.5; ""
    for the page's own ink where there is no colour."""
    if not colour:
        return ""
    return max(("#000000", "#FFFFFF"), key=lambda ink: contrast(ink, colour))
