"""One subnet from input to classifier: what each layer computes, takes and brings."""

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from foxnas_core.figures.layer_tables import (
    NO_LAYER,
    Piece,
    by_block,
    percent_text,
    pieces_of,
    run_as,
    shape_text,
    time_text,
)
from foxnas_core.figures.shapes import bars, drawn, line, markers
from foxnas_core.figures.theme import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PALE,
    PAPER,
    PURPLE,
    SKY,
    colour_of,
    difference_axis,
    new_figure,
    whiskers,
    wide,
)
from foxnas_core.profiling.result import SQUEEZE, Layer, LayerProfile
from foxnas_core.table.metrics import KNOWN, Metric, metric_of

_COLOURS = {
    "expand": BLUE, "depthwise": ORANGE, SQUEEZE: PURPLE, "project": SKY,
    "other weights": GREEN, "no weights": GREY, NO_LAYER: PALE,
}  # fmt: skip
_NAMED = {"profiler": "the profiler's time", "regression": "the regression's price"}
# A block narrower than this share of the picture has no room for its name.
_ROOM = 0.035


def views_figure(table: pd.DataFrame, *, as_shares: bool) -> go.Figure:
    """`views_table` or `times_table`: a bar with its interval for each block and view, in ms or,
    for views of two devices, in shares of each one's whole."""
    unit, title = ("share (%)", "Share of the whole (%)") if as_shares else ("ms", "ms")
    traces = []
    views = table["view"].unique()
    for view, colour in zip(views, itertools.cycle((BLUE, ORANGE, SKY, PURPLE)), strict=False):
        named = _NAMED.get(view, view)
        colour = GREY if view == "profiler" else colour
        own = table[table["view"] == view]
        scale = own["share (%)"] / own["ms"] if as_shares else 1.0
        words = [
            f"{row['block']}, {named}: {time_text(row['ms'])}"
            + ("" if np.isnan(row["low"]) else f" ({_ends_text(row['low'], row['high'])})")
            + f", {row['share (%)']:.3g} % of the whole"
            for row in own.to_dict("records")
        ]
        ends = whiskers(own["ms"] * scale, own["low"] * scale, own["high"] * scale, INK)
        traces.append(
            bars(own[unit], own["block"], colour, named, hover="%{customdata}", orientation="v",
                 error_y=ends, customdata=words)
        )  # fmt: skip
    category = {"type": "category", "showgrid": False}
    return drawn(traces, height=340, x=category, y=title, barmode="group", bargap=0.35)


def graph_figure(
    layers: Sequence[Layer],
    profile: LayerProfile | None = None,
    effects: Mapping[str, pd.DataFrame] | None = None,
    above: Metric | None = None,
) -> go.Figure:
    """The network from left to right: a strip whose boxes are as wide as the layers' time, and one
    of their MACs; without times one of MACs and one of parameters. Dark lines hold together what is
    computed in one. Above, the effect of each block on one target, where it is in `effects`."""
    groups = by_block(pieces_of(layers, profile))
    lanes = ["MACs", "parameters"] if profile is None else ["time", "MACs"]
    over = (effects or {}).get(above.column) if above else None
    heights = [1.0] if over is None else [0.42, 0.58]
    figure = make_subplots(
        rows=len(heights), cols=1, shared_xaxes=True, row_heights=heights, vertical_spacing=0.12,
        figure=new_figure(),
    )  # fmt: skip
    strip = len(heights)
    places = {lane: _places(groups, profile, lane) for lane in lanes}
    for lane, y in zip(lanes, (1.0, 0.0), strict=True):
        _add_strip(figure, groups, profile, effects or {}, places[lane], y, strip)
    _add_borders(figure, groups, [places[lane] for lane in lanes], strip)
    upper = places[lanes[0]]
    middles: dict[str, float] = {}
    for block, members in groups:
        start, end = upper[members[0].name, block][0], upper[members[-1].name, block][1]
        middle = (start + end) / 2
        middles |= {own: middle for member in members for own in member.blocks}
        if end - start > 100 * _ROOM:
            figure.add_annotation(
                x=middle, y=1.36, text=block, showarrow=False, yanchor="bottom",
                font={"size": 12, "color": INK}, row=strip, col=1,
            )  # fmt: skip
    if over is not None and above is not None:
        _add_effects(figure, middles, over, above)
    figure.update_xaxes(range=[0, 100], showgrid=False, zeroline=False)
    named = "time" if profile is not None else "MACs"
    figure.update_xaxes(
        title={"text": f"Share (%) of each row's sum; blocks above stand over their {named}"},
        row=strip, col=1,
    )  # fmt: skip
    titles = [lane[:1].upper() + lane[1:] for lane in lanes]
    figure.update_yaxes(
        range=[-0.5, 1.75], tickvals=[1, 0], ticktext=titles, showgrid=False, zeroline=False,
        row=strip, col=1,
    )  # fmt: skip
    figure.update_layout(
        height=380 if over is None else 560,
        barmode="overlay",
        margin={"t": 20},
        legend={"y": -0.28 if over is None else -0.16, "yanchor": "top"},
    )
    return wide(figure)


