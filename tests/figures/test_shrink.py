"""The map of what each block costs and gives when it is made smaller."""

from hand import hand_space, noisy_table

from foxnas_core.explanation.shrink import shrink_effects
from foxnas_core.figures.shrink import shrink_figure, shrink_table
from foxnas_core.regression import fit
from foxnas_core.table.metrics import metric_of

SPACE = hand_space(resolutions=(8, 16, 32))
ACCURACY, LATENCY = metric_of("accuracy"), metric_of("latency_ms")


def test_the_map_has_a_cell_for_each_edit() -> None:
    table = noisy_table(SPACE, 150, seed=3)
    fits = [fit(table, t.column, "per_layer", "none") for t in (ACCURACY, LATENCY)]
    effects = shrink_effects(fits, architecture=SPACE.extreme("largest"))
    shown = shrink_table(effects, ACCURACY, LATENCY)
    assert shown["edit"].tolist() == effects["edit"].tolist()
    assert "points per ms" in shown and "Δ Latency (ms) average low" in shown
    for trace, target in zip(
        shrink_figure(effects, ACCURACY, LATENCY).data, (ACCURACY, LATENCY), strict=True
    ):
        assert list(trace.y) == ["resolution", "p", "p1", "p2", "q1"]
        assert list(trace.x) == [
            f"{role}<br>{step}"
            for role in ("resolution", "depth", "kernel")
            for step in ("one step", "smallest")
        ]
        cell = trace.text[1][2]  # a depth of two has one step, which is the smallest too
        own = effects[effects["block"] == "p"].iloc[0]
        assert cell == trace.text[1][3] and target.text(own[target.column], signed=True) in cell
        assert trace.text[0][2] == ""
