"""Charts that move, as Vega-Lite: a page keeps its node where it would draw a Plotly one anew.

Each is a description that stays the same while a search runs, so that only the data of its table
(`foxnas_core.figures.search`) changes. The measured cloud is too large to be sent with every frame:
it is drawn once, and `moving_spec` draws what moves on an empty chart that lies exactly on it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from foxnas_core.figures import search as tables
from foxnas_core.figures.theme import (
    BLUE,
    BROWN,
    CLOUD,
    GREEN,
    GREY,
    INK,
    OPTIMUM,
    ORANGE,
    PURPLE,
    SKY,
)
from foxnas_core.table.metrics import Metric, in_a_sentence

Spec = dict[str, Any]
_CLEAR = {
    "axis": {f"{part}Opacity": 0 for part in ("label", "title", "domain", "tick", "grid")},
    # A symbol of no opacity at all takes no room.
    "legend": {"labelOpacity": 0, "symbolOpacity": 0.01},
}
_WORDS_FROM = 250  # height of a chart that has room for a legend and words
Spans = tuple[tuple[float, float], tuple[float, float]]

_KINDS = {
    tables.MEASURED: CLOUD, tables.FRONT: SKY, tables.EXACT: OPTIMUM, tables.CURRENT: ORANGE,
    tables.BEST: BLUE,
}  # fmt: skip


# Rows of events break no line.
_COURSE: Spec = {"transform": [{"filter": "!isValid(datum.event)"}]}
_SLOWLY = 1 / 3  # the power of proposals that their axis is even in
APART = 0.06  # of the axis of proposals: words of events that are closer cover each other
PICKED = "picked"  # the point of a chart that was clicked
STEPS: Spec = {"type": "line", "strokeWidth": 2.5, "interpolate": "step-after"}


def gap_spec(
    target: Metric, total: int, ends: tuple[float, float], to: str, reference: float
) -> Spec:
    """Draws `gap_table` on axes that fit what happens: powers of the gap between both `ends`, and
    of proposals as a run that is watched makes them. On the right stands what each gap to the
    `reference` is on the axis of the front, which is drawn beside it."""
    y = gap_axis(target, ends, to)
    axis, scale, powers = y["axis"], y["scale"], y["axis"]["values"]
    told = f"How far the current and the best subnet are from the {to}, over proposals"
    # So many digits that each power of the gap is another value.
    digits = max(0, -round(math.log10(ends[0])) - 2)
    value = f"{reference!r} {'-' if target.sign > 0 else '+'} datum.value"
    beside = axis | {
        "orient": "right", "title": target.named, "labelExpr": f"format({value}, '.{digits}f')",
        "values": powers[2:], "labelPadding": 2, "titlePadding": 2,
    }  # fmt: skip
    unseen: Spec = {
        "data": {"values": [{}]},
        "mark": {"type": "point", "opacity": 0},
        "encoding": {
            "y": {"datum": ends[1], "type": "quantitative", "axis": beside} | {"scale": scale}
        },
    }
    return spoken(told) | {
        "height": 330,
        "resolve": {"axis": {"y": "independent"}},
        "layer": [{"layer": [*_lines(y, total), *_events(total)]}, unseen],
    }


def gap_axis(target: Metric, ends: tuple[float, float], to: str) -> Spec:
    """The encoding of gaps to what is called `to`, by their powers of ten between both `ends`."""
    unit = f" ({target.difference_unit})" if target.difference_unit else ""
    low, high = round(math.log10(ends[0])), math.floor(math.log10(ends[1]))
    powers = [10.0**k for k in range(low, high + 1)]
    axis: Spec = {"labelExpr": "format(datum.value, '~g')", "values": powers, "grid": False}
    scale = {"type": "log", "domain": list(ends), "clamp": True, "nice": False}
    return number("", f"Gap to the {to}{unit}", axis=axis) | {"scale": scale}


def least_gap(end_temperature: float) -> float:
    """The least gap that is drawn: a round power of ten far below what the end temperature tells
    apart."""
    return float(10.0 ** (math.floor(math.log10(end_temperature)) - 2))


def place_of(proposals: float, total: int) -> float:
    """Where a proposal stands along the axis of proposals, from 0 to 1."""
    return float((proposals / total) ** _SLOWLY)


def course_spec(
    target: Metric, total: int, ends: tuple[float, float], name: str, height: int = 330
) -> Spec:
    """Draws `course_table` between `ends`: current and best over proposals, and the limit, which
    is called `name`, as it was moved."""
    named = in_a_sentence(target.named)
    room = 0.04 * (ends[1] - ends[0]) or 0.5
    domain = ends[0] - room, ends[1] + room
    small = height < _WORDS_FROM
    title = f"Predicted {named}"
    y = number(
        "", None if small else title, domain, clamp=True, axis={"tickCount": 3 + 2 * (not small)}
    )
    told = f"Current and best {named} over proposals"
    lines = _lines(y, total, {tables.LIMIT: name} if name != "value" else {})
    if small:
        for line in lines:
            line["encoding"]["color"]["legend"] = None
    spec = {"height": height, "layer": [*lines, *_events(total, words=not small)]} | spoken(told)
    return spec | _above(title) if small else spec


def _above(title: str) -> Spec:
    """The title of a chart that is too low for one along its axis."""
    words = {"anchor": "start", "fontSize": 13, "fontWeight": "normal", "color": INK}
    return {"title": {"text": title, **words}}


def schedule_spec(column: str, title: str, total: int) -> Spec:
    """Draws a column of `schedule_table`: "temperature", on a logarithmic axis, or "accepted"."""
    falling = column == "temperature"
    axis = {"format": ".2~g" if falling else "d", "tickCount": 3, "grid": False}
    scale: Spec = {"type": "log", "nice": False} if falling else {"domain": [0, 100]}
    line = _COURSE | {
        "mark": {"type": "line", "strokeWidth": 2, "color": GREY},
        "encoding": {
            "x": _proposals(total, "Proposals"),
            "y": number(column, None, axis=axis) | {"scale": scale},
            "tooltip": tooltip({"proposals": ",d", column: ".3g"}),
        },
    }
    told = spoken(f"{title} over proposals") | _above(title)
    return told | {"height": 150, "layer": [line, *_events(total, words=False)]}


def _lines(y: Spec, total: int, more: Mapping[str, str] | None = None) -> list[Spec]:
    """Current and best over proposals, and a dashed line of each column of `more`, by its name."""
    dashed = {"type": "line", "strokeWidth": 2, "strokeDash": [6, 4], "interpolate": "step-after"}
    lines: list[tuple[str, str, Spec]] = [
        (tables.CURRENT, tables.CURRENT, {"type": "line", "strokeWidth": 1.2}),
        *((column, name, dashed) for column, name in (more or {}).items()),
        (tables.BEST, tables.BEST, STEPS),
    ]
    hues = {tables.CURRENT: ORANGE, tables.BEST: BLUE} | dict.fromkeys((more or {}).values(), INK)
    colour = _colour("", hues)
    y = {name: part for name, part in y.items() if name != "field"}
    del colour["field"]
    return [
        _COURSE
        | {
            "mark": mark,
            "encoding": {
                "x": _proposals(total, None),
                "y": y | {"field": series},
                "color": colour | {"datum": name},
                "tooltip": tooltip({"proposals": ",d", series: ".4g"}),
            },
        }
        for series, name, mark in lines
    ]


def _events(total: int, *, words: bool = True) -> list[Spec]:
    """What was done to the run: a line across where it acted, and in `words` what it was."""
    only = {"transform": [{"filter": "isValid(datum.event)"}]}
    x = _proposals(total, None)
    word = {"type": "text", "angle": 270, "align": "right", "dy": -5, "fontSize": 10, "color": INK}
    rule = {"type": "rule", "strokeDash": [2, 3], "color": INK}
    tip = {"tooltip": tooltip({"event": "", "proposals": ",d"})}
    rules = only | {"mark": rule, "encoding": {"x": x, **tip}}
    said = {"x": x, "y": {"value": 4}, "text": {"field": "word"}}
    filtered = {"transform": [{"filter": "isValid(datum.word)"}]}
    return [rules, *([filtered | {"mark": word, "encoding": said}] if words else [])]


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
    return spoken(f"{objective.named} against {in_a_sentence(cost.named)}") | {
        "height": 330,
        "layer": [
            _only("kind", tables.BUDGET) | {"mark": rule, "encoding": {"x": marks["x"]}},
            _only("kind", tables.FLOOR) | {"mark": rule, "encoding": {"y": marks["y"]}},
            *(_only("kind", kind) | {"mark": mark, "encoding": marks} for kind, mark in layers),
        ],
    }


def moving_spec(cost: Metric, objective: Metric, spans: Spans) -> Spec:
    """Draws what moves of `with_candidates`, and the trail of the current, on an empty chart that
    lies exactly on `front_spec`.

    It is that chart with axes and legend made clear, since any other would be laid out otherwise.
    """
    spec = front_spec(cost, objective, spans)
    marks = _plane(cost, objective, spans)
    trail = {"x": marks["x"], "y": marks["y"], "order": {"field": "order"}}
    line = {"type": "line", "strokeWidth": 1.5, "opacity": 0.6, "color": ORANGE}
    spec["layer"].append(_only("kind", tables.TRAIL) | {"mark": line, "encoding": trail})
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
    colours = [BLUE, ORANGE, GREEN, PURPLE, SKY, BROWN, GREY, INK]
    colour = _colour("search", dict(zip(searches, colours, strict=False)), "stroke")
    axis = {"format": "~s", "tickCount": 6, "grid": False, "labelOverlap": True}
    x = number("proposals", "Proposals", axis=axis)
    x["scale"] = {"type": "log"} if longest else {"zero": True}
    title = f"Best so far: {in_a_sentence(objective.named)}"
    y = {"type": "quantitative", "title": title, "scale": {"zero": False}}
    tips = {"search": "", "proposals": ",d", "best_value": ".4f", "exact": ".4f"}
    dashed = {"type": "line", "strokeWidth": 1.5, "strokeDash": [5, 4]}
    return spoken(f"{title}, over proposals") | {
        "height": 320,
        "encoding": {"x": x, "color": colour, "tooltip": tooltip(tips)},
        "layer": [
            {"mark": dashed, "encoding": {"y": y | {"field": "exact"}}},
            {"mark": STEPS, "encoding": {"y": y | {"field": "best_value"}}},
            picking(["search", "proposals"], y | {"field": "best_value"}),
        ],
    }


def picking(fields: Sequence[str], y: Spec) -> Spec:
    """A layer of points at `y` that aren't seen until one, which its `fields` name, is clicked."""
    select = {"type": "point", "nearest": True, "toggle": False, "fields": list(fields)}
    seen = {"condition": {"param": PICKED, "empty": False, "value": 1}, "value": 0}
    return {
        "mark": {"type": "point", "size": 90, "filled": True},
        "params": [{"name": PICKED, "select": select}],
        "encoding": {"y": y, "opacity": seen},
    }


