"""Charts that move, as Vega-Lite: a page keeps its node where it would draw a Plotly one anew.

Each is a description that stays the same while a search runs, so that only the data of its table
(`foxnas_core.figures.search`) changes.
"""

from typing import Any

from foxnas_core.figures import search as tables
from foxnas_core.figures.theme import BLUE, GREY, INK, ORANGE, RED
from foxnas_core.target import Target

Spec = dict[str, Any]

_PALE, _PALER, _EMPTY = "#9DB2C3", "#CBD3DB", "#F4F6F8"
_SERIES = {tables.CURRENT: _PALE, tables.BEST: BLUE, tables.EXACT: RED}
_KINDS = {
    tables.MEASURED: _PALER, tables.FRONT: _PALE, tables.EXACT: RED, tables.CURRENT: ORANGE,
    tables.BEST: BLUE,
}  # fmt: skip


def course_spec(objective: Target, total: int, worst: float, best: float) -> Spec:
    """Draws `course_table`: current and best over proposals, the exact optimum as a line.

    The axis of the objective reaches from `worst` to `best`; what lies outside is cut off.
    """
    lines: list[tuple[str, Spec]] = [
        (tables.CURRENT, {"type": "line", "strokeWidth": 1.2}),
        (tables.EXACT, {"type": "line", "strokeWidth": 2, "strokeDash": [6, 4]}),
        (tables.BEST, {"type": "line", "strokeWidth": 2.5, "interpolate": "step-after"}),
    ]
    return {
        "height": 330,
        "encoding": {
            "x": _proposals(total, "Proposals"),
            "y": {
                "field": "value",
                "type": "quantitative",
                "title": f"Predicted {objective.named[0].lower()}{objective.named[1:]}",
                "scale": {"domain": [worst, best], "nice": False, "clamp": True},
            },
            "color": _colour("series", _SERIES),
            "tooltip": [
                {"field": "series"},
                {"field": "proposals", "type": "quantitative", "format": ",d"},
                {"field": "value", "type": "quantitative", "format": ".4f"},
            ],
        },
        "layer": [_only("series", name) | {"mark": mark} for name, mark in lines],
    }


def schedule_spec(column: str, title: str, total: int) -> Spec:
    """Draws a column of `schedule_table`: "temperature", on a logarithmic axis, or "accepted"."""
    falling = column == "temperature"
    return {
        "height": 170,
        "mark": {"type": "line", "strokeWidth": 2, "color": GREY},
        "encoding": {
            "x": _proposals(total, None),
            "y": {
                "field": column,
                "type": "quantitative",
                "title": title,
                "scale": {"type": "log", "nice": False} if falling else {"domain": [0, 100]},
                "axis": {"format": ".1~r" if falling else "d", "tickCount": 3},
            },
            "tooltip": [
                {"field": "proposals", "type": "quantitative", "format": ",d"},
                {"field": column, "type": "quantitative", "format": ".3g"},
            ],
        },
    }


def front_spec(cost: Target, objective: Target) -> Spec:
    """Draws `front_table`: the measured cloud, the predicted front, the budget, and the finds."""
    layers: list[tuple[str, Spec]] = [
        (tables.MEASURED, {"type": "circle", "size": 16, "opacity": 0.8}),
        (tables.FRONT, {"type": "line", "strokeWidth": 2, "interpolate": "step-after"}),
        (tables.CURRENT, {"type": "point", "size": 80, "filled": True}),
        (tables.BEST, {"type": "point", "size": 130, "filled": True}),
        (tables.EXACT, {"type": "point", "size": 330, "strokeWidth": 2}),
    ]
    x = {
        "field": "cost",
        "type": "quantitative",
        "title": cost.named,
        "scale": {"zero": False},
        "axis": {"format": "~r", "tickCount": 6, "grid": False},
    }
    marks = {
        "x": x,
        "y": {
            "field": "value",
            "type": "quantitative",
            "title": objective.named,
            "scale": {"zero": False},
        },
        "color": _colour("kind", _KINDS),
        "tooltip": [
            {"field": "kind"},
            {"field": "cost", "type": "quantitative", "title": cost.label, "format": ".4g"},
            {
                "field": "value",
                "type": "quantitative",
                "title": objective.label,
                "format": ".4g",
            },
        ],
    }
    rule = {"type": "rule", "strokeDash": [4, 3], "color": INK}
    return {
        "height": 430,
        "layer": [
            _only("kind", tables.BUDGET) | {"mark": rule, "encoding": {"x": x}},
            *(_only("kind", kind) | {"mark": mark, "encoding": marks} for kind, mark in layers),
        ],
    }


def architecture_spec(rows: int) -> Spec:
    """Draws `architecture_table`: darker cells are further up their lists of choices."""
    return {
        "height": 48 + 36 * rows,
        "encoding": {
            "x": {
                "field": "column",
                "type": "nominal",
                "scale": {"paddingInner": 0.06},
                "sort": None,
                "title": None,
                "axis": {
                    "orient": "top",
                    "labelAngle": 0,
                    "labelFontSize": 11,
                    "labelOverlap": False,
                    "domain": False,
                    "ticks": False,
                },
            },
            "y": {
                "field": "row",
                "type": "nominal",
                "scale": {"paddingInner": 0.1},
                "sort": None,
                "title": None,
                "axis": {"domain": False, "ticks": False},
            },
            "tooltip": [{"field": "row"}, {"field": "column"}, {"field": "text"}],
        },
        "layer": [
            {
                "mark": {"type": "rect", "cornerRadius": 3, "strokeWidth": 2},
                "encoding": {
                    "color": {
                        "condition": {
                            "test": "isValid(datum.level)",
                            "field": "level",
                            "type": "quantitative",
                            "scale": {"domain": [0, 1], "range": ["#E3EEF6", BLUE]},
                            "legend": None,
                        },
                        "value": _EMPTY,
                    },
                    "stroke": {
                        "condition": {"test": "datum.differs", "value": ORANGE},
                        "value": "white",
                    },
                },
            },
            {
                "mark": {"type": "text", "fontSize": 11},
                "encoding": {
                    "text": {"field": "text"},
                    "color": {
                        "condition": {"test": "datum.level > 0.55", "value": "white"},
                        "value": INK,
                    },
                },
            },
        ],
    }


def _only(field: str, value: str) -> Spec:
    return {"transform": [{"filter": {"field": field, "equal": value}}]}


def _proposals(total: int, title: str | None) -> Spec:
    return {
        "field": "proposals",
        "type": "quantitative",
        "title": title,
        "scale": {"domain": [0, total], "nice": False},
        "axis": {"format": ",d", "tickCount": 5, "grid": False, "labelOverlap": True},
    }


def _colour(field: str, colours: dict[str, str]) -> Spec:
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": list(colours), "range": list(colours.values())},
        "legend": {"orient": "top", "title": None, "symbolType": "circle"},
    }
