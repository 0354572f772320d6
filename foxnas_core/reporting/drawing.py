"""A figure as static SVG, so that a report is small, reads without JavaScript and prints.

Plotly itself draws in a browser only, and its script is twenty times the rest of a report. Drawn
here is what the figures are made of: scatters, bars and heatmaps on axes beside each other, with
lines, bands and words over them; `drawing_of` says of others that it can't. What a point says
under the pointer stands in its <title>. Colours are the light theme's, which the style sheet
exchanges on dark screens.
"""

import math
from typing import Any

from markupsafe import Markup
from plotly import graph_objects as go

from foxnas_core.figures.theme import BLUE, GREY, GRID, INK
from foxnas_core.reporting.marks import (
    element,
    line,
    mark,
    pen_of,
    short,
    stroke_of,
    text_at,
)
from foxnas_core.reporting.scales import Scale, scale_of
from foxnas_core.reporting.traces import MAKERS, bare, mode_of

WIDTH = 760
_LETTER = 6.6  # px, of the text's mean


def drawing_of(figure: go.Figure, description: str, *, key: str, width: int = WIDTH) -> Markup:
    """The figure, which `description` puts into words for whom can't see it; "" where it has
    traces that can't be drawn here."""
    traces = [trace.to_plotly_json() for trace in figure.data]
    if not traces or any(trace["type"] not in MAKERS for trace in traces):
        return Markup("")
    return _Drawing(traces, figure.layout.to_plotly_json(), width).markup(description, key)


