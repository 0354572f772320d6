"""What adds up to a difference: edits with their intervals, also as a way; blocks."""

import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.explanation.edits import EditEffects, edit_effects
from foxnas_core.figures.shapes import ROWS, bars, drawn, in_numbers, markers
from foxnas_core.figures.theme import (
    GAIN,
    GREY,
    INK,
    LOSS,
    difference_axis,
    exponents,
    new_figure,
    whiskers,
    wide,
)
from foxnas_core.regression import Predictor
from foxnas_core.space.architecture import Architecture
from foxnas_core.table.metrics import Metric

# The ends of both intervals, and how tables call them.
_ENDS = {
    "low": "low", "high": "high", "average_low": "average low", "average_high": "average high",
}  # fmt: skip
# Characters of a label on one line.
_LONGEST = 30
# Changes of one edit that are named.
_MOST_NAMED = 2


def edit_table(effects: EditEffects) -> pd.DataFrame:
    """One row an edit, then the sum of them: edit, effect, low, high (of this edit of this subnet),
    average low, average high (of the average edit)."""
    own = effects.table
    ends = {"effect": effects.total, **{name: getattr(effects, name) for name in _ENDS}}
    columns = {_ENDS.get(name, name): [*own[name], whole] for name, whole in ends.items()}
    return pd.DataFrame({"edit": [*own["edit"], "together"], **columns})


def edit_figure(table: pd.DataFrame, target: Metric) -> go.Figure:
    """A bar for each row of `edit_table`, with its interval; gains and losses in their colours."""
    helps = (table["effect"] > 0) == (target.direction == "max")
    colours = [GAIN if good else LOSS for good in helps]
    labels = [_wrapped(edit) for edit in table["edit"]]
    trace = bars(
        labels, table["effect"], colours,
        hover=f"%{{y}}<br>%{{customdata}} {target.difference_unit}",
        marker={"color": colours, "line": {"color": INK, "width": [0] * (len(table) - 1) + [1]}},
        error_x=whiskers(table["effect"], table["low"], table["high"], INK),
        customdata=in_numbers(table, target),
    )  # fmt: skip
    figure = drawn(
        [trace],
        height=100 + sum(30 + 18 * label.count("<br>") for label in labels),
        x={"title": difference_axis(target), "exponentformat": exponents(target)},
        y=ROWS,
    )
    return wide(figure)  # its labels would leave bars no room on a phone


def _wrapped(label: str) -> str:
    """A long label over several lines, lest it leave no room for the bars."""
    return "<br>".join(textwrap.wrap(label, _LONGEST, break_long_words=False))


def path_table(effects: EditEffects, start: float) -> pd.DataFrame:
    """What edits do to a prediction that is `start` before them, one row each, then all together.

    Columns: those of `edit_table`, and value, the prediction after the edit.
    """
    own = effects.table["effect"]
    return edit_table(effects).assign(value=[*(start + own.cumsum()), start + effects.total])


def path_figure(
    table: pd.DataFrame, target: Metric, *, first: str = "start", numbered: bool = False
) -> go.Figure:
    """`path_table` as a waterfall from the `first` over each edit to now, each with its interval.

    `numbered` tells edits of one order apart that read the same. Of an edit of more than two
    choices the first is named.
    """
    edits, total = table["edit"].iloc[:-1], table.iloc[-1]
    start = float(total["value"] - total["effect"])
    names = [
        _wrapped(f"{i}. {_shortened(edit)}" if numbered else _shortened(edit))
        for i, edit in enumerate(edits, start=1)
    ]
    trace, layout = _waterfall(
        names, table["effect"].iloc[:-1], target, start=start, first=first, last="now"
    )
    labels = trace["y"]
    told = in_numbers(table, target)
    told = [target.text(start), *told[:-1], f"{target.text(total['value'])}: {told[-1]}"]
    trace |= {
        "text": [""] * len(labels),
        "customdata": told,
        "hovertemplate": "%{y}: %{customdata}<extra></extra>",
    }
    # A waterfall has no error bars, so the ends of its bars carry them.
    ends = markers(
        table["value"], labels[1:], marker={"color": INK, "size": 4},
        error_x=whiskers(table["effect"], table["low"], table["high"], INK),
    )  # fmt: skip
    low, high = layout["xaxis"]["range"]
    reach = [
        *(table["value"] + table["low"] - table["effect"]),
        *(table["value"] + table["high"] - table["effect"]),
    ]
    layout["xaxis"]["range"] = [min(low, *reach), max(high, *reach)]
    lines = max(label.count("<br>") + 1 for label in labels)
    layout |= {
        "annotations": [
            {
                "x": 1.01, "xref": "paper", "xanchor": "left", "y": label, "yref": "y",
                "text": text, "showarrow": False,
            }
            for label, text in zip(labels, told, strict=True)
        ],
        "height": 110 + (12 + 18 * lines) * len(labels),
        "margin": {"r": 12 + 7 * max(map(len, told))},
        "showlegend": False,
    }  # fmt: skip
    return new_figure([trace, ends], layout)


