"""What subnets inherit beside what they reach when trained, and how far the orders agree."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.evidence.trust.agreement import ALL, INHERITED, TRAINED, WITHIN
from foxnas_core.evidence.trust.pairs import TrustPair
from foxnas_core.evidence.trust.report import ENOUGH, TrustReport, largest_reversals
from foxnas_core.figures.theme import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PAPER,
    PURPLE,
    RED,
    SKY,
    new_figure,
    whiskers,
)
from foxnas_core.space.in_words import choice_lines
from foxnas_core.space.search_space import SearchSpace

# By resolution: dark to bright would say that one is better, so they only differ.
_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, RED, SKY)


def pair_table(
    report: TrustReport, pairs: Sequence[TrustPair], space: SearchSpace, trained: str
) -> pd.DataFrame:
    """One row a subnet, in order of the inherited accuracy: id, resolution where there is one,
    MACs, parameters, inherited accuracy with and without recalibration and accuracy trained
    (percent), each with its standard error, their difference (points), both ranks, 1 the best, and
    the architecture in lines.
    """
    names = {
        "id": "id", "resolution": "resolution", "macs": "MACs", "parameters": "parameters",
        "inherited": "inherited", "inherited_std_error": "inherited std error",
        "unrecalibrated": "without recalibration",
        "unrecalibrated_std_error": "without recalibration std error",
        trained: "trained", f"{trained}_std_error": "trained std error",
        f"{trained}_offset": "trained less inherited",
    }  # fmt: skip
    table = report.subnets.rename(columns=names)
    table = table[[name for name in names.values() if name in table]]
    for column in ("inherited", "trained"):
        table[f"rank {column}"] = table[column].rank(ascending=False, method="min").astype(int)
    lines = {
        pair.architecture.id: "<br>".join(choice_lines(space, pair.architecture)) for pair in pairs
    }
    table["architecture"] = table["id"].map(lines)
    return table.sort_values("inherited", ascending=False, ignore_index=True)


def pair_figure(table: pd.DataFrame, inherited: str, trained: str) -> go.Figure:
    """`pair_table` as points, a colour a resolution; bars are two standard errors, and on the line
    both accuracies are equal. `inherited` is one of `INHERITED`, `trained` of `TRAINED`."""
    x = "inherited" if inherited == "inherited" else "without recalibration"
    figure = new_figure()
    # The range of x alone: without recalibration it may be far from that of y.
    ends = [float(table[x].min()) - 1, float(table[x].max()) + 1]
    figure.add_scatter(
        x=ends, y=ends, mode="lines", name="equal", hoverinfo="skip",
        line={"color": GREY, "width": 1, "dash": "dot"},
    )  # fmt: skip
    for name, colour, own in _by_resolution(table):
        figure.add_scatter(
            x=own[x],
            y=own["trained"],
            mode="markers",
            name=name,
            marker={"color": colour, "size": 10, "line": {"width": 1, "color": PAPER}},
            error_x=_bars(own[f"{x} std error"], colour),
            error_y=_bars(own["trained std error"], colour),
            customdata=own[
                ["id", "architecture", "rank inherited", "rank trained", "MACs"]
            ].to_numpy(),
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>"
            "inherited %{x:.2f} %, trained %{y:.2f} %<br>"
            "%{customdata[4]:.3s} MACs; rank %{customdata[2]} by the supernet, "
            "%{customdata[3]} trained<extra></extra>",
        )
    span = float(table["trained"].max() - table["trained"].min())
    figure.update_layout(
        height=470,
        xaxis={"title": {"text": "Inherited accuracy (%)"}},
        yaxis={
            "title": {"text": f"Accuracy {TRAINED[trained]} (%)"},
            "range": [
                float(table["trained"].min()) - max(0.15 * span, 0.5),
                float(table["trained"].max()) + max(0.15 * span, 0.5),
            ],
        },
    )
    return figure


def agreement_table(report: TrustReport) -> pd.DataFrame:
    """One row an agreement: subnets (which), compared with, inherited, number, tau, low, high and
    the share of pairs in the same order (percent)."""
    return pd.DataFrame(
        [
            {
                "subnets": scope_label(a.scope),
                "compared with": TRAINED[a.trained],
                "inherited": INHERITED[a.inherited],
                "number": a.subnets,
                "tau": a.tau,
                "low": a.low,
                "high": a.high,
                "same order (%)": 100 * a.same_order,
            }
            for a in report.agreements
        ]
    )


def agreement_figure(table: pd.DataFrame, trained: str) -> go.Figure:
    """`agreement_table` for one of `TRAINED`: tau and its interval, a row of points for each set of
    subnets, with and without recalibration."""
    own = table[table["compared with"] == TRAINED[trained]]
    rows = list(dict.fromkeys(own["subnets"]))[::-1]
    figure = new_figure()
    for inherited, colour, shift in (
        ("inherited", BLUE, 0.14),
        ("unrecalibrated", ORANGE, -0.14),
    ):
        part = own[(own["inherited"] == INHERITED[inherited]) & own["tau"].notna()]
        figure.add_scatter(
            x=part["tau"],
            y=[rows.index(name) + shift for name in part["subnets"]],
            mode="markers",
            name=INHERITED[inherited],
            marker={"color": colour, "size": 10},
            error_x=whiskers(part["tau"], part["low"], part["high"], colour, thickness=2, width=0),
            customdata=part[["low", "high", "number", "same order (%)"]].to_numpy(),
            hovertemplate="tau %{x:.2f} [%{customdata[0]:.2f}, %{customdata[1]:.2f}], "
            "%{customdata[2]} subnets<br>%{customdata[3]:.0f} % of their pairs in the same order"
            f"<extra>{INHERITED[inherited]}</extra>",
        )  # fmt: skip
    figure.add_vline(x=ENOUGH, line={"color": GREY, "dash": "dot"})
    figure.update_layout(
        height=150 + 62 * len(rows),
        xaxis={"title": {"text": "Kendall's tau"}, "range": [-1.05, 1.05]},
        yaxis={
            "tickvals": list(range(len(rows))), "ticktext": rows, "showgrid": False,
            "range": [-0.75, len(rows) - 0.4], "zeroline": False,
        },
    )  # fmt: skip
    return figure


def scope_label(scope: str) -> str:
    """A scope of the report, as an axis or a row names it."""
    if scope == ALL:
        return "all subnets"
    return "within a resolution" if scope == WITHIN else f"resolution {scope}"


def offset_table(report: TrustReport, trained: str) -> pd.DataFrame:
    """One row a set of subnets: subnets, number, mean of trained less inherited accuracy, low and
    high (points), for one of `TRAINED`."""
    return pd.DataFrame(
        [
            {
                "subnets": scope_label(o.scope),
                "number": o.subnets,
                "mean": o.mean,
                "low": o.low,
                "high": o.high,
            }
            for o in report.offsets
            if o.trained == trained
        ]
    )


def offset_figure(table: pd.DataFrame) -> go.Figure:
    """Trained less inherited accuracy of `pair_table` over MACs: a level cloud keeps the order."""
    figure = new_figure()
    for name, colour, own in _by_resolution(table):
        figure.add_scatter(
            x=own["MACs"],
            y=own["trained less inherited"],
            mode="markers",
            name=name,
            marker={"color": colour, "size": 10, "line": {"width": 1, "color": PAPER}},
            error_y=_bars(np.hypot(own["inherited std error"], own["trained std error"]), colour),
            customdata=own[["id", "architecture"]].to_numpy(),
            hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{x:.3s} MACs: "
            "%{y:+.2f} points<extra></extra>",
        )
    figure.add_hline(y=0, line={"color": GREY, "dash": "dot"})
    figure.update_layout(
        height=400,
        xaxis={
            "type": "log", "title": {"text": "MACs of the subnet"}, "tickformat": "~s",
            "dtick": "D2",
        },
        yaxis={"title": {"text": "Trained less inherited (points)"}},
    )  # fmt: skip
    return figure


def reversal_table(report: TrustReport, trained: str) -> pd.DataFrame:
    """The largest reversed pairs to read: preferred by the supernet, better when trained, both gaps
    (points), whether beyond the noise of measurement, and what differs."""
    found = largest_reversals(report, trained)
    return pd.DataFrame(
        {
            "the supernet prefers": found["preferred"],
            "by (points)": found["inherited_gap"],
            "better when trained": found["better"],
            "by, trained (points)": found["trained_gap"],
            "beyond noise": np.where(found["certain"], "yes", "no"),
            "from the one to the other": found["differs"],
        }
    )


def _by_resolution(table: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Name, colour and rows of each resolution; all together where there is none."""
    if "resolution" not in table:
        return [("a subnet", BLUE, table)]
    choices = sorted(set(table["resolution"]))
    return [
        (f"{choice} px", _COLOURS[k % len(_COLOURS)], table[table["resolution"] == choice])
        for k, choice in enumerate(choices)
    ]


def _bars(std_error: pd.Series | np.ndarray, colour: str) -> dict[str, object]:
    return {
        "type": "data", "array": 2 * std_error, "color": colour, "thickness": 1, "width": 0,
    }  # fmt: skip