_Places = dict[tuple[str, str], tuple[float, float]]


def _places(
    groups: Sequence[tuple[str, list[Piece]]], profile: LayerProfile | None, lane: str
) -> _Places:
    """Where each piece begins and ends in a strip, as a share of the whole (%), by its name and its
    block; what is of no layer comes last."""
    widths: dict[tuple[str, str], float] = {}
    for block, members in groups:
        for member in members:
            if lane == "time":
                width = member.row.ms if member.row else 0.0
            else:
                width = member.macs if lane == "MACs" else member.parameters
            widths[member.name, block] = width
    if lane == "time" and profile is not None:
        widths[NO_LAYER, ""] = profile.elsewhere_ms
    total = sum(widths.values()) or 1.0
    ends = 100 * np.cumsum(list(widths.values())) / total
    starts = np.concatenate([[0.0], ends[:-1]])
    return {
        key: (float(start), float(end))
        for key, start, end in zip(widths, starts, ends, strict=True)
    }


def _add_strip(
    figure: go.Figure,
    groups: Sequence[tuple[str, list[Piece]]],
    profile: LayerProfile | None,
    effects: Mapping[str, pd.DataFrame],
    places: _Places,
    y: float,
    row: int,
) -> None:
    by_role: dict[str, list[tuple[float, float, str, bool]]] = {role: [] for role in _COLOURS}
    totals = {
        "MACs": sum(m.macs for _, members in groups for m in members),
        "parameters": sum(m.parameters for _, members in groups for m in members),
    }
    for block, members in groups:
        for member in members:
            start, end = places[member.name, block]
            words = piece_words(member, block, profile, totals, effects)
            by_role[_role(member)].append((start, end, words, len(member.layers) > 1))
    if (NO_LAYER, "") in places and profile is not None:
        start, end = places[NO_LAYER, ""]
        words = "Of no layer: changes of layout and of the image's numbers<br>" + (
            _share_words(profile.elsewhere_ms, profile)
        )
        by_role[NO_LAYER].append((start, end, words, False))
    shown = {str(trace.name) for trace in figure.data if trace.showlegend is not False}
    for role, boxes in by_role.items():
        if not boxes or all(start == end for start, end, _, _ in boxes):
            continue
        figure.add_bar(
            orientation="h", name=role, legendgroup=role, showlegend=role not in shown,
            base=[start for start, *_ in boxes], x=[end - start for start, end, *_ in boxes],
            y=[y] * len(boxes), width=0.62,
            marker={
                "color": _COLOURS[role],
                "line": {
                    "color": [INK if fused else PAPER for *_, fused in boxes],
                    "width": [2 if fused else 0.8 for *_, fused in boxes],
                },
            },
            customdata=[words for _, _, words, _ in boxes],
            hovertemplate="%{customdata}<extra></extra>",
            row=row, col=1,
        )  # fmt: skip