def _shortened(edit: str) -> str:
    """The first of more than two changes, and how many more there are."""
    parts = edit.split("; ")
    return edit if len(parts) <= _MOST_NAMED else f"{parts[0]} and {len(parts) - 1} more"


def difference_table(
    predictors: Mapping[str, Predictor],
    this: Architecture,
    reference: Architecture,
    *,
    names: tuple[str, str] = ("this", "reference"),
) -> pd.DataFrame:
    """The predictions of two architectures, one row a target.

    Columns: target, unit, the prediction of each under its name, and their difference (this less
    the reference) with 95 % intervals: low to high where both are measured, average low to average
    high of the average edit.
    """
    rows = []
    for predictor in predictors.values():
        values = predictor.predict([this, reference])["value"]
        effects = edit_effects(predictor, reference, this)
        rows.append(
            {
                "target": predictor.target.label, "unit": predictor.target.unit,
                names[0]: float(values[0]), names[1]: float(values[1]),
                "difference": effects.total,
                **{words: getattr(effects, name) for name, words in _ENDS.items()},
            }
        )  # fmt: skip
    columns = ["target", "unit", *names, "difference", *_ENDS.values()]
    return pd.DataFrame(rows, columns=columns)


def waterfall_figure(
    table: pd.DataFrame, target: Metric, *, start: float, first: str, last: str
) -> go.Figure:
    """From `start` over each row's `effect` (labelled by `what`) to the sum.

    `first` and `last` name the two ends.
    """
    trace, layout = _waterfall(
        table["what"], table["effect"], target, start=start, first=first, last=last
    )
    return wide(new_figure([trace], layout))


def _waterfall(
    names: Iterable[str], effects: pd.Series, target: Metric, *, start: float, first: str, last: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The trace and the layout of a waterfall."""
    total = start + float(effects.sum())
    labels = [first, *names, last]
    good, bad = (GAIN, LOSS) if target.direction == "max" else (LOSS, GAIN)
    trace = {
        "type": "waterfall",
        "orientation": "h",
        "measure": ["absolute", *["relative"] * len(effects), "total"],
        "y": labels,
        "x": [start, *effects, total],
        "text": [
            target.text(start),
            *(target.text(effect, signed=True) for effect in effects),
            target.text(total),
        ],
        "textposition": "outside",
        "cliponaxis": False,
        "connector": {"line": {"color": GREY, "width": 1}},
        "increasing": {"marker": {"color": good}},
        "decreasing": {"marker": {"color": bad}},
        "totals": {"marker": {"color": GREY}},
        "hovertemplate": f"%{{y}}: %{{text}} {target.unit}<extra></extra>",
    }
    # Bars start near the values, since the differences are small beside them.
    running = [start, *(start + effects.cumsum()), total]
    margin = max(0.3 * (max(running) - min(running)), 1e-3 * abs(start), 1e-9)
    layout = {
        "height": 110 + 28 * len(labels),
        "xaxis": {
            "range": [min(running) - margin, max(running) + margin],
            "title": {"text": target.named},
            "exponentformat": exponents(target),
        },
        "yaxis": ROWS,
    }
    return trace, layout
