import numpy as np
import pytest
from conftest import DEMO

from foxnas_core.figures import quantization as figures
from foxnas_core.quantization.comparison import PLAIN, compare_precisions
from foxnas_core.study import open_study
from foxnas_core.table.measurements import table_from_frame


@pytest.fixture(scope="module")
def comparison():
    table = open_study(DEMO).table()
    frame = table.frame[[c for c in table.frame if "openvino" not in c]]
    table = table_from_frame(table.space, frame).rows(np.arange(len(table)) < 40)
    drop = np.random.default_rng(0).normal(0.3, 0.1, 40)  # for want of a measured one
    scored = {"accuracy:int8": table.frame["accuracy"] - drop, "accuracy_drop:int8": drop}
    table = table_from_frame(table.space, table.frame.assign(**scored))
    # With its rounds, lest they fail the checks of how it was measured.
    rounds = [f"{end}latency_ms:int8" for end in ("", "low_", "high_", "minimum_")]
    timed = [column for column in rounds if column in table.frame]
    slower = table.frame.assign(**{c: 2 * table.frame[c] for c in timed})
    older = slower.drop(columns=["accuracy:int8", "accuracy_drop:int8"])
    other = table_from_frame(table.space, older)
    return compare_precisions([("one", table), ("two", other)])


def test_both_variants_stand_side_by_side(comparison):
    table = figures.side_by_side(comparison).set_index("mean over subnets")
    assert list(table) == ["one", "two", "second less first"] and len(table) == 8
    accuracy, time = "Accuracy lost (points)", "Latency saved (%), ONNX Runtime"
    assert table.loc[accuracy, "two"] == "–"  # it has no accuracy in int8
    assert table.loc["Subnets that int8 makes faster on ONNX Runtime", "one"].endswith("% of 40")
    own = comparison.table.set_index(["study", "quantity"]).loc[("two", "time")]
    assert table.loc["Latency on ONNX Runtime, int8 (ms)", "two"] == f"{own['int8']:.4g}"
    assert table.loc[time, "two"] == f"{own['value']:.1f} ({own['low']:.1f} to {own['high']:.1f})"
    difference = comparison.differences.set_index("quantity").loc["time"]
    assert table.loc[time, "second less first"].startswith(f"{difference['value']:.1f} (")


def test_intervals_are_those_of_the_table(comparison):
    figure = figures.interval_figure(comparison)
    shown = [
        (t.y[i], x, t.error_x.array[i], t.error_x.arrayminus[i])
        for t in figure.data
        for i, x in enumerate(t.x)
    ]
    expected = [
        (r["study"], r["value"], r["high"] - r["value"], r["value"] - r["low"])
        for r in comparison.table.to_dict("records")
    ]
    assert sorted(shown) == sorted(expected)
    assert figure.layout.xaxis2.title.text == "Latency saved (%), ONNX Runtime"


@pytest.mark.parametrize(
    ("quantity", "runtime", "studies"), [("accuracy", "", 1), ("time", PLAIN, 2)]
)
def test_every_subnet_is_a_point(comparison, quantity, runtime, studies):
    table = figures.scatter_table(comparison, quantity, runtime)
    assert len(table) == 40 * studies and table["study"].nunique() == studies
    figure = figures.scatter_figure(table, quantity)
    assert sum(len(t.x) for t in figure.data if t.mode == "markers") == len(table)
    assert figures.scatter_table(comparison, "time", "phone").empty
