import functools

import numpy as np
import pytest
from conftest import DEMO

from foxnas_core.devices.curve import SCALED, SCRATCH, TransferCurve, errors_of, transfer_curve
from foxnas_core.errors import InvalidInput
from foxnas_core.regression import Predictor, fit
from foxnas_core.regression.weighing import LEAST_SQUARES
from foxnas_core.study import open_study
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

INT8 = "latency_ms:int8"


@functools.cache
def demo() -> MeasurementTable:
    return open_study(DEMO).table()


@functools.cache
def source() -> Predictor:
    return fit(demo(), "latency_ms", link="none")


@functools.cache
def curve() -> TransferCurve:
    return transfer_curve(source(), table=demo(), target=INT8, repeats=10)


def few(rows: int) -> MeasurementTable:
    values = np.where(np.arange(len(demo().frame)) < rows, demo().values(INT8), np.nan)
    return table_from_frame(demo().space, demo().frame.assign(**{INT8: values}), holes=True)


def test_a_calibration_wins_with_few_rows_and_a_fit_with_many():
    table = curve().table
    scaled, scratch = (table[table["method"] == m].set_index("rows") for m in (SCALED, SCRATCH))
    assert scaled.index.tolist() == [5, 8, 10, 15, 20, 30, 50, 100]
    # The smallest form has 26 parameters.
    assert scratch.index.min() == 30 and scratch.index.max() == 300
    assert scaled["rmse"][30] < scratch["rmse"][30]
    assert scratch["rmse"][100] < scaled["rmse"][100]
    assert curve().floor.rmse < scratch["rmse"].min()
    assert (table["rmse_low"] <= table["rmse"]).all()
    assert (table["rmse"] <= table["rmse_high"]).all()


def test_the_floor_is_the_cross_validation_of_all_rows():
    full = fit(demo(), INT8, estimator=LEAST_SQUARES)
    assert curve().floor.rmse == pytest.approx(full.cv.rmse)
    assert curve().floor.tau == pytest.approx(full.cv.tau)


def test_the_sentence_says_what_it_takes_without_a_source():
    said = curve().sentence(15)
    assert said.startswith("With 15 rows the scaled predictor of fp32 errs by 0.00")
    assert "a fit from scratch needs about" in said and "on all 799 rows" in said


def test_the_same_seed_gives_the_same_curve():
    one, again, other = (
        transfer_curve(source(), table=demo(), target=INT8, counts=[8], repeats=3, seed=seed).table
        for seed in (1, 1, 2)
    )
    assert one.equals(again) and not one.equals(other)


def test_a_device_of_few_rows_has_a_curve_as_far_as_they_go():
    table = few(16)
    found = transfer_curve(fit(table, "latency_ms", link="none"), table=table, target=INT8)
    assert found.table["rows"].tolist() == [5, 8, 10] and found.floor is None
    assert found.sentence(15).startswith("With 10 rows")
    assert "16 rows are too few for a fit" in found.sentence(15)
    with pytest.raises(InvalidInput, match="measure 1 more"):
        transfer_curve(source(), table=few(9), target=INT8)


def test_errors_by_hand():
    errors = errors_of(np.array([1.0, 2, 4]), np.array([1.5, 2, 3]))
    assert errors.rmse == pytest.approx(np.sqrt(1.25 / 3))
    assert errors.mape == pytest.approx(25.0)
    assert errors.tau == pytest.approx(1)
    assert errors_of(np.array([1.0, 2]), np.array([3.0, 3])).tau == 0
