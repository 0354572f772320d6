from hand import hand_space
from trials import claim_of, trial_of

from foxnas_core.evidence.verification.scoreboard import scoreboard
from foxnas_core.figures import verification as figures

SPACE = hand_space()


def measured_trial():
    claims = [
        claim_of("value", "accuracy", 80.0, 1.0),
        claim_of("difference", "accuracy", 0.5, 0.1, scatter=1.0),
        claim_of("value", "latency_ms", 5.0, 0.5),
        claim_of("difference", "latency_ms", 1.0, 0.2, scatter=0.4),
    ]
    return trial_of(SPACE, "t", claims, [82.0, 0.7, 5.1, 3.0])


def test_each_claim_stands_beside_what_was_measured():
    table = figures.verdict_table(measured_trial())
    assert table["verdict"].tolist() == ["outside", "inside", "inside", "outside"]
    assert table["claimed"].tolist() == [80.0, 0.5, 5.0, 1.0]
    assert table["measured"].tolist() == [82.0, 0.7, 5.1, 3.0]
    figure = figures.verdict_figure(table)
    # Small numbers of a unit take no prefix beside it.
    assert {axis.exponentformat for axis in figure.select_xaxes()} == {"none"}
    # Three intervals and two points each.
    assert len(figure.data) == 5 * 4
    points = [trace for trace in figure.data if trace.mode == "markers"]
    assert [list(p.x) for p in points[:2]] == [[80.0], [82.0]]
    assert [p.marker.symbol for p in points] == ["circle", "x", *["circle"] * 5, "x"]
    titles = [axis.title.text for axis in figure.select_xaxes()]
    assert titles == [
        "Top-1 accuracy (%)", "Δ Top-1 accuracy (points)", "Latency (ms)", "Δ Latency (ms)",
    ]  # fmt: skip


def test_one_subnet_alone_has_one_column():
    [subnet] = SPACE.sample(1, seed=0)
    trial = trial_of(SPACE, "t", [claim_of()], [80.0], subnets=(subnet,))
    figure = figures.verdict_figure(figures.verdict_table(trial))
    assert len(list(figure.select_xaxes())) == 1 and len(figure.data) == 5


def test_the_board_draws_what_was_tested():
    late = trial_of(SPACE, "late", [claim_of("value", "latency_ms")], [80.0], reason="elsewhere")
    table = figures.board_table(scoreboard([measured_trial(), late]))
    assert set(table["kind"]) == {"a subnet's value", "what an edit changes"}
    assert set(table["chosen"]) == {"drawn at random"}
    [points] = figures.board_figure(table).data
    assert list(points.x) == [0.0, 100.0, 100.0, 0.0]
    assert points.y[0].endswith("drawn at random: 0 of 1")
    row = table.set_index(["kind", "target"]).loc[("a subnet's value", "latency_ms")]
    assert row["tested"] == 1 and row["not counted"] == 1


def test_a_board_of_nothing_draws_nothing():
    table = figures.board_table(scoreboard([]))
    assert len(table) == 0 and list(figures.board_figure(table).data[0].x) == []
