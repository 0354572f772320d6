"""The forms of a regression, by their error on held-out subnets."""

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.shapes import ROWS, bars, drawn
from foxnas_core.figures.theme import BLUE, GREY
from foxnas_core.regression.picker import Recommendation
from foxnas_core.table.metrics import Metric


def forms_table(found: Recommendation) -> pd.DataFrame:
    """One row a form that the data can carry, the best first: row, RMSE, parameters, picked."""
    carried = found.table.dropna(subset="RMSE").sort_values("RMSE", kind="stable")
    return pd.DataFrame(
        {
            "row": carried["title"],
            "RMSE": carried["RMSE"],
            "parameters": carried["parameters"].astype(int),
            "picked": (carried["form"] == found.form) & (carried["estimator"] == found.estimator),
        }
    ).reset_index(drop=True)


def forms_figure(table: pd.DataFrame, target: Metric) -> go.Figure:
    """A bar for each row of `forms_table`, the picked one in colour."""
    unit = f" ({target.difference_unit})" if target.difference_unit else ""
    errors = bars(
        table["row"], table["RMSE"], [BLUE if picked else GREY for picked in table["picked"]],
        text=[
            f"{target.text(rmse)}, {parameters} parameters"
            for rmse, parameters in zip(table["RMSE"], table["parameters"], strict=True)
        ],
        textposition="auto", hover="%{y}: %{text}",
    )  # fmt: skip
    axis = {"title": f"RMSE on held-out subnets{unit}", "rangemode": "tozero"}
    return drawn([errors], height=110 + 34 * len(table), x=axis, y=ROWS)
