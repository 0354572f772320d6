"""Two devices beside each other: effects, and pairs that swap their order."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.devices.common import architectures_of, on_device
from foxnas_core.devices.comparison import DeviceComparison
from foxnas_core.devices.reversals import RankReversals, disagreement
from foxnas_core.explanation.coefficients import slot_grid
from foxnas_core.figures.coefficients import Heatmap, interval_table
from foxnas_core.figures.points import subnet_points
from foxnas_core.figures.shapes import ROWS, bars, cells, drawn, line
from foxnas_core.figures.theme import CLOUD, INK, ORANGE, PAPER, SEQUENTIAL, colour_of
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import Metric, metric_of

_DIFFERENCE = "difference"
_ENDS = ("", "_low", "_high")


# Effects on both devices


def effect_targets(comparison: DeviceComparison, unit: str) -> list[Metric]:
    """How the columns of `effect_table` are titled: either device, then the difference."""
    first, second = comparison.names
    word = metric_of(comparison.first.head).word
    return [
        _as_read(comparison, unit, column, label)
        for column, label in (
            (comparison.first.column, f"{word} on {first}"),
            (comparison.second.column, f"{word} on {second}"),
            (_DIFFERENCE, f"{second} less {first}"),
        )
    ]


def _as_read(comparison: DeviceComparison, unit: str, column: str, label: str) -> Metric:
    """A column in one of `comparison.UNITS`."""
    symbol, digits = (comparison.first.unit, None) if unit == "own" else ("%", 2)
    return Metric(column, label, symbol, comparison.first.direction, digits=digits)


def effect_table(comparison: DeviceComparison, unit: str) -> pd.DataFrame:
    """One row a choice and panel, as `figures.coefficients.interval_table`; `unit` is one of
    `comparison.UNITS`."""
    names = {"first": comparison.first.column, "second": comparison.second.column}
    columns = {f"{k}{end}": f"{v}{end}" for k, v in names.items() for end in _ENDS}
    renamed = comparison.effects(unit).rename(columns=columns)
    return interval_table(renamed, [*names.values(), _DIFFERENCE])


def difference_heatmaps(comparison: DeviceComparison, unit: str) -> list[Heatmap]:
    """Groups × slots of the difference, one a role: its last choice instead of its first, or each
    block added; roles without slots are left out."""
    table = comparison.effects(unit)
    slotted = table[table["position"] > 0]
    heatmaps = []
    for role, own in slotted.groupby("role", sort=False):
        opens = own["what"].str.startswith("adding").any()
        what = "each block added" if opens else _last_choice(own, str(role))
        grids = (
            slot_grid(table, str(role), c) for c in (*(_DIFFERENCE + e for e in _ENDS), "slot")
        )
        heatmaps.append(Heatmap(_as_read(comparison, unit, _DIFFERENCE, what), *grids))
    return heatmaps


def _last_choice(own: pd.DataFrame, role: str) -> str:
    last = own.drop_duplicates("slot", keep="last")
    pairs = set(zip(last["choice"], last["reference"], strict=True))
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
        row = {
            "block": block["block"],
            "terms": block["terms"],
            "F": block[f"F_{unit}"],
            "p": _p(block[f"p_{unit}"]),
            "adjusted p": _p(block[f"adjusted_{unit}"]),
        }
        if inside.any():
            most = effects.loc[effects.loc[inside, "difference"].abs().idxmax()]
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
    (first, second), unit = reversals.names, reversals.first.unit
    table, pairs = reversals.subnets, reversals.pairs
    gap = np.full(len(pairs), np.nan)  # ends a line
    x, y = (
        np.column_stack([pairs[f"{c}_of_quick_first"], pairs[f"{c}_of_quick_second"], gap]).ravel()
        for c in ("first", "second")
    )
    subnets = subnet_points(
        table["id"].tolist(),
        x=table["first"],
        y=table["second"],
        name="a measured subnet",
        marker={
            "color": 100 * table["share"], "colorscale": [[0, CLOUD], [1, ORANGE]], "cmin": 0,
            "size": 7, "line": {"width": 0.5, "color": PAPER},
            # Below the legend, which takes two lines where there is little room.
            "colorbar": {
                "title": {"text": "Its pairs that swap (%)", "side": "right"}, "thickness": 12,
                "len": 0.85, "y": 0, "yanchor": "bottom",
            },
        },
        customdata=np.column_stack([table["id"], (100 * table["share"]).round(1)]),
        hovertemplate=f"%{{customdata[0]}}<br>{first} %{{x:.4g}} {unit}, {second} %{{y:.4g}} "
        f"{unit}<br>%{{customdata[1]}} % of its pairs swap<extra></extra>",
    )  # fmt: skip
    return drawn(
        [subnets, line(x, y, "the clearest reversed pairs", colour=INK, width=1)],
        height=460,
        x=on_device(reversals.first),
        y=on_device(reversals.second),
    )


def map_figure(reversals: RankReversals) -> go.Figure:
    """`reversals.grid` as a triangle of cells: the share of pairs that swap."""
    (first, second), grid, unit = reversals.names, reversals.grid, reversals.first.unit
    better, worse = reversals.first.better, reversals.first.worse
    if reversals.first.sign > 0:  # the grid has the greater value first
        better, worse = worse, better
    values = (100 * grid.pivot(index="slower", columns="faster", values="swapped")).to_numpy()
    ends = grid.loc[grid["slower"] == grid["faster"], ["slower_low", "slower_high"]]
    labels = [f"{low:.3g}–{high:.3g}" for low, high in ends.to_numpy()]
    map_ = cells(
        values, labels, labels,
        [["" if np.isnan(v) else _percent(v) for v in row] for row in values],
        scale=SEQUENTIAL, least=0, most=50,
        hover=f"{worse} on {first}: %{{y}} {unit}<br>{better} on {first}: %{{x}} {unit}<br>"
        f"%{{text}} % of these pairs swap on {second}",
    )  # fmt: skip
    axis, titled = {"type": "category", "showgrid": False}, on_device(reversals.first)
    return drawn(
        [map_],
        height=460,
        x=axis | {"title": f"The {better} of the pair:<br>{titled}", "tickangle": -45},
        y=axis | {"title": f"The {worse} one: {titled}"},
    )


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
    shares = {
        "type": "bar", "x": table["apart (%)"], "y": table["swapped (%)"],
        "marker": {"color": ORANGE}, "text": [_percent(v) for v in table["swapped (%)"]],
        "textposition": "outside", "cliponaxis": False, "customdata": table["pairs"],
        "hovertemplate": "%{x} % apart: %{y:.1f} % of %{customdata:,} pairs swap<extra></extra>",
    }  # fmt: skip
    title = f"How far apart on {first} (% of the {reversals.first.better})"
    return drawn(
        [shares],
        height=300,
        x={"type": "category", "showgrid": False, "title": title},
        y={"title": f"Pairs that swap on {second} (%)", "rangemode": "tozero"},
    )


def pair_table(
    reversals: RankReversals,
    table: MeasurementTable,
    predictors: tuple[Predictor, Predictor] | None = None,
) -> pd.DataFrame:
    """The clearest pairs to read: both ids, what either measured on both devices, the margin, what
    differs and, where both devices are fitted, the two blocks that the devices disagree about
    most."""
    pairs, unit, better = reversals.pairs, reversals.first.unit, reversals.first.better
    devices = dict(zip(("first", "second"), reversals.names, strict=True))
    shown: dict[str, Any] = {}
    for (which, device), its in zip(devices.items(), ("", "its "), strict=True):
        shown[f"{better} on {device}"] = pairs[f"quick_{which}"]
        for measured, name in devices.items():
            shown[f"{its}{name} ({unit})"] = pairs[f"{measured}_of_quick_{which}"]
    shown["margin (%)"] = pairs["margin"]
    if predictors is not None:
        ends = (architectures_of(table, pairs[f"quick_{end}"].tolist()) for end in devices)
        shown["mostly because of"] = [
            ", ".join(disagreement(*predictors, one, other)["block"].head(2))
            for one, other in zip(*ends, strict=True)
        ]
    return pd.DataFrame(shown | {"differs": pairs["differs"]})


def step_table(
    predictors: tuple[Predictor, Predictor], one: Architecture, other: Architecture
) -> pd.DataFrame:
    """`disagreement` of two subnets, then the sum of it."""
    table = disagreement(*predictors, one, other)
    total = table[["first", "second", "difference"]].sum().to_dict()
    return pd.concat([table, pd.DataFrame([{"block": "together", **total}])], ignore_index=True)


def step_figure(table: pd.DataFrame, devices: Sequence[tuple[str, str]]) -> go.Figure:
    """Two bars for each row of `step_table`; `devices` are the names and columns of both."""
    traces = [
        bars(
            table["block"], table[values], colour_of(column), name,
            hover=f"%{{y}}, {name}: %{{x:+.1f}} %",
        )
        for values, (name, column) in zip(("first", "second"), devices, strict=True)
    ]  # fmt: skip
    title = f"Δ {metric_of(devices[0][1]).word} (% of the first)"
    height = 120 + 34 * len(table)
    return drawn(traces, height=height, x=title, y=ROWS, barmode="group", bargap=0.3)
