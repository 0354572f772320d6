import numpy as np
import pandas as pd

from foxnas_core.figures.coefficients import heatmap_figure, interval_figure, interval_table
from foxnas_core.target import target_of

COEFFICIENTS = pd.DataFrame(
    {
        "term": ["intercept", "resolution=28", "s1b1_kernel=5", "s1b1_kernel=7"],
        "label": ["Intercept", "resolution 28", "kernel 5 instead of 3", "kernel 7 instead of 3"],
        "group": ["", "", "s1", "s1"],
        "estimate": [80.0, 5.0, 0.1, 0.4],
        "std_error": [1.0, 0.5, 0.1, 0.1],
        "low": [78.0, 4.0, -0.1, 0.2],
        "high": [82.0, 6.0, 0.3, 0.6],
        "p": [0.0, 0.0, 0.3, 0.001],
    }
)


def test_the_table_leaves_out_the_intercept_and_says_which_intervals_are_clear():
    table = interval_table(COEFFICIENTS)
    assert table["term"].tolist() == ["resolution=28", "s1b1_kernel=5", "s1b1_kernel=7"]
    assert table["clear"].tolist() == [True, False, True]


def test_the_figure_draws_each_row_once():
    figure = interval_figure(interval_table(COEFFICIENTS), target_of("accuracy"))
    assert sum(len(trace.x) for trace in figure.data) == 3


def test_the_heatmap_is_centred_on_no_effect():
    grid = pd.DataFrame([[0.5, np.nan], [-1.0, 0.25]], index=["s1", "s2"], columns=[1, 2])
    [trace] = heatmap_figure(grid, target_of("latency_ms")).data
    assert (trace.zmin, trace.zmax) == (-1.0, 1.0)
