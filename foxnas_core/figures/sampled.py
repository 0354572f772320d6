"""What a distribution over subnets drew as it was learnt, and what it decided."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.shapes import cells, drawn, line, ruled
from foxnas_core.figures.theme import BLUE, GREY, ORANGE, PURPLE, SEQUENTIAL
from foxnas_core.sampling.distribution import is_decided
from foxnas_core.search.selections import SupernetSelection
from foxnas_core.space.in_words import decision_called
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.metrics import metric_of

FIXED = 16
"""Samples a step that PARSEC draws throughout (arXiv 1902.05116)."""
PARSEC = f"PARSEC, {FIXED} a step"
_MOST_WORDS = 16  # epochs whose cells are wide enough for words


def steps_table(selection: SupernetSelection) -> pd.DataFrame:
    """One row a step: step (from 1), entropy in nats before it, samples, and what they were worth
    by their weights (NaN where nothing was learnt yet)."""
    steps = selection.course.get("steps", [])
    return pd.DataFrame(
        {
            "step": range(1, len(steps) + 1),
            "entropy": [float(own["entropy"]) for own in steps],
            "samples": [int(own["k"]) for own in steps],
            "worth": [np.nan if own["ess"] is None else float(own["ess"]) for own in steps],
        }
    )


def steps_figure(table: pd.DataFrame, switch: int | None) -> go.Figure:
    """`steps_table`, entropy on an axis of its own; the step from which decisions are drawn
    together is ruled."""
    traces = [
        line(table["step"], table["entropy"], "entropy (nats)", colour=BLUE, width=2.5,
             hover="Step %{x}: %{y:.2f} nats"),
        line(table["step"], table["samples"], "samples", colour=ORANGE, yaxis="y2",
             hover="Step %{x}: %{y} samples"),
        line(table["step"], table["worth"], "worth by their weights", colour=PURPLE, yaxis="y2",
             dash="dot", hover="Step %{x}: worth %{y:.1f} samples"),
    ]  # fmt: skip
    figure = drawn(
        traces, height=380, x="Step", y={"title": "Entropy (nats)", "rangemode": "tozero"},
        yaxis2={"title": {"text": "Samples a step"}, "overlaying": "y", "side": "right",
                "rangemode": "tozero", "showgrid": False, "tickmode": "auto"},
    )  # fmt: skip
    if switch is not None and 0 < switch < len(table):
        return ruled(figure, x=switch, text="drawn together from here")
    return figure


def spent_table(selection: SupernetSelection) -> pd.DataFrame:
    """One row a step: step (from 1), samples that were drawn so far, and those that `FIXED` at
    every step were."""
    steps = steps_table(selection)
    fixed = FIXED * steps["step"]
    return pd.DataFrame(
        {"step": steps["step"], "samples so far": steps["samples"].cumsum(), PARSEC: fixed}
    )


def spent_figure(table: pd.DataFrame) -> go.Figure:
    """`spent_table`, one line above the other."""
    traces = [
        line(table["step"], table[PARSEC], PARSEC, dash="dash",
             hover="Step %{x}: %{y:,} samples"),
        line(table["step"], table["samples so far"], "FP-NAS", colour=BLUE, width=2.5,
             hover="Step %{x}: %{y:,} samples"),
    ]  # fmt: skip
    y = {"title": "Samples so far", "rangemode": "tozero"}
    return drawn(traces, height=320, x="Step", y=y)


def courses_table(space: SearchSpace, selection: SupernetSelection) -> pd.DataFrame:
    """One row a decision of the selected subnet and an epoch: the choice that led, its probability
    in percent, and whether it was decided."""
    rows = []
    for own in selection.decisions:
        decision = space.by_name[own.edge]
        for epoch in selection.course.get("epochs", []):
            if shares := epoch.get(own.edge):
                first = int(np.argmax(shares))
                rows.append(
                    {
                        "decision": decision_called(decision),
                        "epoch": int(epoch["epoch"]),
                        "choice": str(decision.choices[first]),
                        "probability": 100 * float(shares[first]),
                        "decided": is_decided(shares),
                    }
                )
    return pd.DataFrame(rows, columns=["decision", "epoch", "choice", "probability", "decided"])


def courses_figure(table: pd.DataFrame) -> go.Figure:
    """`courses_table` as a map: a row a decision, its course from left to right; choices in bold
    once they are decided."""
    decisions, epochs = list(dict.fromkeys(table["decision"])), sorted(set(table["epoch"]))
    told = table["choice"].where(~table["decided"], "<b>" + table["choice"] + "</b>")
    grids = [
        table.assign(told=told)
        .pivot(index="decision", columns="epoch", values=name)
        .reindex(index=decisions, columns=epochs)
        for name in ("probability", "told")
    ]
    words = {"texttemplate": "%{text}" if len(epochs) <= _MOST_WORDS else ""}
    map_ = cells(
        grids[0].to_numpy(), epochs, decisions, grids[1].fillna("").to_numpy(), scale=SEQUENTIAL,
        least=0, most=100, hover="%{y}, epoch %{x}: %{text} at %{z:.0f} %", **words,
    )  # fmt: skip
    return drawn(
        [map_], height=130 + 26 * len(decisions),
        x={"title": "Epoch", "showgrid": False, "tickformat": "d"}, y={"autorange": "reversed"},
    )  # fmt: skip


def modes_table(selection: SupernetSelection) -> pd.DataFrame:
    """One row an epoch: the objective of its mode, and of each limited column the mode's cost,
    that of what is drawn, and the most it may be."""
    course = selection.course
    rows = []
    for own in course.get("modes", []):
        row = {"epoch": int(own["epoch"]), metric_of(course["objective"]).named: own["value"]}
        for column, most in course.get("limits", {}).items():
            name, costs = metric_of(column).named, own["costs"][column]
            row |= {
                f"{name} of the mode": costs["mode"],
                f"{name} of what is drawn": costs["drawn"],
                f"{name} as limited": most,
            }
        rows.append(row)
    return pd.DataFrame(rows)


def modes_figure(table: pd.DataFrame) -> go.Figure:
    """`modes_table`: the objective, and on an axis of its own the cost that was limited first."""
    epoch, score, *costs = table.columns
    traces = [
        line(table[epoch], table[score], score, colour=BLUE, width=2.5, mode="lines+markers",
             hover="Epoch %{x}: %{y:.2f}"),
    ]  # fmt: skip
    looks = ((ORANGE, None), (ORANGE, "dot"), (GREY, "dash"))
    for cost, (colour, dash) in zip(costs, looks, strict=False):
        traces.append(
            line(table[epoch], table[cost], cost, colour=colour, dash=dash, yaxis="y2",
                 hover="Epoch %{x}: %{y:.4g}")
        )  # fmt: skip
    more = {"title": {"text": costs[0].removesuffix(" of the mode")}, "overlaying": "y",
            "side": "right", "showgrid": False, "tickmode": "auto"} if costs else {}  # fmt: skip
    x = {"title": "Epoch", "tickformat": "d"}
    return drawn(traces, height=380, x=x, y=score, **({"yaxis2": more} if more else {}))


def choices_table(space: SearchSpace, selection: SupernetSelection) -> pd.DataFrame:
    """One row a choice: decision (in words), choice, its probability in percent, whether it is
    kept, whether its decision is undecided, and after which epoch that was decided for good."""
    rows = []
    epochs = selection.course.get("epochs", [])
    for own in selection.decisions:
        shares = [float(one.weight) for one in own.candidates]
        when = _decided_after([epoch.get(own.edge, []) for epoch in epochs])
        for one in own.candidates:
            rows.append(
                {
                    "decision": decision_called(space.by_name[own.edge]),
                    "choice": one.operation,
                    "probability": 100 * one.weight,
                    "kept": one.operation == own.kept,
                    "undecided": not is_decided(shares),
                    "decided after epoch": when,
                }
            )
    return pd.DataFrame(rows)


def choices_figure(table: pd.DataFrame) -> go.Figure:
    """`choices_table` as a map: a row a decision, its choices from left to right."""
    decisions = list(dict.fromkeys(table["decision"]))
    place = table.groupby("decision", sort=False).cumcount()
    shape = (len(decisions), int(place.max()) + 1)
    values, text = np.full(shape, np.nan), np.full(shape, "", dtype=object)
    for row, column, own in zip(
        table["decision"].map(decisions.index), place, table.itertuples(), strict=True
    ):
        values[row, column] = own.probability
        told = f"{own.choice}: {own.probability:.0f} %"
        text[row, column] = f"<b>{told}</b>" if own.kept else told
    undecided = set(table.loc[table["undecided"], "decision"])
    names = [f"{name} (undecided)" if name in undecided else name for name in decisions]
    map_ = cells(
        values, list(range(1, shape[1] + 1)), names, text, scale=SEQUENTIAL, least=0, most=100,
        hover="%{y}<br>%{text}",
    )  # fmt: skip
    return drawn(
        [map_], height=130 + 26 * len(names),
        x={"title": "Choices, as the space lists them", "dtick": 1, "showgrid": False},
        y={"autorange": "reversed"},
    )  # fmt: skip


def _decided_after(shares: Sequence[Sequence[float]]) -> float:
    """The first epoch, from 1, after which a decision was decided at every later one; NaN where it
    never was, or where nothing is kept of it."""
    after = len(shares)
    while after and shares[after - 1] and is_decided(shares[after - 1]):
        after -= 1
    return float(after + 1) if after < len(shares) else np.nan
