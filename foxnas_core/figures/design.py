"""What the next batch is expected to tell: over its size, and block by block."""

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.theme import BLUE, GREY, PAPER, faint, new_figure, whiskers
from foxnas_core.planning.gain import ExpectedGain

BATCH, RANDOM = "this batch", "random subnets"


def gain_table(gain: ExpectedGain, seconds: float) -> pd.DataFrame:
    """One row a size: rows, minutes (at so many seconds a row), and by how many percent the
    effects' intervals are narrower on average: `batch`, `random`, `random_low`, `random_high`."""
    curve = gain.curve
    narrower = {c: 100 * (1 - curve[c]) for c in ("batch", "random")}
    # The narrowest intervals are the greatest gain.
    ends = {"random_low": "random_high", "random_high": "random_low"}
    return pd.DataFrame(
        {
            "rows": curve["rows"],
            "minutes": curve["rows"] * seconds / 60,
            **narrower,
            **{name: 100 * (1 - curve[end]) for name, end in ends.items()},
        }
    )


def gain_figure(table: pd.DataFrame) -> go.Figure:
    """`gain_table` over minutes of measuring, the random batches with their 90 % range."""
    figure = new_figure()
    figure.add_scatter(
        x=np.concatenate([table["minutes"], table["minutes"][::-1]]),
        y=np.concatenate([table["random_high"], table["random_low"][::-1]]),
        fill="toself",
        fillcolor=faint(GREY, 0.25),
        line={"width": 0},
        hoverinfo="skip",
        showlegend=False,
    )
    for name, column, colour in ((RANDOM, "random", GREY), (BATCH, "batch", BLUE)):
        figure.add_scatter(
            x=table["minutes"],
            y=table[column],
            mode="lines",
            name=name,
            line={"color": colour, "width": 2.5},
            customdata=table["rows"],
            hovertemplate="%{customdata} subnets, %{x:.1f} minutes: %{y:.2f} % narrower"
            f"<extra>{name}</extra>",
        )
    figure.update_xaxes(title="Minutes of measuring", rangemode="tozero")
    figure.update_yaxes(title="Intervals narrower by (%)", rangemode="tozero")
    figure.update_layout(height=380)
    return figure


def block_gain_table(gain: ExpectedGain) -> pd.DataFrame:
    """One row a block: block, effects (how many it has), and by how many percent their intervals
    become narrower: mean, least, most."""
    effects = gain.effects
    block = effects["slot"].where(effects["slot"] != "", effects["group"])
    narrower = (100 * (1 - effects["ratio"])).groupby(block.to_numpy(), sort=False)
    return (
        narrower.agg(effects="size", mean="mean", least="min", most="max")
        .rename_axis("block")
        .reset_index()
    )


def block_gain_figure(table: pd.DataFrame) -> go.Figure:
    """A bar a block, its line from the effect that gains least to the one that gains most."""
    figure = new_figure()
    figure.add_bar(
        x=table["mean"],
        y=table["block"],
        orientation="h",
        marker={"color": BLUE},
        error_x=whiskers(table["mean"], table["least"], table["most"], GREY),
        customdata=table[["effects", "least", "most"]],
        hovertemplate="%{y}: %{x:.2f} % narrower on average over %{customdata[0]} effects, "
        "%{customdata[1]:.2f} to %{customdata[2]:.2f} %<extra></extra>",
    )
    figure.update_xaxes(title="Intervals narrower by (%)", rangemode="tozero")
    figure.update_yaxes(autorange="reversed", gridcolor=PAPER)
    figure.update_layout(height=110 + 27 * len(table))
    return figure
