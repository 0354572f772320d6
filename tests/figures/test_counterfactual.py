import functools

import numpy as np
import pytest
from hand import hand_space, noisy_table

from foxnas_core.explanation.reach import Goal, Reached, reach
from foxnas_core.explanation.why_not import every_choice
from foxnas_core.figures.counterfactual import choices_figure, reached_figure, reached_table
from foxnas_core.figures.theme import PAPER
from foxnas_core.regression import fit
from foxnas_core.search.limits import Limit
from foxnas_core.search.problem import SearchProblem
from foxnas_core.table.metrics import metric_of

SPACE = hand_space(resolutions=(16, 32))
ACCURACY = metric_of("accuracy")


@functools.cache
def problem() -> SearchProblem:
    table = noisy_table(SPACE, 120, seed=1)
    accuracy, latency = (fit(table, t, "per_layer", "none") for t in ("accuracy", "latency_ms"))
    return SearchProblem(accuracy, (Limit(latency, 0.0),))


@functools.cache
def reached() -> Reached:
    return reach(problem(), SPACE.extreme("largest"), Goal(5.0))


def test_the_table_holds_every_answer():
    table = reached_table(reached())
    assert len(table) == len(reached().answers) > 1
    cheapest_first = reached().answers[::-1]
    assert table["edits"].tolist() == [answer.edits for answer in cheapest_first]
    for row, answer in zip(table.to_dict("records"), cheapest_first, strict=True):
        price, saved = answer.effects["accuracy"], answer.effects["latency_ms"]
        assert (row["price"], row["price low"], row["price high"]) == (
            price.total, price.low, price.high,
        )  # fmt: skip
        assert row["Δ Latency (ms)"] == saved.total and row["Δ Latency (ms) low"] == saved.low
        assert row["chance"] == 100 * answer.chance
        assert (row["in words"], row["id"]) == (answer.words, answer.after.id)
        assert row["points per ms"] == pytest.approx(price.total / saved.total)
    assert (np.diff(table["price"]) < 0).all()  # more edits cost less accuracy


def test_the_figure_marks_the_chosen_number():
    table = reached_table(reached())
    chosen = int(table["edits"].iloc[1])
    line, points = reached_figure(table, ACCURACY, chosen).data
    table = table[::-1]
    assert list(points.x) == table["edits"].tolist() and list(points.y) == table["price"].tolist()
    filled = [colour != PAPER for colour in points.marker.color]
    assert filled == [edits == chosen for edits in table["edits"]]
    assert np.allclose(points.error_y.array, table["price high"] - table["price"])
    assert line.line.shape == "hv"


def test_choices_are_drawn_with_their_present_one():
    within = problem().within(24.0)
    table = every_choice(within, SPACE.extreme("smallest"), "q1_kernel")
    [points] = choices_figure(table, ACCURACY).data
    assert list(points.y) == ["3 (now)", "5", "7"]
    assert list(points.x) == pytest.approx(table["change"].tolist())


def test_a_choice_out_of_reach_is_a_cross():
    least = problem().tables[0].smallest_cost
    within = problem().within(least + 1e-6)
    table = every_choice(within, SPACE.extreme("smallest"), "q1_kernel")
    assert table["change"].isna().sum() == 2
    [points] = choices_figure(table, ACCURACY).data
    assert list(points.marker.symbol).count("x") == 2
    assert "out of reach" in list(points.customdata)
