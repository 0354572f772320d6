"""What decisions matter near a budget, and over the whole space."""

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.shapes import ROWS, drawn, markers
from foxnas_core.figures.theme import GREY, PAPER, colour_of, whiskers
from foxnas_core.table.metrics import Metric

_MOST = 12  # decisions that are drawn


def near_figure(table: pd.DataFrame, target: Metric) -> go.Figure:
    """The first rows of `NearBudget.table`, as shares in percent: filled near the budget with the
    range of the repeats, hollow over the whole space."""
    own = table.head(_MOST)
    names = own["decision"].str.replace("_", " ")
    percent = 100 * own[["share", "low", "high", "everywhere"]]
    colour = colour_of(target.column)
    near = markers(
        percent["share"], names, name="near the budget", showlegend=True,
        marker={"color": colour, "size": 10}, hover="%{y}: %{x:.1f} %",
        error_x=whiskers(percent["share"], percent["low"], percent["high"], colour),
    )  # fmt: skip
    everywhere = markers(
        percent["everywhere"], names, name="over the whole space", showlegend=True,
        marker={"color": PAPER, "size": 9, "line": {"color": GREY, "width": 1.5}},
        hover="%{y}: %{x:.1f} %",
    )  # fmt: skip
    axis = {"title": f"Share of the spread of {target.word} (%)", "rangemode": "tozero"}
    return drawn([near, everywhere], height=130 + 26 * len(own), x=axis, y=ROWS)
