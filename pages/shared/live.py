"""Charts that move while a search runs: Altair keeps its node where Plotly would flicker."""

import altair as alt
import pandas as pd

BLUE, GREY, ORANGE, GREEN, LIGHT = "#0072B2", "#8A94A0", "#E69F00", "#009E73", "#C9D3DC"


def trace_chart(trace: pd.DataFrame, optimum: float, total: int) -> alt.LayerChart:
    """Current and best predicted accuracy over proposals, the exact optimum as a dashed line."""
    low = float(min(trace["value"].quantile(0.02), optimum)) if len(trace) else optimum - 1
    scale = alt.Scale(domain=[low, optimum + 0.08 * max(optimum - low, 0.01)], clamp=True)
    x = alt.X("proposals:Q", title="proposals", scale=alt.Scale(domain=[0, total]))
    lines = (
        alt.Chart(trace)
        .mark_line()
        .encode(
            x=x,
            y=alt.Y("value:Q", title="predicted top-1 accuracy (%)", scale=scale),
            color=alt.Color(
                "line:N",
                title=None,
                scale=alt.Scale(domain=["current", "best", "exact optimum"], range=[GREY, BLUE, ORANGE]),
                legend=alt.Legend(orient="top"),
            ),
            tooltip=["proposals:Q", "line:N", alt.Tooltip("value:Q", format=".3f")],
        )
    )
    rule = (
        alt.Chart(pd.DataFrame({"value": [optimum], "line": ["exact optimum"]}))
        .mark_rule(strokeDash=[6, 4], strokeWidth=2)
        .encode(y=alt.Y("value:Q", scale=scale), color="line:N")
    )
    return (lines + rule).properties(height=300)


def temperature_chart(trace: pd.DataFrame, total: int) -> alt.LayerChart:
    """Temperature (points of accuracy, logarithmic) and acceptance over proposals."""
    x = alt.X("proposals:Q", title="proposals", scale=alt.Scale(domain=[0, total]))
    base = alt.Chart(trace)
    temperature = base.mark_line(color=ORANGE).encode(
        x=x,
        y=alt.Y(
            "temperature:Q",
            title="temperature (points)",
            scale=alt.Scale(type="log"),
            axis=alt.Axis(titleColor=ORANGE, format="~g"),
        ),
    )
    acceptance = base.mark_line(color=GREEN).encode(
        x=x,
        y=alt.Y(
            "acceptance:Q",
            title="accepted proposals",
            scale=alt.Scale(domain=[0, 1]),
            axis=alt.Axis(titleColor=GREEN, format="%"),
        ),
    )
    return (temperature + acceptance).resolve_scale(y="independent").properties(height=180)


def architecture_chart(cells: pd.DataFrame) -> alt.LayerChart:
    """Stages by blocks; darker for a later choice of the block's first decision, white if off."""
    x = alt.X("position:O", title="block", axis=alt.Axis(orient="top", labelAngle=0))
    base = alt.Chart(cells).encode(x=x, y=alt.Y("group:N", title=None, sort=None))
    boxes = base.mark_rect(stroke="white", strokeWidth=3).encode(
        color=alt.condition(
            "isValid(datum.level)",
            alt.Color(
                "level:Q", scale=alt.Scale(domain=[0, 1], range=["#DCEBF5", "#6FB1DC"]), legend=None
            ),
            alt.value("#F1F3F5"),
        )
    )
    text = base.mark_text(fontSize=12, color="#1B2733").encode(text="text:N")
    return (boxes + text).properties(height=60 + 38 * cells["group"].nunique())


def pareto_chart(
    cloud: pd.DataFrame, front: pd.DataFrame, points: pd.DataFrame, budget: float, unit: str
) -> alt.LayerChart:
    """Measured subnets, the predicted front, the budget, and the points of a search."""
    x = alt.X("latency:Q", title=f"latency ({unit})", scale=alt.Scale(zero=False))
    y = alt.Y("accuracy:Q", title="top-1 accuracy (%)", scale=alt.Scale(zero=False))
    tip = [alt.Tooltip("latency:Q", format=".4g"), alt.Tooltip("accuracy:Q", format=".2f")]
    measured = alt.Chart(cloud).mark_circle(color=LIGHT, size=18).encode(
        x=x, y=y, tooltip=[alt.Tooltip("id:N", title="measured"), *tip]
    )
    line = alt.Chart(front).mark_line(color=GREY, interpolate="step-after").encode(x=x, y=y)
    rule = (
        alt.Chart(pd.DataFrame({"latency": [budget]}))
        .mark_rule(color="#D55E00", strokeDash=[4, 4])
        .encode(x=x)
    )
    marks = (
        alt.Chart(points)
        .mark_point(filled=True, size=130, opacity=1, stroke="white")
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "point:N",
                title=None,
                scale=alt.Scale(domain=["exact optimum", "current", "best"], range=[ORANGE, "#5B6670", BLUE]),
                legend=alt.Legend(orient="top"),
            ),
            shape=alt.Shape(
                "point:N",
                scale=alt.Scale(
                    domain=["exact optimum", "current", "best"], range=["diamond", "circle", "circle"]
                ),
                legend=None,
            ),
            tooltip=["point:N", *tip],
        )
    )
    return (measured + line + rule + marks).properties(height=380)
