"""The measured subnets as a whole: over each other, and each as a line through all that is known of
it, of which some can be picked out by what they have."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.points import MANY, add_subnets
from foxnas_core.figures.theme import (
    BLUE,
    CLOUD,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    WARM,
    faint,
    new_figure,
    wide,
)
from foxnas_core.space.architecture import Value
from foxnas_core.table.measurements import MeasurementTable
from foxnas_core.table.metrics import is_metric, metric_of

BLOCKS = "blocks"
_TICKS, _FEW = 5, 8
# Choices of a role that get an axis each.
_MOST_COUNTED = 12
# Ranges of values, any of which a subnet may fall into, by column.
Brush = Mapping[str, Sequence[tuple[float, float]]]


def subnet_table(table: MeasurementTable, cost: str, *also: str) -> pd.DataFrame:
    """One row a measured subnet: row (from 1), id, what all blocks share (such as the resolution),
    blocks, how many are on, the mean of each role over those that are (such as mean kernel), of
    choices that are words how often each was made (such as operation none), then the qualities (of
    one in several domains or precisions what it is in all, where that is known), `cost`, `also` and
    the costs that are the same on every device.

    What does not differ between subnets is left out, and so is a role of very many words.
    """
    space, codes = table.space, table.codes
    columns: dict[str, np.ndarray] = {}
    by_role: dict[str, list[np.ndarray]] = {}
    slots: dict[str, np.ndarray] = {}
    counts: dict[str, dict[Value, Any]] = {}
    for place, decision in enumerate(space.decisions):
        active = codes[:, place] >= 0
        if decision.slot:
            slots[decision.slot] = slots.get(decision.slot, np.zeros(len(codes), bool)) | active
        if any(isinstance(choice, str) for choice in decision.choices):
            own = counts.setdefault(decision.role, {})
            for code, choice in enumerate(decision.choices):
                own[choice] = own.get(choice, 0) + (codes[:, place] == code).astype(int)
            continue
        values = np.where(active, np.array(decision.choices)[codes[:, place]], np.nan)
        if decision.group in space.context:
            columns[decision.name] = values
        elif decision.slot:
            by_role.setdefault(decision.role, []).append(values)
    if slots:
        columns[BLOCKS] = np.sum(list(slots.values()), axis=0)
    for role, parts in by_role.items():
        known = np.isfinite(stacked := np.stack(parts))
        with np.errstate(invalid="ignore"):
            columns[f"mean {role}"] = np.nansum(stacked, axis=0) / known.sum(axis=0)
    for role, own in counts.items():
        if len(own) <= _MOST_COUNTED:
            columns |= {f"{role} {choice}": count for choice, count in own.items()}
    columns |= {name: table.values(name) for name in _measures(table, cost, *also)}
    shown = {n: v for n, v in columns.items() if n == cost or len(np.unique(v)) > 1}
    told = pd.DataFrame(shown).assign(id=table.frame["id"].to_numpy())
    told.insert(0, "row", np.arange(1, len(told) + 1))
    told.insert(1, "id", told.pop("id"))
    return told[told[cost].notna()].reset_index(drop=True)


def _measures(table: MeasurementTable, *asked: str) -> list[str]:
    targets = table.targets
    qualities = [target for target in targets if target.quality]
    whole = [target for target in qualities if target.column == target.head]
    fixed = [t for t in targets if not (t.quality or t.timed or t.is_extra)]
    named = [target.column for target in targets if target.column in asked]
    told = [target.column for target in whole or qualities]
    return list(dict.fromkeys([*told, *named, *(target.column for target in fixed)]))


def axes_of(table: pd.DataFrame) -> dict[str, str]:
    """The columns of `subnet_table` that get an axis, with the axis' title."""
    return {name: _title(name) for name in table.columns if name not in ("row", "id")}


def brushed(table: pd.DataFrame, brush: Brush) -> np.ndarray:
    """Which rows (rows,) lie in one of the ranges of every brushed column that there is."""
    kept = np.ones(len(table), dtype=bool)
    for name, ranges in brush.items():
        if name in table and ranges:
            values = table[name].to_numpy(dtype=float)
            kept &= np.any([(low <= values) & (values <= high) for low, high in ranges], axis=0)
    return kept


