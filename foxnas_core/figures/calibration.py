"""How well a new device is predicted from few of its rows."""

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.devices.common import device_of, read_rows
from foxnas_core.devices.curve import SCALED, SCRATCH, Errors, TransferCurve, errors_of
from foxnas_core.figures.theme import (
    BLUE,
    CLOUD,
    GREY,
    INK,
    ORANGE,
    PAPER,
    faint,
    new_figure,
)
from foxnas_core.regression import Predictor
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric

METRICS = {"rmse": "RMSE (ms)", "mape": "Mean absolute error (%)", "tau": "Kendall's tau"}


def curve_figure(curve: TransferCurve, metric: str) -> go.Figure:
    """`curve.table`: one metric of `METRICS` against the rows shown, mean and 90 % range."""
    figure = new_figure()
    names = {
        SCALED: f"{device_of(curve.source)} scaled to {device_of(curve.target)}",
        SCRATCH: "a fit from scratch",
    }
    for method, colour, fill in (
        (SCALED, BLUE, faint(BLUE, 0.15)),
        (SCRATCH, ORANGE, faint(ORANGE, 0.18)),
    ):
        own = curve.table[curve.table["method"] == method]
        if not len(own):
            continue
        x = own["rows"].to_numpy()
        ends = own[f"{metric}_high"].to_numpy(), own[f"{metric}_low"].to_numpy()
        figure.add_scatter(
            x=np.concatenate([x, x[::-1]]), y=np.concatenate([ends[0], ends[1][::-1]]),
            fill="toself", fillcolor=fill, line={"width": 0}, mode="lines", hoverinfo="skip",
            showlegend=False,
        )  # fmt: skip
        figure.add_scatter(
            x=x, y=own[metric], mode="lines+markers", name=names[method],
            line={"color": colour, "width": 2}, marker={"size": 7},
            customdata=np.column_stack([ends[1], ends[0]]),
            hovertemplate="%{x} rows: %{y:.3g} [%{customdata[0]:.3g}, %{customdata[1]:.3g}]"
            "<extra></extra>",
        )  # fmt: skip
    if curve.floor is not None:
        figure.add_hline(
            y=getattr(curve.floor, metric), line={"color": GREY, "dash": "dash", "width": 1.5},
            annotation={
                "text": f"a fit on all {curve.rows} rows", "font": {"color": INK, "size": 12},
            },
            annotation_position="top left" if metric != "tau" else "bottom left",
        )  # fmt: skip
    ticks = sorted(set(curve.table["rows"]))
    figure.update_layout(
        height=380,
        xaxis={
            "type": "log", "title": {"text": f"Rows measured on {device_of(curve.target)}"},
            "tickvals": ticks, "ticktext": [str(t) for t in ticks],
        },
        yaxis={"title": {"text": METRICS[metric]}},
    )  # fmt: skip
    if metric != "tau":
        figure.update_yaxes(rangemode="tozero")
    return figure


def calibration_table(
    predictor: Predictor, table: MeasurementTable, rows: np.ndarray
) -> pd.DataFrame:
    """One row a subnet measured on the new device: id, used (for the calibration), predicted
    (held out where used), measured, error (%)."""
    measured = read_rows(table, predictor.target.column)
    values = table.values(predictor.target.column)[measured]
    return pd.DataFrame(
        {
            "id": table.frame["id"].to_numpy()[measured],
            "used": np.isin(measured, rows),
            "predicted": predictor.held_out,
            "measured": values,
            "error (%)": 100 * (predictor.held_out / values - 1),
        }
    )


def calibration_errors(table: pd.DataFrame) -> Errors:
    """The errors over the rows of a `calibration_table`."""
    return errors_of(table["measured"].to_numpy(), table["predicted"].to_numpy())


def number(value: float) -> str:
    """Three significant digits."""
    return f"{value:#.3g}".removesuffix(".")


def calibration_figure(table: pd.DataFrame, target: Metric) -> go.Figure:
    """Measured against predicted: the rows used stand out, a line marks agreement."""
    device = device_of(target)
    figure = new_figure()
    ends = [
        float(table[["predicted", "measured"]].min().min()),
        float(table[["predicted", "measured"]].max().max()),
    ]
    figure.add_scatter(
        x=ends, y=ends, mode="lines", name="equal", line={"color": GREY, "width": 1},
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    for used, name, colour, size in (
        (False, "not used", CLOUD, 6),
        (True, "used to calibrate", INK, 9),
    ):
        own = table[table["used"] == used]
        if len(own):
            figure.add_scatter(
                x=own["predicted"], y=own["measured"], mode="markers", name=name,
                marker={"color": colour, "size": size, "line": {"width": 0.5, "color": PAPER}},
                customdata=own["id"],
                hovertemplate="%{customdata}<br>predicted %{x:.4g} ms, measured %{y:.4g} ms"
                "<extra></extra>",
            )  # fmt: skip
    figure.update_layout(
        height=380,
        xaxis={"title": {"text": f"Predicted latency on {device} (ms)"}},
        yaxis={"title": {"text": f"Measured latency on {device} (ms)"}},
    )
    return figure
