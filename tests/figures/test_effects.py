import pandas as pd
import pytest

from foxnas_core.figures.effects import waterfall_figure
from foxnas_core.target import target_of


def test_the_waterfall_ends_at_the_sum():
    table = pd.DataFrame({"what": ["a", "b"], "effect": [0.5, -0.2]})
    [trace] = waterfall_figure(
        table, target_of("accuracy"), start=90.0, first="start", last="now"
    ).data
    assert list(trace.y) == ["start", "a", "b", "now"]
    assert trace.x[-1] == pytest.approx(90.3)
    assert list(trace.measure) == ["absolute", "relative", "relative", "total"]
