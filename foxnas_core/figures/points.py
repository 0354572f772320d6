"""Clouds of subnets: drawn by the graphics card where there are many, one of them found in all."""

from collections.abc import Sequence
from typing import Any

from plotly import graph_objects as go

from foxnas_core.figures.theme import ORANGE

# Beyond so many points a browser draws shapes one by one too slowly to hover over them.
MANY = 1000


def add_subnets(
    figure: go.Figure, ids: Sequence[str], *, marker: dict[str, Any], **trace: Any
) -> None:
    """Add a point a subnet to a figure: x, y and the rest as in Plotly's `add_scatter`.

    `ids` (points,) are the subnets' ids, by which `highlighted` finds them. Of more than `MANY`
    points each is small and lets others through, so that a cloud still shows where it is dense.
    """
    many = len(ids) > MANY
    if many:
        marker = marker | {"size": min(marker["size"], 4), "opacity": 0.5, "line": {"width": 0}}
    add = figure.add_scattergl if many else figure.add_scatter
    add(mode="markers", ids=list(ids), marker=marker, **trace)


def subnet_at(figure: go.Figure, curve: int, point: int) -> str | None:
    """The id of the subnet that a point of a trace stands for; None where it stands for none."""
    if not 0 <= curve < len(figure.data):
        return None
    ids = _ids(figure.data[curve])
    return ids[point] if 0 <= point < len(ids) else None


def has_subnets(figure: go.Figure) -> bool:
    """Whether any of its points stand for subnets."""
    return any(_ids(trace) for trace in figure.data)


def highlighted(figure: go.Figure, subnet: str | None) -> go.Figure:
    """The figure with a ring about each of its points that stands for `subnet`; as it is, where
    none does."""
    rings = [
        type(trace)(
            x=[trace.x[place]], y=[trace.y[place]], xaxis=trace.xaxis, yaxis=trace.yaxis,
            mode="markers", name=subnet, showlegend=False, hoverinfo="skip",
            marker={
                "symbol": "circle-open", "size": 17, "color": ORANGE,
                "line": {"width": 3, "color": ORANGE},
            },
        )
        for trace in figure.data
        for place, own in enumerate(_ids(trace) if subnet else ())
        if own == subnet
    ]  # fmt: skip
    return go.Figure([*figure.data, *rings], figure.layout) if rings else figure


def _ids(trace: Any) -> Sequence[str]:
    ids = getattr(trace, "ids", None) if trace.type in ("scatter", "scattergl") else None
    return () if ids is None else ids
