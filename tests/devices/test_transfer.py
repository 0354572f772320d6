import functools
import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import DEMO
from hand import hand_space, noisy_table, table_of
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.devices.common import read_rows
from foxnas_core.devices.transfer import drawn_rows, median_error, spread_rows, transfer
from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor, fit
from foxnas_core.study import open_study
from foxnas_core.table.latency_verdicts import without_failed
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

SOURCE, NEW = "latency_ms", "latency_ms:pi"


@functools.cache
def demo() -> MeasurementTable:
    return open_study(DEMO).table()


@functools.cache
def fp32() -> Predictor:
    return fit(demo(), "latency_ms", link="none")


@pytest.mark.parametrize("resolutions", [(), (12, 24)])
def test_a_device_that_is_a_line_of_another_is_found_exactly(resolutions):
    space = hand_space(resolutions=resolutions)
    codes = space.random_codes(120, seed=1)
    source = fit(noisy_table(space, 120), SOURCE, "per_layer")
    latency = source.predict_codes(codes)["value"].to_numpy()
    table = table_of(space, codes, **{NEW: 4 + 2.5 * latency})
    found = transfer(source, table=table, target=NEW, rows=np.arange(12))
    for context in space.context_options():
        np.testing.assert_allclose(
            found.split(context).constant, 4 + 2.5 * source.split(context).constant, rtol=1e-9
        )
    values = found.predict_codes(codes)
    np.testing.assert_allclose(values["value"], table.values(NEW), rtol=1e-9)
    assert found.residual_variance == pytest.approx(0, abs=1e-18)
    effects = found.coefficients()["estimate"], source.coefficients()["estimate"]
    np.testing.assert_allclose(effects[0][1:], 2.5 * effects[1][1:], atol=1e-9)


def test_a_calibrated_prediction_is_a_sum_over_groups():
    found = transfer(fp32(), table=demo(), target="latency_ms:int8", rows=np.arange(15))
    space, codes = found.space, demo().codes[:40]
    for code, architecture in zip(codes, demo().architectures()[:40], strict=True):
        split = found.split({"resolution": architecture["resolution"]})
        total = split.constant + sum(
            float(split.group_values(group, code[np.newaxis])[0]) for group in space.additive_groups
        )
        assert total == pytest.approx(found.predict([architecture])["value"][0], rel=1e-9)


def test_what_is_uncertain_is_the_line_and_the_source():
    rows = np.arange(20)
    found = transfer(fp32(), table=demo(), target="latency_ms:int8", rows=rows)
    from statsmodels.regression.linear_model import OLS

    x, y = demo().values("latency_ms")[rows], demo().values("latency_ms:int8")[rows]
    line = OLS(y, np.column_stack([np.ones(20), x])).fit()
    slope, covariance = float(line.params[1]), line.cov_params()
    matrix = found.form.matrix(demo().codes[100:130])
    z, of_source = fp32().combine(matrix)
    value, std_error = found.combine(matrix)
    np.testing.assert_allclose(value, line.params[0] + slope * z, rtol=1e-9)
    ones = np.column_stack([np.ones(len(z)), z])
    of_line = np.einsum("ij,jk,ik->i", ones, covariance, ones)
    np.testing.assert_allclose(std_error**2, of_line + slope**2 * of_source**2, rtol=1e-9)


def test_rows_left_out_are_those_of_a_line_through_the_others():
    # Every row was measured soundly on both, so that positions in the table are those in the fits.
    sound = without_failed(demo())
    both = sound.rows(np.isfinite(sound.frame[["latency_ms", "latency_ms:int8"]]).all(1).to_numpy())
    source = fit(both, "latency_ms", fp32().form, "none")
    rows = np.array([3, 50, 51, 200, 400, 600])
    found = transfer(source, table=both, target="latency_ms:int8", rows=rows)
    x, y = both.values("latency_ms"), both.values("latency_ms:int8")
    for row in rows:
        others = rows[rows != row]
        slope, start = np.polyfit(x[others], y[others], 1)
        expected = start + slope * source.held_out[row]
        assert found.held_out[row] == pytest.approx(expected, rel=1e-9)
    unseen = np.setdiff1d(np.arange(len(both)), rows)
    slope, start = np.polyfit(x[rows], y[rows], 1)
    np.testing.assert_allclose(found.held_out[unseen], start + slope * source.held_out[unseen])
    residuals = y[rows] - start - slope * source.held_out[rows]
    assert found.residual_variance == pytest.approx(residuals @ residuals / 4)


def test_its_degrees_of_freedom_are_those_of_the_line():
    found = transfer(fp32(), table=demo(), target="latency_ms:int8", rows=np.arange(15))
    assert (found.rows, found.residual_df, found.parameters) == (15, 13, fp32().parameters)
    assert found.transferred and not fp32().transferred
    assert "calibrated from 15 rows" in found.warnings[0] and "fp32" in found.warnings[0]
    again = pickle.loads(pickle.dumps(found))
    pd.testing.assert_frame_equal(again.coefficients(), found.coefficients())


def test_a_prediction_interval_holds_most_new_measurements():
    rows = read_rows(demo(), "latency_ms")[spread_rows(fp32().held_out, 20)]
    found = transfer(fp32(), table=demo(), target="latency_ms:int8", rows=rows)
    ends = found.predict_codes(demo().codes)
    y = demo().values("latency_ms:int8")
    inside = (ends["prediction_low"] <= y) & (y <= ends["prediction_high"])
    assert inside.mean() > 0.9


