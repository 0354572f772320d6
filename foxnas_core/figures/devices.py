"""Two devices beside each other: effects, reversed pairs, and the calibration of a new one."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.devices.common import architectures_of
from foxnas_core.devices.comparison import DeviceComparison
from foxnas_core.devices.reversals import RankReversals, disagreement
from foxnas_core.explanation.coefficients import slot_grid
from foxnas_core.figures.coefficients import Heatmap, interval_figure, interval_table
from foxnas_core.figures.points import add_subnets
from foxnas_core.figures.theme import (
    CLOUD,
    INK,
    ORANGE,
    PAPER,
    RED,
    SEQUENTIAL,
    colour_of,
    new_figure,
)
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric

# White to a red that dark numbers can be read on.
_DIFFERENCE = "difference"


# Effects on both devices


def effect_targets(comparison: DeviceComparison, unit: str) -> list[Metric]:
    """How the columns of `effect_table` are titled: either device, then the difference."""
    symbol, digits = _read(unit)
    first, second = comparison.names
    return [
        Metric(comparison.first.column, f"latency on {first}", symbol, "min", digits=digits),
        Metric(comparison.second.column, f"latency on {second}", symbol, "min", digits=digits),
        Metric(_DIFFERENCE, f"{second} less {first}", symbol, "min", digits=digits),
    ]


def _read(unit: str) -> tuple[str, int | None]:
    """The symbol of a unit of `comparison.UNITS`, and the decimals that it is read with."""
    return ("ms", None) if unit == "ms" else ("%", 2)


def effect_table(comparison: DeviceComparison, unit: str) -> pd.DataFrame:
    """One row a choice and panel, as `figures.coefficients.interval_table`; `unit` is one of
    `comparison.UNITS`."""
    names = {"first": comparison.first.column, "second": comparison.second.column}
    table = comparison.effects(unit)
    renamed = table.rename(
        columns={
            f"{k}{end}": f"{v}{end}" for k, v in names.items() for end in ("", "_low", "_high")
        }
    )
    return interval_table(renamed, [*names.values(), _DIFFERENCE])


def effect_figure(table: pd.DataFrame, targets: Sequence[Metric]) -> go.Figure:
    """One row a choice; panels of either device and of the difference."""
    return interval_figure(table, targets)


def difference_heatmaps(comparison: DeviceComparison, unit: str) -> list[Heatmap]:
    """Groups × slots of the difference, one a role: its last choice instead of its first, or each
    block added; roles without slots are left out."""
    table = comparison.effects(unit)
    heatmaps = []
    for role in dict.fromkeys(table["role"][table["position"] > 0]):
        own = table[(table["role"] == role) & (table["position"] > 0)]
        opens = (own["what"].str.startswith("adding")).any()
        what = "each block added" if opens else _last_choice(own, role)
        symbol, digits = _read(unit)
        target = Metric(_DIFFERENCE, what, symbol, "min", digits=digits)
        ends = ("", "_low", "_high")
        grids = (slot_grid(table, role, c) for c in (*(_DIFFERENCE + end for end in ends), "slot"))
        heatmaps.append(Heatmap(target, *grids))
    return heatmaps


def _last_choice(own: pd.DataFrame, role: str) -> str:
    pairs = {
        (row.choice, row.reference) for row in own.drop_duplicates("slot", keep="last").itertuples()
    }
    if len(pairs) > 1:
        return f"{role}, last choice instead of first"
    [(choice, reference)] = pairs
    return f"{role} {choice} instead of {reference}"


def block_table(comparison: DeviceComparison, unit: str) -> pd.DataFrame:
    """One row a block: block, terms, F, p, adjusted p, and the choice in it that differs most
    with its difference and interval."""
    effects = comparison.effects(unit)
    rows = []
    for block in comparison.blocks.to_dict("records"):
        inside = effects["slot" if block["slot"] else "group"] == (block["slot"] or block["group"])
        if not block["group"]:
            inside = effects["decision"] == block["block"]
        own = effects[inside]
        row = {
            "block": block["block"],
            "terms": block["terms"],
            "F": block[f"F_{unit}"],
            "p": _p(block[f"p_{unit}"]),
            "adjusted p": _p(block[f"adjusted_{unit}"]),
        }
        if len(own):
            most = own.loc[own["difference"].abs().idxmax()]
            row |= {
                "largest difference": most["what"], "difference": most["difference"],
                "low": most["difference_low"], "high": most["difference_high"],
            }  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows)


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 1e-300 else "< 1e-300"


# Rank reversals


def subnet_figure(reversals: RankReversals) -> go.Figure:
    """`reversals.subnets`, one device against the other, darker the more pairs of a subnet swap;
    a falling line joins each of the clearest pairs."""
    first, second = reversals.names
    table, pairs = reversals.subnets, reversals.pairs
    figure = new_figure()
    gap = np.full(len(pairs), np.nan)  # ends a line
    xs, ys = (
        np.column_stack([pairs[f"{c}_of_quick_first"], pairs[f"{c}_of_quick_second"], gap]).ravel()
        for c in ("first", "second")
    )
    add_subnets(
        figure,
        table["id"].tolist(),
        x=table["first"],
        y=table["second"],
        name="a measured subnet",
        marker={
            "color": 100 * table["share"], "colorscale": [[0, CLOUD], [1, RED]], "cmin": 0,
            "size": 7, "line": {"width": 0.5, "color": PAPER},
            # Below the legend, which takes two lines where there is little room.
            "colorbar": {
                "title": {"text": "Its pairs that swap (%)", "side": "right"}, "thickness": 12,
                "len": 0.85, "y": 0, "yanchor": "bottom",
            },
        },
        customdata=np.column_stack([table["id"], (100 * table["share"]).round(1)]),
        hovertemplate=f"%{{customdata[0]}}<br>{first} %{{x:.4g}} ms, {second} %{{y:.4g}} ms<br>"
        "%{customdata[1]} % of its pairs swap<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=xs, y=ys, mode="lines", name="the clearest reversed pairs",
        line={"color": INK, "width": 1}, hoverinfo="skip",
    )  # fmt: skip
    figure.update_layout(
        height=460,
        xaxis={"title": {"text": f"Latency on {first} (ms)"}},
        yaxis={"title": {"text": f"Latency on {second} (ms)"}},
    )
    return figure


def map_figure(reversals: RankReversals) -> go.Figure:
    """`reversals.grid` as a triangle of cells: the share of pairs that swap."""
    first, second = reversals.names
    grid = reversals.grid
    values = 100 * grid.pivot(index="slower", columns="faster", values="swapped")
    ends = grid[grid["slower"] == grid["faster"]]
    labels = [
        f"{low:.3g}–{high:.3g}"
        for low, high in zip(ends["slower_low"], ends["slower_high"], strict=True)
    ]
    figure = new_figure()
    figure.add_heatmap(
        z=values.to_numpy(),
        x=labels,
        y=labels,
        zmin=0,
        zmax=50,
        colorscale=SEQUENTIAL,
        showscale=False,
        text=[["" if np.isnan(v) else _percent(v) for v in row] for row in values.to_numpy()],
        texttemplate="%{text}",
        textfont={"color": INK},
        hovertemplate=f"slower on {first}: %{{y}} ms<br>faster on {first}: %{{x}} ms<br>"
        f"%{{text}} % of these pairs swap on {second}<extra></extra>",
        hoverongaps=False,
        xgap=2,
        ygap=2,
    )
    figure.update_layout(
        height=460,
        xaxis={
            "type": "category", "showgrid": False, "tickangle": -45,
            "title": {"text": f"Faster of the pair: latency<br>on {first} (ms)"},
        },
        yaxis={
            "type": "category", "showgrid": False,
            "title": {"text": f"Slower subnet: latency on {first} (ms)"},
        },
    )  # fmt: skip
    return figure


def _percent(value: float) -> str:
    return "<1" if 0 < value < 0.5 else f"{value:.0f}"


def gap_table(reversals: RankReversals) -> pd.DataFrame:
    """`reversals.gaps` with its ranges in words, those without pairs left out."""
    gaps = reversals.gaps[reversals.gaps["pairs"] > 0]
    apart = [
        f"over {low:g}" if high == np.inf else f"{low:g}–{high:g}"
        for low, high in zip(gaps["low"].tolist(), gaps["high"].tolist(), strict=True)
    ]
    return pd.DataFrame(
        {"apart (%)": apart, "pairs": gaps["pairs"], "swapped (%)": 100 * gaps["swapped"]}
    )


def gap_figure(table: pd.DataFrame, reversals: RankReversals) -> go.Figure:
    """A bar for each row of `gap_table`."""
    first, second = reversals.names
    figure = new_figure()
    figure.add_bar(
        x=table["apart (%)"],
        y=table["swapped (%)"],
        marker={"color": ORANGE},
        text=[_percent(v) for v in table["swapped (%)"]],
        textposition="outside",
        cliponaxis=False,
        customdata=table["pairs"],
        hovertemplate="%{x} % apart: %{y:.1f} % of %{customdata:,} pairs swap<extra></extra>",
    )
    figure.update_layout(
        height=300,
        xaxis={
            "type": "category", "showgrid": False,
            "title": {"text": f"How far apart on {first} (% of the faster)"},
        },
        yaxis={"title": {"text": f"Pairs that swap on {second} (%)"}, "rangemode": "tozero"},
    )  # fmt: skip
    return figure


def pair_table(
    reversals: RankReversals,
    table: MeasurementTable,
    predictors: tuple[Predictor, Predictor] | None = None,
) -> pd.DataFrame:
    """The clearest pairs to read: both ids, the four latencies, the margin, what differs and,
    where both devices are fitted, the two blocks that the devices disagree about most."""
    first, second = reversals.names
    pairs = reversals.pairs
    shown = pd.DataFrame(
        {
            f"faster on {first}": pairs["quick_first"],
            f"{first} (ms)": pairs["first_of_quick_first"],
            f"{second} (ms)": pairs["second_of_quick_first"],
            f"faster on {second}": pairs["quick_second"],
            f"its {first} (ms)": pairs["first_of_quick_second"],
            f"its {second} (ms)": pairs["second_of_quick_second"],
            "margin (%)": pairs["margin"],
        }
    )
    if predictors is not None:
        ends = [
            architectures_of(table, pairs[f"quick_{end}"].tolist()) for end in ("first", "second")
        ]
        shown["mostly because of"] = [
            ", ".join(disagreement(*predictors, one, other)["block"].head(2))
            for one, other in zip(*ends, strict=True)
        ]
    return shown.assign(differs=pairs["differs"])


# Calibration


def step_table(
    predictors: tuple[Predictor, Predictor], one: Architecture, other: Architecture
) -> pd.DataFrame:
    """`disagreement` of two subnets, then the sum of it."""
    table = disagreement(*predictors, one, other)
    total = table[["first", "second", "difference"]].sum().to_dict()
    return pd.concat([table, pd.DataFrame([{"block": "together", **total}])], ignore_index=True)


def step_figure(table: pd.DataFrame, names: tuple[str, str], columns: tuple[str, str]) -> go.Figure:
    """Two bars, one a device, for each row of `step_table`."""
    figure = new_figure()
    for name, column, values in zip(names, columns, ("first", "second"), strict=True):
        figure.add_bar(
            orientation="h", x=table[values], y=table["block"], name=name,
            marker={"color": colour_of(column)},
            hovertemplate=f"%{{y}}, {name}: %{{x:+.1f}} %<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=120 + 34 * len(table),
        barmode="group",
        bargap=0.3,
        xaxis={"title": {"text": "Δ latency (% of the first)"}},
        yaxis={"autorange": "reversed", "type": "category", "showgrid": False},
    )
    return figure
