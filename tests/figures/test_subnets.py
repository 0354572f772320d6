import numpy as np
import pandas as pd
import pytest
from hand import choice_space, hand_space
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.families import load_shipped
from foxnas_core.figures.points import highlighted
from foxnas_core.figures.subnets import (
    axes_of,
    brush_of,
    brushed,
    parallel_figure,
    plane_figure,
    subnet_table,
    thirds,
)
from foxnas_core.figures.theme import ORANGE
from foxnas_core.space.search_space import SearchSpace
from foxnas_core.table.measurements import MeasurementTable, table_from_frame

MINI = load_shipped("foxnas-mini")


def measured(space: SearchSpace, rows: int, seed: int = 0) -> MeasurementTable:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame([a.to_dict() for a in space.sample(rows, seed=seed)])
    accuracy, latency = rng.uniform(60, 90, rows), rng.uniform(1, 9, rows)
    int8 = np.where(np.arange(rows) == 0, np.nan, latency / 2)
    targets = {"accuracy": accuracy, "latency_ms": latency, "latency_ms:int8": int8, "macs": 1e5}
    return table_from_frame(space, frame.assign(**targets))


TABLE = measured(MINI, 60)


def test_a_row_tells_a_subnets_depth_means_and_measurements():
    told = subnet_table(TABLE, "latency_ms")
    assert list(told.columns) == [
        "row", "id", "resolution", "blocks", "mean kernel", "mean expand", "accuracy", "latency_ms",
    ]  # fmt: skip
    assert len(told) == 60 and told["row"].iloc[0] == 1  # the MACs don't differ
    assert len(subnet_table(TABLE, "latency_ms:int8")) == 59  # one was not measured
    architecture = TABLE.architectures()[5]
    row = told[told["id"] == architecture.id].iloc[0]
    kernels = [v for name, v in architecture.choices if name.endswith("_kernel")]
    assert row["mean kernel"] == pytest.approx(np.mean(kernels))
    assert row["blocks"] == len(kernels) and row["resolution"] == architecture["resolution"]


def test_operations_are_counted():
    space = choice_space({f"e{i}": ("none", "conv", "skip") for i in range(6)})
    told = subnet_table(table := measured(space, 30), "latency_ms")
    words = ["operation none", "operation conv", "operation skip"]
    assert list(axes_of(told)) == [*words, "accuracy", "latency_ms"]
    assert (told[words].sum(axis=1) == 6).all()
    chosen = list(table.architectures()[7].to_dict().values())
    assert told[words].iloc[7].tolist() == [chosen.count(w) for w in ("none", "conv", "skip")]


def test_a_role_of_very_many_words_has_no_axes():
    space = choice_space({"e": tuple(f"op{i}" for i in range(13)), "f": ("a", "b")})
    assert list(axes_of(subnet_table(measured(space, 10), "latency_ms")))[-1] == "latency_ms"
    assert not any("op3" in name for name in subnet_table(measured(space, 10), "latency_ms"))


def test_axes_say_their_units():
    titles = axes_of(subnet_table(TABLE, "latency_ms"))
    assert titles["accuracy"] == "Top-1 accuracy (%)" and titles["latency_ms"] == "Latency (ms)"
    assert titles["resolution"] == "resolution (px)"


def test_a_box_over_an_axis_keeps_what_runs_through_it():
    told = subnet_table(TABLE, "latency_ms")
    place = list(axes_of(told)).index("accuracy")
    low, high = told["accuracy"].min(), told["accuracy"].max()
    box = {"x": [place + 0.3, place - 0.3], "y": [1.2, 0.5]}  # as drawn, from lower right up
    brush = brush_of(told, [box])
    [(start, _)] = brush.pop("accuracy")
    assert not brush and start == pytest.approx((low + high) / 2)
    kept = brushed(told, brush_of(told, [box]))
    assert kept.tolist() == (told["accuracy"] >= start).tolist()
    # Two boxes on one axis keep what is in either, boxes on two axes what is in both.
    below = {"x": [place - 0.3, place + 0.3], "y": [0, 0.5]}
    assert brushed(told, brush_of(told, [box, below])).all()
    assert brushed(told, {"accuracy": [(low, high)], "blocks": [(99, 100)]}).sum() == 0
    assert brushed(told, {"gone": [(0, 1)]}).all()


