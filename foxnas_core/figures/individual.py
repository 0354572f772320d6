"""One architecture among the measured ones, and where a single edit of it leads."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.points import subnet_points
from foxnas_core.figures.shapes import Trace, drawn, markers
from foxnas_core.figures.theme import (
    BLUE,
    CLOUD,
    GAIN,
    GREY,
    INK,
    LOSS,
    PAPER,
    difference_axis,
    exponents,
    whiskers,
)
from foxnas_core.table.metrics import Metric

_SIGNS: Mapping[str, dict[str, Any]] = {
    "predicted": {"symbol": "circle", "size": 11, "color": PAPER},
    "expected": {"symbol": "circle", "size": 11, "color": BLUE},
    "measured": {"symbol": "diamond", "size": 12, "color": INK},
}


def place_figure(
    cloud: pd.DataFrame, own: pd.DataFrame, objective: Metric, cost: Metric
) -> go.Figure:
    """The objective over the cost: all measured subnets (`cloud`: id and both columns) as points,
    and one of them as it is known.

    `own` has one row a way of knowing (`how`: predicted, expected, measured) and both columns with
    the ends of their intervals, `…_low` and `…_high`.
    """
    hover = f"{cost.named} %{{x}}<br>{objective.named} %{{y}}"
    traces: list[Trace] = [
        subnet_points(
            cloud["id"].tolist(), x=cloud[cost.column], y=cloud[objective.column],
            marker={"size": 5, "color": CLOUD, "opacity": 0.5}, name="measured subnets",
            hovertemplate=f"%{{meta}}<br>{hover}<extra></extra>",
        )
    ]  # fmt: skip
    for row in own.to_dict("records"):
        sign = _SIGNS[str(row["how"])]
        bars = {
            f"error_{axis}": whiskers(
                [row[column]], [row[f"{column}_low"]], [row[f"{column}_high"]], INK
            )
            for axis, column in (("x", cost.column), ("y", objective.column))
        }
        traces.append(
            markers(
                [row[cost.column]], [row[objective.column]], f"this, {row['how']}",
                marker={**sign, "line": {"color": INK, "width": 1.5}},
                hover=f"{row['how']}<br>{hover}", **bars,
            )
        )  # fmt: skip
    axes = [{"title": each.named, "exponentformat": exponents(each)} for each in (cost, objective)]
    return drawn(traces, height=380, x=axes[0], y=axes[1])


def steps_figure(table: pd.DataFrame, objective: Metric, cost: Metric) -> go.Figure:
    """What single edits change, the objective over the cost: in the colours of a gain where it is
    better in both, of a loss where worse in both.

    `table` has edit, the change of each ("Δ …", with " low" and " high") and the id it leads to.
    """
    x, y = difference_axis(cost), difference_axis(objective)
    won, saved = objective.sign * table[y] > 0, cost.sign * table[x] > 0
    groups = {
        "better in both": (won & saved, GAIN),
        "worse in both": (~won & ~saved, LOSS),
        "a trade": (won != saved, GREY),
    }
    traces = []
    for name, (own, colour) in groups.items():
        part = table[own]
        traces.append(
            subnet_points(
                part["id"].tolist(), x=part[x], y=part[y], name=name, customdata=part["edit"],
                marker={"size": 10, "color": colour, "line": {"color": INK, "width": 0.5}},
                hovertemplate=f"%{{customdata}}<br>{x} %{{x:+.3g}}<br>{y} %{{y:+.3g}}"
                "<extra></extra>",
            )
        )  # fmt: skip
    axes = [
        {"title": title, "zeroline": True, "exponentformat": exponents(each)}
        for title, each in ((x, cost), (y, objective))
    ]
    return drawn([t for t in traces if len(t["x"])], height=400, x=axes[0], y=axes[1])
