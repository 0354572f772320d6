"""Networks that were trained from scratch, by how each was chosen."""

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.shapes import ROWS, Trace, drawn, markers
from foxnas_core.figures.theme import BLUE, BROWN, GREEN, ORANGE, PURPLE, SKY, in_lines
from foxnas_core.table.metrics import Metric

_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, BROWN, SKY)


def judged_figure(table: pd.DataFrame, metric: Metric) -> go.Figure:
    """`evidence.judged.judged_table`: a row a choice, a point a network, a colour a seed; bars are
    two standard errors."""
    traces: list[Trace] = []
    for number, (seed, own) in enumerate(table.groupby("seed")):
        colour = _COLOURS[number % len(_COLOURS)]
        traces.append(
            markers(
                own[metric.column],
                own["chosen"],
                f"seed {seed}",
                marker={"color": colour, "size": 10},
                error_x={"array": 2 * own["std error"], "color": colour, "width": 0},
                customdata=own[["network"]].to_numpy(),
                hover="%{x:.4g}<br>%{customdata[0]}",
            )
        )
    rows = table["chosen"].nunique()
    return drawn(traces, height=140 + 46 * rows, x=in_lines(metric.label), y=dict(ROWS))
