import numpy as np
import pandas as pd
import pytest

from foxnas_core.figures import layer_tables
from foxnas_core.figures import model_graph as figures
from foxnas_core.profiling.result import Layer, LayerProfile, ProfileRow
from foxnas_core.table.metrics import metric_of


def layer(block: str, part: str, macs: float, kind: str = "convolution 1×1") -> Layer:
    return Layer(block, part, kind, (2, 4, 4), (3, 4, 4), int(macs) // 10, macs)


LAYERS = (
    layer("stem", "convolution", 400), layer("s1b1", "expand", 100),
    layer("s1b1", "depthwise", 300, "depthwise convolution 3×3"), layer("s1b1", "project", 100),
    layer("s1b2", "expand", 60), layer("s1b2", "project", 40), layer("s1b2", "add", 0, "add"),
    layer("head", "classifier", 100, "linear"),
)  # fmt: skip


def row(*layers: str, ms: float, operators: tuple[str, ...] = ("Conv",)) -> ProfileRow:
    return ProfileRow(layers, operators, ms, (ms - 0.001, ms, ms + 0.002), 0.003 * len(operators))


ROWS = (
    row("stem convolution", ms=0.02), row("s1b1 expand", ms=0.01),
    row("s1b1 depthwise", ms=0.03, operators=("Conv", "Mul", "Mul")),
    row("s1b1 project", ms=0.01), row("s1b2 expand", ms=0.006),
    row("s1b2 project", "s1b2 add", ms=0.004), row("head classifier", ms=0.002),
    row(ms=0.005, operators=("ReorderOutput",)),
)  # fmt: skip
PROFILE = LayerProfile("fp32", ROWS, 0.1, 0.09, 0.11)
TOGETHER = LayerProfile(
    "fp32",
    (*ROWS[:3], row("s1b1 project", "s1b2 expand", ms=0.016), *ROWS[5:]),
    0.1, 0.09, 0.11,
)  # fmt: skip
PRICES = pd.DataFrame(
    {
        "block": ["s1b1", "s1b2", ""], "slots": [("s1b1",), ("s1b2",), ()],
        "against": ["kernel 3", "off", ""], "whole": [False, True, False],
        "value": [0.02, 0.03, 0.17], "low": [0.01, 0.02, 0.16], "high": [0.03, 0.04, 0.18],
    }
)  # fmt: skip
EFFECTS = {"accuracy": PRICES, "latency_ms": PRICES}


@pytest.mark.parametrize("profile", [PROFILE, TOGETHER], ids=["apart", "together"])
def test_the_table_adds_up(profile: LayerProfile) -> None:
    table = layer_tables.graph_table(LAYERS, profile, EFFECTS)
    by_row = table.groupby("row")
    parts = [layer_tables.LAYER, layer_tables.NO_LAYER, layer_tables.PROFILER]
    times = by_row["time (ms)"].sum()
    assert times[parts].sum() == pytest.approx(profile.profiled_ms)
    assert times[layer_tables.BLOCK] == pytest.approx(times[layer_tables.LAYER])
    for name in ("MACs", "parameters"):
        sums = by_row[name].sum()
        assert (
            sums[layer_tables.BLOCK]
            == sums[layer_tables.LAYER]
            == sum(x.macs if name == "MACs" else x.parameters for x in LAYERS)
        )


def test_blocks_stand_above_their_layers_with_their_effects() -> None:
    table = layer_tables.graph_table(LAYERS, PROFILE, EFFECTS)
    assert (table["block"] + " " + table["layer"]).str.strip().tolist() == [
        "stem", "stem convolution", "s1b1", "s1b1 expand", "s1b1 depthwise", "s1b1 project",
        "s1b2", "s1b2 expand", "s1b2 project + add", "head", "head classifier", "", "",
    ]  # fmt: skip
    block = table[(table["row"] == layer_tables.BLOCK) & (table["block"] == "s1b2")].iloc[0]
    assert (block["accuracy effect"], block["latency_ms low"]) == (0.03, 0.02)
    assert (block["accuracy of"], block["accuracy against"]) == ("s1b2", "off")
    assert (block["low (ms)"], block["high (ms)"]) == pytest.approx((0.008, 0.014))
    assert block["input"] == "2×4×4"
    depthwise = table[table["layer"] == "depthwise"].iloc[0]
    assert depthwise["run as"] == "Conv, 2 Mul" and np.isnan(depthwise["accuracy effect"])


def test_without_a_profile_layers_and_effects_are_told() -> None:
    table = layer_tables.graph_table(LAYERS, None, EFFECTS)
    assert table["time (ms)"].isna().all() and (table["run as"] == "").all()
    assert set(table["row"]) == {layer_tables.BLOCK, layer_tables.LAYER}
    assert table["accuracy effect"].notna().sum() == 2
    assert (table["row"] == layer_tables.LAYER).sum() == len(LAYERS)
    assert "accuracy effect" not in layer_tables.graph_table(LAYERS)


def test_blocks_that_run_together_are_one() -> None:
    table = layer_tables.graph_table(LAYERS, TOGETHER, EFFECTS)
    block = table[table["block"] == "s1b1 + s1b2"].iloc[0]
    assert block["MACs"] == 600 and block["time (ms)"] == pytest.approx(0.06)
    # Two effects can't stand beside one block.
    assert np.isnan(block["accuracy effect"])
    assert "s1b1 project + s1b2 expand" in table["layer"].tolist()


def test_an_effect_of_two_slots_stands_beside_both() -> None:
    both = PRICES.assign(block=["stem", "s1b1–s1b2", ""], slots=[(), ("s1b1", "s1b2"), ()])
    table = layer_tables.graph_table(LAYERS, PROFILE, {"accuracy": both})
    told = table[table["accuracy of"] == "s1b1–s1b2"]
    assert told["block"].tolist() == ["s1b1", "s1b2"]


def test_both_views_of_a_latency_add_up_to_their_wholes() -> None:
    table = layer_tables.views_table(LAYERS, PROFILE, PRICES)
    assert table["block"].tolist() == ["s1b2", "s1b2", layer_tables.REST, layer_tables.REST]
    sums = table.groupby("view")[["ms", "share (%)"]].sum()
    assert sums.loc["profiler"].tolist() == pytest.approx([0.1, 100])
    assert sums.loc["regression"].tolist() == pytest.approx([0.2, 100])
    assert table["ms"].tolist() == pytest.approx([0.01, 0.03, 0.09, 0.17])
    priced = layer_tables.times_table({"one": PRICES, "other": PRICES})
    regression = table[table["view"] == "regression"].reset_index(drop=True)
    for _, own in priced.groupby("view"):
        assert own["share (%)"].sum() == pytest.approx(100)
        assert own["block"].tolist() == regression["block"].tolist()
        np.testing.assert_allclose(own["ms"], regression["ms"])
    # A block that can't be told apart is of the rest in both views.
    table = layer_tables.views_table(LAYERS, TOGETHER, PRICES)
    assert table["block"].tolist() == [layer_tables.REST] * 2
    assert table["ms"].tolist() == pytest.approx([0.1, 0.2])


def test_the_account_adds_up_to_the_latency_and_to_the_operators() -> None:
    table = layer_tables.account_table(PROFILE).set_index("part")["time (ms)"]
    assert table.iloc[:3].sum() == pytest.approx(table["latency"]) == pytest.approx(0.1)
    parts = ["layers", layer_tables.NO_LAYER, layer_tables.PROFILER]
    assert table[parts].sum() == pytest.approx(table["sum of all operators"])


@pytest.mark.parametrize("profile", [None, PROFILE, TOGETHER], ids=["none", "apart", "together"])
@pytest.mark.parametrize("effects", [{}, EFFECTS], ids=["alone", "effects"])
def test_strips_are_drawn_to_their_end(profile, effects) -> None:
    figure = figures.graph_figure(LAYERS, profile, effects, metric_of("accuracy"))
    boxes = [trace for trace in figure.data if trace.type == "bar"]
    for y in (0.0, 1.0):
        widths = [w for t in boxes for w, own in zip(t.x, t.y, strict=True) if own == y]
        assert sum(widths) == pytest.approx(100)
    framed = [w for t in boxes for w in t.marker.line.width if w == 2]
    # Framed in both strips.
    assert len(framed) == 2 * sum(len(r.layers) > 1 for r in (profile.rows if profile else ()))
    words = [w for trace in boxes for w in trace.customdata]
    assert any("s1b2: +0.03 points (+0.02 to +0.04) against off" in w for w in words) == bool(
        effects
    )
    assert (
        len(
            figures.views_figure(
                layer_tables.views_table(LAYERS, PROFILE, PRICES), as_shares=True
            ).data
        )
        == 2
    )


def test_times_are_read_in_milliseconds_however_small() -> None:
    assert layer_tables.time_text(0.00242) == "0.00242 ms"
    assert layer_tables.time_text(0.11) == "0.110 ms"
    assert layer_tables.time_text(-0.005) == "-0.00500 ms"
