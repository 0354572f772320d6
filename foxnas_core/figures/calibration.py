"""How well a new device is predicted from few of its rows."""

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.devices.common import device_of, on_device, read_rows
from foxnas_core.devices.curve import SCALED, SCRATCH, Errors, TransferCurve, errors_of
from foxnas_core.figures.shapes import band, drawn, equal, line, markers, ruled
from foxnas_core.figures.theme import BLUE, CLOUD, INK, ORANGE, PAPER
from foxnas_core.regression import Predictor
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric


def error_names(target: Metric) -> dict[str, str]:
    """What each of `Errors` is called, with its unit."""
    unit = f" ({target.unit})" if target.unit else ""
    return {"rmse": f"RMSE{unit}", "mape": "Mean absolute error (%)", "tau": "Kendall's tau"}


def curve_figure(curve: TransferCurve, error: str) -> go.Figure:
    """`curve.table`: one of `Errors` against the rows shown, mean and 90 % range."""
    names = {
        SCALED: f"{device_of(curve.source)} scaled to {device_of(curve.target)}",
        SCRATCH: "a fit from scratch",
    }
    traces = []
    for method, colour in ((SCALED, BLUE), (SCRATCH, ORANGE)):
        own = curve.table[curve.table["method"] == method]
        ends = own[f"{error}_low"], own[f"{error}_high"]
        if len(own):
            traces += [
                band(own["rows"], *ends, colour, opacity=0.16),
                line(
                    own["rows"], own[error], names[method], colour=colour, width=2,
                    mode="lines+markers", marker={"size": 7}, customdata=np.column_stack(ends),
                    hover="%{x} rows: %{y:.3g} (%{customdata[0]:.3g} to %{customdata[1]:.3g})",
                ),
            ]  # fmt: skip
    ticks = sorted(set(curve.table["rows"]))
    figure = drawn(
        traces,
        height=380,
        x={
            "type": "log", "title": f"Rows measured on {device_of(curve.target)}",
            "tickvals": ticks, "ticktext": [str(t) for t in ticks],
        },
        y={
            "title": error_names(curve.target)[error],
            "rangemode": "normal" if error == "tau" else "tozero",
        },
    )  # fmt: skip
    if curve.floor is None:
        return figure
    at = "bottom left" if error == "tau" else "top left"
    text = f"a fit on all {curve.rows} rows"
    return ruled(figure, y=getattr(curve.floor, error), text=text, at=at, width=1.5)


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
    traces = [equal(table[["predicted", "measured"]])]
    for used, name, colour, size in (
        (False, "not used", CLOUD, 6),
        (True, "used to calibrate", INK, 9),
    ):
        own = table[table["used"] == used]
        if len(own):
            marker = {"color": colour, "size": size, "line": {"width": 0.5, "color": PAPER}}
            traces.append(
                markers(
                    own["predicted"], own["measured"], name, marker=marker, customdata=own["id"],
                    hover=f"%{{customdata}}<br>predicted %{{x:.4g}} {target.unit}, measured "
                    f"%{{y:.4g}} {target.unit}",
                )
            )  # fmt: skip
    titles = (on_device(target, what) for what in ("Predicted", "Measured"))
    return drawn(traces, height=380, **dict(zip("xy", titles, strict=True)))
