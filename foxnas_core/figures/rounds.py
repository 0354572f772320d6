"""The course of rounds of search and measurement: errors at the front, and the best measured."""

import math
from collections.abc import Sequence

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.points import add_subnets
from foxnas_core.figures.theme import GREY, INK, SEQUENTIAL, colour_of, new_figure
from foxnas_core.search.rounds.record import RoundsRecord
from foxnas_core.table.metrics import Metric, metric_of

# White to a blue that dark numbers can be read on.


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
    target = metric_of(column)
    errors = table.dropna(subset=f"{column} error")
    figure = new_figure()
    add_subnets(
        figure,
        errors["id"].tolist(),
        x=errors["round"],
        y=errors[f"{column} error"],
        name="a find",
        marker={"color": colour_of(column), "size": 8, "opacity": 0.55},
        customdata=errors[["id", "budget", f"{column} predicted", f"{column} measured"]],
        hovertemplate="%{customdata[0]}, budget %{customdata[1]:.3g}<br>predicted "
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
    figure.update_yaxes(title=f"Measured less predicted ({target.difference_unit})")
    figure.update_layout(height=360)
    return figure


def best_table(record: RoundsRecord) -> pd.DataFrame:
    """One row a budget and round, 0 being what was measured before the first: round, budget,
    shared (whether it was asked for), id, the objective and the cost by their columns' names (a
    latency as "latency"), and `gain`, how much better the objective is than in round 0."""
    finished = [r for r in record.rounds if r.done]
    states = ([finished[0].best_before] if finished else []) + [r.best for r in finished]
    sign = metric_of(record.objective).sign
    rows = [
        {
            "round": number,
            "budget": best.budget,
            "shared": best.budget == record.shared,
            "id": best.id,
            record.objective: best.accuracy,
            "latency" if metric_of(record.latency).timed else record.latency: best.latency,
            "gain": sign * (best.accuracy - first.accuracy),
        }
        for number, state in enumerate(states)
        for best, first in zip(state, states[0], strict=True)
    ]
    return pd.DataFrame(rows)


def best_figure(table: pd.DataFrame, columns: Sequence[str]) -> go.Figure:
    """`best_table` as budgets × rounds: the objective of the best measured subnet and, where it is
    better than in round 0, by how much; the more, the darker. `columns` are those of the objective
    and the cost."""
    objective, cost = map(metric_of, columns)
    rounds = sorted(set(table["round"]))
    budgets = sorted(set(table["budget"]))
    shared = set(table.loc[table["shared"], "budget"])
    cells = table.set_index(["budget", "round"]).sort_index()
    gains = [[cells["gain"].get((b, r), math.nan) for r in rounds] for b in budgets]
    figure = new_figure()
    figure.add_heatmap(
        x=[f"round {r}" if r else "before" for r in rounds],
        y=[
            f"{b:.3g} {cost.unit}".strip() + (" (asked for)" if b in shared else "")
            for b in budgets
        ],
        z=gains,
        text=[[_best_text(cells.loc[(b, r)], objective) for r in rounds] for b in budgets],
        texttemplate="%{text}",
        customdata=[[cells["id"].get((b, r), "") for r in rounds] for b in budgets],
        hovertemplate="within %{y}, %{x}: %{text}<br>%{customdata}<extra></extra>",
        colorscale=SEQUENTIAL,
        zmin=0,
        # One budget that had no good subnet at all would leave the others pale.
        zmax=max(float(table["gain"].quantile(0.9)), 1e-9),
        xgap=3,
        ygap=3,
        showscale=False,
    )
    figure.update_xaxes(side="top")
    figure.update_yaxes(title=f"Measured {cost.word} within")
    figure.update_layout(height=90 + 36 * len(budgets))
    return figure


def _best_text(best: pd.Series, objective: Metric) -> str:
    if not best["id"]:
        return "none"
    value = objective.value_text(best[objective.column])
    gain = objective.text(objective.sign * best["gain"], signed=True)
    return f"{value} ({gain})" if best["gain"] > 0 else value