def _add_borders(
    figure: go.Figure,
    groups: Sequence[tuple[str, list[Piece]]],
    places: Sequence[_Places],
    row: int,
) -> None:
    """Lines from each block's end in the upper strip to its end in the lower one."""
    xs: list[float | None] = []
    ys: list[float | None] = []
    for block, members in groups:
        upper, lower = (place[members[-1].name, block][1] for place in places)
        xs += [upper, upper, lower, lower, None]
        ys += [1.38, 0.69, 0.31, -0.38, None]
    along, across = (np.array(ends, dtype=float) for ends in (xs, ys))
    figure.add_trace(line(along, across, colour=INK, width=1), row=row, col=1)


def _add_effects(
    figure: go.Figure, middles: Mapping[str, float], table: pd.DataFrame, target: Metric
) -> None:
    xs, rows = [], []
    for row in table.to_dict("records"):
        own = [middles[slot] for slot in row["slots"] if slot in middles]
        if own:
            xs.append(sum(own) / len(own))
            rows.append(row)
    value, low, high = ([row[end] for row in rows] for end in ("value", "low", "high"))
    points = markers(
        xs, value, marker={"color": colour_of(target.column), "size": 9},
        error_y=whiskers(value, low, high, GREY, thickness=2, width=5),
        customdata=[price_words(row, target) for row in rows], hover="%{customdata}",
    )  # fmt: skip
    figure.add_trace(points, row=1, col=1)
    figure.add_hline(y=0, line={"color": GREY, "width": 1}, row=1, col=1)
    figure.update_yaxes(title={"text": difference_axis(target)}, row=1, col=1)


def piece_words(
    piece: Piece,
    block: str,
    profile: LayerProfile | None,
    totals: Mapping[str, float],
    effects: Mapping[str, pd.DataFrame],
) -> str:
    """What is told of a box when one points at it."""
    first, last = piece.layers[0], piece.layers[-1]
    kinds = "; ".join(dict.fromkeys(layer.kind for layer in piece.layers))
    lines = [
        f"<b>{block} {piece.name}</b>",
        f"{kinds}: {shape_text(first.input_shape)} to {shape_text(last.output_shape)}",
        f"{KNOWN['macs'].text(piece.macs)} MACs ({percent_text(piece.macs, totals['MACs'])}), "
        f"{piece.parameters:,} parameters ({percent_text(piece.parameters, totals['parameters'])})",
    ]
    if piece.row is not None and profile is not None:
        lines.append(_share_words(piece.row.ms, profile))
        lines += textwrap.wrap(f"run as {run_as(piece.row)}", 60)
    if len(piece.layers) > 1:
        lines.append("computed in one, so this is the time of all of them")
    for column, table in effects.items():
        for row in table.to_dict("records"):
            if set(row["slots"]) & set(piece.blocks):
                lines.append(price_words(row, metric_of(column)))
    return "<br>".join(lines)


def price_words(row: Mapping[Any, Any], target: Metric) -> str:
    """A row of `block_prices` in words: "s2b2: +0.57 points (+0.46 to +0.68) against off"."""
    number, low, high = (target.text(row[end], signed=True) for end in ("value", "low", "high"))
    return (
        f"{row['block']}: {number} {target.difference_unit} ({low} to {high}) against "
        f"{row['against']}"
    )


def _share_words(ms: float, profile: LayerProfile) -> str:
    return f"{time_text(ms)}, {percent_text(ms, profile.latency_ms)} of the latency"


def _ends_text(low: float, high: float) -> str:
    return f"{time_text(low)} to {time_text(high)}"


def _role(piece: Piece) -> str:
    heaviest = max(piece.layers, key=lambda layer: layer.macs)
    if not heaviest.parameters:
        return "no weights"
    part = heaviest.part.rpartition(" ")[2]
    if part in _COLOURS:
        return part
    return "depthwise" if heaviest.kind.startswith("depthwise") else "other weights"
