"""The marks of a drawing as SVG elements: lines, words, and points in the shape of their symbol."""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup, escape

from foxnas_core.figures.theme import BLUE, INK

_DASHES = {"dot": "2 3", "dash": "5 4", "dashdot": "5 3 2 3", "longdash": "9 4"}
_SHAPES = {
    "diamond": ((0, -1.3), (1.3, 0), (0, 1.3), (-1.3, 0)),
    "square": ((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "triangle-up": ((0, -1.2), (1.1, 0.9), (-1.1, 0.9)),
    "triangle-right": ((1.2, 0), (-0.9, 1.1), (-0.9, -1.1)),
    "x": (
        (0, -0.4), (1, -1.2), (1.2, -1), (0.4, 0), (1.2, 1), (1, 1.2),
        (0, 0.4), (-1, 1.2), (-1.2, 1), (-0.4, 0), (-1.2, -1), (-1, -1.2),
    ),
}  # fmt: skip


def element(name: str, attributes: Mapping[str, Any], *children: str) -> Markup:
    """An element with its attributes and children escaped."""
    written = "".join(
        f' {key}="{escape(value if isinstance(value, str) else short(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{name}{written}>{''.join(escape(child) for child in children)}</{name}>")


def short(value: float) -> str:
    """A coordinate to a hundredth of a pixel."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def line(
    start: tuple[float, float], end: tuple[float, float], stroke: str = INK, width: float = 1,
    dash: str = "",
) -> Markup:  # fmt: skip
    ends = {"x1": start[0], "y1": start[1], "x2": end[0], "y2": end[1]}
    return element("line", ends | stroke_of(stroke, width, dash))


def stroke_of(stroke: str, width: float = 1, dash: str = "") -> dict[str, Any]:
    return {"stroke": stroke, "stroke-width": width, "stroke-dasharray": _DASHES.get(dash)}


def pen_of(told: Mapping[str, Any], colour: Any) -> dict[str, Any]:
    colour = told.get("color") or (colour if isinstance(colour, str) else BLUE)
    return {"stroke": colour, "width": told.get("width", 2), "dash": told.get("dash", "")}


def text_at(x: float, y: float, text: str, anchor: str, **others: str) -> Markup:
    return element("text", {"x": x, "y": y, "text-anchor": anchor, **others}, text)


def mark(
    x: float, y: float, radius: float, symbol: str, paint: Mapping[str, Any], *, said: str = ""
) -> Markup:
    """A point in the shape of its symbol."""
    title = [element("title", {}, said)] if said else []
    shape = str(symbol).removesuffix("-open")
    if shape != symbol:
        paint = {"fill": "none", "stroke": paint["fill"], "stroke-width": 1.5}
    if shape not in _SHAPES:
        return element("circle", {"cx": x, "cy": y, "r": radius, **paint}, *title)
    placed = [(x + radius * p, y + radius * q) for p, q in _SHAPES[shape]]
    return element("polygon", {"points": joined(placed), **paint}, *title)


def joined(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{short(x)},{short(y)}" for x, y in points)
