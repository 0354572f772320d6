"""What int8 costs and wins in one supernet and another."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from foxnas_core.figures.theme import BLUE, GREY, INK, ORANGE, new_figure
from foxnas_core.quantization.comparison import PrecisionComparison, columns_of

COLOURS = (BLUE, ORANGE)
_TITLES = {"accuracy": "Accuracy lost (points)", "time": "Latency saved (%)"}


def side_by_side(comparison: PrecisionComparison) -> pd.DataFrame:
    """One row a quantity: its name, then for each study the means in both precisions, what int8
    changes with its interval and how many subnets it helps; with two studies, their difference."""
    rows = []
    for (quantity, runtime), own in comparison.table.groupby(["quantity", "runtime"], sort=False):
        row: dict[str, object] = {"what": _named(str(quantity), str(runtime))}
        unit = "%" if quantity == "accuracy" else "ms"
        for cells in own.to_dict("records"):
            name = cells["study"]
            row[f"{name}: fp32"] = f"{cells['fp32']:.4g} {unit}"
            row[f"{name}: int8"] = f"{cells['int8']:.4g} {unit}"
            row[f"{name}: change"] = _with_ends(cells)
            row[f"{name}: helped"] = f"{100 * cells['helped']:.0f} % of {cells['subnets']}"
        if len(comparison.differences):
            of = comparison.differences
            found = of[(of["quantity"] == quantity) & (of["runtime"] == runtime)]
            if len(found):
                difference = found.to_dict("records")[0]
                how = "same subnets" if difference["paired"] else "other subnets"
                row["second less first"] = f"{_with_ends(difference)}, {how}"
        rows.append(row)
    return pd.DataFrame(rows).fillna("–")


def _named(quantity: str, runtime: str) -> str:
    return _TITLES[quantity] + (f", {runtime}" if runtime else "")


def _with_ends(cells: Mapping[Any, Any]) -> str:
    return f"{cells['value']:z.2f} [{cells['low']:z.2f}, {cells['high']:z.2f}]"


def interval_figure(comparison: PrecisionComparison) -> go.Figure:
    """`comparison.table`: a panel of accuracy and one of time, a point with its interval for each
    study and runtime."""
    table = comparison.table
    quantities = list(dict.fromkeys(table["quantity"]))
    most = int(table.groupby("quantity")["runtime"].nunique().max())
    figure = new_figure()
    grid = make_subplots(rows=1, cols=len(quantities), horizontal_spacing=0.16, figure=figure)
    for place, quantity in enumerate(quantities, start=1):
        for study, colour in zip(comparison.studies, COLOURS, strict=False):
            own = table[(table["quantity"] == quantity) & (table["study"] == study.name)]
            grid.add_scatter(
                x=own["value"],
                y=own["runtime"].replace("", "int8"),
                error_x={
                    "array": own["high"] - own["value"], "arrayminus": own["value"] - own["low"],
                    "color": colour, "thickness": 2, "width": 6,
                },
                mode="markers", name=study.name, legendgroup=study.name, showlegend=place == 1,
                marker={"color": colour, "size": 10},
                customdata=own[["low", "high", "subnets"]],
                hovertemplate=f"{study.name}, %{{y}}: %{{x:.3g}} [%{{customdata[0]:.3g}}, "
                "%{customdata[1]:.3g}], %{customdata[2]} subnets<extra></extra>",
                row=1, col=place,
            )  # fmt: skip
        grid.add_vline(x=0, line={"color": GREY, "width": 1}, row=1, col=place)
        grid.update_xaxes(title_text=_TITLES[quantity], row=1, col=place)
    grid.update_yaxes(type="category", showgrid=False, autorange="reversed")
    grid.update_layout(
        height=170 + 60 * most, scattermode="group", legend={"orientation": "h", "y": 1.15}
    )
    return grid


def scatter_table(comparison: PrecisionComparison, quantity: str, runtime: str) -> pd.DataFrame:
    """One row a subnet: study, id, fp32, int8 (%, or ms), of the studies that have the quantity."""
    parts = [pd.DataFrame(columns=["study", "id", "fp32", "int8"])]
    for study in comparison.studies:
        columns = columns_of(study, quantity, runtime)
        if set(columns) <= set(study.subnets):
            own = study.subnets[["id", *columns]].dropna().set_axis(["id", "fp32", "int8"], axis=1)
            parts.append(own.assign(study=study.name)[["study", "id", "fp32", "int8"]])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def scatter_figure(table: pd.DataFrame, quantity: str) -> go.Figure:
    """`scatter_table`, one colour a study; on the line int8 changes nothing."""
    what, unit = ("accuracy", "%") if quantity == "accuracy" else ("latency", "ms")
    figure = new_figure()
    ends = [float(table[["fp32", "int8"]].min().min()), float(table[["fp32", "int8"]].max().max())]
    figure.add_scatter(
        x=ends, y=ends, mode="lines", name="no change", line={"color": GREY, "width": 1},
        hoverinfo="skip",
    )  # fmt: skip
    for (study, own), colour in zip(table.groupby("study", sort=False), COLOURS, strict=False):
        figure.add_scatter(
            x=own["fp32"], y=own["int8"], mode="markers", name=str(study),
            marker={
                "color": colour, "size": 7, "opacity": 0.7, "line": {"width": 0.5, "color": "white"}
            },
            customdata=own["id"],
            hovertemplate=f"%{{customdata}}<br>fp32 %{{x:.4g}} {unit}, int8 %{{y:.4g}} {unit}"
            "<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=420,
        font={"color": INK},
        xaxis={"title": {"text": f"{what.capitalize()} in fp32 ({unit})"}},
        yaxis={"title": {"text": f"{what.capitalize()} in int8 ({unit})"}},
        legend={"orientation": "h", "y": 1.1},
    )
    return figure
