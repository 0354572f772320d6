import functools

import numpy as np
from hand import hand_space, noisy_table

from foxnas_core.figures import design as figures
from foxnas_core.planning.gain import ExpectedGain
from foxnas_core.planning.plan import plan_next


@functools.cache
def gain() -> ExpectedGain:
    table = noisy_table(hand_space(resolutions=(8, 16)), 40)
    return plan_next(table, "accuracy", 4, form="per_layer").gain


def test_the_curve_is_in_percent_and_minutes():
    table = figures.gain_table(gain(), seconds=30.0)
    assert table["minutes"].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert np.isclose(table["batch"].iloc[-1], 100 * gain().narrower)
    assert np.isclose(table["random"].iloc[-1], 100 * gain().narrower_by_random)
    assert (table["random_low"] <= table["random"] + 1e-9).all()
    assert (table["random"] <= table["random_high"] + 1e-9).all()
    figure = figures.gain_figure(table)
    assert [t.name for t in figure.data[1:]] == [figures.RANDOM, figures.BATCH]
    assert list(figure.data[2].y) == table["batch"].tolist()


def test_each_block_has_the_mean_of_its_effects():
    table = figures.block_gain_table(gain())
    assert table["block"].tolist() == ["input", "p1", "p2", "q1"]
    assert table["effects"].sum() == len(gain().effects)
    own = gain().effects.query("slot == 'p2'")
    row = table.set_index("block").loc["p2"]
    assert np.isclose(row["mean"], 100 * (1 - own["ratio"]).mean())
    assert row["least"] <= row["mean"] <= row["most"]
    figure = figures.block_gain_figure(table)
    assert list(figure.data[0].y) == table["block"].tolist()
