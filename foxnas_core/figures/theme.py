"""One look for all figures, in colours that colour-blind readers can tell apart.

Figures are drawn in the light theme's colours, all of which stand here; `in_dark` gives what was
drawn the dark theme's. The hues are Okabe and Ito's (2008), each darkened or lightened until it
stands out from both papers (WCAG 2, 1.4.11) and from the others for every kind of colour blindness.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike
from plotly import graph_objects as go

from foxnas_core.table.metrics import Metric

Drawn = TypeVar("Drawn", go.Figure, dict[str, Any])

BLUE, ORANGE, GREEN, RED, PURPLE, SKY = (
    "#0A5799", "#CC7E0E", "#0C8250", "#A03000", "#A14371", "#1B98E2",
)  # fmt: skip
# Lines that say less, words and rules, panes, what lies under a figure, the lines of its grid.
GREY, INK, PALE, PAPER, GRID = "#848FA6", "#1B2733", "#F4F6F8", "#FFFFFF", "#E8ECF0"
# Clouds of points behind what counts.
CLOUD = "#7F95A8"
# More than six or seven kinds in one figure.
BROWN, SILVER = "#7A4A22", "#8D8D86"
# What numbers are written on: cool and warm ends, and the middle of a scale through nothing.
COOL, NEUTRAL, WARM = "#64A6D1", "#F7F7F7", "#EB9457"
# A scale of one hue for marks without words on them, lowest first.
LOW, MIDDLE, HIGH = "#4399D0", "#1F6FAE", "#0B2F5B"
TARGET_COLOURS = {
    "accuracy": BLUE, "latency_ms": RED, "latency_ms:int8": PURPLE,
    "accuracy:int8": SKY, "accuracy_drop:int8": ORANGE,
}  # fmt: skip
# What means the same in every figure, beside the targets: a gain, a loss, the proven optimum.
GAIN, LOSS, OPTIMUM = SKY, ORANGE, GREEN
# Losses over nothing to gains, in the hues of both: they stay apart without green against red.
# The ends are light enough for dark numbers to be read on them (dark enough for light ones).
DIVERGING = [[0.0, WARM], [0.5, NEUTRAL], [1.0, COOL]]
SEQUENTIAL = [[0.0, NEUTRAL], [1.0, COOL]]
# What each colour is in the dark theme.
DARK = {
    BLUE: "#3D98E9", ORANGE: "#F7C244", GREEN: "#45CF8F", RED: "#E0652E", PURPLE: "#BB5489",
    SKY: "#ADD4FF", GREY: "#8798B0", INK: "#E6EBF0", PALE: "#1D242C", PAPER: "#14191F",
    GRID: "#2B343D", CLOUD: "#5F7A92", BROWN: "#B98A5E", SILVER: "#B9B9B0", COOL: "#2A6A98",
    NEUTRAL: "#232C35", WARM: "#A3541B", LOW: "#2F75AD", MIDDLE: "#67AEE8", HIGH: "#D8ECFF",
}  # fmt: skip
_WIDE = "wide"
_SHORT = 28  # letters
_RGB = re.compile(r"rgba?\((\d+), ?(\d+), ?(\d+)(.*)\)")
# What Plotly would read as markup, but for what figures here are marked up with.
_MARKUP = re.compile(r"<(?!/?(?:b|br|i|sub|sup|extra)>)|&(?=[#\w]+;)")
_NOTHING = "\u200b"  # of no width, and part of no mark
# What a figure is about, and no colour of it, however many values it has.
_DATA = {"x", "y", "z", "text", "customdata", "meta", "labels", "values", "data", "field", "test"}


# A legend below panels, which have their titles above them.
BELOW = {"orientation": "h", "x": 0, "y": -0.12, "yanchor": "top"}

_AXIS = {
    "automargin": True,
    "ticks": "",
    "gridcolor": GRID,
    "linecolor": GRID,
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
        "plot_bgcolor": PAPER,
        "paper_bgcolor": PAPER,
        "hoverlabel": {"align": "left", "bgcolor": PALE, "bordercolor": GREY, "font_color": INK},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        # Above the figure, and away from it where it takes several lines.
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        # Pages are scrolled over their figures: no zooming by accident.
        "dragmode": False,
    }
)


def new_figure(
    traces: Iterable[dict[str, Any]] = (), layout: Mapping[str, Any] | None = None
) -> go.Figure:
    """A figure in the common look: empty, or of traces and a layout, which is several times as
    quick as adding them afterwards."""
    return go.Figure(list(traces), {"template": _TEMPLATE, **(layout or {})})


def wide(figure: go.Figure) -> go.Figure:
    """Say of a figure that it can't be read in a phone's width."""
    return figure.update_layout(meta=_WIDE)


def is_wide(figure: go.Figure) -> bool:
    """Whether a figure is `wide`, or has panels beside each other."""
    layout = figure.layout
    # Written for few axes: Plotly's own search for them looks at every property.
    axes = (layout[name] for name in layout if name.startswith("xaxis"))
    return layout.meta == _WIDE or any(axis.domain and axis.domain[0] > 0 for axis in axes)


def in_dark(drawn: Drawn) -> Drawn:
    """The same figure, or description of one, in the dark theme's colours.

    What is no colour of this module is left as it is.
    """
    return _changed(drawn, _dark_colour, _DATA)


def as_text(drawn: Drawn) -> Drawn:
    """The same figure, or description of one, with whatever Plotly would read as markup broken,
    such as a link in a name, but for what figures here are marked up with."""
    return _changed(drawn, _unmarked, frozenset())


def _unmarked(text: str) -> str:
    return _MARKUP.sub(rf"\g<0>{_NOTHING}", text) if "<" in text or "&" in text else text


def _changed(drawn: Drawn, change: Callable[[str], str], kept: Collection[str]) -> Drawn:
    """Every text of a figure changed, but for those under a name of `kept`; the figure itself where
    none is another by it."""
    others = False

    def walked(part: Any) -> Any:
        nonlocal others
        if isinstance(part, dict):
            return {k: v if k in kept else walked(v) for k, v in part.items()}
        if isinstance(part, str):
            text = change(part)
            others |= text != part
            return text
        if isinstance(part, np.ndarray):
            if part.dtype.kind not in "OU":
                return part
            cells = part.ravel().tolist()
            own = [change(cell) if isinstance(cell, str) else cell for cell in cells]
            others |= own != cells
            return np.array(own, dtype=object).reshape(part.shape)
        return [walked(p) for p in part] if isinstance(part, list | tuple) else part

    if not isinstance(drawn, go.Figure):
        return walked(drawn)
    # Of the whole figure Plotly would hand out its numbers encoded.
    data = [walked(trace.to_plotly_json()) for trace in drawn.data]
    layout = walked(drawn.layout.to_plotly_json())
    return go.Figure(data, layout) if others else drawn


def _dark_colour(colour: str) -> str:
    if found := _RGB.fullmatch(colour):
        *parts, rest = found.groups()
        dark = DARK.get(_hexadecimal(int(p) for p in parts))
        return colour if dark is None else faint(dark, float(rest.lstrip(", ") or 1))
    return DARK.get(colour, colour)


def faint(colour: str, opacity: float) -> str:
    """A colour (hexadecimal) that lets through what lies under it, `opacity` from 0 to 1."""
    red, green, blue = (round(255 * part) for part in _parts(colour))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (hexadecimal) by WCAG 2: 1 for equal ones, at most 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (
        p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in _parts(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parts(colour: str) -> list[float]:
    return [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]


def _hexadecimal(parts: Iterable[int]) -> str:
    return "#" + "".join(f"{part:02X}" for part in parts)


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


def diverging(target: Metric) -> list[list[Any]]:
    """`DIVERGING` for differences in a target: gains cool, losses warm, whichever way is better."""
    if target.direction == "max":
        return DIVERGING
    return [[at, colour] for (at, _), (_, colour) in zip(DIVERGING, DIVERGING[::-1], strict=True)]


def colour_of(column: str) -> str:
    return TARGET_COLOURS.get(column, GREEN)


def exponents(target: Metric) -> str:
    """How Plotly writes small and large numbers on an axis of a target: with prefixes for counts
    only, since 200 μ of ms is no number that anybody reads."""
    return "none" if target.unit else "B"


def difference_axis(target: Metric) -> str:
    """The title of an axis of differences in a target."""
    unit = f" ({target.difference_unit})" if target.difference_unit else ""
    return f"Δ {target.label}{unit}"


def in_lines(title: str) -> str:
    """An axis's title, broken where it would not stand beside names on a phone."""
    return title.replace(" (", "<br>(", 1) if len(title) > _SHORT else title
