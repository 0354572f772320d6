import math
from dataclasses import replace

import numpy as np
from hand import hand_space

from foxnas_core.figures import rounds as figures
from foxnas_core.search.rounds.record import (
    BestMeasured,
    Find,
    FindEstimate,
    FitQuality,
    Round,
    RoundsRecord,
)


def record() -> RoundsRecord:
    """Two finished rounds of two finds, one of which has no latency, and a planned one."""
    one, other = hand_space().sample(2, seed=0)
    predicted = {
        "accuracy": FindEstimate(60.0, 59.0, 61.0),
        "latency_ms": FindEstimate(5.0, 4.0, 6.0),
    }
    finds = (
        Find(one, 5.0, 0, predicted, {"accuracy": 60.5, "latency_ms": 5.5}),
        Find(other, 9.0, 2, predicted, {"accuracy": 59.0}),
    )
    quality = {c: FitQuality("per_layer", 42, 0.9, 0.3, 0.8) for c in predicted}
    nothing = BestMeasured(5.0, "", math.nan, math.nan)
    before = (nothing, BestMeasured(9.0, "aaa", 60.0, 8.0))
    best = (nothing, BestMeasured(9.0, "bbb", 60.5, 5.5))
    planned = Round({}, finds, quality, before)
    done = replace(planned, after=quality, best=best)
    return RoundsRecord("latency_ms", (5.0, 9.0), 9.0, 0, (done, done, planned))


def test_each_find_of_a_finished_round_has_a_row_with_its_errors():
    table = figures.find_table(record())
    assert table["round"].tolist() == [1, 1, 2, 2]
    assert table["passed over"].tolist() == [0, 2, 0, 2]
    assert table["accuracy error"].tolist() == [0.5, -1.0] * 2
    assert np.isnan(table["latency_ms error"].iloc[1])
    figure = figures.error_figure(table, "accuracy")
    points, means = figure.data
    assert list(points.y) == [0.5, -1.0] * 2 and list(means.y) == [-0.25, -0.25]
    assert figure.layout.yaxis.title.text == "Measured less predicted (points)"
    assert list(figures.error_figure(table, "latency_ms").data[0].y) == [0.5, 0.5]


def test_the_best_of_each_budget_is_followed_from_before_the_first_round():
    table = figures.best_table(record())
    assert table["round"].tolist() == [0, 0, 1, 1, 2, 2]
    assert table["shared"].tolist() == [False, True] * 3
    assert table.query("budget == 9")["gain"].tolist() == [0.0, 0.5, 0.5]
    [heatmap] = figures.best_figure(table, ("accuracy", "latency_ms")).data
    assert [list(row) for row in heatmap.text] == [
        ["none"] * 3, ["60.00 %", "60.50 % (+0.50)", "60.50 % (+0.50)"],
    ]  # fmt: skip
    assert list(heatmap.x) == ["before", "round 1", "round 2"]
    assert list(heatmap.y) == ["5 ms", "9 ms (asked for)"]


def test_no_finished_round_makes_empty_tables():
    begun = replace(record(), rounds=record().rounds[2:])
    assert figures.find_table(begun).empty and figures.best_table(begun).empty
