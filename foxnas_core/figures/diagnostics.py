"""What speaks against a fit: points, residuals, quantiles, influence, overlap, learning curve.

Points carry the number of their row, so that a click can tell which one it was. Of many rows a
part is drawn; the flagged ones come first.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.diagnostics.collinearity import LARGEST_VIF, Collinearity
from foxnas_core.diagnostics.normality import Normality
from foxnas_core.diagnostics.residuals import cook_limit, leverage_limit
from foxnas_core.figures.points import subnet_points
from foxnas_core.figures.shapes import ROWS, Trace, band, bars, drawn, equal, line, ruled
from foxnas_core.figures.theme import BLUE, GREY, INK, ORANGE, PURPLE
from foxnas_core.regression import Predictor
from foxnas_core.table.headings import heading_of
from foxnas_core.table.metrics import Metric, in_a_sentence

MOST_POINTS = 5000
_KEPT_FIRST = 1000  # of the most influential rows
_GROUPS = 20
# What a point is, the last that applies: its colour, and whether it is drawn over the others.
KINDS = {"fits": BLUE, "high leverage": PURPLE, "influential": ORANGE, "outlier": INK}


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
    """Rows of `drawn_rows` that were predicted without being seen: row, id, held_out, measured,
    kind."""
    told = drawn[drawn["held_out"].notna()]
    return told[["row", "id", "held_out", "measured", "kind"]]


def predicted_figure(table: pd.DataFrame, target: Metric) -> go.Figure:
    """Measured over predicted by fits that never saw the subnet, and the line of equal values."""
    texts = [
        f"measured {target.text(measured)}, predicted {target.text(held_out)} {target.unit}"
        for measured, held_out in zip(table["measured"], table["held_out"], strict=True)
    ]
    agreeing = equal(table[["held_out", "measured"]], dash="dot")
    return drawn(
        [agreeing, *_points(table, "held_out", "measured", texts)],
        height=430,
        x=f"Predicted, cross-validated{unit_text(target)}",
        y=f"Measured {in_a_sentence(target.label)}{unit_text(target)}",
    )


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
    target, points, trend = predictor.target, found.points, found.trend
    texts = [
        f"predicted {target.text(predicted)} {target.unit}, residual "
        f"{target.text(residual, signed=True)} {target.difference_unit}"
        for predicted, residual in zip(points["predicted"], points["residual"], strict=True)
    ]
    mean = line(trend["predicted"], trend["residual"], "mean", colour=INK, width=2)
    return drawn(
        [*_points(points, "predicted", "residual", texts), mean],
        height=430,
        x=f"Predicted {in_a_sentence(target.label)}{unit_text(target)}",
        y=residual_axis(predictor),
    )


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
    x, y = table["theoretical"], table["studentised"]
    traces = [
        band(x, table["low"], table["high"], GREY, "95 % band", opacity=0.25),
        equal(x, name="normal errors", dash="dot"),
    ]
    outside = (y < table["low"]) | (y > table["high"])
    for out, name, colour in ((False, "within the band", BLUE), (True, "outside it", INK)):
        own = table[outside == out]
        texts = [
            f"row {row}: studentised residual {value:+.2f}"
            for row, value in zip(own["row"], own["studentised"], strict=True)
        ]
        traces.append(_markers(own, "theoretical", "studentised", texts, name, colour))
    titles = {"x": "Student's t quantile (sd)", "y": "Studentised residual (sd)"}
    return drawn(traces, height=430, **titles)


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
    points, contour = found.points, found.contour
    texts = [
        f"leverage {leverage:.3f}, residual {residual:+.2f}, Cook's distance {cook:.4f}"
        for leverage, residual, cook in zip(
            points["leverage"], points["standardised"], points["cook"], strict=True
        )
    ]
    limits = [
        line(contour["leverage"], sign * contour["standardised"], name, dash="dot")
        for sign, name in ((1, "Cook's distance 4 / rows"), (-1, ""))
    ]
    figure = drawn(
        [*limits, *_points(points, "leverage", "standardised", texts)],
        height=430,
        x="Leverage (0 to 1)",
        y="Studentised residual (sd)",
    )
    if found.limit > 1.2 * points["leverage"].max():
        return figure
    return ruled(figure, x=found.limit, text="3 × mean leverage")


def inflation_table(collinearity: Collinearity, most: int = 20) -> pd.DataFrame:
    """The `most` terms with the largest variance inflation factors: term, label, group, vif."""
    return collinearity.table.head(most)


def inflation_figure(table: pd.DataFrame) -> go.Figure:
    """A bar for each term, and the limit."""
    factors = bars(
        table["term"].map(heading_of), table["vif"],
        np.where(table["vif"] > LARGEST_VIF, ORANGE, BLUE),
        customdata=table["label"],
        hover="%{customdata}<br>variance inflation factor %{x:.3g}",
    )  # fmt: skip
    figure = drawn(
        [factors],
        height=110 + 20 * len(table),
        x={"title": "Variance inflation factor (×)", "rangemode": "tozero"},
        y=ROWS | {"dtick": 1, "tickfont": {"size": 12}},
    )
    limit = f"limit {LARGEST_VIF:g}"
    return ruled(figure, x=LARGEST_VIF, text=limit, at="bottom right", colour=INK)


def residual_axis(predictor: Predictor) -> str:
    """The title of an axis of residuals, which are on the link's scale."""
    unit = unit_text(predictor.target, difference=True)
    if predictor.link.is_identity:
        return f"Residual{unit}"
    return "Residual (points at the average subnet)"


def _points(table: pd.DataFrame, x: str, y: str, texts: list[str]) -> list[Trace]:
    """One trace a kind, the flagged ones over the others."""
    told = pd.Series(texts, index=table.index, dtype=object)
    told = "row " + table["row"].astype(str) + ": " + told
    return [
        _markers(own, x, y, told[own.index], kind, colour)
        for kind, colour in KINDS.items()
        if len(own := table[table["kind"] == kind])
    ]


def _markers(
    table: pd.DataFrame, x: str, y: str, texts: Iterable[str], name: str, colour: str
) -> Trace:
    """Points whose custom data are the row's number, its subnet's id and a text."""
    return subnet_points(
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
