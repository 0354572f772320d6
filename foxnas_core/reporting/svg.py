"""Small drawings as inline SVG: axes, points, steps, and intervals within table cells.

Colours are classes, which the style sheet gives a light and a dark shade, and which print in the
light one. What a point says stands in its <title>, which browsers show under the pointer.
"""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Attributes = Mapping[str, str | float]

_CELL = (130, 16)
_MARGIN = {"left": 66, "right": 14, "top": 10, "bottom": 46}


def element(name: str, attributes: Attributes, *children: str) -> Markup:
    """An element with its attributes and children escaped."""
    written = "".join(
        f' {key}="{escape(value if isinstance(value, str) else _short(value))}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>{''.join(escape(child) for child in children)}</{name}>")


def _short(value: float) -> str:
    """A coordinate to a hundredth of a pixel."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """At most so many round numbers within a range: multiples of 1, 2 or 5 times a power of 10."""
    if not high > low:
        return [low]
    least = (high - low) / most
    power = 10.0 ** math.floor(math.log10(least))
    step = next(f * power for f in (1, 2, 5, 10) if f * power >= least * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") + 0.0 for k in range(first, last + 1)]


def tick_texts(values: Sequence[float]) -> list[str]:
    """Ticks as they are read, all to the same digits."""
    steps = [b - a for a, b in itertools.pairwise(values)]
    step = min(steps, default=abs(values[0]) or 1.0)
    decimals = min(max(0, -math.floor(math.log10(step) + 1e-9)), 9)
    return [f"{value:,.{decimals}f}" for value in values]


def span_of(values: Sequence[float], *, room: float = 0.04) -> tuple[float, float]:
    """A range that shows all of the finite values, with some room."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(finite, default=0.0), max(finite, default=1.0)
    wide = room * (high - low) or abs(low) * room or 0.5
    return low - wide, high + wide


@dataclass(frozen=True)
class Axes:
    """The ranges of a plot of `width` × `height` px and the titles of its axes."""

    x: tuple[float, float]
    y: tuple[float, float]
    x_title: str
    y_title: str
    width: int = 720
    height: int = 360

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom of the plot within its margins (px)."""
        return (
            _MARGIN["left"],
            _MARGIN["top"],
            self.width - _MARGIN["right"],
            self.height - _MARGIN["bottom"],
        )

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies (px)."""
        left, top, right, bottom = self.box
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return left + across * (right - left), bottom - up * (bottom - top)

    def draw(self, title: str, description: str, *marks: Markup, key: str) -> Markup:
        """The plot; `title` and `description` are what it says to whom can't see it."""
        return element(
            "svg",
            {
                "viewBox": f"0 0 {self.width} {self.height}", "class": "plot", "role": "img",
                "aria-labelledby": f"{key}-title {key}-description", "data-key": key,
                "data-x": f"{self.x[0]!r} {self.x[1]!r}", "data-y": f"{self.y[0]!r} {self.y[1]!r}",
                "data-box": " ".join(_short(edge) for edge in self.box),
            },
            element("title", {"id": f"{key}-title"}, title),
            element("desc", {"id": f"{key}-description"}, description),
            self._frame(),
            *marks,
        )  # fmt: skip

    def _frame(self) -> Markup:
        left, top, right, bottom = self.box
        parts = []
        for value, text in _ticked(self.x, most=self.width // 80):
            x, _ = self.at(value, self.y[0])
            parts.append(line((x, top), (x, bottom), "grid"))
            parts.append(text_at(x, bottom + 18, text, anchor="middle"))
        for value, text in _ticked(self.y):
            _, y = self.at(self.x[0], value)
            parts.append(line((left, y), (right, y), "grid"))
            parts.append(text_at(left - 8, y + 4, text, anchor="end"))
        middle = (top + bottom) / 2
        parts.append(text_at((left + right) / 2, self.height - 8, self.x_title, anchor="middle"))
        turned = {"transform": f"rotate(-90 14 {_short(middle)})"}
        parts.append(text_at(14, middle, self.y_title, anchor="middle", **turned))
        return Markup("").join(parts)

    def dots(
        self,
        points: Sequence[tuple[float, float]],
        kind: str,
        radius: float,
        texts: Sequence[str] = (),
    ) -> Markup:
        """Circles of a class; `texts` are what each of them says."""
        drawn = []
        for number, (x, y) in enumerate(points):
            px, py = self.at(x, y)
            children = [element("title", {}, texts[number])] if texts else []
            drawn.append(element("circle", {"cx": px, "cy": py, "r": radius}, *children))
        return element("g", {"class": kind}, *drawn)

    def diamond(self, x: float, y: float, kind: str, text: str) -> Markup:
        """One point that stands out, with its text as a tooltip."""
        px, py = self.at(x, y)
        corners = ((px, py - 8), (px + 8, py), (px, py + 8), (px - 8, py))
        written = " ".join(f"{_short(a)},{_short(b)}" for a, b in corners)
        return element("polygon", {"points": written, "class": kind}, element("title", {}, text))

    def path(self, points: Sequence[tuple[float, float]], kind: str, *, steps: bool) -> Markup:
        """A line through points, or, with `steps`, one that stays level up to the next."""
        placed = [self.at(x, y) for x, y in points]
        corners = placed[:1]
        for before, after in itertools.pairwise(placed):
            corners += [(after[0], before[1]), after] if steps else [after]
        written = " ".join(f"{_short(a)},{_short(b)}" for a, b in corners)
        return element("polyline", {"points": written, "class": kind})

    def upright(self, x: float, kind: str) -> Markup:
        """A line from top to bottom."""
        _, top, _, bottom = self.box
        px, _ = self.at(x, self.y[0])
        return line((px, top), (px, bottom), kind)


def line(start: tuple[float, float], end: tuple[float, float], kind: str) -> Markup:
    return element(
        "line", {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1], "class": kind}
    )


def text_at(x: float, y: float, text: str, *, anchor: str, **others: str) -> Markup:
    return element("text", {"x": x, "y": y, "text-anchor": anchor, **others}, text)


def _ticked(span: tuple[float, float], most: int = 6) -> list[tuple[float, str]]:
    values = ticks(*span, most)
    return list(zip(values, tick_texts(values), strict=True))


def interval_cell(value: float, low: float, high: float, span: tuple[float, float]) -> Markup:
    """A point with its interval on the scale of `interval_axis`, hollow where it spans 0, or an
    arrow to where it lies beyond.

    Hidden from screen readers: the numbers stand in the cells beside it.
    """
    if not all(math.isfinite(end) for end in (value, low, high)):
        return Markup("")
    width, height = _CELL
    middle = height / 2
    clear = low > 0 or high < 0
    start, point, end, zero = (_across(x, span) for x in (low, value, high, 0.0))
    return element(
        "svg",
        {
            "viewBox": f"0 0 {width} {height}", "width": width, "height": height,
            "class": "interval clear" if clear else "interval", "aria-hidden": "true",
        },
        line((zero, 0), (zero, height), "zero"),
        line((start, middle), (end, middle), "whisker"),
        element("circle", {"cx": point, "cy": middle, "r": 3.5})
        if span[0] <= value <= span[1]
        else _arrow(point, middle, 1 if value > span[1] else -1),
    )  # fmt: skip


def _arrow(x: float, y: float, way: int) -> Markup:
    """A head at an edge that points out of it."""
    corners = ((x, y), (x - 9 * way, y - 5), (x - 9 * way, y + 5))
    return element("polygon", {"points": " ".join(f"{_short(a)},{_short(b)}" for a, b in corners)})


def interval_axis(span: tuple[float, float]) -> Markup:
    """The scale of a column of `interval_cell`s."""
    width = _CELL[0]
    values = ticks(*span, most=3)
    marks = []
    for value, text in zip(values, tick_texts(values), strict=True):
        x = _across(value, span)
        # A number at the edge stays within the cell.
        inside = min(max(x, 3.4 * len(text)), width - 3.4 * len(text))
        marks.append(text_at(inside, 10, text, anchor="middle"))
        marks.append(line((x, 13), (x, 17), "zero"))
    shape: Attributes = {
        "viewBox": f"0 0 {width} 17", "width": width, "height": 17, "class": "interval",
        "aria-hidden": "true",
    }  # fmt: skip
    drawn = element("svg", shape, *marks)
    return element("span", {"class": "unseen"}, "drawn") + drawn


def interval_span(lows: Sequence[float], highs: Sequence[float]) -> tuple[float, float]:
    """The scale that shows all intervals and 0."""
    return span_of([0.0, *lows, *highs])


def _across(value: float, span: tuple[float, float]) -> float:
    share = (value - span[0]) / (span[1] - span[0])
    return _CELL[0] * min(max(share, 0.0), 1.0)
