"""What speaks against a fit: points, residuals, quantiles, influence, overlap, learning curve.

Points carry the number of their row, so that a click can tell which one it was. Of many rows a
part is drawn; the flagged ones come first.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.diagnostics.collinearity import LARGEST_VIF, Collinearity
from foxnas_core.diagnostics.normality import Normality
from foxnas_core.diagnostics.residuals import cook_limit, leverage_limit
from foxnas_core.figures.points import add_subnets
from foxnas_core.figures.theme import BLUE, GREY, INK, ORANGE, PURPLE, RED, faint, new_figure
from foxnas_core.regression import Predictor
from foxnas_core.table.metrics import Metric

MOST_POINTS = 5000
_KEPT_FIRST = 1000  # of the most influential rows
_GROUPS = 20
# What a point is, the last that applies: its colour, and whether it is drawn over the others.
KINDS = {"fits": BLUE, "high leverage": PURPLE, "influential": ORANGE, "outlier": RED}


def drawn_rows(residuals: pd.DataFrame, most: int = MOST_POINTS, *, seed: int = 0) -> pd.DataFrame:
    """A `residual_table` with `kind`, one of `KINDS`, of at most `most` rows in their order:
    outliers and the most influential rows, and a random sample of the others."""
    kind = pd.Series("fits", index=residuals.index)
    for flag, name in (
        ("high_leverage", "high leverage"), ("influential", "influential"), ("outlier", "outlier"),
    ):  # fmt: skip
        kind = kind.mask(residuals[flag], name)
    table = residuals.assign(kind=kind)
    if len(table) <= most:
        return table
    rank = table.sort_values(["outlier", "cook"], ascending=False, kind="stable").index
    first = rank[: min(_KEPT_FIRST, most // 2)]
    others = table.index.difference(first)
    drawn = np.random.default_rng(seed).choice(others, most - len(first), replace=False)
    return table.loc[[*first, *drawn]].sort_index()


def predicted_table(drawn: pd.DataFrame) -> pd.DataFrame:
    """Rows of `drawn_rows`: row, id, held_out, measured, kind."""
    return drawn[["row", "id", "held_out", "measured", "kind"]]


def predicted_figure(table: pd.DataFrame, target: Metric) -> go.Figure:
    """Measured over predicted by fits that never saw the subnet, and the line of equal values."""
    figure = new_figure()
    ends = [
        float(table[["held_out", "measured"]].min().min()),
        float(table[["held_out", "measured"]].max().max()),
    ]
    _line(figure, ends, ends, "equal")
    texts = [
        f"measured {target.text(measured)}, predicted {target.text(held_out)} {target.unit}"
        for measured, held_out in zip(table["measured"], table["held_out"], strict=True)
    ]
    _points(figure, table, "held_out", "measured", texts)
    figure.update_layout(
        height=430,
        xaxis={"title": {"text": f"Predicted, cross-validated{unit_text(target)}"}},
        yaxis={"title": {"text": f"Measured {_lower(target)}{unit_text(target)}"}},
    )
    return figure


class ResidualPoints(NamedTuple):
    """`points`: row, id, predicted, residual, kind. `trend`: the mean predicted and residual of
    20 groups of rows with alike predictions."""

    points: pd.DataFrame
    trend: pd.DataFrame


def residual_points(drawn: pd.DataFrame, residuals: pd.DataFrame) -> ResidualPoints:
    """Points of rows of `drawn_rows`, and the trend of all `residuals`."""
    groups = np.arange(len(residuals)) * min(_GROUPS, len(residuals)) // len(residuals)
    trend = (
        residuals[["predicted", "residual"]]
        .sort_values("predicted", kind="stable")
        .groupby(groups)
        .mean()
    )
    return ResidualPoints(drawn[["row", "id", "predicted", "residual", "kind"]], trend)


def residual_figure(found: ResidualPoints, predictor: Predictor) -> go.Figure:
    """Residuals over fitted values; their mean runs along 0 where effects add up."""
    target, figure = predictor.target, new_figure()
    texts = [
        f"predicted {target.text(predicted)} {target.unit}, residual "
        f"{target.text(residual, signed=True)} {target.difference_unit}"
        for predicted, residual in zip(
            found.points["predicted"], found.points["residual"], strict=True
        )
    ]
    _points(figure, found.points, "predicted", "residual", texts)
    figure.add_scatter(
        x=found.trend["predicted"],
        y=found.trend["residual"],
        mode="lines",
        line={"color": INK, "width": 2},
        name="mean",
        hoverinfo="skip",
    )
    figure.update_layout(
        height=430,
        xaxis={"title": {"text": f"Predicted {_lower(target)}{unit_text(target)}"}},
        yaxis={"title": {"text": residual_axis(predictor)}},
    )
    return figure


def quantile_table(normality: Normality, most: int = MOST_POINTS) -> pd.DataFrame:
    """The QQ points, of many all in the tails and evenly spaced ones between."""
    points = normality.points
    if len(points) <= most:
        return points
    tail = most // 4
    middle = np.linspace(tail, len(points) - tail - 1, most - 2 * tail).astype(int)
    kept = [*range(tail), *middle, *range(len(points) - tail, len(points))]
    return points.iloc[kept].reset_index(drop=True)


def quantile_figure(table: pd.DataFrame) -> go.Figure:
    """Ordered residuals over the quantiles that normal errors would give, in their band."""
    figure = new_figure()
    for end, fill in (("low", None), ("high", "tonexty")):
        figure.add_scatter(
            x=table["theoretical"],
            y=table[end],
            mode="lines",
            line={"width": 0},
            fill=fill,
            fillcolor=faint(GREY, 0.25),
            name="95 % band",
            hoverinfo="skip",
            showlegend=fill is not None,
        )
    ends = [float(table["theoretical"].min()), float(table["theoretical"].max())]
    _line(figure, ends, ends, "normal errors")
    outside = (table["studentised"] < table["low"]) | (table["studentised"] > table["high"])
    for out, name, colour in ((False, "within the band", BLUE), (True, "outside it", RED)):
        own = table[outside == out]
        _markers(
            figure,
            own,
            "theoretical",
            "studentised",
            [
                f"row {row}: studentised residual {value:+.2f}"
                for row, value in zip(own["row"], own["studentised"], strict=True)
            ],
            name,
            colour,
        )
    figure.update_layout(
        height=430,
        xaxis={"title": {"text": "Student's t quantile (sd)"}},
        yaxis={"title": {"text": "Studentised residual (sd)"}},
    )
    return figure


class InfluencePoints(NamedTuple):
    """`points`: row, id, leverage, standardised, cook, kind; `contour`: leverage and the
    standardised residual at which Cook's distance is its limit; `limit` of leverage, which may
    be above 1."""

    points: pd.DataFrame
    contour: pd.DataFrame
    limit: float


def influence_points(drawn: pd.DataFrame, predictor: Predictor) -> InfluencePoints:
    """Points of rows of `drawn_rows`, and limits for all rows of the predictor.

    On the contour of distance D, r = √(D p (1 - h) / h).
    """
    columns = ["row", "id", "leverage", "standardised", "cook", "kind"]
    points = drawn[columns].dropna()
    n, p = predictor.rows, predictor.parameters
    leverages = points["leverage"]
    h = np.linspace(0.9 * leverages.min(), min(1.05 * leverages.max(), 1.0), 200)
    r = np.sqrt(cook_limit(n) * p * (1 - h) / h)
    contour = pd.DataFrame({"leverage": h, "standardised": r})
    return InfluencePoints(points, contour, leverage_limit(n, p))


def influence_figure(found: InfluencePoints) -> go.Figure:
    """Residual over leverage: beyond the lines one row moves the whole fit."""
    figure, points = new_figure(), found.points
    for sign in (1, -1):
        figure.add_scatter(
            x=found.contour["leverage"],
            y=sign * found.contour["standardised"],
            mode="lines",
            line={"color": GREY, "width": 1.5, "dash": "dot"},
            name="Cook's distance 4 / rows",
            showlegend=sign > 0,
            hoverinfo="skip",
        )
    texts = [
        f"leverage {leverage:.3f}, residual {residual:+.2f}, Cook's distance {cook:.4f}"
        for leverage, residual, cook in zip(
            points["leverage"], points["standardised"], points["cook"], strict=True
        )
    ]
    _points(figure, points, "leverage", "standardised", texts)
    if found.limit <= 1.2 * points["leverage"].max():
        figure.add_vline(
            x=found.limit,
            line={"color": GREY, "width": 1, "dash": "dash"},
            annotation={"text": "3 × mean leverage", "font": {"color": INK, "size": 12}},
        )
    figure.update_layout(
        height=430,
        xaxis={"title": {"text": "Leverage (0 to 1)"}},
        yaxis={"title": {"text": "Studentised residual (sd)"}},
    )
    return figure


def inflation_table(collinearity: Collinearity, most: int = 20) -> pd.DataFrame:
    """The `most` terms with the largest variance inflation factors: term, label, group, vif."""
    return collinearity.table.head(most)


def inflation_figure(table: pd.DataFrame) -> go.Figure:
    """A bar for each term, and the limit."""
    figure = new_figure()
    figure.add_bar(
        orientation="h",
        x=table["vif"],
        y=table["term"],
        marker={"color": np.where(table["vif"] > LARGEST_VIF, ORANGE, BLUE)},
        customdata=table["label"],
        hovertemplate="%{customdata}<br>variance inflation factor %{x:.3g}<extra></extra>",
    )
    figure.add_vline(
        x=LARGEST_VIF,
        line={"color": INK, "width": 1, "dash": "dash"},
        annotation={"text": f"limit {LARGEST_VIF:g}", "font": {"size": 12}},
        annotation_position="bottom right",
    )
    figure.update_layout(
        height=110 + 20 * len(table),
        xaxis={"title": {"text": "Variance inflation factor (×)"}, "rangemode": "tozero"},
        yaxis={
            "autorange": "reversed", "type": "category", "showgrid": False, "dtick": 1,
            "tickfont": {"size": 12},
        },
    )  # fmt: skip
    return figure


def residual_axis(predictor: Predictor) -> str:
    """The title of an axis of residuals, which are on the link's scale."""
    unit = unit_text(predictor.target, difference=True)
    if predictor.link.is_identity:
        return f"Residual{unit}"
    return "Residual (points at the average subnet)"


