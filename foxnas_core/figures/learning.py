"""How errors fall as rows are added."""

import numpy as np
import pandas as pd
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from foxnas_core.diagnostics.learning_curve import LearningCurve
from foxnas_core.figures.diagnostics import unit_text
from foxnas_core.figures.theme import BLUE, GREY, ORANGE, faint, new_figure


def halving_table(curve: LearningCurve, points: int = 50) -> pd.DataFrame:
    """Rows and mean width of intervals by 1 / √(rows - parameters), from all rows to those at
    which it has halved."""
    rows = np.linspace(curve.rows, curve.halved_rows, points)
    shrunk = np.sqrt((curve.rows - curve.parameters) / (rows - curve.parameters))
    return pd.DataFrame({"rows": rows, "width": curve.width * shrunk})


def curve_figure(curve: LearningCurve) -> go.Figure:
    """RMSE and tau over rows, means with one standard deviation, and widths of intervals with
    where they will have halved."""
    target, table = curve.target, curve.table
    titles = (
        f"RMSE{unit_text(target, difference=True)}",
        "Kendall's tau",
        f"Mean width of intervals{unit_text(target, difference=True)}",
    )
    figure = make_subplots(
        rows=1, cols=3, subplot_titles=titles, horizontal_spacing=0.06, figure=new_figure()
    )
    for column, name in enumerate(("rmse", "tau"), start=1):
        spread = table[f"{name}_sd"].fillna(0)
        for end, fill in ((table[name] - spread, None), (table[name] + spread, "tonexty")):
            figure.add_scatter(
                x=table["rows"],
                y=end,
                mode="lines",
                line={"width": 0},
                fill=fill,
                fillcolor=faint(BLUE, 0.18),
                hoverinfo="skip",
                showlegend=False,
                row=1,
                col=column,
            )
        _curve(figure, table["rows"], table[name], column)
    figure.add_hline(
        y=curve.floor, line={"color": GREY, "dash": "dot", "width": 1.5}, row=1, col=1,
        annotation={"text": "noise and what the form leaves out", "font": {"size": 12}},
        annotation_position="bottom right",
    )  # fmt: skip
    _curve(figure, table["rows"], table["width"], 3)
    ahead = halving_table(curve)
    figure.add_scatter(
        x=ahead["rows"],
        y=ahead["width"],
        mode="lines",
        line={"color": GREY, "dash": "dot", "width": 1.5},
        hoverinfo="skip",
        showlegend=False,
        row=1,
        col=3,
    )
    ends = ahead.iloc[[0, -1]]
    figure.add_scatter(
        x=ends["rows"],
        y=ends["width"],
        mode="markers+text",
        marker={"color": ORANGE, "size": 9},
        text=[f"now, {curve.rows:,} rows", f"half, {curve.halved_rows:,} rows"],
        textposition=["top right", "middle left"],
        textfont={"size": 12},
        hovertemplate="%{x:.0f} rows: %{y:.4g}<extra></extra>",
        showlegend=False,
        row=1,
        col=3,
    )
    figure.update_xaxes(title="Rows fitted", rangemode="tozero")
    figure.update_yaxes(rangemode="tozero", row=1, col=1)
    # There 1 / √ is a straight line, and the rows to come do not squeeze those there are.
    rows, widths = (np.concatenate([table[name], ahead[name]]) for name in ("rows", "width"))
    figure.update_xaxes(type="log", **_log_ticks(rows), row=1, col=3)
    figure.update_yaxes(type="log", **_log_ticks(widths), row=1, col=3)
    figure.update_layout(height=350)
    return figure


def _curve(figure: go.Figure, x: pd.Series, y: pd.Series, column: int) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"color": BLUE},
        hovertemplate="%{x:.0f} rows: %{y:.4g}<extra></extra>",
        showlegend=False,
        row=1,
        col=column,
    )


def _log_ticks(values: np.ndarray) -> dict[str, list]:
    """Ticks at 1, 2 and 5 times powers of ten, or at powers alone over many, written out."""
    low, high = float(values.min()), float(values.max())
    decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    steps = (1, 2, 5) if high < 100 * low else (1,)
    # As text, so that 2e-3 is 0.002 and not a neighbour of it.
    ticks = [float(f"{step}e{decade}") for decade in decades for step in steps]
    return {
        "tickvals": ticks,
        "ticktext": [f"{t:,.0f}" if t >= 1 else f"{t:.6g}" for t in ticks],
    }