def picked_point(selection: Any) -> Spec:
    """The fields of the point that is clicked in a chart, as a page is told of it; none before."""
    points = selection["selection"].get(PICKED) or []
    return dict(points[0]) if isinstance(points, list) and points else {}


def spoken(description: str) -> Spec:
    """What a reader of the screen says of a chart, its description instead of each of its marks,
    and the ink of all figures for its words."""
    words = {"labelColor": INK, "titleColor": INK}
    return {
        "description": description,
        "config": {"mark": {"aria": False}, "axis": words, "legend": words},
    }


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
    """The axis of proposals, which a run that is watched goes along evenly: it makes ever more."""
    ticks = [m * 10**k for k in range(1, 10) for m in (1, 3) if m * 10**k <= total]
    label = "format(datum.value, '~s')"  # each in its own unit
    axis = {"labelExpr": label, "values": [0, *ticks], "grid": False, "labelOverlap": True}
    return number("proposals", title, (0, total), axis, type="pow", exponent=_SLOWLY)


def _colour(field: str, colours: Mapping[str, str], symbol: str = "circle") -> Spec:
    columns = 2 if len(colours) > 3 else 3  # none is cut off in half a page
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": list(colours), "range": list(colours.values())},
        "legend": {
            "orient": "top",
            "title": None,
            "symbolType": symbol,
            "columns": columns,
            "labelFontSize": 11,
            "columnPadding": 8,
        },
    }
