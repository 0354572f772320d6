"""Coefficients as points with intervals, and effects as a heatmap over stages and slots."""

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.theme import DIVERGING, GREY, colour_of, styled
from foxnas_core.target import Target


def interval_table(coefficients: pd.DataFrame) -> pd.DataFrame:
    """The rows that a plot of effects shows: all but the intercept and the context's fixed part.

    Keeps term, label, group, estimate, low, high, p, and adds `clear`: whether the interval
    leaves out 0.
    """
    rows = coefficients[(coefficients["group"] != "") | (coefficients["term"].str.contains("="))]
    rows = rows[["term", "label", "group", "estimate", "std_error", "low", "high", "p"]]
    return rows.assign(clear=(rows["low"] > 0) | (rows["high"] < 0)).reset_index(drop=True)


def interval_figure(table: pd.DataFrame, target: Target) -> go.Figure:
    """One row a coefficient, its 95 % interval as a bar; grey where it spans 0."""
    figure = go.Figure()
    for clear, colour, name in (
        (True, colour_of(target.column), "95 % interval leaves out 0"),
        (False, GREY, "spans 0"),
    ):
        rows = table[table["clear"] == clear]
        figure.add_scatter(
            x=rows["estimate"],
            y=rows["term"],
            mode="markers",
            name=name,
            marker={"color": colour, "size": 7},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": rows["high"] - rows["estimate"],
                "arrayminus": rows["estimate"] - rows["low"],
                "color": colour,
                "thickness": 1.5,
            },
            customdata=rows[["label", "low", "high"]],
            hovertemplate=(
                "%{customdata[0]}<br>%{x:+.4g} "
                f"{target.unit} [%{{customdata[1]:+.4g}}, %{{customdata[2]:+.4g}}]<extra></extra>"
            ),
        )
    figure.add_vline(x=0, line={"color": GREY, "width": 1})
    figure.update_yaxes(
        categoryorder="array", categoryarray=list(table["term"])[::-1], tickfont={"size": 11}
    )
    unit = "percentage points" if target.unit == "%" else target.unit
    figure.update_xaxes(title=f"Effect on {target.label} ({unit})")
    return styled(figure, height=140 + 17 * len(table))


def heatmap_figure(grid: pd.DataFrame, target: Target) -> go.Figure:
    """Groups (rows) by slots (columns), coloured by effect, with the number in each cell."""
    unit = "pp" if target.unit == "%" else target.unit
    limit = float(grid.abs().max().max()) if grid.size else 1.0
    figure = go.Figure(
        go.Heatmap(
            z=grid.to_numpy(dtype=float),
            x=[f"block {position}" for position in grid.columns],
            y=list(grid.index),
            zmin=-limit,
            zmax=limit,
            colorscale=DIVERGING,
            texttemplate="%{z:+.3g}",
            hovertemplate=f"%{{y}} %{{x}}: %{{z:+.4g}} {unit}<extra></extra>",
            colorbar={"title": unit, "thickness": 12},
            xgap=2,
            ygap=2,
        )
    )
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_xaxes(side="top")
    return styled(figure, height=110 + 44 * max(1, len(grid)))
