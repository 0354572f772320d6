"""One look for all figures, in colours that colour-blind readers can tell apart (Okabe & Ito)."""

from plotly import graph_objects as go

from foxnas_core.target import Target

BLUE, ORANGE, GREEN, RED, PURPLE, SKY = (
    "#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9",
)  # fmt: skip
GREY, INK, PALE = "#8A94A0", "#1B2733", "#F4F6F8"
TARGET_COLOURS = {"accuracy": BLUE, "latency_ms": RED, "latency_ms:int8": PURPLE}
# Blue over white to red: harm and help stay apart without green against red.
DIVERGING = [[0.0, "#0072B2"], [0.5, "#F7F7F7"], [1.0, "#D55E00"]]


def styled(figure: go.Figure, *, height: int, **layout: object) -> go.Figure:
    """Apply the common look."""
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        font={"family": "sans-serif", "size": 13, "color": INK},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        hoverlabel={"align": "left"},
        # Zooming by accident is worse than not zooming: pages are scrolled over their figures.
        dragmode=False,
        **layout,
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    return figure


def colour_of(column: str) -> str:
    return TARGET_COLOURS.get(column, GREEN)


def difference_axis(target: Target) -> str:
    """The title of an axis of differences in a target."""
    unit = f" ({target.difference_unit})" if target.difference_unit else ""
    return f"Δ {target.label}{unit}"
