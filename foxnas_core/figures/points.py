"""Points that stand for subnets or blocks: many go to the graphics card, one is found in all.

A trace's `meta` says what its points, or a heatmap's cells, stand for. Plotly's own `ids` would not
do: of several points with one id it draws the last."""

from collections.abc import Sequence
from typing import Any

from plotly import graph_objects as go

from foxnas_core.figures.theme import ORANGE

# Beyond so many points a browser draws shapes one by one too slowly to hover over them.
MANY = 1000
_BLOCK = "block "
_JOINT = "–"  # between the slots that make one block


def subnet_points(ids: Sequence[str], *, marker: dict[str, Any], **trace: Any) -> dict[str, Any]:
    """A point a subnet, as a trace: x, y and the rest as in Plotly's `Scatter`.

    `ids` (points,) are the subnets' ids, by which `highlighted` finds them. Of more than `MANY`
    points each is small and lets others through, so that a cloud still shows where it is dense.
    """
    kind = "scatter"
    if len(ids) > MANY:
        kind = "scattergl"
        marker = marker | {"size": min(marker["size"], 4), "opacity": 0.5, "line": {"width": 0}}
    return {"type": kind, "mode": "markers", "meta": list(ids), "marker": marker, **trace}


def add_subnets(
    figure: go.Figure, ids: Sequence[str], *, marker: dict[str, Any], **trace: Any
) -> None:
    """Add `subnet_points` to a figure, or to the panel of it in a `row` and `col`."""
    place = {name: trace.pop(name) for name in ("row", "col") if name in trace}
    figure.add_trace(subnet_points(ids, marker=marker, **trace), **place)


def block_ids(blocks: Sequence[str]) -> list[str]:
    """The ids of points that stand for blocks, by their names; blocks of several slots name them
    all, as s3b1–s3b2."""
    return [f"{_BLOCK}{block}" for block in blocks]


def block_of(found: str) -> str | None:
    """The block that an id stands for; None where it is a subnet's."""
    return found.removeprefix(_BLOCK) if found.startswith(_BLOCK) else None


def id_at(figure: go.Figure, curve: int, point: int) -> str | None:
    """The id of what a point of a trace stands for; None where it stands for nothing."""
    if not 0 <= curve < len(figure.data):
        return None
    ids = _ids(figure.data[curve])
    return ids[point] if 0 <= point < len(ids) else None


def has_ids(figure: go.Figure) -> bool:
    """Whether any of its points stand for a subnet or a block."""
    return any(_ids(trace) for trace in figure.data)


def highlighted(figure: go.Figure, subnet: str | None, block: str | None = None) -> go.Figure:
    """The figure with a ring about each of its points that stands for `subnet`, for `block` or for
    one that shares slots with it, and a frame about such cells; as it is, where none does."""
    slots = set(block.split(_JOINT)) if block else set()

    def is_meant(own: str) -> bool:
        parts = block_of(own)
        return own == subnet if parts is None else not slots.isdisjoint(parts.split(_JOINT))

    rings = [
        type(trace)(
            x=[trace.x[place]], y=[trace.y[place]], xaxis=trace.xaxis, yaxis=trace.yaxis,
            mode="markers", name=block_of(own) or own, showlegend=False, hoverinfo="skip",
            marker={
                "symbol": "circle-open", "size": 17, "color": ORANGE,
                "line": {"width": 3, "color": ORANGE},
            },
        )
        for trace in figure.data
        for place, own in enumerate(_ids(trace))
        if is_meant(own)
    ]  # fmt: skip
    frames = [
        {
            "type": "rect", "xref": trace.xaxis or "x", "yref": trace.yaxis or "y",
            "x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5,
            "line": {"width": 4, "color": ORANGE},
        }
        for trace in figure.data
        if trace.type == "heatmap" and trace.meta is not None
        for row, cells in enumerate(trace.meta)
        for column, own in enumerate(cells)
        if own and is_meant(own)
    ]  # fmt: skip
    if not rings and not frames:
        return figure
    shown = go.Figure([*figure.data, *rings], figure.layout)
    return shown.update_layout(shapes=[*figure.layout.shapes, *frames])


def _ids(trace: Any) -> Sequence[str]:
    return trace.meta or () if trace.type in ("scatter", "scattergl") else ()