def _line(figure: go.Figure, x: list[float], y: list[float], name: str) -> None:
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": GREY, "width": 1.5, "dash": "dot"},
        name=name,
        hoverinfo="skip",
    )


def _points(figure: go.Figure, table: pd.DataFrame, x: str, y: str, texts: list[str]) -> None:
    """One trace a kind, the flagged ones over the others."""
    texts_of = pd.Series(texts, index=table.index, dtype=object)
    for kind, colour in KINDS.items():
        own = table[table["kind"] == kind]
        if len(own):
            labels = [
                f"row {row}: {text}"
                for row, text in zip(own["row"], texts_of[own.index], strict=True)
            ]
            _markers(figure, own, x, y, labels, kind, colour)


def _markers(
    figure: go.Figure,
    table: pd.DataFrame,
    x: str,
    y: str,
    texts: list[str],
    name: str,
    colour: str,
) -> None:
    """Points whose custom data are the row's number, its subnet's id and a text."""
    add_subnets(
        figure,
        table["id"].tolist(),
        x=table[x],
        y=table[y],
        marker={"color": colour, "size": 6, "opacity": 0.75},
        name=name,
        # Plotly takes an array as it is, but looks into every cell of a list.
        customdata=np.array(list(zip(table["row"], table["id"], texts, strict=True)), dtype=object),
        hovertemplate="%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
    )


def unit_text(target: Metric, *, difference: bool = False) -> str:
    unit = target.difference_unit if difference else target.unit
    return f" ({unit})" if unit else ""


def _lower(target: Metric) -> str:
    """A label within a title."""
    return target.label if target.label == "MACs" else target.label[0].lower() + target.label[1:]
