"""Edits that reach a goal by their number, and what each choice of a decision costs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.explanation.rates import rates
from foxnas_core.explanation.reach import Reached
from foxnas_core.figures.shapes import ROWS, drawn, line, markers
from foxnas_core.figures.theme import (
    BLUE,
    GREY,
    INK,
    PAPER,
    colour_of,
    difference_axis,
    exponents,
    whiskers,
)
from foxnas_core.table.metrics import Metric, rate_unit

# Columns of the target that is the price.
PRICE, LOW, HIGH = "price", "price low", "price high"


def reached_table(reached: Reached) -> pd.DataFrame:
    """One row a number of edits, the cheapest first: edits, price with its interval (the change of
    the objective), the change of each limited target with its interval, chance (%), what a unit of
    the cost is worth (see `rates`), in words, id."""
    rows = []
    gain, cost = gain_and_cost(reached.targets)
    for answer in reversed(reached.answers):
        row: dict[str, object] = {"edits": answer.edits}
        for place, target in enumerate(reached.targets):
            found = answer.effects[target.column]
            name = difference_axis(target) if place else PRICE
            row |= {name: found.total, f"{name} low": found.low, f"{name} high": found.high}
        won, paid = answer.effects[gain.column], answer.effects[cost.column]
        [rate] = rates(
            [won.total], [paid.total], [paid.average_low], [paid.average_high], gain, cost
        )
        row |= {"chance": 100 * answer.chance, rate_unit(gain, cost): rate}
        row |= {"in words": answer.words, "id": answer.after.id}
        rows.append(row)
    return pd.DataFrame(rows)


def gain_and_cost(targets: Sequence[Metric]) -> list[Metric]:
    """Which of the first two is had for the other: the quality, else the first."""
    return sorted(targets[:2], key=lambda target: not target.quality)


def reached_figure(table: pd.DataFrame, objective: Metric, chosen: int) -> go.Figure:
    """Draws `reached_table`: the price by the number of edits, with intervals; the chosen number
    is filled."""
    table = table.sort_values("edits")
    colour = colour_of(objective.column)
    fill = [colour if edits == chosen else PAPER for edits in table["edits"]]
    most = int(table["edits"].max())
    edits = {
        "title": "Edits", "range": [min(0, most) - 0.5, most + 0.5],
        "dtick": 1 if most < 15 else None,
    }  # fmt: skip
    points = markers(
        table["edits"], table[PRICE],
        marker={"size": 12, "color": fill, "line": {"color": colour, "width": 2}},
        error_y=whiskers(table[PRICE], table[LOW], table[HIGH], colour),
        customdata=np.column_stack([table["in words"], table["chance"].round()]),
        hover=f"%{{x}} edits: %{{y:+.3g}} {objective.difference_unit}, kept with "
        "%{customdata[1]} %<br>%{customdata[0]}",
    )  # fmt: skip
    steps = line(table["edits"], table[PRICE], line={"color": GREY, "width": 1, "shape": "hv"})
    return drawn([steps, points], height=360, x=edits, y=_axis(objective) | {"zeroline": True})


def _axis(objective: Metric) -> dict[str, object]:
    return {"title": difference_axis(objective), "exponentformat": exponents(objective)}


def choices_figure(table: pd.DataFrame, objective: Metric) -> go.Figure:
    """Draws `every_choice`: for each choice the best subnet with it against the best of all, with
    its interval; the present choice is darker."""
    labels = [f"{c} (now)" if now else c for c, now in zip(table["choice"], table["now"],
                                                           strict=True)]  # fmt: skip
    text = [
        "out of reach" if np.isnan(change) else f" {objective.text(change, signed=True)}"
        for change in table["change"]
    ]
    points = markers(
        table["change"].fillna(0.0), labels,
        marker={
            "size": 12, "symbol": ["x" if np.isnan(c) else "circle" for c in table["change"]],
            "color": [INK if now else BLUE for now in table["now"]],
        },
        error_x=whiskers(table["change"], table["low"], table["high"], GREY),
        customdata=text, hover=f"%{{y}}: %{{customdata}} {objective.difference_unit}",
    )  # fmt: skip
    return drawn([points], height=110 + 36 * len(table), x=_axis(objective), y=ROWS)
