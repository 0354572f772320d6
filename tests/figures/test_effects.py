import pandas as pd
import pytest

from foxnas_core.explanation.edits import EditEffects
from foxnas_core.figures.effects import edit_figure, edit_table, waterfall_figure
from foxnas_core.target import target_of

EDITS = EditEffects(
    pd.DataFrame(
        {
            "edit": ["s1_depth 1 → 2", "resolution 14 → 28"],
            "group": ["s1", ""],
            "slot": ["", ""],
            "effect": [0.5, -0.2],
            "low": [0.4, -0.3],
            "high": [0.6, -0.1],
        }
    ),
    total=0.3,
    low=0.1,
    high=0.5,
)


def test_the_table_lists_the_edits_and_then_their_sum():
    assert edit_table(EDITS).to_dict("list") == {
        "edit": ["s1_depth 1 → 2", "resolution 14 → 28", "together"],
        "effect": [0.5, -0.2, 0.3],
        "low": [0.4, -0.3, 0.1],
        "high": [0.6, -0.1, 0.5],
    }


@pytest.mark.parametrize("column", ["accuracy", "latency_ms"])
def test_what_helps_and_what_costs_depends_on_the_direction(column):
    [trace] = edit_figure(edit_table(EDITS), target_of(column)).data
    good, bad, total = trace.marker.color
    assert good == total != bad
    other = "latency_ms" if column == "accuracy" else "accuracy"
    [opposite] = edit_figure(edit_table(EDITS), target_of(other)).data
    assert opposite.marker.color == (bad, good, bad)


def test_the_waterfall_ends_at_the_sum():
    table = pd.DataFrame({"what": ["a", "b"], "effect": [0.5, -0.2]})
    [trace] = waterfall_figure(
        table, target_of("accuracy"), start=90.0, first="start", last="now"
    ).data
    assert list(trace.y) == ["start", "a", "b", "now"]
    assert trace.x[-1] == pytest.approx(90.3)
    assert list(trace.measure) == ["absolute", "relative", "relative", "total"]
