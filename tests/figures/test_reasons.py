import pytest
from hand import choice_space, corner, hand_space, noisy_table

from foxnas_core.explanation.reasons import Reasons, reasons
from foxnas_core.figures.coefficients import interval_figure
from foxnas_core.figures.reasons import reasons_intervals, reasons_table
from foxnas_core.regression import fit

SPACES = {
    "stages": hand_space(resolutions=(12, 24)),
    "operations": choice_space({f"edge{i}": ("none", "conv") for i in range(3)}),
}


@pytest.fixture(params=SPACES)
def found(request) -> Reasons:
    space = SPACES[request.param]
    table = noisy_table(space, 100)
    gain, cost = (fit(table, c, "per_layer", "none") for c in ("accuracy", "latency_ms"))
    architecture = corner(space, 0)
    return reasons(gain, cost, architecture=architecture, background=table.architectures())


def test_the_table_says_what_each_block_changes_and_why(found):
    table = reasons_table(found)
    assert table["block"].tolist() == found.table["block"].tolist()
    assert table["Δ Top-1 accuracy (points)"].tolist() == found.table["accuracy"].tolist()
    assert table["Δ Latency (ms) low"].tolist() == found.table["latency_ms_low"].tolist()
    assert table["why"].tolist() == found.table["why"].tolist()


def test_the_intervals_have_a_row_for_each_block_and_target(found):
    table = reasons_intervals(found)
    assert len(table) == 2 * len(found.table)
    own = table[table["target"] == "latency_ms"]
    assert own["effect"].tolist() == found.table["latency_ms"].tolist()
    assert own["clear"].tolist() == ((own["low"] > 0) | (own["high"] < 0)).tolist()
    labels = {
        "stages": ["resolution: 12 px", "p1: k3", "p2: off", "q1: k3"],
        "operations": ["edge0: none", "edge1: none", "edge2: none"],
    }
    assert own["row"].tolist() in labels.values()
    figure = interval_figure(table, [found.gain.target, found.cost.target])
    assert sum(len(trace.x) for trace in figure.data) == len(table)
