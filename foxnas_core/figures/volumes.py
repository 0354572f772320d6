"""Networks for volumes beside each other: uniform ones as lines to beat, cases paired, and slices
with masks."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.evidence.cases import PairedGain
from foxnas_core.figures.shapes import drawn, markers, panels, ruled
from foxnas_core.figures.theme import BELOW, BLUE, CLOUD, GREEN, ORANGE, PURPLE, RED, wide
from foxnas_core.table.metrics import Metric

_LINES = (BLUE, GREEN, PURPLE)
_ENDS = ("top right", "bottom right", "top left")  # lines may lie close to each other
_CLASSES = (RED, GREEN, ORANGE, PURPLE, BLUE)
TRUTH = "truth"


def uniform_figure(
    cloud: pd.DataFrame, uniform: pd.DataFrame, objective: Metric, cost: Metric | None
) -> go.Figure:
    """Measured networks, and a line at the objective of each uniform one that was measured.

    `cloud` has the columns of both metrics, `uniform` the network's name and the objective's."""
    against = cloud[cost.column] if cost else np.arange(1, len(cloud) + 1)
    points = markers(
        against, cloud[objective.column], marker={"color": CLOUD, "size": 6},
        hover=f"{objective.word} %{{y:.4g}}<br>%{{x:.4g}}",
    )  # fmt: skip
    figure = drawn(
        [points], height=420, x=cost.label if cost else "Measured subnet", y=objective.label
    )
    known = uniform.dropna(subset=objective.column)
    for place, own in enumerate(known.to_dict("records")):
        ruled(
            figure, y=own[objective.column], text=own["network"], at=_ENDS[place % 3],
            colour=_LINES[place % 3],
        )  # fmt: skip
    return figure


def paired_figure(table: pd.DataFrame, gain: PairedGain, objective: Metric) -> go.Figure:
    """`evidence.cases.paired_table`: a point a case, with the mean and its interval."""
    points = markers(
        np.arange(1, len(table) + 1), table["difference"],
        marker={"color": np.where(table["difference"] < 0, ORANGE, BLUE), "size": 7},
        customdata=table[["case", "one", "other"]].to_numpy(),
        hover="case %{customdata[0]}: %{customdata[1]:.4g} and %{customdata[2]:.4g}",
    )  # fmt: skip
    figure = drawn(
        [points], height=360, x="Cases, the greatest loss first",
        y=f"Difference of {objective.word} ({objective.difference_unit or 'per case'})",
    )  # fmt: skip
    ruled(figure, y=0, dash="dot")
    ruled(figure, y=gain.mean, text="mean", colour=BLUE, dash=None)
    if np.isfinite(gain.low):
        figure.add_hrect(y0=gain.low, y1=gain.high, fillcolor=BLUE, opacity=0.12, line_width=0)
    return figure


def slice_table(image: np.ndarray, masks: Mapping[str, np.ndarray], place: int) -> pd.DataFrame:
    """Slice `place` of a volume (D, H, W), one row a pixel: row, column, level, and the class that
    each of `masks` (D, H, W) gives it."""
    height, width = image.shape[1:]
    rows, columns = np.divmod(np.arange(height * width), width)
    told = {name: mask[place].ravel() for name, mask in masks.items()}
    return pd.DataFrame({"row": rows, "column": columns, "level": image[place].ravel(), **told})


def slice_figure(table: pd.DataFrame, classes: Sequence[str]) -> go.Figure:
    """`slice_table`: the slice once a mask, each with the outlines of its classes but the first,
    which is the background."""
    names = [name for name in table if name not in ("row", "column", "level")]
    figure = panels(len(names), subplot_titles=names, horizontal_spacing=0.03)
    side = table["column"].max() + 1
    image = table["level"].to_numpy().reshape(-1, side)
    for place, name in enumerate(names, 1):
        figure.add_heatmap(
            z=image, colorscale="gray", zmin=0, zmax=255, showscale=False, hoverinfo="skip",
            row=1, col=place,
        )  # fmt: skip
        mask = table[name].to_numpy().reshape(-1, side)
        for number, title in enumerate(classes[1:], 1):
            if not (mask == number).any():
                continue
            colour = _CLASSES[(number - 1) % len(_CLASSES)]
            figure.add_contour(
                z=(mask == number).astype(float), showscale=False, name=title, hoverinfo="name",
                contours={"start": 0.5, "end": 0.5, "size": 1, "coloring": "none"},
                line={"color": colour, "width": 2.5}, showlegend=place == 1, row=1, col=place,
            )  # fmt: skip
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False, autorange="reversed")
    return wide(figure.update_layout(height=360, margin={"t": 40}, legend=BELOW))
