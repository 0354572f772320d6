"""The course of rounds of search and measurement: errors at the front, and the best measured."""

import math

import pandas as pd
from plotly import graph_objects as go
from plotly.colors import sample_colorscale

from foxnas_core.figures.theme import GREY, INK, colour_of, difference_axis, new_figure
from foxnas_core.search.rounds import RoundsRecord
from foxnas_core.target import target_of

_EARLY, _LATE = "#9CC9E6", "#003B5C"


def find_table(record: RoundsRecord) -> pd.DataFrame:
    """One row a find of a finished round: round, budget, id, passed over, and for each target
    `COLUMN predicted`, `low`, `high` of the 95 % prediction interval, `measured` and `error`,
    measured less predicted; missing where not measured."""
    rows = []
    for number, done in enumerate((r for r in record.rounds if r.done), start=1):
        for find in done.finds:
            row: dict[str, object] = {
                "round": number,
                "budget": find.budget,
                "id": find.architecture.id,
                "passed over": find.passed_over,
            }
            for column, predicted in find.predicted.items():
                measured = find.measured.get(column, math.nan)
                row |= {
                    f"{column} predicted": predicted.value,
                    f"{column} low": predicted.low,
                    f"{column} high": predicted.high,
                    f"{column} measured": measured,
                    f"{column} error": measured - predicted.value,
                }
            rows.append(row)
    return pd.DataFrame(rows)


def error_figure(table: pd.DataFrame, column: str) -> go.Figure:
    """The errors of `find_table` for one target, a point a find, and each round's mean."""
    target = target_of(column)
    errors = table.dropna(subset=f"{column} error")
    figure = new_figure()
    figure.add_scatter(
        x=errors["round"],
        y=errors[f"{column} error"],
        mode="markers",
        name="a find",
        marker={"color": colour_of(column), "size": 8, "opacity": 0.55},
        customdata=errors[["id", "budget", f"{column} predicted", f"{column} measured"]],
        hovertemplate="%{customdata[0]}, budget %{customdata[1]:.3g} ms<br>predicted "
        "%{customdata[2]:.4g}, measured %{customdata[3]:.4g}<extra></extra>",
    )
    means = errors.groupby("round")[f"{column} error"].mean()
    figure.add_scatter(
        x=means.index,
        y=means,
        mode="lines+markers",
        name="mean of the round",
        line={"color": INK, "width": 2},
        marker={"symbol": "line-ew-open", "size": 22, "color": INK},
        hovertemplate="round %{x}: %{y:+.4g} on average<extra></extra>",
    )
    figure.add_hline(y=0, line={"color": GREY, "dash": "dot"})
    figure.update_xaxes(title="Round", dtick=1, range=[0.5, table["round"].max() + 0.5])
    figure.update_yaxes(title=f"{difference_axis(target)}, measured less predicted")
    figure.update_layout(
        height=360, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0}
    )
    return figure


def best_table(record: RoundsRecord) -> pd.DataFrame:
    """One row a budget and round, 0 being what was measured before the first: round, budget,
    shared (whether it was asked for), id, accuracy, latency, and `gain`, the accuracy above that
    of round 0 (points)."""
    finished = [r for r in record.rounds if r.done]
    states = ([finished[0].best_before] if finished else []) + [r.best for r in finished]
    rows = [
        {
            "round": number,
            "budget": best.budget,
            "shared": best.budget == record.shared,
            "id": best.id,
            "accuracy": best.accuracy,
            "latency": best.latency,
            "gain": best.accuracy - first.accuracy,
        }
        for number, state in enumerate(states)
        for best, first in zip(state, states[0], strict=True)
    ]
    return pd.DataFrame(rows)


def best_figure(table: pd.DataFrame) -> go.Figure:
    """`best_table`: a line a budget, pale for small ones, of the gain over the rounds."""
    figure = new_figure()
    budgets = sorted(set(table["budget"]))
    shades = [k / max(len(budgets) - 1, 1) for k in range(len(budgets))]
    colours = sample_colorscale([[0, _EARLY], [1, _LATE]], shades)
    for budget, colour in zip(budgets, colours, strict=True):
        own = table[table["budget"] == budget]
        figure.add_scatter(
            x=own["round"],
            y=own["gain"],
            mode="lines+markers",
            name=f"{budget:.3g} ms" + (", asked for" if own["shared"].any() else ""),
            line={"color": colour, "width": 4 if own["shared"].any() else 2, "shape": "hv"},
            customdata=own[["id", "accuracy", "latency"]],
            hovertemplate="%{customdata[0]}: %{customdata[1]:.2f} % at %{customdata[2]:.3g} ms, "
            "%{y:+.2f} points<extra>%{fullData.name}</extra>",
        )
    figure.update_xaxes(title="Round (0: before the first)", dtick=1)
    figure.update_yaxes(title="Best measured accuracy, gain (points)", rangemode="tozero")
    figure.update_layout(height=400, legend={"title": {"text": "Measured latency within"}})
    return figure