@pytest.mark.parametrize("box", [{}, {"x": [0, 1]}, {"x": [0], "y": [0]}, {"x": "ab", "y": [0, 1]}])
def test_what_is_no_box_brushes_nothing(box):
    assert brush_of(subnet_table(TABLE, "latency_ms"), [box]) == {}


@settings(max_examples=10)
@given(st.lists(st.booleans(), min_size=60, max_size=60))
def test_every_subnet_is_drawn_once_kept_or_not(flags):
    told, kept = subnet_table(TABLE, "latency_ms"), np.array(flags)
    figure = plane_figure(told, "latency_ms", "accuracy", kept, 4.0)
    others, own = figure.data
    assert list(own.meta) == told["id"][kept].tolist()
    assert list(others.meta) == told["id"][~kept].tolist()
    assert figure.layout.xaxis.title.text == "Latency (ms)"
    assert figure.layout.shapes[0].x0 == 4.0


def test_lines_run_through_the_heights_of_their_values():
    told = subnet_table(TABLE, "latency_ms")
    subnet = told["id"].iloc[3]
    kept = np.ones(len(told), dtype=bool)
    brush = {"accuracy": [(told["accuracy"].min(), told["accuracy"].max())]}
    figure = parallel_figure(told, kept, brush=brush, subnet=subnet)
    axes = list(axes_of(told))
    others, own, one, *rest = figure.data
    assert len(others.x) == 0 and len(own.x) == len(told) * (len(axes) + 1)
    heights = np.reshape(own.y, (len(told), -1))
    assert np.isnan(heights[:, -1]).all()
    assert np.nanmin(heights) == 0 and np.nanmax(heights) == 1
    assert one.name == subnet and one.line.color == ORANGE
    assert np.array_equal(one.y, heights[3], equal_nan=True)
    assert next(t for t in rest if t.line.color == ORANGE).y == pytest.approx([0, 1])
    assert list(figure.layout.xaxis.ticktext)[axes.index("latency_ms")] == "Latency<br>(ms)"


def test_lines_have_the_colour_of_their_third_the_best_of_a_cost_being_the_least():
    told = subnet_table(TABLE, "latency_ms")
    for column, best in (("accuracy", "max"), ("latency_ms", "min")):
        parts = thirds(told, column)
        assert sum(parts.values()).tolist() == [1] * len(told)
        last = list(parts.values())[-1]
        assert told[column][last].agg(best) == told[column].agg(best)
        assert last.sum() == pytest.approx(len(told) / 3, abs=1)
    figure = parallel_figure(told, np.ones(len(told), bool), brush={}, by="accuracy")
    lines = [t for t in figure.data if t.name == "best third"]
    assert [t.showlegend for t in lines] == [False, None]
    assert (
        len(lines[0].x) == (len(axes_of(told)) + 1) * thirds(told, "accuracy")["best third"].sum()
    )


def test_ten_thousand_subnets_are_drawn_by_the_graphics_card():
    told = subnet_table(measured(hand_space(), 30), "latency_ms")
    many = pd.concat([told.assign(id=told["id"] + f"-{i}") for i in range(350)], ignore_index=True)
    kept = np.ones(len(many), dtype=bool)
    kept[:20] = False
    assert len(many) > 10_000
    cloud = plane_figure(many, "latency_ms", "accuracy", kept)
    lines = parallel_figure(many, kept, brush={}, subnet=many["id"].iloc[5])
    assert [t.type for t in cloud.data] == ["scatter", "scattergl"]
    assert {t.type for t in lines.data[:3]} == {"scattergl"}
    assert highlighted(cloud, many["id"].iloc[777]).data[-1].type == "scattergl"
