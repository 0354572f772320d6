"""How errors fall as rows are added."""

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.diagnostics.learning_curve import LearningCurve
from foxnas_core.figures.diagnostics import unit_text
from foxnas_core.figures.shapes import Trace, band, line, markers, panels, ruled
from foxnas_core.figures.theme import BLUE, ORANGE


def halving_table(curve: LearningCurve, points: int = 50) -> pd.DataFrame:
    """Rows and mean width of intervals by 1 / √(rows - parameters), from all rows to those at
    which it has halved."""
    rows = np.linspace(curve.rows, curve.halved_rows, points)
    shrunk = np.sqrt((curve.rows - curve.parameters) / (rows - curve.parameters))
    return pd.DataFrame({"rows": rows, "width": curve.width * shrunk})


def curve_figure(curve: LearningCurve) -> go.Figure:
    """RMSE and tau over rows, means with one standard deviation, and widths of intervals with
    where they will have halved."""
    unit, table = unit_text(curve.target, difference=True), curve.table
    titles = (f"RMSE{unit}", "Kendall's tau", f"Mean width of intervals{unit}")
    figure = panels(3, subplot_titles=titles, horizontal_spacing=0.06)

    def add(panel: int, *traces: Trace) -> None:
        for trace in traces:
            figure.add_trace(trace, row=1, col=panel)

    told, rows = "%{x:.0f} rows: %{y:.4g}", table["rows"]
    for panel, name in enumerate(("rmse", "tau", "width"), start=1):
        value = table[name]
        if name != "width":
            spread = table[f"{name}_sd"].fillna(0)
            add(panel, band(rows, value - spread, value + spread, BLUE, opacity=0.18))
        add(panel, line(rows, value, colour=BLUE, width=2, mode="lines+markers", hover=told))
    text = "noise and what the form leaves out"
    ruled(figure, y=curve.floor, text=text, at="bottom right", dash="dot", width=1.5, row=1, col=1)
    ahead = halving_table(curve)
    ends = ahead.iloc[[0, -1]]
    add(
        3,
        line(ahead["rows"], ahead["width"], dash="dot"),
        markers(
            ends["rows"], ends["width"], mode="markers+text", marker={"color": ORANGE, "size": 9},
            text=[f"now, {curve.rows:,} rows", f"half, {curve.halved_rows:,} rows"],
            textposition=["top right", "middle left"], textfont={"size": 12}, hover=told,
        ),
    )  # fmt: skip
    figure.update_xaxes(title="Rows fitted", rangemode="tozero")
    figure.update_yaxes(rangemode="tozero", row=1, col=1)
    # There 1 / √ is a straight line, and the rows to come do not squeeze those there are.
    every, widths = (np.concatenate([table[name], ahead[name]]) for name in ("rows", "width"))
    figure.update_xaxes(type="log", **_log_ticks(every), row=1, col=3)
    figure.update_yaxes(type="log", **_log_ticks(widths), row=1, col=3)
    return figure.update_layout(height=350)


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
