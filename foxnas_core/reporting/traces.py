"""The traces of a figure as marks on a panel's scales: scatters, bars, heatmaps."""

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike
from plotly.colors import sample_colorscale

from foxnas_core.figures.theme import BLUE, GREY, GRID, INK, PAPER
from foxnas_core.reporting.marks import (
    element,
    joined,
    line,
    mark,
    pen_of,
    stroke_of,
    text_at,
)
from foxnas_core.reporting.scales import Scale

# Of a trace with more points so many are drawn, and beyond so many they say nothing.
MOST_POINTS = 1000
_SHOWN = re.compile(r"%\{(\w+)(?:\[(\d+)\])?(?::([^}]*))?\}")
_LETTER = 6.6  # px, of the text's mean


def _scatter(trace: dict, x: Scale, y: Scale, filled: dict, stacks: dict) -> Markup:
    xs, ys = _places(trace["x"], x), _places(trace["y"], y)
    mode, parts = mode_of(trace), []
    corners = list(zip(xs, ys, strict=True))
    if trace.get("line", {}).get("shape") == "hv" and corners:
        stepped = corners[:1]
        for before, after in itertools.pairwise(corners):
            stepped += [(after[0], before[1]), after]
        corners = stepped
    if fill := trace.get("fill"):
        behind = filled.get("last", []) if fill == "tonexty" else []
        if fill == "tozeroy" and corners:
            behind = [(corners[0][0], y.at(0)), (corners[-1][0], y.at(0))]
        area = joined([*corners, *behind[::-1]])
        parts.append(element("polygon", {"points": area, "fill": trace.get("fillcolor", GRID)}))
    filled["last"] = corners
    if "lines" in mode and trace.get("line", {}).get("width", 2):
        pen = pen_of(trace.get("line", {}), trace.get("marker", {}).get("color", BLUE))
        parts += [
            element("polyline", {"points": joined(run), "fill": "none", **stroke_of(**pen)})
            for run in _runs(corners)
        ]
    if "markers" in mode:
        parts.append(_markers(trace, xs, ys, x, y))
    if "text" in mode:
        parts += [
            text_at(px, py - 8, bare(str(words)), "end" if px > 0.8 * x.end else "middle")
            for px, py, words in zip(xs, ys, _each(trace.get("text"), len(xs)), strict=True)
            if words and math.isfinite(px) and math.isfinite(py)
        ]
    return Markup("").join(parts)


def _markers(trace: dict, xs: list[float], ys: list[float], x: Scale, y: Scale) -> Markup:
    marker, parts = trace.get("marker", {}), []
    kept = np.flatnonzero(np.isfinite(xs) & np.isfinite(ys))
    if len(kept) > MOST_POINTS:
        kept = np.sort(np.random.default_rng(0).choice(kept, MOST_POINTS, replace=False))
    for way, scale in (("x", x), ("y", y)):
        bars = trace.get(f"error_{way}") or {}
        if "array" not in bars:
            continue
        values = np.asarray(trace[way]) if scale.categories is None else None
        if values is None:
            continue
        more = np.asarray(bars["array"], dtype=float)
        less = np.asarray(bars.get("arrayminus", more), dtype=float)
        for i in kept:
            low, high = scale.at(values[i] - less[i]), scale.at(values[i] + more[i])
            ends = ((low, ys[i]), (high, ys[i])) if way == "x" else ((xs[i], low), (xs[i], high))
            parts.append(line(*ends, bars.get("color", GREY), bars.get("thickness", 1.2)))
    count = len(xs)
    colours = _colours(marker, count)
    sizes, symbols = (
        _each(marker.get(name, default), count)
        for name, default in (("size", 6), ("symbol", "circle"))
    )
    edge = marker.get("line", {})
    edges, thick = _each(edge.get("color"), count), edge.get("width", 0)
    paints = [
        {"fill": colours[i]}
        | ({"stroke": edges[i] or colours[i], "stroke-width": thick} if np.any(thick) else {})
        for i in kept
    ]
    # What all have in common is said once.
    alike = paints[0] if paints and all(paint == paints[0] for paint in paints) else {}
    for i, paint in zip(kept, paints, strict=True):
        own = {} if alike and "-open" not in str(symbols[i]) else paint
        parts.append(
            mark(xs[i], ys[i], float(sizes[i]) / 2, symbols[i], own, said=_said(trace, int(i)))
        )
    opacity = marker.get("opacity", trace.get("opacity"))
    opacity = opacity if isinstance(opacity, int | float) else None
    return element("g", {"fill-opacity": opacity, **alike}, *parts)


