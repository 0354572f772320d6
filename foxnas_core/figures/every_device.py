"""All devices of a table in one picture."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.coefficients import Heatmap
from foxnas_core.figures.shapes import ROWS, cells, drawn, line, markers
from foxnas_core.figures.theme import (
    BLUE,
    BROWN,
    GREEN,
    INK,
    NEUTRAL,
    ORANGE,
    PURPLE,
    RED,
    SEQUENTIAL,
    SILVER,
    SKY,
    WARM,
    wide,
)
from foxnas_core.table.metrics import Metric

# Devices are told apart by colour and dash, which together outnumber what anybody compares.
_COLOURS = (BLUE, ORANGE, GREEN, RED, PURPLE, SKY, BROWN, SILVER)
_DASHES = ("solid", "dash", "dot", "dashdot")
# Of the points of all fronts.
_POOREST = 0.1
# Multiples that an axis names.
_MULTIPLES = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]
_COST = [[0.0, NEUTRAL], [1.0, WARM]]


def rank_figure(table: pd.DataFrame, names: Mapping[str, str]) -> go.Figure:
    """Draws a table of `devices.ranks.rank_correlations` as a matrix; `names` are those of its
    columns."""
    order = list(names)
    grid = np.full((len(order), len(order)), np.nan)
    texts = np.full(grid.shape, "", dtype=object)
    hover = texts.copy()
    for row in table.to_dict("records"):
        one, other = order.index(row["first"]), order.index(row["second"])
        for at in ((one, other), (other, one)):
            grid[at], texts[at] = row["tau"], _two(row["tau"])
            hover[at] = f"{_two(row['low'])} to {_two(row['high'])}, {row['rows']:,} networks"
    shown = list(names.values())
    map_ = cells(
        grid, shown, shown, texts, scale=SEQUENTIAL, least=0, most=1, customdata=hover,
        hover="%{y}, %{x}: τ %{text}<br>95 % interval %{customdata}",
    )  # fmt: skip
    return _matrix([map_], len(shown))


def _two(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.2f}"


def _matrix(traces: list, rows: int, *, x: str = "", y: str = "") -> go.Figure:
    across = {"type": "category", "showgrid": False, "title": x, "side": "top"}
    height = 130 + 38 * rows
    figure = drawn(traces, height=height, x=across, y=ROWS | {"title": y}, margin={"t": 20})
    return wide(figure) if rows > 4 else figure


def moved_figure(
    table: pd.DataFrame, names: Mapping[str, str], loss: str, digits: int, unit: str
) -> go.Figure:
    """Draws the column `loss` of a table of `devices.moving.Measured.moved` as a matrix."""
    grid = table.pivot(index="home", columns="device", values=loss).loc[list(names), list(names)]
    values = grid.to_numpy(dtype=float)
    texts = np.array([[f"{value:.{digits}f}" for value in row] for row in values], dtype=object)
    np.fill_diagonal(texts, "·")
    shown = list(names.values())
    map_ = cells(
        values, shown, shown, texts, scale=_COST, least=0,
        most=max(float(values.max()), 10.0**-digits),
        hover=f"best on %{{y}}, run on %{{x}}: %{{text}} {unit}",
    )  # fmt: skip
    return _matrix([map_], len(shown), x="run on", y="best on")


def fronts_figure(
    table: pd.DataFrame, names: Mapping[str, str], gain: Metric, cost: Metric
) -> go.Figure:
    """Draws a table of `devices.moving.Measured.fronts`: one stair a device, but for the poorest
    networks of all, which hardly compute anything and would take most of the picture."""
    gained = gain.sign * table["gain"]
    traces, table = [], table[gained >= gained.quantile(_POOREST)]
    for place, (device, name) in enumerate(names.items()):
        own = table[table["device"] == device]
        dash = _DASHES[place // len(_COLOURS) % len(_DASHES)]
        traces.append(
            line(
                own["relative"], own["gain"], name, colour=_COLOURS[place % len(_COLOURS)],
                dash=dash, line_shape="hv", customdata=own[["id", "cost"]].to_numpy(),
                hover=f"{name}: %{{customdata[0]}}<br>%{{customdata[1]:.4g}} {cost.unit}, "
                f"%{{y:.4g}} {gain.unit}",
            )
        )  # fmt: skip
    axis = {"title": f"{cost.label} / the device's median", "type": "log",
            "tickvals": _MULTIPLES}  # fmt: skip
    return drawn(traces, height=380, x=axis, y=gain.named)


def operation_maps(table: pd.DataFrame, targets: Sequence[Metric]) -> list[Heatmap]:
    """A map place × choice of each target, of a table of rows target, place, choice, effect, low
    and high."""
    places, choices = (list(dict.fromkeys(table[name])) for name in ("place", "choice"))
    maps = []
    for target in targets:
        own = table[table["target"] == target.column]
        pivoted = (
            own.pivot(index="place", columns="choice", values=value)
            for value in ("effect", "low", "high")
        )
        grids = (grid.reindex(index=places, columns=choices) for grid in pivoted)
        maps.append(Heatmap(target, *grids))
    return maps


def whole_figure(table: pd.DataFrame, gain: Metric, cost: Metric) -> go.Figure:
    """Draws a table of `search.beside.table_beside_regression`: what both optima measure."""
    told = gain.sign * table["best"]
    table = table[told >= told.quantile(_POOREST / 2)]
    kept = table["keeps"].to_numpy()
    traces = [
        line(
            table["budget"], table["best"], "the table's", colour=GREEN, line_shape="hv",
            customdata=table["table"], hover="%{customdata}: %{y:.4g}",
        ),
        line(table["budget"], table["predicted"], "the regression's, predicted", dash="dot"),
    ]  # fmt: skip
    for name, own, fill in (
        ("the regression's, measured", kept, INK),
        ("the same, beyond the budget", ~kept, ORANGE),
    ):
        part = table[own]
        traces.append(
            markers(
                part["budget"], part["measured"], name, marker={"color": fill, "size": 7},
                customdata=part["regression"], hover="%{customdata}: %{y:.4g}",
            )
        )  # fmt: skip
    return drawn(traces, height=380, x=f"Budget of {cost.named}", y=gain.named)
