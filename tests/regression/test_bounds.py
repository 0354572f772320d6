"""No prediction, interval, ceiling, front or promise is beyond what its metric can be."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hand import hand_space, noisy_table
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.regression import fit
from foxnas_core.regression.ceiling import Ceiling
from foxnas_core.reporting.portable import portable_predictor
from foxnas_core.search.calibration import SearchCalibration
from foxnas_core.search.exact import front
from foxnas_core.search.limits import Limit, limit_of
from foxnas_core.search.problem import SearchProblem
from foxnas_core.table.measurements import MeasurementTable, table_from_frame
from foxnas_core.table.metrics import ABOVE_ZERO, KNOWN, Metric, register_metric
from tests.search.additive import solve_exact

HAND = hand_space()
BOUNDS = [(-1.0, 1.0), (0.0, 1.0), (0.0, np.inf), (ABOVE_ZERO, np.inf), (-100.0, 100.0)]
DIRECTIONS = ["max", "min"]
COLUMNS = ["prediction_low", "low", "value", "high", "prediction_high"]


@pytest.fixture(autouse=True)
def own_metrics(monkeypatch):
    """Metrics that are known for a test alone."""
    monkeypatch.setattr("foxnas_core.table.metrics._KNOWN", dict(KNOWN))


def near_the_edge(metric: Metric, share: float, seed: int) -> MeasurementTable:
    """A table of `metric` and a cost, that reaches so far beyond both of its bounds that values cut
    at them lie there in the given share of rows."""
    base = noisy_table(HAND, 90, seed=seed)
    spread = base.values("accuracy")
    unit = (spread - np.quantile(spread, share)) / np.ptp(spread)
    low, high = metric.bounds
    least, most = (low, high if np.isfinite(high) else low + 1.0)
    values = np.clip(least + unit * (most - least) * 1.5, max(low, 1e-9 if low > 0 else low), high)
    frame = base.frame.drop(columns=["id", "accuracy"])
    return table_from_frame(HAND, frame.assign(**{metric.column: values}))


@settings(max_examples=10, deadline=None)
@given(
    bounds=st.sampled_from(BOUNDS),
    direction=st.sampled_from(DIRECTIONS),
    share=st.floats(0.05, 0.4),
    seed=st.integers(0, 1000),
)
def test_nothing_that_is_shown_is_out_of_bounds(bounds, direction, share, seed):
    metric = Metric("edge", "Edge", "", direction, quality=True, bounds=bounds)
    known = dict(KNOWN)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("foxnas_core.table.metrics._KNOWN", known)
        register_metric(metric)
        table = near_the_edge(metric, share, seed)
        predictors = {c: fit(table, c, "per_layer", "none") for c in ("edge", "latency_ms")}
    edge, cost = predictors["edge"], predictors["latency_ms"]
    low, high = (0.0 if bounds[0] == ABOVE_ZERO else bounds[0]), bounds[1]

    def inside(values) -> bool:
        values = np.asarray(values, dtype=float)
        return bool(((values >= low) & (values <= high)).all())

    codes = HAND.random_codes(60, seed=seed)
    predicted = edge.predict_codes(codes)[COLUMNS].to_numpy()
    assert inside(predicted) and (np.diff(predicted, axis=1) >= 0).all()
    # Where nothing is cut, it is what the regression says.
    plain = edge.form.matrix(codes) @ edge.estimates
    within = (plain > low) & (plain < high)
    np.testing.assert_array_equal(predicted[within, 2], plain[within])
    # What a search finds is what is predicted of it, at every budget and at every floor.
    for problem in (
        SearchProblem(edge, (Limit(cost, float(table.values("latency_ms").mean())),)),
        SearchProblem(cost, (limit_of(edge, float(np.clip(np.median(plain), low, high))),)),
    ):
        whole = front(problem)
        limited = problem.limits[0].predictor
        assert inside(whole.values if problem.objective is edge else whole.costs)
        found = solve_exact(problem)
        again = problem.objective.predict([found.architecture])["value"].iloc[0]
        assert found.value == pytest.approx(again)
        assert found.costs[0] == pytest.approx(
            limited.predict([found.architecture])["value"].iloc[0]
        )
        assert whole.within(problem.limits[0].bound).value == pytest.approx(found.value)
    calibrated = SearchCalibration(edge, np.array([-3.0, 0.5, 4.0]), pd.DataFrame())
    assert inside([calibrated.interval(v) for v in (low, predicted[0, 2], min(high, low + 1.0))])
    assert 0 <= calibrated.chance(predicted[0, 2], min(high, low + 0.5)) <= 1
    ends = portable_predictor(edge)["bounds"]
    assert ends == [low, None if np.isinf(high) else high]


@pytest.mark.parametrize(("column", "beyond"), [("accuracy", 130.0), ("dice", 1.03)])
def test_a_ceiling_is_at_most_the_bound_but_may_be_none(column, beyond):
    metric = KNOWN[column]
    found = Ceiling(beyond, beyond - 0.01, np.inf, 9.0, 0.002, 1e-6, np.zeros(2)).within(metric)
    most = metric.bounds[1]
    assert (found.value, found.low) == (most, min(beyond - 0.01, most)) and np.isinf(found.high)
    inner = replace(found, value=0.5 * most, low=0.4 * most, high=0.9 * most)
    assert vars(inner.within(metric)) == vars(inner)


def test_a_bound_that_all_keep_or_none_is_no_number_on_the_link_scale():
    accuracy = fit(noisy_table(HAND, 80, seed=2), "accuracy", "per_layer", "none")
    assert Limit(accuracy, 100.0).budget == np.inf == Limit(accuracy, at_least=0.0).budget
    assert Limit(accuracy, at_least=100.5).budget == -np.inf == Limit(accuracy, -0.5).budget
    assert Limit(accuracy, 60.0).budget == 60.0 and Limit(accuracy, at_least=60.0).budget == -60.0
