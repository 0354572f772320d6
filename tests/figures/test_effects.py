from dataclasses import replace

import pandas as pd
import pytest
from hand import noisy_table

from foxnas_core.explanation.edits import EditEffects
from foxnas_core.families import load_shipped
from foxnas_core.figures.effects import (
    difference_table,
    edit_figure,
    edit_table,
    path_figure,
    path_table,
    waterfall_figure,
)
from foxnas_core.regression import fit
from foxnas_core.table.metrics import metric_of

EDITS = EditEffects(
    pd.DataFrame(
        {
            "edit": ["s1 depth 1 → 2", "resolution 14 → 28"],
            "group": ["s1", ""],
            "slot": ["", ""],
            "effect": [0.5, -0.2],
            "low": [0.4, -0.3],
            "high": [0.6, -0.1],
            "average_low": [0.45, -0.25],
            "average_high": [0.55, -0.15],
        }
    ),
    total=0.3,
    low=0.1,
    high=0.5,
    average_low=0.2,
    average_high=0.4,
)
AVERAGE = {"average low": [0.45, -0.25, 0.2], "average high": [0.55, -0.15, 0.4]}


def test_the_table_lists_the_edits_and_then_their_sum():
    assert edit_table(EDITS).to_dict("list") == {
        "edit": ["s1 depth 1 → 2", "resolution 14 → 28", "together"],
        "effect": [0.5, -0.2, 0.3],
        "low": [0.4, -0.3, 0.1],
        "high": [0.6, -0.1, 0.5],
        **AVERAGE,
    }


@pytest.mark.parametrize("column", ["accuracy", "latency_ms"])
def test_what_helps_and_what_costs_depends_on_the_direction(column):
    [trace] = edit_figure(edit_table(EDITS), metric_of(column)).data
    good, bad, total = trace.marker.color
    assert good == total != bad
    other = "latency_ms" if column == "accuracy" else "accuracy"
    [opposite] = edit_figure(edit_table(EDITS), metric_of(other)).data
    assert opposite.marker.color == (bad, good, bad)


def test_a_path_lists_its_edits_where_they_lead_and_their_sum():
    assert path_table(EDITS, 90.0).round(9).to_dict("list") == {
        "edit": ["s1 depth 1 → 2", "resolution 14 → 28", "together"],
        "effect": [0.5, -0.2, 0.3],
        "low": [0.4, -0.3, 0.1],
        "high": [0.6, -0.1, 0.5],
        **AVERAGE,
        "value": [90.5, 90.3, 90.3],
    }


@pytest.mark.parametrize("column", ["accuracy", "latency_ms"])
def test_edits_lead_from_the_start_to_now_with_their_intervals(column):
    bars, ends = path_figure(path_table(EDITS, 90.0), metric_of(column)).data
    labels = ["start", "s1 depth 1 → 2", "resolution 14 → 28", "now"]
    assert list(bars.y) == labels and list(bars.x) == pytest.approx([90.0, 0.5, -0.2, 90.3])
    assert list(ends.y) == labels[1:] and list(ends.x) == pytest.approx([90.5, 90.3, 90.3])
    assert list(ends.error_x.array) == pytest.approx([0.1, 0.1, 0.2])
    assert list(ends.error_x.arrayminus) == pytest.approx([0.1, 0.1, 0.2])


def test_the_colours_of_a_path_depend_on_the_direction():
    def colours(column):
        bars, _ = path_figure(path_table(EDITS, 90.0), metric_of(column)).data
        return bars.increasing.marker.color, bars.decreasing.marker.color

    assert colours("accuracy") == colours("latency_ms")[::-1]


def test_every_interval_lies_in_the_figure_and_is_told_in_numbers():
    figure = path_figure(path_table(EDITS, 90.0), metric_of("accuracy"))
    low, high = figure.layout.xaxis.range
    assert low <= 90.1 and high >= 90.6
    assert [a.text for a in figure.layout.annotations] == [
        "90.00", "+0.50 (+0.40 to +0.60)", "-0.20 (-0.30 to -0.10)",
        "90.30: +0.30 (+0.10 to +0.50)",
    ]  # fmt: skip


def test_an_edit_of_many_choices_is_told_in_short():
    many = "; ".join(f"s1b{i} kernel 3 → 5" for i in range(1, 10))
    effects = replace(EDITS, table=EDITS.table.assign(edit=["s1 depth 1 → 2", many]))
    table = path_table(effects, 90.0)
    bars, _ = path_figure(table, metric_of("accuracy"), numbered=True).data
    assert bars.y[2].replace("<br>", " ") == "2. s1b1 kernel 3 → 5 and 8 more"
    assert table["edit"].iloc[1] == many


def test_edits_that_read_the_same_are_told_apart_by_number():
    again = replace(EDITS, table=EDITS.table.assign(edit="s1b1 kernel 3 → 5"))
    bars, _ = path_figure(path_table(again, 90.0), metric_of("accuracy"), numbered=True).data
    assert list(bars.y) == ["start", "1. s1b1 kernel 3 → 5", "2. s1b1 kernel 3 → 5", "now"]


def test_differences_are_those_of_the_predictions_with_both_intervals():
    space = load_shipped("foxnas-mini")
    predictor = fit(noisy_table(space, 300, seed=0), "latency_ms", "per_layer")
    reference = space.extreme("smallest")
    this = space.architecture(reference.to_dict() | {"s1b1_kernel": 7})
    [row] = difference_table({"latency_ms": predictor}, this, reference).to_dict("records")
    both = predictor.predict([this, reference])
    assert (row["this"], row["reference"]) == tuple(both["value"])
    assert row["difference"] == pytest.approx(row["this"] - row["reference"])
    assert row["low"] < row["average low"] < row["difference"] < row["average high"] < row["high"]
    # What both have in common cancels in the average edit.
    apart = ((both["high"] - both["low"]) ** 2).sum() ** 0.5
    assert row["average high"] - row["average low"] < apart


def test_the_waterfall_ends_at_the_sum():
    table = pd.DataFrame({"what": ["a", "b"], "effect": [0.5, -0.2]})
    [trace] = waterfall_figure(
        table, metric_of("accuracy"), start=90.0, first="start", last="now"
    ).data
    assert list(trace.y) == ["start", "a", "b", "now"]
    assert trace.x[-1] == pytest.approx(90.3)
    assert list(trace.measure) == ["absolute", "relative", "relative", "total"]
