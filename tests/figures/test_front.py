import functools
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from conftest import DEMO
from hand import hand_space, noisy_table

from foxnas_core.figures import chances
from foxnas_core.figures import front as figures
from foxnas_core.figures.picture import picture_table
from foxnas_core.figures.search import MEASURED, frame_of, front_table
from foxnas_core.regression import fit
from foxnas_core.search.chance import chance_within
from foxnas_core.search.exact import Front, front
from foxnas_core.search.limits import Limit
from foxnas_core.search.prices import front_prices
from foxnas_core.search.problem import SearchProblem
from foxnas_core.search.stability import resampled_fronts
from foxnas_core.search.ties import tied_set
from foxnas_core.study import open_study
from foxnas_core.table.metrics import metric_of
from tests.search.additive import mini_problem

SPACE = hand_space(resolutions=(16, 32))
MS, US = figures.cost_units(metric_of("latency_ms"))
ACCURACY, LATENCY = metric_of("accuracy"), metric_of("latency_ms")


@functools.cache
def whole() -> Front:
    table = noisy_table(SPACE, 120, seed=1, noise=3.0)
    accuracy, latency = (fit(table, t, "per_layer", "none") for t in ("accuracy", "latency_ms"))
    return front(SearchProblem(accuracy, (Limit(latency, 0.0),)))


def middle() -> float:
    return float(whole().costs.mean())


def test_weights_are_four_bytes_each():
    thousands, megabytes = figures.cost_units(metric_of("parameters"))
    assert thousands.text(5_000_000) == "5000 k parameters"
    assert megabytes.text(5_000_000) == "20 MB" and "4 bytes" in megabytes.title
    [macs] = figures.cost_units(metric_of("macs"))
    assert macs.text(300e6) == "300 M MACs"
    assert MS.text(0.075) == "0.075 ms" and US.text(0.075) == "75 µs"


def test_times_are_read_in_milliseconds_however_short():
    assert figures.fitting_unit(whole()) == MS
    study = open_study(DEMO)
    accuracy, latency = (fit(study.table(), t, "per_layer") for t in ("accuracy", "latency_ms"))
    assert figures.fitting_unit(front(SearchProblem(accuracy, (Limit(latency, 0.0),)))) == MS


@pytest.mark.parametrize("corners", [False, True])
def test_steps_add_up_in_every_unit(corners: bool):
    prices = front_prices(front(mini_problem()))
    in_ms, in_us = (figures.step_table(prices, unit, corners=corners) for unit in (MS, US))
    values, costs = prices.front.values, prices.front.costs
    for table, factor in ((in_ms, 1), (in_us, 1000)):
        assert table["gain"].sum() == pytest.approx(values[-1] - values[0])
        assert table["cost"].sum() == pytest.approx(factor * (costs[-1] - costs[0]))
        assert (table["hull price"] * table["cost"]).sum() == pytest.approx(table["gain"].sum())
        assert table["from"].tolist()[1:] == table["to"].tolist()[:-1]
        np.testing.assert_allclose(table["price"] * table["cost"], table["gain"])
    np.testing.assert_allclose(in_ms["price"], 1000 * in_us["price"])
    assert len(in_ms) == (len(prices.corners) if corners else len(prices.front)) - 1
    assert (in_ms["blocks"] >= 1).all() and (in_ms["in words"] != "nothing").all()
    if corners:
        assert (np.diff(in_ms["price"]) < 0).all()
        np.testing.assert_allclose(in_ms["price"], in_ms["hull price"])


def test_a_step_is_a_sentence():
    row = pd.Series({"from": 3.1, "to": 3.2, "gain": 0.05, "in words": "s4b3 kernel 3 → 5"})
    said = figures.step_sentence(row, MS, ACCURACY)
    assert said == "from 3.1 to 3.2 ms: s4b3 kernel 3 → 5 (+0.05 points)"