def _bar(trace: dict, x: Scale, y: Scale, filled: dict, stacks: dict) -> Markup:
    lying = trace.get("orientation") == "h"
    along, across = (x, y) if lying else (y, x)
    lengths = _numbers(trace["x" if lying else "y"])
    places = _places(trace["y" if lying else "x"], across)
    widths = _each(trace.get("width"), len(places))
    colours, words = (
        _colours(trace.get("marker", {}), len(places)),
        _each(trace.get("text"), len(places)),
    )
    bases = _numbers(_each(trace.get("base", 0), len(places)))
    parts = []
    for i, (length, place, base) in enumerate(zip(lengths, places, bases, strict=True)):
        if not math.isfinite(length) or not math.isfinite(place):
            continue
        begin = stacks.get((lying, place), base) if along.stacked else base
        stacks[lying, place] = begin + length
        start, end = along.at(begin), along.at(begin + length)
        half = across.step / 2 * 0.8 if widths[i] is None else _half(across, place, widths[i])
        shape = (min(start, end), place - half) if lying else (place - half, min(start, end))
        size = (abs(end - start), 2 * half) if lying else (2 * half, abs(end - start))
        said = _said(trace, i)
        parts.append(
            element(
                "rect",
                dict(zip(("x", "y", "width", "height"), (*shape, *size), strict=True))
                | {"fill": colours[i]},
                *([element("title", {}, said)] if said else []),
            )
        )
        if words[i]:
            at = (max(start, end) + 5, place + 4) if lying else (place, min(start, end) - 5)
            inside = lying and at[0] + _LETTER * len(str(words[i])) > x.end
            parts.append(
                text_at(max(start, end) - 5, at[1], bare(str(words[i])), "end", fill=PAPER)
                if inside
                else text_at(*at, bare(str(words[i])), "start" if lying else "middle")
            )
    return Markup("").join(parts)


def _half(scale: Scale, place: float, width: float) -> float:
    value = scale.value(place)
    return abs(scale.at(value + width / 2) - scale.at(value - width / 2)) / 2


def _heatmap(trace: dict, x: Scale, y: Scale, filled: dict, stacks: dict) -> Markup:
    z = np.asarray(trace["z"], dtype=float)
    xs = _places(trace.get("x", range(z.shape[1])), x)
    ys = _places(trace.get("y", range(z.shape[0])), y)
    finite = z[np.isfinite(z)]
    if not len(finite):
        return Markup("")
    low, high = trace.get("zmin", finite.min()), trace.get("zmax", finite.max())
    texts, parts = trace.get("text"), []
    cells = np.argwhere(np.isfinite(z))
    fills = _scaled(trace.get("colorscale"), (z[tuple(cells.T)] - low) / ((high - low) or 1))
    for (row, column), fill in zip(cells, fills, strict=True):
        left, top = xs[column] - x.step / 2 + 1, ys[row] - y.step / 2 + 1
        size = {"width": max(x.step - 2, 1), "height": max(y.step - 2, 1)}
        parts.append(element("rect", {"x": left, "y": top, **size, "fill": fill}))
        if texts is not None and (words := str(texts[row][column])):
            middle = text_at(xs[column], ys[row] + 4, bare(words), "middle", fill=INK)
            parts.append(middle)
    return Markup("").join(parts)


MAKERS = {"scatter": _scatter, "scattergl": _scatter, "bar": _bar, "heatmap": _heatmap}


# What traces are made of


def mode_of(trace: dict) -> str:
    return trace.get("mode") or ("lines" if len(trace["x"]) > 20 else "lines+markers")


def _numbers(values: Any) -> list[float]:
    return [float(v) for v in np.asarray(list(values), dtype=float)]


def _places(values: Any, scale: Scale) -> list[float]:
    return [scale.at(value) for value in values]


def _each(value: Any, count: int) -> list[Any]:
    """One for each point, of what is told once or for each."""
    if isinstance(value, str) or not isinstance(value, Sequence | np.ndarray):
        return [value] * count
    return list(value)


def _colours(marker: Mapping[str, Any], count: int) -> list[str]:
    told = _each(marker.get("color", BLUE), count)
    if not told or isinstance(told[0], str):
        return told
    values = np.asarray(told, dtype=float)
    low = marker.get("cmin", np.nanmin(values))
    wide = marker.get("cmax", np.nanmax(values)) - low
    return _scaled(marker.get("colorscale"), (values - low) / (wide or 1))


def _scaled(scale: Any, shares: ArrayLike) -> list[str]:
    """The colours at shares of a scale."""
    stops = [[0.0, PAPER], [1.0, BLUE]] if scale is None else [list(stop) for stop in scale]
    found = sample_colorscale(
        stops, np.nan_to_num(np.clip(shares, 0, 1)).tolist(), colortype="tuple"
    )
    return ["#" + "".join(f"{round(255 * part):02x}" for part in colour) for colour in found]


def _runs(points: list[tuple[float, float]]) -> list[list[tuple[float, float]]]:
    """The stretches of a line between points that are missing."""
    runs: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if all(map(math.isfinite, point)):
            runs[-1].append(point)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _said(trace: dict, i: int) -> str:
    """What a point says under the pointer."""
    template = trace.get("hovertemplate")
    if not isinstance(template, str) or len(trace["x"]) > MOST_POINTS:
        return ""

    def shown(found: re.Match[str]) -> str:
        name, place, form = found.groups()
        values = trace.get(name)
        if values is None or isinstance(values, str):
            return str(values or "")
        value = values[i] if place is None else np.asarray(values[i])[int(place)]
        if not form or isinstance(value, str):
            return str(value)
        # Of the formats that Plotly knows, "s" and "d" of fractions are none of Python's.
        return format(value, form) if form[-1] in "fge%" else f"{value:.4g}"

    return bare(_SHOWN.sub(shown, template.partition("<extra>")[0]))


def bare(text: str) -> str:
    """Words without Plotly's marks."""
    return re.sub(r"<[^>]*>", "", re.sub(r"<br ?/?>", ", ", text))
