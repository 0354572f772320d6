"""Whether a budget holds, along a front and for every budget."""

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.front import CostUnit, budget_line, laid_out, on_plane
from foxnas_core.figures.theme import BLUE, new_figure
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.chance import chance_within
from foxnas_core.search.exact import Front

_BUDGETS = 200


def chance_table(
    front: Front, budget: float, unit: CostUnit, calibration: SearchCalibration | None
) -> pd.DataFrame:
    """One row a point of the front: cost (in the unit), value, chance (%) that it keeps the budget
    when measured."""
    points = np.arange(len(front))
    chance = chance_within(front, np.full(len(front), budget), points, calibration)
    return pd.DataFrame(
        {"cost": front.costs * unit.factor, "value": front.values, "chance": 100 * chance}
    )


def budget_table(
    front: Front, unit: CostUnit, calibration: SearchCalibration | None
) -> pd.DataFrame:
    """One row a budget over the front's range: budget (in the unit), chance (%) that its optimum
    keeps it when measured."""
    budgets = np.linspace(front.costs[0], front.costs[-1], _BUDGETS)
    points = np.searchsorted(front.costs, budgets, side="right") - 1
    chance = chance_within(front, budgets, points, calibration)
    return pd.DataFrame({"budget": budgets * unit.factor, "chance": 100 * chance})


def chance_figure(table: pd.DataFrame, unit: CostUnit, budget: float) -> go.Figure:
    """Draws `chance_table`, where the chance turns, with the budget."""
    figure = new_figure()
    figure.add_scatter(
        x=table["cost"], y=table["chance"], mode="lines+markers", marker={"size": 5},
        line={"color": BLUE}, showlegend=False, customdata=table["value"],
        hovertemplate=f"predicted %{{x:.4g}} {unit.symbol}, %{{customdata:.2f}}: "
        "%{y:.1f} %<extra></extra>",
    )  # fmt: skip
    budget_line(figure, unit, budget)
    figure.update_xaxes(range=_turning(table, budget * unit.factor))
    figure.update_yaxes(range=[-3, 103])
    return laid_out(figure, f"Predicted {unit.title[0].lower()}{unit.title[1:]}", "Chance (%)")


def budget_figure(
    table: pd.DataFrame, unit: CostUnit, budget: float, plane: pd.DataFrame
) -> go.Figure:
    """Draws `budget_table`, costs as in `front_figure`."""
    figure = new_figure()
    figure.add_scatter(
        x=table["budget"], y=table["chance"], mode="lines", line={"color": BLUE, "shape": "hv"},
        showlegend=False, hovertemplate=f"%{{x:.4g}} {unit.symbol}: %{{y:.1f}} %<extra></extra>",
    )  # fmt: skip
    budget_line(figure, unit, budget)
    on_plane(figure, unit, plane)
    figure.update_yaxes(range=[-3, 103])
    return laid_out(figure, f"Budget ({unit.symbol})", "Chance (%)")


def _turning(table: pd.DataFrame, budget: float) -> list[float]:
    """The costs over which the chance goes from sure to none, the budget in the middle."""
    between = table["cost"][(table["chance"] > 0.5) & (table["chance"] < 99.5)]
    reach = 1.3 * float((between - budget).abs().max()) if len(between) else 0.0
    reach = max(reach, 0.03 * float(table["cost"].iloc[-1] - table["cost"].iloc[0]))
    return [budget - reach, budget + reach]
