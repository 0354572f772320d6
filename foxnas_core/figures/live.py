"""Charts that move, as Vega-Lite: a page keeps its node where it would draw a Plotly one anew.

Each is a description that stays the same while a search runs, so that only the data of its table
(`foxnas_core.figures.search`) changes. The measured cloud is too large to be sent with every frame:
it is drawn once, and `moving_spec` draws what moves on an empty chart that lies exactly on it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from foxnas_core.figures import search as tables
from foxnas_core.figures.theme import (
    BLUE,
    CLOUD,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PAPER,
    PURPLE,
    RED,
    SKY,
)
from foxnas_core.table.metrics import Metric

Spec = dict[str, Any]
# What is drawn of a `picture_table`; the rest need not be sent with each frame.
CELL_COLUMNS = ["row", "column", "text", "colour", "ink", "differs"]
_CLEAR = {
    "axis": {f"{part}Opacity": 0 for part in ("label", "title", "domain", "tick", "grid")},
    # A symbol of no opacity at all takes no room.
    "legend": {"labelOpacity": 0, "symbolOpacity": 0.01},
}
Spans = tuple[tuple[float, float], tuple[float, float]]

_KINDS = {
    tables.MEASURED: CLOUD, tables.FRONT: SKY, tables.EXACT: RED, tables.CURRENT: ORANGE,
    tables.BEST: BLUE,
}  # fmt: skip


STEPS: Spec = {"type": "line", "strokeWidth": 2.5, "interpolate": "step-after"}


def course_spec(
    target: Metric,
    total: int,
    domain: tuple[float, float],
    line: float | None,
    name: str,
    height: int = 260,
) -> Spec:
    """Draws `course_table`: current and best over proposals, and a line `name` at `line`.

    The axis has the given domain; what lies outside is drawn at its edge.
    """
    lines: list[tuple[str, Spec]] = [
        (tables.CURRENT, {"type": "line", "strokeWidth": 1.2}),
        (tables.BEST, STEPS),
    ]
    named = lowered(target.named)
    y = number("", f"Predicted {named}", domain, clamp=True, axis={"tickCount": 5})
    colour = _colour("", {tables.CURRENT: CLOUD, tables.BEST: BLUE, name: RED})
    del y["field"], colour["field"]
    layers: list[Spec] = [
        {
            "mark": mark,
            "encoding": {
                "x": _proposals(total, None),
                "y": y | {"field": series},
                "color": colour | {"datum": series},
                "tooltip": tooltip({"proposals": ",d", series: ".4f"}),
            },
        }
        for series, mark in lines
    ]
    if line is not None:
        rule = {
            "data": {"values": [{}]},
            "mark": {"type": "rule", "strokeWidth": 2, "strokeDash": [6, 4]},
            "encoding": {"y": y | {"datum": line}, "color": colour | {"datum": name}},
        }
        layers.insert(1, rule)
    told = f"Current and best {named} over proposals"
    return {"height": height, "layer": layers} | spoken(told)


def schedule_spec(column: str, title: str, total: int, domain: tuple[float, float]) -> Spec:
    """Draws a column of `schedule_table`: "temperature", on a logarithmic axis, or "accepted"."""
    falling = column == "temperature"
    axis = {"format": ".1~r" if falling else "d", "tickCount": 3}
    y = number(column, title, domain, clamp=True, type="log" if falling else "linear", axis=axis)
    return spoken(f"{title} over proposals") | {
        "height": 190,
        "mark": {"type": "line", "strokeWidth": 2, "color": GREY},
        "encoding": {
            "x": _proposals(total, "Proposals"),
            "y": y,
            "tooltip": tooltip({"proposals": ",d", column: ".3g"}),
        },
    }


def front_spec(cost: Metric, objective: Metric, spans: Spans) -> Spec:
    """Draws `front_table`: the measured cloud, the predicted front, the budget or the floor, and
    the finds.

    `spans` are the ranges of both axes, see `frame_of`.
    """
    layers: list[tuple[str, Spec]] = [
        (tables.MEASURED, {"type": "circle", "size": 16, "opacity": 0.8}),
        (tables.FRONT, {"type": "line", "strokeWidth": 2, "interpolate": "step-after"}),
        (tables.CURRENT, {"type": "point", "size": 80, "filled": True}),
        (tables.BEST, {"type": "point", "size": 130, "filled": True}),
        (tables.EXACT, {"type": "point", "size": 330, "strokeWidth": 2}),
    ]
    marks = _plane(cost, objective, spans)
    rule = {"type": "rule", "strokeDash": [4, 3], "color": INK}
    return spoken(f"{objective.named} against {lowered(cost.named)}") | {
        "height": 430,
        "layer": [
            _only("kind", tables.BUDGET) | {"mark": rule, "encoding": {"x": marks["x"]}},
            _only("kind", tables.FLOOR) | {"mark": rule, "encoding": {"y": marks["y"]}},
            *(_only("kind", kind) | {"mark": mark, "encoding": marks} for kind, mark in layers),
        ],
    }


def moving_spec(cost: Metric, objective: Metric, spans: Spans) -> Spec:
    """Draws what moves of `with_candidates` on an empty chart that lies exactly on `front_spec`.

    It is that chart with axes and legend made clear, since any other would be laid out otherwise.
    """
    spec = front_spec(cost, objective, spans)
    for layer in spec["layer"]:
        for channel in layer["encoding"].values():
            if isinstance(channel, dict) and "scale" in channel:
                part = "legend" if "legend" in channel else "axis"
                channel[part] = channel.get(part, {}) | _CLEAR[part]
    told = spoken("Where the current and the best subnet are in the chart below")
    return spec | told | {"background": "transparent"}


def comparison_spec(objective: Metric, searches: Sequence[str], longest: bool) -> Spec:
    """Draws `comparison_table`: the best so far of each search, and its exact optimum dashed.

    With `longest` the axis of proposals is logarithmic, since the runs differ much in length.
    """
    colours = [BLUE, ORANGE, GREEN, PURPLE, SKY, RED, GREY, INK]
    colour = _colour("search", dict(zip(searches, colours, strict=False)), "stroke")
    axis = {"format": "~s", "tickCount": 6, "grid": False, "labelOverlap": True}
    x = number("proposals", "Proposals", axis=axis)
    x["scale"] = {"type": "log"} if longest else {"zero": True}
    title = f"Best so far: {lowered(objective.named)}"
    y = {"type": "quantitative", "title": title, "scale": {"zero": False}}
    tips = {"search": "", "proposals": ",d", "best_value": ".4f", "exact": ".4f"}
    dashed = {"type": "line", "strokeWidth": 1.5, "strokeDash": [5, 4]}
    return spoken(f"{title}, over proposals") | {
        "height": 320,
        "encoding": {"x": x, "color": colour, "tooltip": tooltip(tips)},
        "layer": [
            {"mark": dashed, "encoding": {"y": y | {"field": "exact"}}},
            {"mark": STEPS, "encoding": {"y": y | {"field": "best_value"}}},
        ],
    }


def architecture_spec(rows: int) -> Spec:
    """Draws `CELL_COLUMNS` of `picture_table`, each cell in its colour."""

    def side(field: str, inner: float, **axis: Any) -> Spec:
        bare = {"domain": False, "ticks": False}
        channel = {"field": field, "type": "nominal", "sort": None, "title": None}
        return channel | {"scale": {"paddingInner": inner}, "axis": axis | bare}

    def coloured(field: str, otherwise: str) -> Spec:
        known = {"field": field, "type": "nominal", "scale": None, "legend": None}
        return {"condition": {"test": "datum.colour !== ''"} | known, "value": otherwise}

    differs = {"condition": {"test": "datum.differs", "value": ORANGE}, "value": PAPER}
    top = {"orient": "top", "labelAngle": 0, "labelFontSize": 11, "labelOverlap": False}
    return {
        "description": "The architecture, block by block",
        "height": 48 + 36 * rows,
        "encoding": {
            "x": side("column", 0.06, **top),
            "y": side("row", 0.1),
            "tooltip": tooltip(dict.fromkeys(("row", "column", "text"), "")),
        },
        "layer": [
            {
                "mark": {"type": "rect", "cornerRadius": 3, "strokeWidth": 2},
                "encoding": {"color": coloured("colour", PALE), "stroke": differs},
            },
            {
                "mark": {"type": "text", "fontSize": 11},
                "encoding": {"text": {"field": "text"}, "color": coloured("ink", INK)},
            },
        ],
    }


def spoken(description: str) -> Spec:
    """What a reader of the screen says of a chart, its description instead of each of its marks,
    and the ink of all figures for its words."""
    words = {"labelColor": INK, "titleColor": INK}
    return {
        "description": description,
        "config": {"mark": {"aria": False}, "axis": words, "legend": words},
    }


def lowered(label: str) -> str:
    """A label with its unit within a sentence."""
    return label[0].lower() + label[1:]


def number(
    field: str,
    title: str | None,
    domain: Sequence[float] | None = None,
    axis: Spec | None = None,
    **scale: Any,
) -> Spec:
    """The encoding of a number by an axis, over just the `domain` where one is given."""
    channel: Spec = {"field": field, "type": "quantitative", "title": title}
    if domain is not None:
        channel["scale"] = {"domain": list(domain), "nice": False} | scale
    return channel if axis is None else channel | {"axis": axis}


def tooltip(fields: Mapping[str, str]) -> list[Spec]:
    """What is said of a mark: fields with the format of their numbers, none for words."""
    return [
        {"field": name, "type": "quantitative", "format": how} if how else {"field": name}
        for name, how in fields.items()
    ]


def _plane(cost: Metric, objective: Metric, spans: Spans) -> Spec:
    """The encoding of cost and value; what lies outside the spans is drawn at the edge."""
    axis = {"format": "~r", "tickCount": 6, "grid": False}
    _, *said = tooltip({"kind": "", "cost": ".4g", "value": ".4g"})
    titled = [
        tip | {"title": metric.label} for tip, metric in zip(said, (cost, objective), strict=True)
    ]
    return {
        "x": number("cost", cost.named, spans[0], axis, zero=False, clamp=True),
        "y": number("value", objective.named, spans[1], zero=False, clamp=True),
        "color": _colour("kind", _KINDS),
        "tooltip": [{"field": "kind"}, *titled],
    }


def _only(field: str, value: str) -> Spec:
    return {"transform": [{"filter": {"field": field, "equal": value}}]}


def _proposals(total: int, title: str | None) -> Spec:
    axis = {"format": ",d", "tickCount": 5, "grid": False, "labelOverlap": True}
    return number("proposals", title, (0, total), axis)


def _colour(field: str, colours: Mapping[str, str], symbol: str = "circle") -> Spec:
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": list(colours), "range": list(colours.values())},
        "legend": {"orient": "top", "title": None, "symbolType": symbol},
    }
