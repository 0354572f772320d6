"""Shapes that figures are made of, as plain values that `drawn` puts together.

What a mark tells when pointed at is a template of Plotly's, `hover`; without one it tells nothing.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from foxnas_core.figures.theme import GREY, INK, faint, new_figure
from foxnas_core.table.metrics import Metric

Trace = dict[str, Any]

# An axis of rows in words, the first on top.
ROWS = {"autorange": "reversed", "type": "category", "showgrid": False}


def drawn(
    traces: Iterable[Trace],
    *,
    height: int,
    x: str | Mapping[str, Any] = "",
    y: str | Mapping[str, Any] = "",
    **layout: Any,
) -> go.Figure:
    """A figure of traces; `x` and `y` are the titles of its axes, or all that is set of them."""
    axes = {"xaxis": _axis(x), "yaxis": _axis(y)}
    return new_figure(traces, {"height": height, **axes, **layout})


def _axis(told: str | Mapping[str, Any]) -> dict[str, Any]:
    own = {"title": told} if isinstance(told, str) else dict(told)
    return own | {"title": {"text": own["title"]}} if own.get("title") else own


def panels(columns: int, rows: int = 1, **how: Any) -> go.Figure:
    """A figure of panels beside and below each other, as in `make_subplots`."""
    return make_subplots(rows=rows, cols=columns, figure=new_figure(), **how)


def _told(hover: str) -> dict[str, Any]:
    if not hover:
        return {"hoverinfo": "skip"}
    return {"hovertemplate": hover if "<extra>" in hover else f"{hover}<extra></extra>"}


def line(
    x: ArrayLike,
    y: ArrayLike,
    name: str = "",
    *,
    colour: str = GREY,
    width: float = 1.5,
    dash: str | None = None,
    hover: str = "",
    **trace: Any,
) -> Trace:
    """A line, which has a place in the legend where it has a `name`."""
    return {
        "type": "scatter", "mode": "lines", "x": x, "y": y, "name": name,
        "showlegend": bool(name), "line": {"color": colour, "width": width, "dash": dash},
        **_told(hover), **trace,
    }  # fmt: skip


def equal(*values: ArrayLike, name: str = "equal", dash: str | None = None) -> Trace:
    """The line on which both axes say the same, from the least of the values to the greatest."""
    every = np.concatenate([np.asarray(v, dtype=float).ravel() for v in values])
    ends = [float(np.nanmin(every)), float(np.nanmax(every))]
    return line(ends, ends, name, dash=dash)


def band(
    x: ArrayLike, low: ArrayLike, high: ArrayLike, colour: str, name: str = "", *, opacity: float
) -> Trace:
    """What lies between two lines."""
    along, below, above = (np.asarray(v) for v in (x, low, high))
    return line(
        np.concatenate([along, along[::-1]]), np.concatenate([above, below[::-1]]), name,
        width=0, fill="toself", fillcolor=faint(colour, opacity),
    )  # fmt: skip


def markers(x: ArrayLike, y: ArrayLike, name: str = "", *, hover: str = "", **trace: Any) -> Trace:
    """Points, which have a place in the legend where they have a `name`."""
    return {
        "type": "scatter", "mode": "markers", "x": x, "y": y, "name": name,
        "showlegend": bool(name), **_told(hover), **trace,
    }  # fmt: skip


def bars(
    rows: ArrayLike, values: ArrayLike, colour: Any, name: str = "", *, hover: str, **trace: Any
) -> Trace:
    """A bar to the right for each row of a figure whose y axis has `ROWS`."""
    return {
        "type": "bar", "orientation": "h", "y": rows, "x": values, "name": name,
        "showlegend": bool(name), "marker": {"color": colour}, **_told(hover), **trace,
    }  # fmt: skip


def cells(
    values: ArrayLike,
    x: ArrayLike,
    y: ArrayLike,
    text: Any,
    *,
    scale: Any,
    least: float,
    most: float,
    hover: str,
    **trace: Any,
) -> Trace:
    """A heatmap whose cells say their `text`."""
    return {
        "type": "heatmap", "z": values, "x": x, "y": y, "text": text, "texttemplate": "%{text}",
        "textfont": {"color": INK}, "colorscale": scale, "zmin": least, "zmax": most,
        "showscale": False, "hoverongaps": False, "xgap": 2, "ygap": 2, **_told(hover), **trace,
    }  # fmt: skip


def ruled(
    figure: go.Figure,
    *,
    x: float | None = None,
    y: float | None = None,
    text: str = "",
    at: str = "top right",
    colour: str = GREY,
    width: float = 1,
    dash: str | None = "dash",
    **place: Any,
) -> go.Figure:
    """The figure with a line across it at one `x` or `y`, and what that says `at` its end."""
    how: dict[str, Any] = {"line": {"color": colour, "width": width, "dash": dash}, **place}
    if text:
        font = {"color": INK, "size": 12}
        how |= {"annotation": {"text": text, "font": font}, "annotation_position": at}
    return figure.add_hline(y=y, **how) if x is None else figure.add_vline(x=x, **how)


def in_numbers(table: pd.DataFrame, target: Metric) -> list[str]:
    """Each effect with its interval, as it is read."""
    return [
        f"{target.text(effect, signed=True)} ({target.text(low, signed=True)} to "
        f"{target.text(high, signed=True)})"
        for effect, low, high in zip(table["effect"], table["low"], table["high"], strict=True)
    ]
