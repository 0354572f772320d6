"""What int8 costs and wins in one supernet and another."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.points import subnet_points
from foxnas_core.figures.shapes import ROWS, drawn, equal, markers, panels, ruled
from foxnas_core.figures.theme import BLUE, GREY, ORANGE, PAPER, whiskers
from foxnas_core.quantization.comparison import TIME, PrecisionComparison, columns_of, gain_of
from foxnas_core.table.metrics import Metric, metric_of, suffix_words

COLOURS = (BLUE, ORANGE)


def _metric(quantity: str) -> Metric:
    return metric_of("latency_ms" if quantity == TIME else quantity)


def _title(quantity: str) -> str:
    gain = gain_of(quantity)
    return gain.named if quantity == TIME else f"{gain.title} lost{_in(gain.difference_unit)}"


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
    runtime = suffix_words(runtime)
    metric, where = _metric(quantity), f" on {runtime}" if runtime else ""
    what, unit = f"{metric.title}{where}", _in(metric.unit)
    changed = _title(quantity) + (f", {runtime}" if runtime else "")
    return (
        f"{what}, fp32{unit}", f"{what}, int8{unit}", changed,
        f"Subnets that int8 makes {metric.compared(True)}{where}",
    )  # fmt: skip


def _with_ends(cells: Mapping[Any, Any]) -> str:
    gain = gain_of(cells["quantity"])
    value, low, high = (gain.text(cells[key]) for key in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def interval_figure(comparison: PrecisionComparison) -> go.Figure:
    """`comparison.table`: a panel of the objective and one of time, a row with a point and its
    interval for each study and runtime."""
    table = comparison.table
    quantities = list(dict.fromkeys(table["quantity"]))
    most = int(table["quantity"].value_counts().max())
    grid = panels(len(quantities), horizontal_spacing=0.22)
    several = table.loc[table["quantity"] == TIME, "runtime"].nunique() > 1
    colours = dict(zip([s.name for s in comparison.studies], COLOURS, strict=False))
    for place, quantity in enumerate(quantities, start=1):
        own = table[table["quantity"] == quantity].sort_values("runtime", kind="stable")
        timed = quantity == TIME
        words = own["runtime"].map(suffix_words)
        names = own["study"] + (", " + words if timed and several else "")
        means = markers(
            own["value"], names, marker={"color": own["study"].map(colours), "size": 11},
            error_x=whiskers(own["value"], own["low"], own["high"], GREY, thickness=2, width=6),
            customdata=own[["low", "high", "subnets"]].assign(runtime=words),
            hover="%{y} %{customdata[3]}: %{x:.3g} (%{customdata[0]:.3g} to %{customdata[1]:.3g}), "
            "%{customdata[2]} subnets",
        )  # fmt: skip
        grid.add_trace(means, row=1, col=place)
        ruled(grid, x=0, dash=None, row=1, col=place)
        one = f", {words.iloc[0]}" if timed and not several else ""
        grid.update_xaxes(title_text=f"{_title(quantity)}{one}", row=1, col=place)
    grid.update_yaxes(**ROWS)
    return grid.update_layout(height=120 + 50 * most)


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
    traces = [equal(table[["fp32", "int8"]], name="no change")]
    for (study, own), colour in zip(table.groupby("study", sort=False), COLOURS, strict=False):
        edge = {"width": 0.5, "color": PAPER}
        traces.append(
            subnet_points(
                own["id"].tolist(), x=own["fp32"], y=own["int8"], name=str(study),
                marker={"color": colour, "size": 7, "opacity": 0.7, "line": edge},
                customdata=own["id"],
                hovertemplate=f"%{{customdata}}<br>fp32 %{{x:.4g}} {metric.unit}, int8 "
                f"%{{y:.4g}} {metric.unit}<extra></extra>",
            )
        )  # fmt: skip
    x, y = (f"{metric.title} in {precision}{_in(metric.unit)}" for precision in ("fp32", "int8"))
    return drawn(traces, height=420, x=x, y=y)
