"""What adds up to a difference: edits or blocks, as a waterfall."""

import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.theme import GREY, ORANGE, SKY, styled
from foxnas_core.target import Target


def waterfall_figure(
    table: pd.DataFrame, target: Target, *, start: float, first: str, last: str
) -> go.Figure:
    """From `start` over each row's `effect` (labelled by `what`) to the sum.

    `first` and `last` name the two ends.
    """
    unit = f" {target.unit}".rstrip()
    total = start + float(table["effect"].sum())
    labels = [first, *table["what"], last]
    figure = go.Figure(
        go.Waterfall(
            orientation="h",
            measure=["absolute", *["relative"] * len(table), "total"],
            y=labels,
            x=[start, *table["effect"], total],
            text=[
                f"{start:.4g}{unit}",
                *(f"{e:+.3g}" for e in table["effect"]),
                f"{total:.4g}{unit}",
            ],
            textposition="outside",
            connector={"line": {"color": GREY, "width": 1}},
            increasing={"marker": {"color": SKY}},
            decreasing={"marker": {"color": ORANGE}},
            totals={"marker": {"color": GREY}},
            hovertemplate="%{y}: %{text}<extra></extra>",
        )
    )
    # Bars start near the values, since the differences are small beside them.
    running = [start, *(start + table["effect"].cumsum()), total]
    margin = max(0.25 * (max(running) - min(running)), 1e-3 * abs(start), 1e-9)
    figure.update_xaxes(
        range=[min(running) - margin, max(running) + margin],
        title=f"{target.label} ({target.unit})" if target.unit else target.label,
    )
    figure.update_yaxes(autorange="reversed", type="category")
    return styled(figure, height=130 + 30 * len(labels), showlegend=False)
