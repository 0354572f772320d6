"""What the next batch is expected to tell: over its size, and block by block."""

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.shapes import ROWS, band, bars, drawn, line
from foxnas_core.figures.theme import BLUE, GREY, whiskers
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
    minutes, told = table["minutes"], "%{customdata} subnets, %{x:.1f} minutes: %{y:.2f} % narrower"
    courses = [
        line(
            minutes, table[column], name, colour=colour, width=2.5, customdata=table["rows"],
            hover=f"{told}<extra>{name}</extra>",
        )
        for name, column, colour in ((RANDOM, "random", GREY), (BATCH, "batch", BLUE))
    ]  # fmt: skip
    return drawn(
        [band(minutes, table["random_low"], table["random_high"], GREY, opacity=0.25), *courses],
        height=380,
        x={"title": "Minutes of measuring", "rangemode": "tozero"},
        y={"title": "Intervals narrower by (%)", "rangemode": "tozero"},
    )


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
    gains = bars(
        table["block"], table["mean"], BLUE, customdata=table[["effects", "least", "most"]],
        error_x=whiskers(table["mean"], table["least"], table["most"], GREY),
        hover="%{y}: %{x:.2f} % narrower on average over %{customdata[0]} effects, "
        "%{customdata[1]:.2f} to %{customdata[2]:.2f} %",
    )  # fmt: skip
    title = {"title": "Intervals narrower by (%)", "rangemode": "tozero"}
    return drawn([gains], height=110 + 27 * len(table), x=title, y=ROWS)
