"""What int8 costs and wins in one supernet and another."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from foxnas_core.figures.points import add_subnets
from foxnas_core.figures.theme import BLUE, GREY, INK, ORANGE, PAPER, new_figure, whiskers
from foxnas_core.quantization.comparison import TIME, PrecisionComparison, columns_of
from foxnas_core.table.metrics import Metric, metric_of

COLOURS = (BLUE, ORANGE)


def _metric(quantity: str) -> Metric:
    return metric_of("latency_ms" if quantity == TIME else quantity)


def _title(quantity: str) -> str:
    if quantity == TIME:
        return "Latency saved (%)"
    return f"{_metric(quantity).title} lost{_in(_metric(quantity).difference_unit)}"


def _in(unit: str) -> str:
    return f" ({unit})" if unit else ""


def side_by_side(comparison: PrecisionComparison) -> pd.DataFrame:
    """A column a study: for each quantity the means in either precision, what int8 changes with its
    interval, and which share of the subnets it helps; with two studies, then their difference."""
    rows: dict[str, dict[str, str]] = {}
    for cells in comparison.table.to_dict("records"):
        lines = _lines(cells["quantity"], cells["runtime"])
        values = (
            f"{cells['fp32']:.4g}",
            f"{cells['int8']:.4g}",
            _with_ends(cells),
            f"{100 * cells['helped']:.0f} % of {cells['subnets']}",
        )
        for line, value in zip(lines, values, strict=True):
            rows.setdefault(line, {})[cells["study"]] = value
    for cells in comparison.differences.to_dict("records"):
        line = _lines(cells["quantity"], cells["runtime"])[2]
        rows[line]["second less first"] = _with_ends(cells)
    table = pd.DataFrame.from_dict(rows, orient="index").fillna("–")
    return table.rename_axis("mean over subnets").reset_index()


def _lines(quantity: str, runtime: str) -> tuple[str, str, str, str]:
    metric, where = _metric(quantity), f" on {runtime}" if runtime else ""
    what, unit = f"{metric.title}{where}", _in(metric.unit)
    changed = _title(quantity) + (f", {runtime}" if runtime else "")
    return (
        f"{what}, fp32{unit}", f"{what}, int8{unit}", changed,
        f"Subnets that int8 makes {metric.compared(True)}{where}",
    )  # fmt: skip


def _with_ends(cells: Mapping[Any, Any]) -> str:
    value, low, high = (
        f"{cells[key]:z.1f}" if cells["quantity"] == TIME
        else _metric(cells["quantity"]).text(cells[key])
        for key in ("value", "low", "high")
    )  # fmt: skip
    return f"{value} [{low}, {high}]"


def interval_figure(comparison: PrecisionComparison) -> go.Figure:
    """`comparison.table`: a panel of the objective and one of time, a row with a point and its
    interval for each study and runtime."""
    table = comparison.table
    quantities = list(dict.fromkeys(table["quantity"]))
    most = int(table["quantity"].value_counts().max())
    grid = make_subplots(rows=1, cols=len(quantities), horizontal_spacing=0.22, figure=new_figure())
    several = table.loc[table["quantity"] == TIME, "runtime"].nunique() > 1
    for place, quantity in enumerate(quantities, start=1):
        own = table[table["quantity"] == quantity].sort_values("runtime", kind="stable")
        names = own["study"] + (", " + own["runtime"] if quantity == TIME and several else "")
        colours = dict(zip([s.name for s in comparison.studies], COLOURS, strict=False))
        grid.add_scatter(
            x=own["value"], y=names, mode="markers", showlegend=False,
            error_x=whiskers(own["value"], own["low"], own["high"], GREY, thickness=2, width=6),
            marker={"color": own["study"].map(colours), "size": 11},
            customdata=own[["low", "high", "subnets", "runtime"]],
            hovertemplate="%{y} %{customdata[3]}: %{x:.3g} [%{customdata[0]:.3g}, "
            "%{customdata[1]:.3g}], %{customdata[2]} subnets<extra></extra>",
            row=1, col=place,
        )  # fmt: skip
        grid.add_vline(x=0, line={"color": GREY, "width": 1}, row=1, col=place)
        title = _title(quantity)
        if quantity == TIME and not several:
            title = f"{title}, {own['runtime'].iloc[0]}"
        grid.update_xaxes(title_text=title, row=1, col=place)
    grid.update_yaxes(type="category", showgrid=False, autorange="reversed")
    grid.update_layout(height=120 + 50 * most)
    return grid


def scatter_table(comparison: PrecisionComparison, quantity: str, runtime: str) -> pd.DataFrame:
    """One row a subnet: study, id, fp32, int8 (in its unit), of the studies that
    have the quantity."""
    parts = [pd.DataFrame(columns=["study", "id", "fp32", "int8"])]
    for study in comparison.studies:
        columns = columns_of(quantity, runtime)
        if set(columns) <= set(study.subnets):
            own = study.subnets[["id", *columns]].dropna().set_axis(["id", "fp32", "int8"], axis=1)
            parts.append(own.assign(study=study.name)[["study", "id", "fp32", "int8"]])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def scatter_figure(table: pd.DataFrame, quantity: str) -> go.Figure:
    """`scatter_table`, one colour a study; on the line int8 changes nothing."""
    metric = _metric(quantity)
    figure = new_figure()
    ends = [float(table[["fp32", "int8"]].min().min()), float(table[["fp32", "int8"]].max().max())]
    figure.add_scatter(
        x=ends, y=ends, mode="lines", name="no change", line={"color": GREY, "width": 1},
        hoverinfo="skip",
    )  # fmt: skip
    for (study, own), colour in zip(table.groupby("study", sort=False), COLOURS, strict=False):
        add_subnets(
            figure, own["id"].tolist(), x=own["fp32"], y=own["int8"], name=str(study),
            marker={
                "color": colour, "size": 7, "opacity": 0.7, "line": {"width": 0.5, "color": PAPER}
            },
            customdata=own["id"],
            hovertemplate=f"%{{customdata}}<br>fp32 %{{x:.4g}} {metric.unit}, int8 %{{y:.4g}} "
            f"{metric.unit}"
            "<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=420,
        font={"color": INK},
        xaxis={"title": {"text": f"{metric.title} in fp32{_in(metric.unit)}"}},
        yaxis={"title": {"text": f"{metric.title} in int8{_in(metric.unit)}"}},
    )
    return figure
