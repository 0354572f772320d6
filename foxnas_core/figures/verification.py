"""Claims beside what was measured, and the scoreboard of all of them."""

import pandas as pd
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from foxnas_core.evidence.verification.claims import CHOSEN, KINDS, Trial
from foxnas_core.evidence.verification.scoreboard import Scoreboard, trials_table
from foxnas_core.figures.shapes import ROWS, drawn, line, markers
from foxnas_core.figures.theme import (
    GREY,
    INK,
    LOSS,
    colour_of,
    difference_axis,
    exponents,
    new_figure,
    whiskers,
)
from foxnas_core.table.metrics import metric_of

_ENDS = [
    "claimed", "claimed low", "claimed high", "predicted", "predicted low", "predicted high",
    "average low", "average high", "measured", "measured low", "measured high",
    "judged low", "judged high",
]  # fmt: skip


def verdict_table(trial: Trial) -> pd.DataFrame:
    """One row a claim of a measured trial: kind, target, claimed, of a value what is predicted
    behind it, and measured, each with its low and high, those of the average edit, judged low and
    high, verdict and why it is not counted."""
    table = trials_table([trial])
    return table[["kind", "target", *_ENDS, "verdict", "not counted"]]


def verdict_figure(table: pd.DataFrame) -> go.Figure:
    """`verdict_table`: a row a target, a column a kind. Above the claim, its stated interval thick
    and the one that a measurement is held against thin; below what was measured, red if outside."""
    targets = list(dict.fromkeys(table["target"]))
    kinds = [kind for kind in KINDS if (table["kind"] == kind).any()]
    figure = make_subplots(
        rows=len(targets), cols=len(kinds), shared_yaxes=True, figure=new_figure(),
        horizontal_spacing=0.08, vertical_spacing=min(0.5 / len(targets), 0.3),
    )  # fmt: skip
    for claim in table.to_dict("records"):
        row, column = targets.index(claim["target"]) + 1, kinds.index(claim["kind"]) + 1
        target, colour = metric_of(claim["target"]), colour_of(claim["target"])
        outside = claim["verdict"] == "outside"
        unit = target.unit if claim["kind"] == "value" else target.difference_unit
        for name, shade, width in (
            ("judged", GREY, 2), ("claimed", colour, 8), ("measured", LOSS if outside else INK, 2),
        ):  # fmt: skip
            place = "measured" if name == "measured" else "claimed"
            ends = [claim[f"{name} low"], claim[f"{name} high"]]
            stated = line(
                ends, [place] * 2, colour=shade, width=width,
                mode="lines+markers" if width == 2 else "lines",
                marker={"symbol": "line-ns-open", "size": 10, "color": shade},
                opacity=0.35 if width == 8 else 1.0,
            )  # fmt: skip
            figure.add_trace(stated, row=row, col=column)
        for name, shade in (("claimed", colour), ("measured", LOSS if outside else INK)):
            symbol = "x" if outside and name == "measured" else "circle"
            middle = markers(
                [claim[name]], [name], marker={"color": shade, "size": 11, "symbol": symbol},
                hover=f"{name} %{{x:.4g}} {unit} ({claim[f'{name} low']:.4g} to "
                f"{claim[f'{name} high']:.4g})",
            )  # fmt: skip
            figure.add_trace(middle, row=row, col=column)
        title = target.named if claim["kind"] == "value" else difference_axis(target)
        figure.update_xaxes(
            title_text=title, nticks=6, zeroline=claim["kind"] == "difference", row=row, col=column,
            exponentformat=exponents(target),
        )  # fmt: skip
    figure.update_yaxes(
        type="category", categoryorder="array", categoryarray=["measured", "claimed"],
        range=[-0.6, 1.6], showgrid=False,
    )  # fmt: skip
    figure.update_layout(height=40 + 135 * len(targets), margin={"t": 10})
    return figure


def board_table(board: Scoreboard) -> pd.DataFrame:
    """`Scoreboard.table` with its kinds and ways of choosing in words."""
    return board.table.assign(
        kind=board.table["kind"].map(KINDS), chosen=board.table["chosen"].map(CHOSEN)
    )


def board_figure(table: pd.DataFrame) -> go.Figure:
    """`board_table`: the share of claims that held, with its interval, and what was stated; rows
    with none tested are left out."""
    tested = table[table["tested"] > 0]
    share, low, high = (tested[name] for name in ("share", "low", "high"))
    names = [
        f"{metric_of(row['target']).label}, {row['kind']}<br>"
        f"{row['chosen']}: {row['held']} of {row['tested']}"
        for row in tested.to_dict("records")
    ]
    held = markers(
        share, names, marker={"color": tested["target"].map(colour_of), "size": 11},
        error_x=whiskers(share, low, high, GREY, thickness=2, width=6),
        customdata=tested[["low", "high", "stated"]],
        hover="%{y}<br>%{x:.0f} % held (%{customdata[0]:.0f} to %{customdata[1]:.0f}), stated "
        "%{customdata[2]:g} %",
    )  # fmt: skip
    axis = {"title": "Claims that held (%)", "range": [-2, 102]}
    figure = drawn([held], height=110 + 48 * len(tested), x=axis, y=ROWS)
    for stated in sorted(set(tested["stated"])):
        text, top = f"stated {stated:g} %", {"yref": "paper", "y": 1.0, "yanchor": "bottom"}
        where = top | {"text": text, "xanchor": "right"}
        figure.add_vline(x=stated, line={"color": INK, "dash": "dash"}, annotation=where)
    return figure
