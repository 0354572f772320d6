"""One look for all figures, in colours that colour-blind readers can tell apart (Okabe & Ito)."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from plotly import graph_objects as go

from foxnas_core.target import Target

BLUE, ORANGE, GREEN, RED, PURPLE, SKY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9",
)  # fmt: skip
GREY, INK, PALE = "#8A94A0", "#1B2733", "#F4F6F8"
TARGET_COLOURS = {
    "accuracy": BLUE, "latency_ms": RED, "latency_ms:int8": PURPLE,
    "accuracy:int8": SKY, "accuracy_drop:int8": ORANGE,
}  # fmt: skip
# Blue over white to red: harm and help stay apart without green against red.
# The ends are light enough for dark numbers to be read on them.
DIVERGING = [[0.0, "#64A6D1"], [0.5, "#F7F7F7"], [1.0, "#EB9457"]]


_AXIS = {
    "automargin": True,
    "ticks": "",
    "gridcolor": "#E8ECF0",
    "linecolor": "#E8ECF0",
    "zerolinecolor": GREY,
    "zerolinewidth": 1,
    "title": {"standoff": 8},
}
# Plotly's own templates style every kind of trace, which takes longer than all else in a figure.
_TEMPLATE = go.layout.Template(
    layout={
        "font": {
            "family": '"Source Sans", "Source Sans Pro", sans-serif',
            "size": 14,
            "color": INK,
        },
        "margin": {"l": 10, "r": 10, "t": 40, "b": 10},
        "plot_bgcolor": "white",
        "paper_bgcolor": "white",
        "hoverlabel": {"align": "left"},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        # Pages are scrolled over their figures: no zooming by accident.
        "dragmode": False,
    }
)


def new_figure() -> go.Figure:
    """An empty figure in the common look."""
    return go.Figure(layout={"template": _TEMPLATE})


def whiskers(
    value: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    colour: str,
    *,
    thickness: float = 1.2,
    width: float = 3,
) -> dict[str, Any]:
    """Error bars (a trace's `error_x` or `error_y`) from `low` to `high` about each value; none
    where an end is unknown or on the value's other side."""
    middle = np.asarray(value, dtype=float)
    return {
        "type": "data",
        "symmetric": False,
        "array": np.nan_to_num(np.asarray(high, dtype=float) - middle).clip(min=0),
        "arrayminus": np.nan_to_num(middle - np.asarray(low, dtype=float)).clip(min=0),
        "color": colour,
        "thickness": thickness,
        "width": width,
    }


def colour_of(column: str) -> str:
    return TARGET_COLOURS.get(column, GREEN)


def exponents(target: Target) -> str:
    """How Plotly writes small and large numbers on an axis of a target: with prefixes for counts
    only, since 200 μ of ms is no number that anybody reads."""
    return "none" if target.unit else "B"


def difference_axis(target: Target) -> str:
    """The title of an axis of differences in a target."""
    unit = f" ({target.difference_unit})" if target.difference_unit else ""
    return f"Δ {target.label}{unit}"
