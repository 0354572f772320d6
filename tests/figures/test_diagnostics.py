import functools
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand import noisy_table

from foxnas_core.diagnostics.collinearity import Collinearity
from foxnas_core.diagnostics.diagnosis import diagnose
from foxnas_core.diagnostics.learning_curve import LearningCurve
from foxnas_core.diagnostics.normality import Normality
from foxnas_core.families import load_shipped
from foxnas_core.figures.diagnostics import (
    drawn_rows,
    inflation_figure,
    inflation_table,
    influence_figure,
    influence_points,
    predicted_figure,
    predicted_table,
    quantile_figure,
    quantile_table,
    residual_axis,
    residual_figure,
    residual_points,
)
from foxnas_core.figures.learning import _log_ticks, curve_figure, halving_table
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.link import Link
from foxnas_core.table.metrics import metric_of

MINI = load_shipped("foxnas-mini")


@functools.cache
def fitted() -> tuple[Predictor, pd.DataFrame]:
    table = noisy_table(MINI, 300, seed=1)
    predictor = fit(table, "latency_ms", "foxnas")
    return predictor, diagnose(predictor, table).residuals


def flagged(outlier: str, influential: str, high_leverage: str) -> pd.DataFrame:
    """A residual table of rows flagged where there is an x; Cook's distance falls."""
    rows = len(outlier)
    return pd.DataFrame(
        {
            "row": range(1, rows + 1),
            "cook": np.linspace(1, 0, rows),
            "outlier": [c == "x" for c in outlier],
            "influential": [c == "x" for c in influential],
            "high_leverage": [c == "x" for c in high_leverage],
        }
    )


def markers(figure) -> list:
    return [trace for trace in figure.data if trace.mode == "markers"]


def test_a_row_is_what_it_is_worst() -> None:
    kinds = drawn_rows(flagged("x..x.", "xx...", ".xx.."))["kind"]
    assert kinds.tolist() == ["outlier", "influential", "high leverage", "outlier", "fits"]


def test_of_many_rows_the_worst_and_a_sample_are_drawn() -> None:
    table = flagged("." * 99 + "x", "x" * 5 + "." * 95, "." * 100)
    drawn = drawn_rows(table, 20)
    assert len(drawn) == 20 and drawn["row"].is_monotonic_increasing
    # The outlier, though of the least distance, and nine of the greatest.
    assert {100, *range(1, 10)} <= set(drawn["row"])
    assert drawn.equals(drawn_rows(table, 20)) and not drawn.equals(drawn_rows(table, 20, seed=1))
    assert len(drawn_rows(table, 100)) == 100


def test_every_point_is_drawn_once_and_carries_its_row() -> None:
    predictor, residuals = fitted()
    drawn = drawn_rows(residuals)
    figures = [
        predicted_figure(predicted_table(drawn), predictor.target),
        residual_figure(residual_points(drawn, residuals), predictor),
        influence_figure(influence_points(drawn, predictor)),
    ]
    for figure in figures:
        rows = [point[0] for trace in markers(figure) for point in trace.customdata]
        assert sorted(rows) == list(range(1, 301))
        for axis in (figure.layout.xaxis, figure.layout.yaxis):
            assert axis.title.text
    by_row = {
        point[0]: (x, y)
        for trace in markers(figures[0])
        for point, x, y in zip(trace.customdata, trace.x, trace.y, strict=True)
    }
    own = residuals.set_index("row").loc[7]
    assert by_row[7] == (own["held_out"], own["measured"])


def test_the_trend_is_the_mean_of_rows_alike() -> None:
    residuals = pd.DataFrame(
        {
            "row": range(1, 41), "id": "a", "predicted": np.arange(40)[::-1],
            "residual": np.arange(40.0)[::-1] % 2, "kind": "fits",
        }
    )  # fmt: skip
    trend = residual_points(residuals, residuals).trend
    assert trend["predicted"].tolist() == [2 * i + 0.5 for i in range(20)]
    assert trend["residual"].tolist() == [0.5] * 20


def test_residuals_are_named_by_their_scale() -> None:
    table = noisy_table(MINI, 300, seed=1)
    assert residual_axis(fit(table, "latency_ms")) == "Residual (ms)"
    assert residual_axis(fit(table, "accuracy", link="none")) == "Residual (points)"
    plain = fit(table, "accuracy", "per_layer", link="none")
    bent = replace(plain, link=Link(center=70.0, rate=0.02))
    assert residual_axis(bent) == "Residual (points at the average subnet)"