class _Drawing:
    """One figure: its panels' scales, and the marks on them."""

    def __init__(self, traces: list[dict], layout: dict, width: int) -> None:
        self.traces, self.layout, self.width = traces, layout, width
        self.height = int(layout.get("height") or 380)
        self.panels: dict[tuple[str, str], tuple[Scale, Scale]] = {}
        legend = [t for t in traces if t.get("name") and t.get("showlegend") is not False]
        shown = layout.get("showlegend", len(legend) > 1) is not False
        self.legend = self._legend(legend) if shown else []
        titled = any(a.get("yref") == "paper" for a in layout.get("annotations", ()))
        self.top = 12 + 20 * (self.legend[-1][1] + 1 if self.legend else 0) + 18 * titled
        self._place()

    def _legend(self, traces: list[dict]) -> list[tuple[int, int, dict]]:
        """Left edge, line and trace of each entry, the first of a name."""
        found, x, line = [], 10, 0
        named: dict[str, dict] = {}
        for trace in traces:
            named.setdefault(str(trace["name"]), trace)
        for name, trace in named.items():
            wide = int(40 + _LETTER * len(name))
            if x + wide > self.width and x > 10:
                x, line = 10, line + 1
            found.append((x, line, trace))
            x += wide
        return found

    def _place(self) -> None:
        """The scales of every pair of axes, within the margins that their words need."""
        pairs = list(
            dict.fromkeys((t.get("xaxis") or "x", t.get("yaxis") or "y") for t in self.traces)
        )
        ys = {y: scale_of("y", y, self.traces, self.layout) for _, y in pairs}
        xs = {x: scale_of("x", x, self.traces, self.layout) for x, _ in pairs}
        shown = [s for s in ys.values() if s.labelled]
        words = max((len(text) for s in shown for _, text in s.ticks()), default=0)
        left = (
            12
            + min(_LETTER * words, 0.45 * self.width)
            + (20 if any(s.title for s in shown) else 0)
        )
        bottom = self.height - (46 if any(s.title for s in xs.values()) else 28)
        for x, y in pairs:
            first, last = xs[x].domain
            across = (
                left + first * (self.width - 14 - left),
                left + last * (self.width - 14 - left),
            )
            low, high = ys[y].domain
            up = (bottom - low * (bottom - self.top), bottom - high * (bottom - self.top))
            self.panels[x, y] = (xs[x].over(*across), ys[y].over(*up))

    def markup(self, description: str, key: str) -> Markup:
        x, y = next(iter(self.panels.values()))
        box = (x.start, y.end, x.end, y.start)
        marks = [self._frame(*panel) for panel in self.panels.values()]
        shapes = [
            (s.get("layer") == "below", self._shape(s)) for s in self.layout.get("shapes", ())
        ]
        marks += [drawn for below, drawn in shapes if below]
        filled: dict[str, list] = {}
        stacks: dict[Any, float] = {}
        for trace in self.traces:
            pair = (trace.get("xaxis") or "x", trace.get("yaxis") or "y")
            marks.append(MAKERS[trace["type"]](trace, *self.panels[pair], filled, stacks))
        marks += [drawn for below, drawn in shapes if not below]
        marks += [self._words(a) for a in self.layout.get("annotations", ()) if a.get("text")]
        marks += [self._entry(*entry) for entry in self.legend]
        return element(
            "svg",
            {
                "viewBox": f"0 0 {self.width} {self.height}", "class": "plot", "role": "img",
                "aria-labelledby": f"{key}-description", "data-key": key,
                "data-x": f"{x.low!r} {x.high!r}", "data-y": f"{y.low!r} {y.high!r}",
                "data-box": " ".join(short(edge) for edge in box),
            },
            element("desc", {"id": f"{key}-description"}, description),
            *marks,
        )  # fmt: skip

    def _frame(self, x: Scale, y: Scale) -> Markup:
        """Grid, ticks and titles of one panel."""
        parts = []
        for at, words in x.ticks(max(int((x.end - x.start) // 65), 2)):
            if x.grid:
                parts.append(line((at, y.start), (at, y.end), GREY if x.is_zero(at) else GRID))
            if x.labelled:
                parts.append(text_at(at, y.start + 17, words, "middle"))
        for at, words in y.ticks(max(int((y.start - y.end) // 45), 2)):
            if y.grid:
                parts.append(line((x.start, at), (x.end, at), GREY if y.is_zero(at) else GRID))
            if y.labelled:
                most = math.ceil((x.start - 10) / _LETTER)
                cut = words if len(words) <= most else f"{words[: most - 1]}…"
                parts.append(text_at(x.start - 7, at + 4, cut, "end"))
        if x.title:
            parts.append(text_at((x.start + x.end) / 2, self.height - 8, x.title, "middle"))
        if y.title and y.labelled:
            middle = (y.start + y.end) / 2
            turned = {"transform": f"rotate(-90 13 {short(middle)})"}
            parts.append(text_at(13, middle, y.title, "middle", **turned))
        return Markup("").join(parts)

    def _on(self, way: str, ref: str | None, value: Any) -> float:
        """Where a number of a shape or of words lies, in pixels."""
        name, _, domain = (ref or "paper").partition(" ")
        place = 0 if way == "x" else 1
        panel = next((p[place] for pair, p in self.panels.items() if pair[place] == name), None)
        if name == "paper" or panel is None:
            every = [p[place] for p in self.panels.values()]
            ends = ([s.start for s in every], [s.end for s in every])
            first, last = (
                (min(ends[0]), max(ends[1])) if way == "x" else (max(ends[0]), min(ends[1]))
            )
            return first + value * (last - first)
        if domain:
            return panel.start + value * (panel.end - panel.start)
        return panel.at(value)

    def _shape(self, shape: dict) -> Markup:
        x0, x1 = (self._on("x", shape.get("xref", "x"), shape[end]) for end in ("x0", "x1"))
        y0, y1 = (self._on("y", shape.get("yref", "y"), shape[end]) for end in ("y0", "y1"))
        pen = pen_of(shape.get("line", {}), INK)
        if shape["type"] == "line":
            return line((x0, y0), (x1, y1), **pen)
        return element(
            "rect",
            {
                "x": min(x0, x1), "y": min(y0, y1), "width": abs(x1 - x0), "height": abs(y1 - y0),
                "fill": shape.get("fillcolor", "none"), "fill-opacity": shape.get("opacity"),
                **stroke_of(**pen),
            },
        )  # fmt: skip

    def _words(self, words: dict) -> Markup:
        x = self._on("x", words.get("xref"), words.get("x", 0.5))
        y = self._on("y", words.get("yref"), words.get("y", 0.5))
        anchor = {"left": "start", "right": "end"}.get(words.get("xanchor", ""), "middle")
        x += {"start": 4, "end": -4}.get(anchor, 0)
        y += {"bottom": -5, "top": 14}.get(words.get("yanchor", ""), 4)
        x = min(max(x, 8), self.width - 8)
        return text_at(x, y, bare(words["text"]), anchor)

    def _entry(self, x: int, row: int, trace: dict) -> Markup:
        """A line of the legend: how the trace looks, and what it is called."""
        y = 14 + 20 * row
        sample: Markup
        if trace["type"] == "scatter" and "markers" not in mode_of(trace):
            fill = trace.get("fillcolor") if trace.get("fill") else None
            pen = pen_of(trace.get("line", {}), BLUE)
            sample = line(
                (x, y), (x + 18, y), **(pen if not fill else {"stroke": fill, "width": 9})
            )
        else:
            colour = trace.get("marker", {}).get("color", BLUE)
            colour = colour if isinstance(colour, str) else BLUE
            sample = mark(
                x + 9, y, 4, trace.get("marker", {}).get("symbol", "circle"), {"fill": colour}
            )
        return sample + text_at(x + 24, y + 4, bare(str(trace["name"])), "start")
