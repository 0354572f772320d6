import functools

import numpy as np
import pytest
from conftest import DEMO

from foxnas_core.devices.common import architectures_of, fit_pair, read_rows
from foxnas_core.devices.comparison import UNITS, DeviceComparison, compare_devices
from foxnas_core.devices.curve import SCALED, SCRATCH, transfer_curve
from foxnas_core.devices.reversals import RankReversals, rank_reversals
from foxnas_core.devices.transfer import transfer
from foxnas_core.figures import calibration
from foxnas_core.figures import devices as figures
from foxnas_core.figures.coefficients import heatmap_figure, interval_figure
from foxnas_core.regression import Predictor
from foxnas_core.study import open_study
from foxnas_core.table.measurements import MeasurementTable

FP32, INT8 = "latency_ms", "latency_ms:int8"


@functools.cache
def demo() -> MeasurementTable:
    return open_study(DEMO).table()


@functools.cache
def pair() -> tuple[Predictor, Predictor]:
    return fit_pair(demo(), FP32, INT8)


@functools.cache
def comparison() -> DeviceComparison:
    return compare_devices(*pair(), table=demo())


@functools.cache
def reversals() -> RankReversals:
    return rank_reversals(demo(), FP32, INT8)


@pytest.mark.parametrize("unit", UNITS)
def test_every_choice_has_a_point_on_either_device_and_one_of_the_difference(unit):
    table = figures.effect_table(comparison(), unit)
    targets = figures.effect_targets(comparison(), unit)
    assert [t.column for t in targets] == [FP32, INT8, "difference"]
    effects = comparison().effects(unit)
    for target, column in zip(targets, ("first", "second", "difference"), strict=True):
        own = table[table["target"] == target.column]
        assert own["effect"].tolist() == effects[column].tolist()
        assert own["low"].tolist() == effects[f"{column}_low"].tolist()
    figure = interval_figure(table, targets)
    assert sum(len(trace.x) for trace in figure.data) == len(table)
    assert figure.layout.xaxis3.title.text == (
        "Δ int8 less fp32 (ms)" if unit == "own" else "Δ int8 less fp32 (points)"
    )


@pytest.mark.parametrize("unit", UNITS)
def test_a_heatmap_a_role_holds_the_differences(unit):
    heatmaps = figures.difference_heatmaps(comparison(), unit)
    assert [h.target.label for h in heatmaps] == [
        "kernel 7 instead of 3", "expand 4 instead of 1", "each block added",
    ]  # fmt: skip
    effects = comparison().effects(unit)
    at = effects["what"] == "expand 4 instead of 1 in s2b1"
    assert heatmaps[1].values.loc["s2", 1] == effects.loc[at, "difference"].item()
    assert len(heatmap_figure(heatmaps).data) == 3


def test_each_block_names_the_choice_that_differs_most():
    table = figures.block_table(comparison(), "percent").set_index("block")
    assert table.index.tolist() == comparison().blocks["block"].tolist()
    inside = comparison().percent[comparison().percent["slot"] == "s1b1"]
    assert table.loc["s1b1", "largest difference"] == "expand 4 instead of 1 in s1b1"
    assert abs(table.loc["s1b1", "difference"]) == inside["difference"].abs().max()
    assert table.loc["s1b1", "p"].startswith("< 1e-300") or "e-" in table.loc["s1b1", "p"]


def test_each_subnet_is_a_point_and_each_pair_a_line():
    points, lines = figures.subnet_figure(reversals()).data
    assert len(points.x) == reversals().rows and len(lines.x) == 3 * len(reversals().pairs)
    # One end is left of and below... the other: a falling line.
    x, y = (np.array(v, dtype=float).reshape(-1, 3) for v in (lines.x, lines.y))
    assert (x[:, 0] < x[:, 1]).all() and (y[:, 0] > y[:, 1]).all()


def test_the_map_is_a_triangle_of_shares():
    [cells] = figures.map_figure(reversals()).data
    z = np.array(cells.z, dtype=float)
    assert z.shape == (10, 10)
    assert np.isfinite(z[np.tril_indices(10)]).all()
    assert np.isnan(z[np.triu_indices(10, 1)]).all()
    assert cells.text[0][1] == ""


def test_a_bar_a_range_of_gaps():
    table = figures.gap_table(reversals())
    assert table["apart (%)"].tolist() == [
        "0–2", "2–5", "5–10", "10–20", "20–50", "50–100", "over 100",
    ]  # fmt: skip
    [bars] = figures.gap_figure(table, reversals()).data
    assert list(bars.y) == table["swapped (%)"].tolist()


def test_pairs_say_which_blocks_are_behind_where_both_are_fitted():
    table = figures.pair_table(reversals(), demo(), pair())
    assert len(table) == 20 and (table["fp32 (ms)"] < table["its fp32 (ms)"]).all()
    assert table["mostly because of"].str.contains("s1b1").any()
    assert "mostly because of" not in figures.pair_table(reversals(), demo())


def test_the_steps_of_a_pair_end_in_their_sum():
    first = reversals().pairs.loc[0, ["quick_first", "quick_second"]]
    steps = figures.step_table(pair(), *architectures_of(demo(), first))
    assert steps["block"].iloc[-1] == "together"
    assert steps["first"].iloc[:-1].sum() == pytest.approx(steps["first"].iloc[-1])
    # Slower by one regression, faster by the other.
    assert steps["first"].iloc[-1] > 0 > steps["second"].iloc[-1]
    assert len(figures.step_figure(steps, [("fp32", FP32), ("int8", INT8)]).data) == 2


@pytest.mark.parametrize("metric", ["rmse", "mape", "tau"])
def test_the_curve_draws_both_ways_with_their_bands(metric):
    curve = transfer_curve(pair()[0], table=demo(), target=INT8, counts=[10, 40], repeats=3)
    figure = calibration.curve_figure(curve, metric)
    lines = [trace for trace in figure.data if trace.name]
    for line, method in zip(lines, (SCALED, SCRATCH), strict=True):
        own = curve.table[curve.table["method"] == method]
        assert list(line.y) == own[metric].tolist()
    assert figure.layout.yaxis.title.text == calibration.error_names(curve.target)[metric]


def test_the_rows_used_stand_out():
    read = read_rows(demo(), INT8)
    rows = read[::60]
    found = transfer(pair()[0], table=demo(), target=INT8, rows=rows)
    table = calibration.calibration_table(found, demo(), rows)
    assert table["used"].sum() == len(rows) and len(table) == len(read)
    assert read[table["used"]].tolist() == rows.tolist()
    assert calibration.calibration_errors(table).rmse == pytest.approx(found.cv.rmse)
    names = [t.name for t in calibration.calibration_figure(table, found.target).data]
    assert names == ["equal", "not used", "used to calibrate"]


def test_numbers_are_rounded_to_three_digits():
    assert [calibration.number(v) for v in (0.010049, 9.428, 123.4)] == ["0.0100", "9.43", "123"]