def test_rows_of_their_own_count_as_the_same_subnets():
    """A new device's measurements are appended, apart from the source's."""
    frame = demo().frame[["id", *demo().space.by_name, "latency_ms"]]
    rows = np.arange(0, len(frame), 50)
    pi = demo().values("latency_ms:int8")
    inside = frame.assign(**{NEW: np.where(np.isin(np.arange(len(frame)), rows), pi, np.nan)})
    added = frame.iloc[rows].drop(columns="latency_ms").assign(**{NEW: pi[rows]})
    apart = pd.concat([frame, added], ignore_index=True)
    found = []
    for one in (inside, apart):
        table = table_from_frame(demo().space, one, holes=True)
        source = fit(table, SOURCE, link="none")
        found.append(transfer(source, table=table, target=NEW))
    assert found[0].rows == found[1].rows == len(rows)
    np.testing.assert_allclose(found[0].estimates, found[1].estimates, rtol=1e-9)
    np.testing.assert_allclose(found[0].covariance, found[1].covariance, atol=1e-15)
    np.testing.assert_allclose(found[0].held_out, found[1].held_out, rtol=1e-9)


def test_subnets_that_the_source_did_not_measure_are_predicted():
    space = hand_space()
    source = fit(noisy_table(space, 60), SOURCE, "per_layer")
    codes = space.random_codes(30, seed=9)
    table = table_of(space, codes, **{NEW: 1 + source.predict_codes(codes)["value"].to_numpy()})
    found = transfer(source, table=table, target=NEW)
    assert found.cv.rmse == pytest.approx(0, abs=1e-9)


def test_a_line_that_falls_is_warned_of():
    space = hand_space()
    codes = space.random_codes(30, seed=9)
    source = fit(noisy_table(space, 60), SOURCE, "per_layer")
    falling = 50 - source.predict_codes(codes)["value"].to_numpy()
    found = transfer(source, table=table_of(space, codes, **{NEW: falling}), target=NEW)
    assert len(found.warnings) == 2 and "does not rise" in found.warnings[1]


def test_what_can_not_be_calibrated_is_one_sentence():
    space = hand_space()
    noisy = noisy_table(space, 60)
    source, codes = fit(noisy, SOURCE, "per_layer"), space.random_codes(10, seed=9)
    few = table_of(space, codes[:4], **{NEW: np.arange(1.0, 5)})
    with pytest.raises(InvalidInput, match="measure 1 more"):
        transfer(source, table=few, target=NEW)
    constant = table_of(space, codes, **{NEW: np.ones(10)})
    with pytest.raises(InvalidInput, match="same latency_ms:pi"):
        transfer(source, table=constant, target=NEW)
    with pytest.raises(InvalidInput, match="from itself"):
        transfer(source, table=noisy, target=SOURCE)
    with pytest.raises(InvalidInput, match="the same measure"):
        transfer(source, table=noisy, target="accuracy")
    with pytest.raises(InvalidInput, match="the same measure"):
        transfer(fit(noisy, "accuracy", "per_layer"), table=noisy, target=SOURCE)
    alike = table_of(space, codes[[0] * 6], **{NEW: np.arange(1.0, 7)})
    with pytest.raises(InvalidInput, match="same latency_ms,"):
        transfer(source, table=alike, target=NEW)


def test_rows_are_spread_over_ranks():
    latency = np.array([9.0, 1, 5, np.nan, 3, 7, 2, 8, 4])
    assert spread_rows(latency, 2).tolist() == [4, 7]  # ranks 2 and 6 of 0 to 7: 3 and 8 ms
    assert spread_rows(latency, 20).tolist() == [0, 1, 2, 4, 5, 6, 7, 8]
    assert spread_rows(np.array([]), 3).tolist() == []


@given(
    st.lists(st.integers(1, 9).map(float) | st.just(np.nan), max_size=40),
    st.integers(1, 12),
    st.integers(0, 99),
)
def test_drawn_rows_fill_every_share_once_and_go_on_where_some_are_known(values, count, seed):
    latency = np.array(values)
    none = np.zeros(len(latency), dtype=bool)
    drawn = drawn_rows(latency, none, count, seed=seed)
    finite = np.flatnonzero(np.isfinite(latency))
    assert len(drawn) == min(count, len(finite)) and set(drawn) <= set(finite)
    places = np.argsort(np.argsort(latency[finite], kind="stable"))[np.searchsorted(finite, drawn)]
    shares = (places * len(drawn) + len(drawn) - 1) // max(len(finite), 1)
    assert sorted(shares) == list(range(len(drawn)))
    # Whatever a killed campaign has kept, it goes on with the others.
    for kept in range(len(drawn)):
        known = none.copy()
        known[drawn[: kept + 1]] = True
        assert drawn_rows(latency, known, count, seed=seed).tolist() == drawn[kept + 1 :].tolist()


def test_the_median_error_is_that_of_rows_left_out():
    found = transfer(fp32(), table=demo(), target="latency_ms:int8", rows=np.arange(24))
    measured = demo().values("latency_ms:int8")[read_rows(demo(), "latency_ms:int8")]
    errors = sorted(abs(found.held_out - measured) / measured)
    assert errors[len(errors) // 2 - 1] <= median_error(found, demo()) <= errors[len(errors) // 2]


def test_a_row_that_the_source_could_not_predict_unseen_calibrates_all_the_same():
    fitted = fp32()
    unseen = np.where(np.arange(len(fitted.held_out)) == 3, np.nan, fitted.held_out)
    lacking = replace(fitted, held_out=unseen)
    rows = read_rows(demo(), "latency_ms")[:15]
    found = transfer(lacking, table=demo(), target="latency_ms:int8", rows=rows)
    assert np.isfinite(found.held_out).all() and np.isfinite(found.estimates).all()