def brush_of(table: pd.DataFrame, boxes: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The ranges that boxes drawn in `parallel_figure` mean: on each axis that a box covers, those
    of its height. Boxes that cover none, or are none, are left out."""
    names = list(axes_of(table))
    found: dict[str, list[Any]] = {}
    for box in boxes:
        try:
            left, right = sorted(map(float, box["x"]))
            bottom, top = sorted(map(float, box["y"]))
        except (KeyError, TypeError, ValueError):
            continue
        for place, name in enumerate(names):
            if left <= place <= right:
                low, high = _span(table[name])
                ends = low + bottom * (high - low), low + top * (high - low)
                found.setdefault(name, []).append(ends)
    return found


def thirds(table: pd.DataFrame, by: str) -> dict[str, np.ndarray]:
    """Which rows (rows,) lie in each third of a column, the worst first, those without a value in
    none; one part of all where it is none of the table's."""
    if by not in table:
        return {"kept": np.ones(len(table), dtype=bool)}
    values = metric_of(by).sign * table[by].to_numpy(dtype=float)
    part = np.searchsorted(np.nanquantile(values, [1 / 3, 2 / 3]), values)
    part[np.isnan(values)] = -1
    word = metric_of(by).word
    names = (f"worst third in {word}", "middle third", "best third")
    return {name: part == place for place, name in enumerate(names)}


def parallel_figure(
    table: pd.DataFrame,
    kept: np.ndarray,
    *,
    brush: Brush,
    subnet: str | None = None,
    by: str = "",
) -> go.Figure:
    """Draws `subnet_table`: a line a subnet through an axis a column, those `kept` in the colour of
    their third of the column `by`, the brushed ranges as bars, and the line of `subnet` above
    all."""
    axes = axes_of(table)
    heights = np.column_stack([_height(table[name], table[name]) for name in axes])
    figure = new_figure()
    own = (table["id"] == subnet).to_numpy()
    # Few lines may be dark; of many each is faint, so that one sees where they run together.
    strength = float(np.clip(60 / max(1, kept.sum()), 0.012, 0.7))
    shown = {name: kept & part for name, part in thirds(table, by).items()}
    hues = dict(zip(shown, (WARM, PURPLE, BLUE)[-len(shown) :], strict=True))
    others = ~np.any([*shown.values()], axis=0)
    for name, chosen, colour, width in (
        ("others", others, faint(CLOUD, min(0.15, strength)), 1.0),
        *((name, part, faint(hues[name], strength), 1.0) for name, part in shown.items()),
        (str(subnet), own, ORANGE, 3.0),
    ):
        lines = heights[chosen]
        # One kind for all: what the graphics card draws would lie over the rest.
        add = figure.add_scattergl if heights.size > MANY else figure.add_scatter
        add(
            x=np.tile([*range(len(axes)), np.nan], len(lines)),
            y=np.column_stack([lines, np.full(len(lines), np.nan)]).ravel(),
            mode="lines", name=name, line={"color": colour, "width": width},
            hoverinfo="skip", showlegend=False,
        )  # fmt: skip
    for name, colour in hues.items() if len(hues) > 1 else ():
        # The lines themselves are too faint to tell what they mean.
        figure.add_scatter(
            x=[None], y=[None], mode="lines", name=name, line={"color": colour}, hoverinfo="skip"
        )
    for place, name in enumerate(axes):
        ticks = _ticks(table[name])
        figure.add_scatter(
            x=[place] * len(ticks), y=_height(table[name], ticks), mode="lines+markers+text",
            line={"color": GREY, "width": 1}, marker={"color": GREY, "size": 4},
            text=[_text(name, tick) for tick in ticks],
            textposition="middle right", textfont={"color": INK, "size": 11},
            hovertemplate=f"{axes[name]}: %{{text}}<extra></extra>", showlegend=False,
        )  # fmt: skip
        for ends in brush.get(name, ()):
            figure.add_scatter(
                x=[place, place], y=_height(table[name], np.array(ends)), mode="lines",
                line={"color": ORANGE, "width": 7}, hoverinfo="skip", showlegend=False,
            )  # fmt: skip
    legend = {"orientation": "h", "y": -0.02, "itemclick": False, "itemdoubleclick": False}
    figure.update_layout(height=440, dragmode="select", margin={"t": 60}, legend=legend)
    figure.update_xaxes(
        side="top", showgrid=False, zeroline=False, range=[-0.4, len(axes) - 0.4],
        tickvals=list(range(len(axes))),
        ticktext=[title.replace(" ", "<br>") for title in axes.values()],
    )  # fmt: skip
    figure.update_yaxes(visible=False, range=[-0.04, 1.04])
    return wide(figure)


def plane_figure(
    table: pd.DataFrame, x: str, y: str, kept: np.ndarray, budget: float | None = None
) -> go.Figure:
    """Two columns of `subnet_table` over each other, the kept subnets in colour, and a budget on
    the horizontal axis."""
    figure = new_figure()
    for name, chosen, marker in (
        ("others", ~kept, {"color": CLOUD, "size": 5, "opacity": 0.35}),
        ("kept", kept, {"color": BLUE, "size": 6, "opacity": 0.75}),
    ):
        own = table[chosen]
        add_subnets(
            figure, own["id"].tolist(), x=own[x], y=own[y], name=name, marker=marker,
            customdata=own["id"],
            hovertemplate=f"%{{customdata}}<br>{_title(x)}: %{{x:.4g}}<br>{_title(y)}: "
            f"%{{y:.4g}}<extra>{name}</extra>",
        )  # fmt: skip
    if budget is not None:
        figure.add_vline(x=budget, line={"color": INK, "width": 1, "dash": "dash"})
    figure.update_xaxes(title=_title(x))
    figure.update_yaxes(title=_title(y))
    figure.update_layout(height=380)
    return figure


def _title(name: str) -> str:
    if is_metric(name):
        return metric_of(name).named
    return f"{name} (px)" if name == "resolution" else name


def _ticks(values: pd.Series) -> np.ndarray:
    """The values themselves where they are few, else some between the ends."""
    own = np.unique(values.dropna())
    return own if 1 < len(own) <= _FEW else np.linspace(*_span(values), _TICKS)


def _text(name: str, value: float) -> str:
    return metric_of(name).text(value) if is_metric(name) else f"{value:.3g}"


def _span(values: pd.Series) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def _height(values: pd.Series, some: Any) -> np.ndarray:
    low, high = _span(values)
    return (np.asarray(some, dtype=float) - low) / (high - low)
