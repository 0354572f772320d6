import numpy as np
import pandas as pd
import pytest
from conftest import DEMO
from hand import choice_space

from foxnas_core.errors import InvalidInput
from foxnas_core.quantization.comparison import (
    PLAIN,
    compare_precisions,
    has_both_precisions,
    runtime_columns,
)
from foxnas_core.study import open_study
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

SPACE = choice_space({f"edge{i}": ("a", "b", "c", "d") for i in range(4)})


def table_of(count: int, *, seed: int = 0, **columns) -> MeasurementTable:
    """Sampled subnets; a column is a number, or a function of a generator and the count."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([a.to_dict() for a in SPACE.sample(count, seed=seed)])
    for name, value in columns.items():
        frame[name.replace("__", ":").replace("_8", "-int8")] = (
            value(rng, count) if callable(value) else value
        )
    return table_from_frame(SPACE, frame)


def both(count: int = 60, *, lost: float = 0.5, saved: float = 0.2, seed: int = 0):
    """Subnets that lose and save so much on average, with a tenth of noise."""
    rng = np.random.default_rng(seed)
    accuracy = rng.uniform(60, 70, count)
    latency = rng.uniform(1, 2, count)
    return table_of(
        count,
        accuracy=accuracy,
        accuracy__int8=accuracy - lost + rng.normal(0, 0.1, count),
        latency_ms=latency,
        latency_ms__int8=latency * (1 - saved + rng.normal(0, 0.02, count)),
    )


def row(comparison, quantity, study="one", runtime=""):
    table = comparison.table
    [found] = table[
        (table["study"] == study) & (table["quantity"] == quantity) & (table["runtime"] == runtime)
    ].to_dict("records")
    return found


def test_runtimes_are_paired_by_name():
    table = table_of(
        4, accuracy=60.0, latency_ms=1.0, latency_ms__int8=0.5, latency_ms__openvino=2.0,
        latency_ms__openvino_8=1.0, latency_ms__phone=3.0,
    )  # fmt: skip
    assert runtime_columns(table) == {
        PLAIN: ("latency_ms", "latency_ms:int8"),
        "openvino": ("latency_ms:openvino", "latency_ms:openvino-int8"),
    }
    found = compare_precisions([("one", table)])
    assert row(found, "time", runtime="openvino")["value"] == pytest.approx(50)
    assert "phone" not in set(found.table["runtime"])


def test_means_are_those_of_paired_differences():
    found = compare_precisions([("one", both())])
    accuracy, time = row(found, "accuracy"), row(found, "time", runtime=PLAIN)
    frame = both().frame
    lost = frame["accuracy"] - frame["accuracy:int8"]
    assert accuracy["value"] == pytest.approx(lost.mean())
    assert accuracy["helped"] == (lost < 0).mean() and accuracy["subnets"] == 60
    saved = 100 * (1 - frame["latency_ms:int8"] / frame["latency_ms"])
    assert time["value"] == pytest.approx(saved.mean())
    # Accuracies spread by points, differences by a tenth: only paired is the interval this narrow.
    half = (accuracy["high"] - accuracy["low"]) / 2
    assert half == pytest.approx(1.96 * lost.std() / np.sqrt(60), rel=0.2)


def test_intervals_hold_as_often_as_they_say():
    inside = []
    for seed in range(60):
        found = compare_precisions([("one", both(40, seed=seed))], resamples=400)
        cells = row(found, "accuracy")
        inside.append(cells["low"] <= 0.5 <= cells["high"])
    assert 0.85 <= np.mean(inside) <= 1.0


def test_the_seed_decides():
    one, same, other = (
        compare_precisions([("one", both())], seed=seed, resamples=50).table for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(one, same)
    assert one["value"].equals(other["value"]) and not one["low"].equals(other["low"])


@pytest.mark.parametrize(
    ("lost", "saved", "words"),
    [
        (0.5, 0.2, "Each point of accuracy given up buys"),
        (0.5, -0.4, "It does not pay there: deploy fp32"),
        (-0.5, 0.2, "It costs nothing there: deploy int8"),
    ],
)
def test_the_verdict_follows_from_the_intervals(lost, saved, words):
    [sentence] = compare_precisions([("one", both(lost=lost, saved=saved))]).sentences()
    assert words in sentence and sentence.startswith("one: int8 ")
    verb = "saves" if saved > 0 else "longer than fp32"
    assert verb in sentence and ("loses" if lost > 0 else "gains") in sentence


def test_two_variants_are_paired_over_the_same_architectures():
    first, second = both(lost=0.2), both(lost=0.5)
    found = compare_precisions([("one", first), ("two", second)])
    accuracy = found.differences.iloc[0]
    assert accuracy["paired"] and accuracy["subnets"] == 60
    # The same noise in both cancels out, which two samples apart would not.
    assert accuracy[["low", "value", "high"]].tolist() == pytest.approx([0.3, 0.3, 0.3])
    said = found.difference_sentences()
    assert said[0].startswith("In two, int8 loses 0.30 points of accuracy more than in one")
    assert "does not differ beyond doubt" in said[1]
    slower = compare_precisions([("one", first), ("two", both(saved=-0.4))]).difference_sentences()
    assert "On ONNX Runtime, int8 compares worse with fp32 in two than in one, by 60" in slower[1]


def test_two_variants_without_common_subnets_are_two_samples():
    first, second = both(lost=0.2), both(lost=0.5)
    half = np.arange(60) < 30
    found = compare_precisions([("one", first.rows(half)), ("two", second.rows(~half))])
    accuracy = found.differences.iloc[0]
    assert not accuracy["paired"] and accuracy["subnets"] == 60
    assert accuracy["low"] < 0.3 < accuracy["high"]


def test_a_table_from_before_int8_accuracy_is_compared_in_time():
    table = open_study(DEMO).table()
    older = table_from_frame(
        table.space, table.frame.drop(columns=[c for c in table.frame if c.startswith("accuracy")])
    )
    found = compare_precisions([("demo", older)])
    assert set(found.table["quantity"]) == {"time"} and not found.studies[0].objective
    assert "on ONNX Runtime" in found.sentences()[0]


def test_nothing_in_both_precisions_is_one_sentence():
    table = table_of(5, accuracy=60.0, latency_ms=1.0)
    assert not has_both_precisions(table)
    with pytest.raises(InvalidInput, match="'one' has no column in both precisions"):
        compare_precisions([("one", table)])
    with pytest.raises(InvalidInput, match="2 subnets of study 'one' have both accuracy and"):
        compare_precisions([("one", both().rows(np.arange(60) < 2))])
