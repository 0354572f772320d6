import functools

import numpy as np
import pandas as pd
import pytest
from conftest import DEMO

from foxnas_core.explanation.agreement import rank_agreement
from foxnas_core.explanation.permutation import partial_dependences
from foxnas_core.explanation.shapley import BlockShapley, block_shapley
from foxnas_core.figures.explanations import (
    agreement_figure,
    dependence_figure,
    interaction_figure,
    interaction_table,
    lens_figure,
    lens_table,
    swarm_figure,
    swarm_table,
)
from foxnas_core.regression import Predictor, fit
from foxnas_core.study import open_study
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import metric_of

ACCURACY = metric_of("accuracy")
WITH = pd.DataFrame(
    {"block": ["a", "b", "c"], "value": [1.0, 3.0, 2.0], "low": [0.5, 2, 1], "high": [2.0, 4, 3]}
)
WITHOUT = pd.DataFrame({"block": ["a", "b", "c"], "value": [0.1, 0.3, 0.0]})
LENSES = {"coefficients": WITH, "Shapley values": WITHOUT}


@functools.cache
def demo() -> tuple[MeasurementTable, Predictor, BlockShapley]:
    table = open_study(DEMO).table()
    predictor = fit(table, "accuracy")
    every = table.architectures()
    return table, predictor, block_shapley(predictor, architectures=every, background=every)


def test_lenses_stand_together_by_block_and_mean_rank():
    table = lens_table(LENSES)
    assert table["block"].tolist() == ["b", "b", "a", "a", "c", "c"]
    assert table["lens"].tolist() == ["coefficients", "Shapley values"] * 3
    assert table["rank"].tolist() == [1, 1, 3, 2, 2, 3]
    assert table["low"].isna().tolist() == [False, True] * 3


@pytest.mark.parametrize("signed", [True, False])
def test_each_lens_is_a_trace_with_its_intervals(signed):
    figure = lens_figure(lens_table(LENSES), ACCURACY, signed=signed)
    assert [trace.name for trace in figure.data] == list(LENSES)
    first, second = figure.data
    assert list(first.error_x.array) == [1, 1, 1]
    assert list(second.error_x.array) == [0, 0, 0]
    # What is 0 has no place on a logarithmic axis but its edge.
    assert second.x[2] == pytest.approx(0 if signed else 3e-3)
    assert figure.layout.xaxis.type == (None if signed else "log")
    assert list(figure.layout.yaxis.ticktext) == ["b", "a", "c"]
    # The lenses of one block share its row.
    assert np.abs(np.subtract(first.y, [0, 1, 2])).max() < 0.5


def test_a_subnet_has_a_dot_in_each_row_of_the_swarm():
    table, predictor, shapley = demo()
    swarm = swarm_table(shapley, table.codes, predictor.form, "expand")
    assert len(swarm) == len(table) * shapley.values.shape[1]
    importance = shapley.importance()
    assert (
        swarm["block"].unique().tolist() == importance.sort_values(ascending=False).index.tolist()
    )
    wide = swarm.assign(row=swarm.groupby("block").cumcount()).pivot(
        index="row", columns="block", values="value"
    )
    np.testing.assert_array_equal(wide[shapley.values.columns], shapley.values)
    first = swarm[swarm["block"] == "s2b3"].reset_index(drop=True)
    expected = table.frame["s2b3_expand"]
    off = expected.isna().to_numpy()
    assert (first["state"] == "off").tolist() == off.tolist()
    assert first["level"].isna().tolist() == off.tolist()
    on = expected[~off].astype(int)
    assert first["state"][~off].tolist() == [f"expand {choice}" for choice in on]
    np.testing.assert_allclose(first["level"][~off], (on - 1) / 3)
    # A block without such a decision shows its own.
    assert set(swarm[swarm["block"] == "resolution"]["state"]) == {
        "resolution 12", "resolution 18", "resolution 28",
    }  # fmt: skip


def test_the_swarm_spreads_what_lies_close_and_stays_in_its_row():
    table, predictor, shapley = demo()
    swarm = swarm_table(shapley, table.codes, predictor.form, "kernel")
    assert swarm["jitter"].abs().max() <= 0.51
    pd.testing.assert_frame_equal(
        swarm, swarm_table(shapley, table.codes, predictor.form, "kernel")
    )
    for _, same in swarm.groupby(["block", "value"]):
        assert same["jitter"].is_unique
    figure = swarm_figure(swarm, ACCURACY, "kernel")
    assert sum(len(trace.x) for trace in figure.data) == len(swarm)
    assert {trace.type for trace in figure.data} == {"scattergl"}


def test_each_decision_is_a_line_of_its_choices():
    table, predictor, _ = demo()
    dependence = partial_dependences(predictor, background=table.architectures()[:100])
    figure = dependence_figure(dependence, ACCURACY)
    assert len(figure.data) == len(predictor.space.decisions)
    assert sum(len(trace.y) for trace in figure.data) == len(dependence)
    # The input has a panel of its own, the stages share their vertical axis.
    assert figure.layout.yaxis.matches is None and figure.layout.yaxis2.matches is None
    assert figure.layout.yaxis3.matches == figure.layout.yaxis4.matches == "y2"


def test_agreement_is_drawn_once_for_each_pair():
    found = rank_agreement({name: own.set_index("block")["value"] for name, own in LENSES.items()})
    [trace] = agreement_figure(found).data
    assert [list(row) for row in trace.text] == [["1.00", ""], ["0.33", "1.00"]]


def test_interactions_are_coloured_by_where_they_are():
    table = interaction_table(
        pd.DataFrame(
            {
                "first": ["resolution", "s1b1_kernel", "s1b1_kernel"],
                "second": ["s1b1_kernel", "s2b1_kernel", "s3b1_kernel"],
                "where": ["with the input", "across stages", "across stages"],
                "additive": [True, False, False],
                "strength": [0.3, 0.2, 0.1],
            }
        )
    )
    assert table["pair"].iloc[0] == "resolution × s1b1_kernel"
    assert table["in a sum over stages"].tolist() == [True, False, False]
    figure = interaction_figure(table, ACCURACY)
    assert {trace.name: len(trace.x) for trace in figure.data} == {
        "with the input": 1,
        "across stages": 2,
    }
    assert list(figure.layout.yaxis.categoryarray) == table["pair"].tolist()[::-1]