def test_on_the_contour_the_distance_is_its_limit() -> None:
    predictor, residuals = fitted()
    found = influence_points(drawn_rows(residuals), predictor)
    h, r = found.contour["leverage"], found.contour["standardised"]
    np.testing.assert_allclose(r**2 * h / (predictor.parameters * (1 - h)), 4 / 300)
    beyond = found.points["cook"] > 4 / 300
    at = np.sqrt(4 / 300 * predictor.parameters * (1 / found.points["leverage"] - 1))
    assert (beyond == (found.points["standardised"].abs() > at)).all()
    assert found.limit == 3 * predictor.parameters / 300


def quantiles(points: int) -> Normality:
    t = np.linspace(-3, 3, points)
    table = pd.DataFrame(
        {
            "row": range(1, points + 1), "id": "a", "theoretical": t,
            "studentised": np.where(t > 2.5, t + 1, t), "low": t - 0.5, "high": t + 0.5,
        }
    )  # fmt: skip
    return Normality(table, 0.3, 0.5, 0.0, 0.0)


def test_points_outside_the_band_stand_out() -> None:
    figure = quantile_figure(quantile_table(quantiles(60)))
    inside, outside = markers(figure)
    assert len(inside.x) + len(outside.x) == 60
    assert min(outside.x) > 2.5 >= max(inside.x)


def test_of_many_quantiles_the_tails_are_drawn_whole() -> None:
    found = quantile_table(quantiles(1000), 100)
    rows = found["row"].tolist()
    assert len(rows) == 100 and len(set(rows)) == 100
    assert rows[:25] == list(range(1, 26)) and rows[-25:] == list(range(976, 1001))


def test_the_largest_factors_are_drawn_and_those_above_the_limit_stand_out() -> None:
    factors = pd.DataFrame(
        {"term": list("abc"), "label": list("ABC"), "group": "g", "vif": [40.0, 11.0, 2.0]}
    )
    table = inflation_table(Collinearity(factors, 50.0, ("a", "b")), 2)
    assert table["term"].tolist() == ["a", "b"]
    [bars] = inflation_figure(factors).data
    assert bars.x.tolist() == [40.0, 11.0, 2.0] and len(set(bars.marker.color[:2])) == 1
    assert bars.marker.color[2] != bars.marker.color[0]


def curve() -> LearningCurve:
    table = pd.DataFrame(
        {
            "rows": [40.0, 80.0], "repeats": [1, 5], "rmse": [0.9, 0.6], "rmse_sd": [np.nan, 0.1],
            "tau": [0.6, 0.8], "tau_sd": [np.nan, 0.05], "width": [0.4, 0.3], "law": [0.4, 0.3],
        }
    )  # fmt: skip
    return LearningCurve(metric_of("accuracy"), 20, 120, 120, table, 0.2, np.nan, 0.5)


def test_widths_halve_at_the_last_row() -> None:
    table = halving_table(curve())
    assert table["rows"].iloc[[0, -1]].tolist() == [120, 20 + 4 * 100]
    assert table["width"].iloc[[0, -1]].tolist() == pytest.approx([0.2, 0.1])


def test_the_learning_curve_has_a_panel_each_for_error_order_and_width() -> None:
    figure = curve_figure(curve())
    lines = {trace.xaxis: list(trace.y) for trace in figure.data if trace.mode == "lines+markers"}
    assert lines == {"x": [0.9, 0.6], "x2": [0.6, 0.8], "x3": [0.4, 0.3]}
    assert figure.layout.annotations[0].text == "RMSE (points)"


def test_real_results_are_drawn() -> None:
    table = noisy_table(MINI, 300, seed=1)
    predictor, residuals = fitted()
    found = diagnose(predictor, table).normality
    assert sum(len(t.x) for t in markers(quantile_figure(quantile_table(found)))) == len(residuals)
    terms = inflation_table(diagnose(predictor, table).collinearity)
    assert len(inflation_figure(terms).data[0].x) == min(20, predictor.parameters - 1)


def test_ticks_of_a_logarithmic_axis_are_written_out() -> None:
    assert _log_ticks(np.array([0.0013, 0.012]))["ticktext"] == [
        "0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5",
    ]  # fmt: skip
    assert _log_ticks(np.array([60.0, 399_661.0]))["ticktext"] == [
        "10", "100", "1,000", "10,000", "100,000", "1,000,000",
    ]  # fmt: skip
