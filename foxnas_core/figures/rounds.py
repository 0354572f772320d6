"""The course of rounds of search and measurement: errors at the front, and the best measured."""

import math
from collections.abc import Sequence

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.points import subnet_points
from foxnas_core.figures.shapes import cells, drawn, line, ruled
from foxnas_core.figures.theme import INK, SEQUENTIAL, colour_of
from foxnas_core.search.rounds.record import RoundsRecord
from foxnas_core.table.metrics import Metric, metric_of


def find_table(record: RoundsRecord) -> pd.DataFrame:
    """One row a find of a finished round: round, budget, id, passed over, and for each target
    `COLUMN predicted`, `low`, `high` of the 95 % prediction interval, `measured` and `error`,
    measured less predicted, missing where not measured; where optima told also `expected`, with
    `expected low` and `expected high`, and `less expected`, measured less that."""
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
                if told := find.expected.get(column):
                    row |= {
                        f"{column} expected": told.value,
                        f"{column} expected low": told.low,
                        f"{column} expected high": told.high,
                        f"{column} less expected": measured - told.value,
                    }
            rows.append(row)
    return pd.DataFrame(rows)


def error_figure(table: pd.DataFrame, column: str) -> go.Figure:
    """The errors of `find_table` for one target, a point a find, and each round's mean: of what was
    expected where optima told, else of what was predicted."""
    target, error, told = metric_of(column), f"{column} error", f"{column} less expected"
    errors = table.dropna(subset=error)
    if told in table:
        errors = errors.assign(**{error: errors[told].fillna(errors[error])})
    finds = subnet_points(
        errors["id"].tolist(),
        x=errors["round"],
        y=errors[error],
        name="a find",
        marker={"color": colour_of(column), "size": 8, "opacity": 0.55},
        customdata=errors[["id", "budget", f"{column} predicted", f"{column} measured"]],
        hovertemplate="%{customdata[0]}, budget %{customdata[1]:.3g}<br>predicted "
        "%{customdata[2]:.4g}, measured %{customdata[3]:.4g}<extra></extra>",
    )
    means = errors.groupby("round")[error].mean()
    mean = line(
        means.index, means, "mean of the round", colour=INK, width=2, mode="lines+markers",
        marker={"symbol": "line-ew-open", "size": 22, "color": INK},
        hover="round %{x}: %{y:+.4g} on average",
    )  # fmt: skip
    figure = drawn(
        [finds, mean],
        height=360,
        x={"title": "Round", "dtick": 1, "range": [0.5, table["round"].max() + 0.5]},
        y=f"Measured less {'expected' if told in table else 'predicted'} "
        f"({target.difference_unit})",
    )
    return ruled(figure, y=0, dash="dot")


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
    measured = table.set_index(["budget", "round"]).sort_index()
    gains = [[measured["gain"].get((b, r), math.nan) for r in rounds] for b in budgets]
    best = cells(
        gains, [f"round {r}" if r else "before" for r in rounds],
        [
            f"{b:.3g} {cost.unit}".strip() + (" (asked for)" if b in shared else "")
            for b in budgets
        ],
        [[_best_text(measured.loc[(b, r)], objective) for r in rounds] for b in budgets],
        # One budget that had no good subnet at all would leave the others pale.
        scale=SEQUENTIAL, least=0, most=max(float(table["gain"].quantile(0.9)), 1e-9),
        customdata=[[measured["id"].get((b, r), "") for r in rounds] for b in budgets],
        hover="within %{y}, %{x}: %{text}<br>%{customdata}",
    )  # fmt: skip
    return drawn(
        [best],
        height=90 + 36 * len(budgets),
        x={"side": "top"},
        y=f"Measured {cost.word} within",
    )


def _best_text(best: pd.Series, objective: Metric) -> str:
    if not best["id"]:
        return "none"
    value = objective.value_text(best[objective.column])
    gain = objective.text(objective.sign * best["gain"], signed=True)
    return f"{value} ({gain})" if best["gain"] > 0 else value
