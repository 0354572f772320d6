"""What adds up to a difference: edits with their intervals, blocks as a waterfall."""

import textwrap

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.explanation.edits import EditEffects
from foxnas_core.figures.theme import GREY, INK, ORANGE, SKY, difference_axis, new_figure
from foxnas_core.target import Target

# Characters of a label on one line.
_LONGEST = 30


def edit_table(effects: EditEffects) -> pd.DataFrame:
    """One row an edit, then the sum of them: edit, effect, low, high."""
    total = {"edit": "together", "effect": effects.total, "low": effects.low, "high": effects.high}
    rows = effects.table[["edit", "effect", "low", "high"]].to_dict("records")
    return pd.DataFrame([*rows, total])


def edit_figure(table: pd.DataFrame, target: Target) -> go.Figure:
    """A bar for each row of `edit_table`, with its interval; green-blue helps, orange costs."""
    helps = (table["effect"] > 0) == (target.direction == "max")
    colours = [SKY if good else ORANGE for good in helps]
    labels = [
        f"{target.text(effect, signed=True)} [{target.text(low, signed=True)}, "
        f"{target.text(high, signed=True)}]"
        for effect, low, high in zip(table["effect"], table["low"], table["high"], strict=True)
    ]
    figure = new_figure()
    figure.add_trace(
        go.Bar(
            orientation="h",
            x=table["effect"],
            y=[_wrapped(edit) for edit in table["edit"]],
            marker={
                "color": colours,
                "line": {"color": INK, "width": [0] * (len(table) - 1) + [1]},
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": table["high"] - table["effect"],
                "arrayminus": table["effect"] - table["low"],
                "color": INK,
                "thickness": 1.2,
                "width": 3,
            },
            customdata=labels,
            hovertemplate="%{y}<br>%{customdata} " + target.difference_unit + "<extra></extra>",
        )
    )
    figure.update_layout(
        height=100 + sum(12 + 18 * len(_wrapped(e).split("<br>")) for e in table["edit"]),
        xaxis={"title": {"text": difference_axis(target)}},
        yaxis={"autorange": "reversed", "type": "category", "showgrid": False},
    )
    return figure


def _wrapped(label: str) -> str:
    """A long label over several lines, lest it leave no room for the bars."""
    return "<br>".join(textwrap.wrap(label, _LONGEST, break_long_words=False))


def waterfall_figure(
    table: pd.DataFrame, target: Target, *, start: float, first: str, last: str
) -> go.Figure:
    """From `start` over each row's `effect` (labelled by `what`) to the sum.

    `first` and `last` name the two ends.
    """
    total = start + float(table["effect"].sum())
    labels = [first, *table["what"], last]
    good, bad = (SKY, ORANGE) if target.direction == "max" else (ORANGE, SKY)
    figure = new_figure()
    figure.add_trace(
        go.Waterfall(
            orientation="h",
            measure=["absolute", *["relative"] * len(table), "total"],
            y=labels,
            x=[start, *table["effect"], total],
            text=[
                target.text(start),
                *(target.text(effect, signed=True) for effect in table["effect"]),
                target.text(total),
            ],
            textposition="outside",
            cliponaxis=False,
            connector={"line": {"color": GREY, "width": 1}},
            increasing={"marker": {"color": good}},
            decreasing={"marker": {"color": bad}},
            totals={"marker": {"color": GREY}},
            hovertemplate=f"%{{y}}: %{{text}} {target.unit}<extra></extra>",
        )
    )
    # Bars start near the values, since the differences are small beside them.
    running = [start, *(start + table["effect"].cumsum()), total]
    margin = max(0.3 * (max(running) - min(running)), 1e-3 * abs(start), 1e-9)
    figure.update_layout(
        height=110 + 28 * len(labels),
        xaxis={
            "range": [min(running) - margin, max(running) + margin],
            "title": {"text": target.named},
        },
        yaxis={"autorange": "reversed", "type": "category", "showgrid": False},
    )
    return figure
