"""What subnets inherit beside what they reach when trained, and how far the orders agree."""

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.evidence.trust.agreement import ALL, INHERITED, TRAINED, WITHIN
from foxnas_core.evidence.trust.pairs import TrustPair
from foxnas_core.evidence.trust.report import ENOUGH, TrustReport, largest_reversals
from foxnas_core.figures.shapes import Trace, drawn, equal, markers, ruled
from foxnas_core.figures.theme import BLUE, BROWN, GREEN, ORANGE, PAPER, PURPLE, SKY, whiskers
from foxnas_core.space.in_words import choice_lines
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import Metric

# By resolution: dark to bright would say that one is better, so they only differ.
_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, BROWN, SKY)


def pair_table(
    report: TrustReport, pairs: Sequence[TrustPair], space: SearchSpace, trained: str
) -> pd.DataFrame:
    """One row a subnet, in order of the inherited accuracy: id, resolution where there is one,
    MACs, parameters, inherited score with and without recalibration and score trained, each with
    its standard error, their difference, both ranks, 1 the best, and the architecture in lines.
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


def pair_figure(table: pd.DataFrame, inherited: str, trained: str, quality: Metric) -> go.Figure:
    """`pair_table` as points, a colour a resolution; bars are two standard errors, and on the line
    both scores are equal. `inherited` is one of `INHERITED`, `trained` of `TRAINED`."""
    x = "inherited" if inherited == "inherited" else "without recalibration"
    subnets = _subnets(
        table, x, "trained", ["rank inherited", "rank trained", "MACs"],
        f"inherited {_read('x', quality)}, trained {_read('y', quality)}<br>"
        "%{customdata[4]:.3s} MACs; rank %{customdata[2]} by the supernet, %{customdata[3]} "
        "trained",
        error_x=table[f"{x} std error"], error_y=table["trained std error"],
    )  # fmt: skip
    unit = f" ({quality.unit})" if quality.unit else ""
    low, high = float(table["trained"].min()), float(table["trained"].max())
    room = 0.15 * (high - low) or 0.01 * abs(high)
    return drawn(
        # The range of x alone: without recalibration it may be far from that of y.
        [equal(table[x].min() - room, table[x].max() + room, dash="dot"), *subnets],
        height=470,
        x=f"Inherited {quality.word}{unit}",
        y={
            "title": f"{quality.title} {TRAINED[trained]}{unit}",
            "range": [low - room, high + room],
        },
    )


def agreement_table(report: TrustReport) -> pd.DataFrame:
    """One row an agreement: subnets (which), compared with, inherited, number, tau, low, high and
    the share of pairs in the same order (percent), tau's ends by the jackknife, Spearman's rho and
    its ends, and what tau the luck of one training would leave a ranking in the true order."""
    noise = report.noise.ceilings if report.noise else {}
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
                "low, jackknife": a.jackknife[0],
                "high, jackknife": a.jackknife[1],
                "rho": a.rho,
                "rho, low": a.rho_low,
                "rho, high": a.rho_high,
                "tau at most": noise[a.scope][0]
                if a.trained == "alone" and a.scope in noise
                else np.nan,
            }
            for a in report.agreements
        ]
    )


def agreement_figure(table: pd.DataFrame, trained: str) -> go.Figure:
    """`agreement_table` for one of `TRAINED`: tau and its interval, a row of points for each set of
    subnets, with and without recalibration."""
    own = table[table["compared with"] == TRAINED[trained]]
    rows = list(dict.fromkeys(own["subnets"]))[::-1]
    traces = []
    for inherited, colour, shift in (
        ("inherited", BLUE, 0.14),
        ("unrecalibrated", ORANGE, -0.14),
    ):
        part = own[(own["inherited"] == INHERITED[inherited]) & own["tau"].notna()]
        traces.append(
            markers(
                part["tau"], [rows.index(name) + shift for name in part["subnets"]],
                INHERITED[inherited], marker={"color": colour, "size": 10},
                error_x=whiskers(
                    part["tau"], part["low"], part["high"], colour, thickness=2, width=0
                ),
                customdata=part[["low", "high", "number", "same order (%)"]].to_numpy(),
                hover="tau %{x:.2f} (%{customdata[0]:.2f} to %{customdata[1]:.2f}), "
                "%{customdata[2]} subnets<br>%{customdata[3]:.0f} % of their pairs in the same "
                f"order<extra>{INHERITED[inherited]}</extra>",
            )
        )  # fmt: skip
    figure = drawn(
        traces,
        height=150 + 62 * len(rows),
        x={"title": "Kendall's tau", "range": [-1.05, 1.05]},
        y={
            "tickvals": list(range(len(rows))), "ticktext": rows, "showgrid": False,
            "range": [-0.75, len(rows) - 0.4], "zeroline": False,
        },
    )  # fmt: skip
    return ruled(figure, x=ENOUGH, dash="dot")


def scope_label(scope: str) -> str:
    """A scope of the report, as an axis or a row names it."""
    if scope == ALL:
        return "all subnets"
    return "within a resolution" if scope == WITHIN else f"resolution {scope}"


def offset_table(report: TrustReport, trained: str) -> pd.DataFrame:
    """One row a set of subnets: subnets, number, mean of trained less inherited score, low and
    high, for one of `TRAINED`."""
    rows = [
        (scope_label(o.scope), o.subnets, o.mean, o.low, o.high)
        for o in report.offsets
        if o.trained == trained
    ]
    return pd.DataFrame(rows, columns=["subnets", "number", "mean", "low", "high"])


def offset_figure(table: pd.DataFrame, quality: Metric) -> go.Figure:
    """Trained less inherited score of `pair_table` over MACs: a level cloud keeps the order."""
    inherited, trained = table["inherited std error"], table["trained std error"]
    both = (inherited**2 + trained**2) ** 0.5
    told = f"%{{x:.3s}} MACs: {_read('y', quality, difference=True)}"
    unit = f" ({quality.difference_unit})" if quality.difference_unit else ""
    macs = {"title": "MACs of the subnet", "type": "log", "tickformat": "~s", "dtick": "D2"}
    figure = drawn(
        _subnets(table, "MACs", "trained less inherited", [], told, error_y=both),
        height=400,
        x=macs,
        y=f"Trained less inherited{unit}",
    )
    return ruled(figure, y=0, dash="dot")


def reversal_table(report: TrustReport, trained: str) -> pd.DataFrame:
    """The largest reversed pairs to read: preferred by the supernet, better when trained, both
    gaps, whether beyond the noise of measurement, and what differs."""
    found = largest_reversals(report, trained)
    unit = f" ({report.quality.difference_unit})" if report.quality.difference_unit else ""
    return pd.DataFrame(
        {
            "the supernet prefers": found["preferred"],
            f"by{unit}": found["inherited_gap"],
            "better when trained": found["better"],
            f"by, trained{unit}": found["trained_gap"],
            "beyond noise": np.where(found["certain"], "yes", "no"),
            "from the one to the other": found["differs"],
        }
    )


def _read(axis: str, quality: Metric, *, difference: bool = False) -> str:
    """What a point tells of its value on an axis when it is pointed at."""
    how = f"{'+' if difference else ''}.{3 if quality.digits is None else quality.digits}f"
    unit = quality.difference_unit if difference else quality.unit
    return f"%{{{axis}:{how}}} {unit}".strip()


def _subnets(
    table: pd.DataFrame, x: str, y: str, further: list[str], told: str, **errors: pd.Series
) -> list[Trace]:
    """A point a subnet of `pair_table`, a colour a resolution where there is one, with bars of two
    standard `errors`; `told` may name what is `further` known, from the third of the data on."""
    parts = {"a subnet": table}
    if "resolution" in table:
        parts = {f"{choice} px": own for choice, own in table.groupby("resolution")}
    return [
        markers(
            own[x], own[y], name,
            marker={"color": colour, "size": 10, "line": {"width": 1, "color": PAPER}},
            customdata=own[["id", "architecture", *further]].to_numpy(),
            hover=f"<b>%{{customdata[0]}}</b><br>%{{customdata[1]}}<br>{told}",
            **{
                axis: whiskers(0, -2 * error[own.index], 2 * error[own.index], colour, width=0)
                for axis, error in errors.items()
            },
        )
        for (name, own), colour in zip(parts.items(), cycle(_COLOURS), strict=False)
    ]  # fmt: skip
