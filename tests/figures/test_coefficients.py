import numpy as np
import pandas as pd
import pytest

from foxnas_core.figures.coefficients import (
    Heatmap,
    heatmap_figure,
    heatmap_of,
    interval_figure,
    interval_table,
)
from foxnas_core.figures.points import highlighted
from foxnas_core.figures.theme import COOL, NEUTRAL, WARM, diverging
from foxnas_core.table.metrics import metric_of

ACCURACY, LATENCY = metric_of("accuracy"), metric_of("latency_ms")


def effects(rows) -> pd.DataFrame:
    """A table of `side_by_side`: its keys, then accuracy and latency with their bounds."""
    keys = ["group", "slot", "position", "decision", "role", "choice", "reference"]
    ends = [c + end for c in ("accuracy", "latency_ms") for end in ("", "_low", "_high")]
    return pd.DataFrame(rows, columns=keys + ends)


BLOCKS = effects(
    [
        ("s1", "s1b1", 1, "s1b1_kernel", "kernel", 5, 3, 0.1, -0.1, 0.3, 0.01, 0.005, 0.015),
        ("s1", "s1b1", 1, "s1b1_kernel", "kernel", 7, 3, 0.4, 0.2, 0.6, 0.02, 0.015, 0.025),
        ("s1", "s1b2", 2, "s1_depth", "depth", 2, 1, -0.5, -0.7, -0.3, np.nan, np.nan, np.nan),
        ("s2", "s2b1", 1, "s2b1_kernel", "kernel", 5, 3, -0.2, -0.4, 0.0, 0.0, -0.1, 0.1),
    ]
)
EDGES = effects(
    [
        ("e1", "", 0, "e1_op", "operation", "conv", "none", 3.0, 2.0, 4.0, 0.5, 0.4, 0.6),
        ("e1", "", 0, "e1_op", "operation", "pool", "none", 1.0, -1.0, 3.0, 0.1, 0.0, 0.2),
        ("e2", "", 0, "e2_op", "operation", "conv", "none", 2.0, 1.0, 3.0, 0.5, 0.4, 0.6),
    ]
)


def test_each_choice_has_a_row_for_each_target_that_has_it():
    table = interval_table(BLOCKS, ["accuracy", "latency_ms"])
    assert list(table.columns) == [
        "group", "row", "target", "effect", "low", "high", "block", "clear",
    ]  # fmt: skip
    assert table["block"].tolist()[:4] == ["s1b1", "s1b1", "s1b2", "s2b1"]
    assert list(zip(table["row"], table["target"], table["clear"], strict=True)) == [
        ("s1b1 kernel 5 instead of 3", "accuracy", False),
        ("s1b1 kernel 7 instead of 3", "accuracy", True),
        ("s1b2 depth 2 instead of 1", "accuracy", True),
        ("s2b1 kernel 5 instead of 3", "accuracy", False),
        ("s1b1 kernel 5 instead of 3", "latency_ms", True),
        ("s1b1 kernel 7 instead of 3", "latency_ms", True),
        ("s2b1 kernel 5 instead of 3", "latency_ms", False),
    ]
    assert table["effect"].tolist()[:2] == [0.1, 0.4]


def test_choices_without_a_slot_are_named_by_their_group():
    table = interval_table(EDGES, ["accuracy"])
    assert table["row"].tolist()[0] == "e1 operation conv instead of none"
    assert table["block"].tolist()[0] == "e1–e1_op"  # a lens may call it either


def test_a_block_is_found_in_intervals_and_cells():
    figure = interval_figure(interval_table(BLOCKS, ["accuracy"]), [ACCURACY])
    rings = highlighted(figure, None, "s1b1").data[len(figure.data) :]
    assert sorted(ring.y[0] for ring in rings) == [
        "s1b1 kernel 5 instead of 3", "s1b1 kernel 7 instead of 3",
    ]  # fmt: skip
    cells = heatmap_figure([heatmap_of(BLOCKS, "kernel", ACCURACY)])
    [frame] = highlighted(cells, None, "s2b1").layout.shapes
    assert (frame.x0, frame.x1, frame.y0, frame.y1) == (-0.5, 0.5, 0.5, 1.5)
    assert highlighted(cells, None, "s1b2") is cells  # has no effect of its kernel there
    [*rows] = highlighted(
        heatmap_figure([heatmap_of(EDGES, "operation", ACCURACY)]), None, "e2"
    ).layout.shapes
    assert {(f.y0, f.y1) for f in rows} == {(0.5, 1.5)} and len(rows) == 2


def test_the_interval_figure_draws_each_row_once_in_its_panel():
    table = interval_table(BLOCKS, ["accuracy", "latency_ms"])
    figure = interval_figure(table, [ACCURACY, LATENCY])
    assert sum(len(trace.x) for trace in figure.data) == len(table)
    assert figure.layout.xaxis.title.text == "Δ Top-1 accuracy (points)"
    assert figure.layout.xaxis2.title.text == "Δ Latency (ms)"


def test_a_heatmap_shows_the_last_choice_by_slot():
    heatmap = heatmap_of(BLOCKS, "kernel", ACCURACY)
    assert heatmap.values.to_dict() == {1: {"s1": 0.4, "s2": -0.2}}
    assert heatmap.low.to_dict() == {1: {"s1": 0.2, "s2": -0.4}}


def test_a_heatmap_without_slots_shows_every_choice():
    heatmap = heatmap_of(EDGES, "operation", ACCURACY)
    assert heatmap.values.index.tolist() == ["e1", "e2"]
    assert heatmap.values.columns.tolist() == ["conv", "pool"]
    assert heatmap.texts() == [["+3.00", "(+1.00)"], ["+2.00", ""]]


def test_cells_say_which_intervals_span_zero():
    grids = (pd.DataFrame([[value, np.nan]]) for value in (0.0817, 0.08, 0.09))
    assert Heatmap(LATENCY, *grids).texts() == [["+0.0817", ""]]


@pytest.mark.parametrize(("table", "role"), [(BLOCKS, "kernel"), (EDGES, "operation")])
def test_the_heatmap_figure_is_centred_on_no_effect(table, role):
    figure = heatmap_figure([heatmap_of(table, role, target) for target in (ACCURACY, LATENCY)])
    assert len(figure.data) == 2
    for trace in figure.data:
        assert trace.zmin == -trace.zmax < 0


def test_effects_that_are_traded_have_their_price_beside_them():
    columns = ["accuracy", "latency_ms"]
    priced = interval_table(BLOCKS, columns, [ACCURACY, LATENCY])
    assert priced.drop(columns="points per ms").equals(interval_table(BLOCKS, columns))
    rates = [10.0, 20.0, np.nan, np.nan, 10.0, 20.0, np.nan]
    np.testing.assert_allclose(priced["points per ms"], rates)


@pytest.mark.parametrize("column", ["accuracy", "latency_ms"])
def test_gains_have_one_colour_and_losses_another_whichever_way_is_better(column):
    target = metric_of(column)
    scale = dict(diverging(target))
    gain = scale[1.0 if target.direction == "max" else 0.0]
    assert gain == COOL and set(scale.values()) == {COOL, NEUTRAL, WARM}
