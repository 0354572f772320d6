import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.errors import InvalidInput
from foxnas_core.table.metrics import ABOVE_ZERO, Metric, metric_of, rate_text, units_of


def test_known_targets_carry_unit_and_direction():
    assert (metric_of("accuracy").unit, metric_of("accuracy").direction) == ("%", "max")
    assert (metric_of("latency_ms").unit, metric_of("latency_ms").direction) == ("ms", "min")


def test_a_latency_of_another_device_is_named_by_it():
    target = metric_of("latency_ms:pixel")
    assert (target.label, target.unit, target.column) == (
        "Latency (pixel)",
        "ms",
        "latency_ms:pixel",
    )


@pytest.mark.parametrize(
    "column",
    [
        "speed",
        "latency_ms:",
        "accuracy:",
        "accuracy_drop",
        "macs:int8",
        "",
        "accuracy_std_error",
        "accuracy:int8_std_error",
        "latency_ms:pixel_std_error",
    ],
)
def test_other_columns_are_no_targets(column):
    with pytest.raises(InvalidInput, match="no target"):
        metric_of(column)


@pytest.mark.parametrize(
    ("column", "value", "text", "signed"),
    [
        ("accuracy", 91.349, "91.35", "+91.35"),
        ("accuracy", 0.0, "0.00", "+0.00"),
        ("accuracy", -0.001, "0.00", "+0.00"),
        ("latency_ms", 0.08168, "0.0817", "+0.0817"),
        ("latency_ms", -0.0012, "-0.00120", "-0.00120"),
        ("latency_ms", 0.0000207, "0.0000207", "+0.0000207"),
        ("latency_ms", -0.0000398, "-0.0000398", "-0.0000398"),
        ("latency_ms", 0.00009996, "0.000100", "+0.000100"),
        ("latency_ms", 3e-9, "3.00e-09", "+3.00e-09"),
        ("latency_ms", 123.4, "123", "+123"),
        ("latency_ms", 0.0, "0", "0"),
        ("macs", 1_104_460.0, "1.10 M", "+1.10 M"),
        ("macs", 999.6, "1.00 k", "+1.00 k"),
        ("parameters", 28_802.0, "28.8 k", "+28.8 k"),
        ("parameters", 4.2e15, "4.20e+03 T", "+4.20e+03 T"),
    ],
)
def test_values_read_at_a_sensible_precision(column, value, text, signed):
    assert metric_of(column).text(value) == text
    assert metric_of(column).text(value, signed=True) == signed


@pytest.mark.parametrize(
    ("rate", "gain", "cost", "text"),
    [
        (12.34, "accuracy", "latency_ms", "12.3 points per ms"),
        (2.7e-6, "accuracy", "macs", "2.7 points per million MACs"),
        (5.91e7, "macs", "latency_ms", "59.1 M MACs per ms"),
    ],
)
def test_so_much_of_one_by_another_reads_without_powers_of_ten(rate, gain, cost, text):
    assert rate_text(rate, metric_of(gain), metric_of(cost)) == text


def test_accuracy_in_another_precision_and_what_it_lost_are_targets():
    int8, drop = metric_of("accuracy:int8"), metric_of("accuracy_drop:int8")
    assert (int8.unit, int8.direction, drop.unit, drop.direction) == ("%", "max", "points", "min")
    assert int8.quality and int8.saturates and drop.quality and not drop.saturates
    assert drop.bounds == (-100, 100) and int8.bounds == (0, 100)
    assert not metric_of("latency_ms").quality and not metric_of("latency_ms").saturates
    assert drop.std_error_column == "accuracy_drop:int8_std_error"
    assert drop.text(0.2567, signed=True) == "+0.26" and drop.difference_unit == "points"


def test_axes_and_differences_are_named_with_their_units():
    assert (metric_of("accuracy").named, metric_of("macs").named) == ("Top-1 accuracy (%)", "MACs")
    assert metric_of("accuracy").difference_unit == "points"
    assert metric_of("latency_ms").difference_unit == "ms"


@pytest.mark.parametrize(("column", "unit"), [("energy_mj", "mJ"), ("memory_kib", "KiB")])
def test_energy_and_memory_are_targets_of_each_precision(column, unit):
    for name in (column, f"{column}:int8"):
        target = metric_of(name)
        assert (target.unit, target.direction, target.column) == (unit, "min", name)
        assert target.is_extra and not target.timed
    assert metric_of(f"{column}:int8").label.endswith("(int8)")


def test_kib_take_no_second_prefix():
    assert metric_of("memory_kib").text(1723.6) == "1,724"
    assert metric_of("energy_mj").text(1723.6) == "1.72 k"


@pytest.mark.parametrize("column", ["accuracy", "latency_ms", "macs", "memory_kib"])
def test_what_was_not_measured_reads_so_too(column):
    assert metric_of(column).text(float("nan")) == "nan"


@pytest.mark.parametrize(
    ("bounds", "unit", "units"),
    [
        ((0.0, 1.0), "", ["fraction", "percent"]),
        ((-1.0, 1.0), "", ["fraction", "percent"]),
        ((0.0, 100.0), "%", ["percent", "fraction"]),
        ((-100.0, 100.0), "points", []),
        ((0.0, 1.0), "nats", []),
        ((0.0, np.inf), "", []),
    ],
)
def test_the_bounds_say_whether_a_metric_is_a_share(bounds, unit, units):
    metric = Metric("own", "Own", unit, "max", bounds=bounds)
    assert [name for name, _ in metric.units] == units
    assert not units or metric.units[0][1] == 1.0
    assert list(units_of("dice")) == ["fraction", "percent"] == list(units_of("accuracy"))[::-1]


@given(
    bounds=st.sampled_from([(-1.0, 1.0), (0.0, 1.0), (0.0, np.inf), (ABOVE_ZERO, np.inf)]),
    values=st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=9),
)
def test_values_are_moved_within_the_bounds_and_no_further(bounds, values):
    metric, given_values = Metric("own", "Own", "", "max", bounds=bounds), np.array(values, float)
    found = metric.within(given_values)
    low = 0.0 if bounds[0] == ABOVE_ZERO else bounds[0]
    known = ~np.isnan(given_values)
    assert ((found >= low) & (found <= bounds[1]))[known].all() and np.isnan(found[~known]).all()
    inside = (given_values >= low) & (given_values <= bounds[1])
    assert (found[inside] == given_values[inside]).all()
