"""What each choice changes: points with intervals, and heatmaps over groups and slots.

Targets stand side by side, one panel each, with the same rows.
"""

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.explanation.coefficients import slot_grid
from foxnas_core.explanation.sentences import with_rates
from foxnas_core.figures.points import block_ids
from foxnas_core.figures.shapes import ROWS, cells, in_numbers, markers, panels
from foxnas_core.figures.theme import (
    GREY,
    PALE,
    PAPER,
    colour_of,
    difference_axis,
    diverging,
    in_lines,
    whiskers,
)
from foxnas_core.table.metrics import Metric


def interval_table(
    effects: pd.DataFrame, columns: Sequence[str], traded: Sequence[Metric] = ()
) -> pd.DataFrame:
    """One row a choice and target: group, row, target, effect, low, high, block, clear, and where
    two targets are `traded` what a unit of the second buys of the first (see `with_rates`).

    `effects` is a table of `side_by_side`, `columns` are the targets in it. `row` names what is
    drawn, once in each group; `block` is its slot, or else its group and decision (see
    `figures.points`); `clear` says that the interval leaves out 0.
    """
    where = effects["slot"].where(effects["slot"] != "", effects["group"])
    # A step of depth opens the slot that it is named after.
    choice = effects["role"] + " " + effects["choice"].astype(str)
    row = where + " " + choice + " instead of " + effects["reference"].astype(str)
    parts = [
        with_rates(
            pd.DataFrame(
                {
                    "group": effects["group"],
                    "row": row,
                    "target": column,
                    "effect": effects[column],
                    "low": effects[f"{column}_low"],
                    "high": effects[f"{column}_high"],
                    "block": effects["slot"].where(
                        effects["slot"] != "", effects["group"] + "–" + effects["decision"]
                    ),
                }
            ),
            effects,
            traded,
        ).dropna(subset="effect")
        for column in columns
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(clear=(table["low"] > 0) | (table["high"] < 0))


def interval_figure(table: pd.DataFrame, targets: Sequence[Metric]) -> go.Figure:
    """One row a choice, one panel a target; hollow and grey where the interval spans 0."""
    rows = list(dict.fromkeys(table["row"]))
    figure = panels(len(targets), shared_yaxes=True, horizontal_spacing=0.03)
    for position, target in enumerate(targets, start=1):
        own = table[table["target"] == target.column]
        for clear, colour in ((True, colour_of(target.column)), (False, GREY)):
            part = own[own["clear"] == clear]
            fill, edge = colour if clear else PAPER, {"color": colour, "width": 1.5}
            estimates = markers(
                part["effect"], part["row"], marker={"color": fill, "size": 7, "line": edge},
                error_x=whiskers(part["effect"], part["low"], part["high"], colour),
                meta=block_ids(part["block"].tolist()), customdata=in_numbers(part, target),
                hover=f"%{{y}}<br>%{{customdata}} {target.difference_unit}",
            )  # fmt: skip
            figure.add_trace(estimates, row=1, col=position)
        title = in_lines(difference_axis(target))
        figure.update_xaxes(title=title, rangemode="tozero", row=1, col=position)
    figure.update_yaxes(
        categoryorder="array", categoryarray=rows, range=[len(rows) - 0.5, -0.5],
        tickfont={"size": 12}, showgrid=False, dtick=1,
    )  # fmt: skip
    shapes = _bands(table, rows, len(targets))
    return figure.update_layout(height=110 + 18 * len(rows), shapes=shapes)


def _bands(table: pd.DataFrame, rows: list[str], panels: int) -> list[dict[str, object]]:
    """A pale band behind every second group."""
    group_of = table.drop_duplicates("row").set_index("row")["group"]
    numbers: dict[str, list[int]] = {}
    for number, row in enumerate(rows):
        numbers.setdefault(group_of[row], []).append(number)
    return [
        {
            "type": "rect", "layer": "below", "line": {"width": 0}, "fillcolor": PALE,
            "xref": "x domain" if panel == 1 else f"x{panel} domain", "x0": 0, "x1": 1,
            "yref": "y", "y0": own[0] - 0.5, "y1": own[-1] + 0.5,
        }
        for own in list(numbers.values())[1::2]
        for panel in range(1, panels + 1)
    ]  # fmt: skip


class Heatmap(NamedTuple):
    """Groups × slots of one target's effects, or groups × choices where there are no slots; `slots`
    names the former."""

    target: Metric
    values: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame
    slots: pd.DataFrame | None = None

    def blocks(self) -> list[list[str]]:
        """The id of each cell's block, "" where there is none (see `figures.points`)."""
        if self.slots is None:
            return [block_ids([str(group)] * self.values.shape[1]) for group in self.values.index]
        return [
            [block_ids([cell])[0] if cell else "" for cell in row]
            for row in self.slots.astype(object).fillna("").to_numpy()
        ]

    def texts(self) -> list[list[str]]:
        """What each cell says: nothing without an effect, in parentheses where it spans 0."""

        def text(value: float, low: float, high: float) -> str:
            if pd.isna(value):
                return ""
            number = self.target.text(value, signed=True)
            return number if low > 0 or high < 0 else f"({number})"

        rows = zip(*(grid.to_numpy() for grid in self[1:4]), strict=True)
        return [[text(*cell) for cell in zip(*row, strict=True)] for row in rows]


def heatmap_of(effects: pd.DataFrame, role: str, target: Metric) -> Heatmap:
    """The effects of one role's choices on one target, from a table of `side_by_side`."""
    columns = [target.column, f"{target.column}_low", f"{target.column}_high"]
    own = effects[effects["role"] == role]
    if (own["position"] > 0).any():
        grids = (slot_grid(own, role, column) for column in (*columns, "slot"))
        return Heatmap(target, *grids)
    order = dict.fromkeys(own["group"]), dict.fromkeys(own["choice"])
    return Heatmap(
        target,
        *(
            own.pivot(index="group", columns="choice", values=column).reindex(
                index=list(order[0]), columns=list(order[1])
            )
            for column in columns
        ),
    )


def heatmap_figure(heatmaps: Sequence[Heatmap], *, stacked: bool = False) -> go.Figure:
    """One panel a target, each with colours of its own that are centred on no effect, gains
    cool and losses warm; below each other where they are `stacked`."""
    titles = [difference_axis(heatmap.target) for heatmap in heatmaps]
    shape = (1, len(heatmaps)) if stacked else (len(heatmaps), 1)
    shared = {"shared_xaxes": True} if stacked else {"shared_yaxes": True}
    figure = panels(
        *shape, horizontal_spacing=0.06, vertical_spacing=0.08, subplot_titles=titles, **shared
    )
    for position, heatmap in enumerate(heatmaps, start=1):
        grid = heatmap.values
        limit = float(grid.abs().max().max()) or 1.0
        columns = [f"block {c}" if isinstance(c, int) else str(c) for c in grid.columns]
        effects = cells(
            grid.to_numpy(dtype=float), columns, list(grid.index), heatmap.texts(),
            scale=diverging(heatmap.target), least=-limit, most=limit, meta=heatmap.blocks(),
            hover=f"%{{y}} %{{x}}: %{{text}} {heatmap.target.difference_unit}",
        )  # fmt: skip
        place = (position, 1) if stacked else (1, position)
        figure.add_trace(effects, row=place[0], col=place[1])
    figure.update_yaxes(**ROWS)
    figure.update_xaxes(type="category", showgrid=False)
    rows = max(len(heatmaps[0].values), 1) * (len(heatmaps) if stacked else 1)
    return figure.update_layout(height=90 + (30 if stacked else 40) * rows)