def test_the_certainty_of_a_cell_is_that_of_all_its_choices():
    stability = resampled_fronts(whole(), draws=40).at(middle())
    optimum = stability.optimum.architecture
    table = figures.certainty_table(SPACE, stability)
    differs = [
        picture_table(SPACE, optimum, a)["differs"].to_numpy() for a in stability.architectures
    ]
    np.testing.assert_allclose(table["share"], 1 - np.mean(differs, axis=0))
    assert table["share"].between(0, 1).all() and (table["share"] < 1).any()
    assert table["text"].tolist() == picture_table(SPACE, optimum)["text"].tolist()
    [heatmap] = figures.certainty_figure(table).data
    assert np.nansum(np.array(heatmap.z, float)) == pytest.approx(100 * table["share"].sum())


def test_the_least_certain_come_first_and_a_missing_block_once():
    stability = resampled_fronts(whole(), draws=40).at(float(whole().costs[0]) * 1.02)
    decisions = stability.decisions.set_index("decision")
    assert decisions.loc["p2_kernel", "chosen"] == "off"
    said = figures.certainty_sentences(stability, SPACE.context)
    assert sum("p2 off is optimal" in text for text in said) == 1
    shares = [float(text.split(" optimal in ")[1].split(" %")[0]) for text in said]
    assert shares == sorted(shares)
    resolution = decisions.loc["resolution"]
    start = f"resolution {resolution['chosen']} is optimal in {100 * resolution['share']:.0f} %"
    assert any(text.startswith(start) for text in said)


def test_ties_know_what_was_measured_and_saved():
    problem = whole().problem
    known = problem.objective
    unsure = replace(known, covariance=1000 * known.covariance)
    tied = tied_set(front(replace(problem, objective=unsure)), middle())
    assert len(tied) > 2
    ids = tied.table["id"]
    measured = pd.DataFrame({"id": [ids[1], ids[1], "else"], "accuracy": [70.0, 72.0, 1.0]})
    table = figures.tied_table(tied, measured, ACCURACY, LATENCY, US)
    assert table["measured"][1] == 71.0 and table["measured"].notna().sum() == 1
    np.testing.assert_allclose(table[US.title], 1000 * tied.table["cost"])
    assert table["saves (%)"][0] == 0
    assert table["saves (%)"].max() == table["saves (%)"][tied.cheapest]
    figure = figures.tied_figure(table, ACCURACY, US)
    assert sum(len(t.x) for t in figure.data[:2]) == len(table)


def plane(found: Front) -> pd.DataFrame:
    measured = noisy_table(SPACE, 120, seed=1, noise=3.0).frame
    return front_table(measured, found)


def test_chances_fall_along_the_front_and_are_those_of_the_core():
    found, budget = whole(), middle()
    table = chances.chance_table(found, budget, US, None)
    expected = chance_within(found, np.full(len(found), budget), np.arange(len(found)))
    np.testing.assert_allclose(table["chance"], 100 * expected)
    assert table["chance"].iloc[0] > 50 > table["chance"].iloc[-1]
    by_budget = chances.budget_table(found, US, None)
    # An optimum is predicted within its budget, so by its prediction half hold at least.
    assert (by_budget["chance"] >= 50 - 1e-6).all()
    low, high = chances.chance_figure(table, US, budget).layout.xaxis.range
    assert low < 1000 * budget < high and math.isfinite(high - low)
    assert len(chances.budget_figure(by_budget, US, budget, plane(found)).data) == 1


def test_figures_draw_what_their_tables_say():
    prices, shown = front_prices(whole()), plane(whole())
    drawn = figures.front_figure(prices, US, middle(), shown)
    assert [trace.name for trace in drawn.data] == ["measured", "front", "hull", "knee"]
    np.testing.assert_allclose(drawn.data[0].x, 1000 * shown["cost"][shown["kind"] == MEASURED])
    np.testing.assert_allclose(drawn.data[1].x, 1000 * whole().costs)
    # The ends of the plane that a search is watched on.
    costs, values = frame_of(shown)
    np.testing.assert_allclose(drawn.layout.xaxis.range, 1000 * np.array(costs))
    np.testing.assert_allclose(drawn.layout.yaxis.range, values)
    priced = figures.price_figure(prices, US, middle(), shown)
    np.testing.assert_allclose(priced.layout.xaxis.range, drawn.layout.xaxis.range)
    steps, hull = priced.data
    np.testing.assert_allclose(steps.y, prices.price / 1000)
    assert len(hull.x) == len(hull.y) == 2 * len(prices.corner_price)
