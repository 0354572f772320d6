"""One subnet from input to classifier: what each layer computes, takes and brings."""

import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from plotly import graph_objects as go
from plotly.subplots import make_subplots

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
from foxnas_core.profiling.result import SQUEEZE, Layer, LayerProfile, ProfileRow
from foxnas_core.table.metrics import KNOWN, Metric, metric_of

REST = "the rest"
BLOCK, LAYER, NO_LAYER, PROFILER = "block", "layer", "of no layer", "the profiler's work"
TIME = "time (ms)"
_TIMES = (TIME, "low (ms)", "high (ms)")
_COLOURS = {
    "expand": BLUE, "depthwise": ORANGE, SQUEEZE: PURPLE, "project": SKY,
    "other weights": GREEN, "no weights": GREY, NO_LAYER: PALE,
}  # fmt: skip
# A block narrower than this share of the picture has no room for its name.
_ROOM = 0.035


class Piece(NamedTuple):
    """Layers that have one time, in order of computation, and what runs them."""

    layers: tuple[Layer, ...]
    row: ProfileRow | None

    @property
    def blocks(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(layer.block for layer in self.layers))

    @property
    def name(self) -> str:
        """The parts, or the whole names where they lie in several blocks."""
        several = len(self.blocks) > 1
        return " + ".join(layer.name if several else layer.part for layer in self.layers)

    @property
    def macs(self) -> float:
        return sum(layer.macs for layer in self.layers)

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)


def pieces_of(layers: Sequence[Layer], profile: LayerProfile | None) -> list[Piece]:
    """The layers, those together that have one time."""
    if profile is None:
        return [Piece((layer,), None) for layer in layers]
    by_name = {layer.name: layer for layer in layers}
    return [Piece(tuple(by_name[n] for n in row.layers), row) for row in profile.rows if row.layers]


def by_block(pieces: Sequence[Piece]) -> list[tuple[str, list[Piece]]]:
    """Pieces by block, in order; blocks that a piece runs together are one."""
    found: list[tuple[set[str], list[Piece]]] = []
    for piece in pieces:
        own = set(piece.blocks)
        joined = [entry for entry in found if entry[0] & own]
        for entry in joined[1:]:
            joined[0][0].update(entry[0])
            joined[0][1].extend(entry[1])
            found.remove(entry)
        if joined:
            joined[0][0].update(own)
            joined[0][1].append(piece)
        else:
            found.append((own, [piece]))
    named = []
    for _, members in found:
        names = dict.fromkeys(block for piece in members for block in piece.blocks)
        named.append((" + ".join(names), members))
    return named


def graph_table(
    layers: Sequence[Layer],
    profile: LayerProfile | None = None,
    effects: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """A row a block, with what a regression says of it, and below it a row for each of its layers.

    Rows of layers, of operators of no layer and of the profiler's own work add up to what the
    profiler told. `effects` are tables of `block_prices` by the target's column: the effect of a
    block that several slots make stands beside each of them, `… of` names it.
    """
    effects = effects or {}
    rows: list[dict[str, object]] = []
    for block, members in by_block(pieces_of(layers, profile)):
        whole = {
            "row": BLOCK, "block": block, "layer": "", "kind": "",
            "input": shape_text(members[0].layers[0].input_shape),
            "output": shape_text(members[-1].layers[-1].output_shape),
            "parameters": sum(m.parameters for m in members),
            "MACs": sum(m.macs for m in members),
        }  # fmt: skip
        rows.append(whole | _block_times(members) | _effects_of(members, effects))
        rows += [
            {
                "row": LAYER, "block": block, "layer": member.name,
                "kind": "; ".join(dict.fromkeys(layer.kind for layer in member.layers)),
                "input": shape_text(member.layers[0].input_shape),
                "output": shape_text(member.layers[-1].output_shape),
                "parameters": member.parameters, "MACs": member.macs,
            } | _row_times(member.row)
            for member in members
        ]  # fmt: skip
    if profile is not None:
        rows += [{"row": NO_LAYER} | _row_times(row) for row in profile.rows if not row.layers]
        rows.append({"row": PROFILER, TIME: profile.profiler_ms})
    texts = ["row", "block", "layer", "kind", "input", "output"]
    names = [*texts, "parameters", "MACs", *_TIMES, "run as"]
    names += [name for column in effects for name in _effect_columns(column)]
    table = pd.DataFrame(rows).reindex(columns=names)
    for name in names:
        if name in (*texts, "run as") or name.endswith((" of", " against")):
            table[name] = table[name].astype(object).where(table[name].notna(), "")
        else:
            table[name] = table[name].astype("Int64" if name in ("parameters", "MACs") else float)
    return table


def _row_times(row: ProfileRow | None) -> dict[str, object]:
    if row is None or not row.operators:
        return {}
    low, high = min(row.ms, *row.rounds_ms), max(row.ms, *row.rounds_ms)
    return {**dict(zip(_TIMES, (row.ms, low, high), strict=True)), "run as": _run_as(row)}


def _run_as(row: ProfileRow) -> str:
    counts = Counter(row.operators)
    return ", ".join(kind if n == 1 else f"{n} {kind}" for kind, n in counts.items())


def _block_times(members: Sequence[Piece]) -> dict[str, float]:
    rows = [member.row for member in members if member.row is not None]
    if not rows:
        return {}
    rounds = np.sum([row.rounds_ms for row in rows], axis=0)
    ms = sum(row.ms for row in rows)
    ends = min(ms, float(rounds.min())), max(ms, float(rounds.max()))
    return dict(zip(_TIMES, (ms, *ends), strict=True))


def _effect_columns(column: str) -> list[str]:
    return [f"{column} effect", *(f"{column} {end}" for end in ("low", "high", "of", "against"))]


def _effects_of(members: Sequence[Piece], effects: Mapping[str, pd.DataFrame]) -> dict[str, object]:
    """The cells of one block; empty where it is made of several that a regression tells apart."""
    blocks = {block for member in members for block in member.blocks}
    found: dict[str, object] = {}
    for column, table in effects.items():
        own = [row for row in table.to_dict("records") if blocks & set(row["slots"])]
        if len(own) == 1:
            cells = [own[0][name] for name in ("value", "low", "high", "block", "against")]
            found |= dict(zip(_effect_columns(column), cells, strict=True))
    return found


def account_table(profile: LayerProfile) -> pd.DataFrame:
    """What the latency without the profiler is made of, and what the profiler adds: part, time
    (ms), share of the latency (%), in words."""
    parts = [
        ("layers", profile.layers_ms, "operators of layers, less the profiler's own work"),
        (NO_LAYER, profile.elsewhere_ms, "changes of layout and of the image's numbers"),
        (
            "not attributed", profile.unattributed_ms,
            "the way from one operator to the next"
            if profile.unattributed_ms >= 0
            else "what the profiler adds beyond its known work",
        ),
        ("latency", profile.latency_ms, "the whole, measured without the profiler"),
        (PROFILER, profile.profiler_ms, "in each operator's time"),
        ("sum of all operators", profile.profiled_ms, "as the profiler told"),
    ]  # fmt: skip
    table = pd.DataFrame(parts, columns=["part", TIME, "in words"])
    table.insert(2, "share of the latency (%)", 100 * table[TIME] / profile.latency_ms)
    return table


def views_table(
    layers: Sequence[Layer], profile: LayerProfile, prices: pd.DataFrame
) -> pd.DataFrame:
    """Two views of what each block takes that a subnet can be without: block, view ("profiler",
    "regression"), ms, low, high, share (%); last what every subnet has.

    `prices` are the `block_prices` of a latency; shares are of each view's whole.
    """
    blocks = {name: _block_times(own) for name, own in by_block(pieces_of(layers, profile))}
    predicted = float(prices.loc[prices["whole"], "value"].sum() + prices["value"].iloc[-1])
    rest = {"profiler": profile.latency_ms, "regression": predicted}
    bounds = [float(prices[end].iloc[-1]) for end in ("low", "high")]
    rows: list[tuple[object, ...]] = []
    for price in prices[prices["whole"]].to_dict("records"):
        own = [blocks[slot] for slot in price["slots"] if blocks.get(slot)]
        if len(own) < len(price["slots"]):
            bounds = [np.nan, np.nan]  # it runs together with other blocks, so it is of the rest
            continue
        ms, low, high = (sum(times[name] for times in own) for name in _TIMES)
        rows.append((price["block"], "profiler", ms, low, high, 100 * ms / profile.latency_ms))
        share = 100 * price["value"] / predicted
        rows.append(
            (price["block"], "regression", price["value"], price["low"], price["high"], share)
        )
        rest["profiler"] -= ms
        rest["regression"] -= price["value"]
    for view, total in (("profiler", profile.latency_ms), ("regression", predicted)):
        ends = bounds if view == "regression" else [np.nan, np.nan]
        rows.append((REST, view, rest[view], *ends, 100 * rest[view] / total))
    return pd.DataFrame(rows, columns=["block", "view", "ms", "low", "high", "share (%)"])


def views_figure(table: pd.DataFrame, *, as_shares: bool) -> go.Figure:
    """`views_table`: a bar and a point with its interval for each block, in ms or, for views of two
    devices, in shares of each one's whole."""
    figure = new_figure()
    unit = "share (%)" if as_shares else "ms"
    title = "Share of the whole (%)" if as_shares else "ms"
    for view, colour in (("profiler", GREY), ("regression", BLUE)):
        own = table[table["view"] == view]
        scale = own["share (%)"] / own["ms"] if as_shares else pd.Series(1.0, own.index)
        ends = whiskers(own["ms"] * scale, own["low"] * scale, own["high"] * scale, INK)
        named = {"profiler": "the profiler's time", "regression": "the regression's price"}[view]
        words = [
            f"{row['block']}, {named}: {time_text(row['ms'])}"
            + ("" if np.isnan(row["low"]) else f" [{_ends_text(row['low'], row['high'])}]")
            + f", {row['share (%)']:.3g} % of the whole"
            for row in own.to_dict("records")
        ]
        figure.add_bar(
            x=own["block"], y=own[unit], name=named, marker={"color": colour}, error_y=ends,
            customdata=words, hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        height=340,
        barmode="group",
        bargap=0.35,
        xaxis={"type": "category", "showgrid": False},
        yaxis={"title": {"text": title}},
    )
    return figure


def graph_figure(
    layers: Sequence[Layer],
    profile: LayerProfile | None = None,
    effects: Mapping[str, pd.DataFrame] | None = None,
) -> go.Figure:
    """The network from left to right: a strip whose boxes are as wide as the layers' time, and one
    of their MACs; without times one of MACs and one of parameters. Dark lines hold together what is
    computed in one. Above, the effect of each block on the accuracy in `effects`."""
    groups = by_block(pieces_of(layers, profile))
    lanes = ["MACs", "parameters"] if profile is None else ["time", "MACs"]
    accuracy = (effects or {}).get("accuracy")
    heights = [1.0] if accuracy is None else [0.42, 0.58]
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
    if accuracy is not None:
        _add_effects(figure, middles, accuracy, KNOWN["accuracy"])
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
        height=380 if accuracy is None else 560,
        barmode="overlay",
        margin={"t": 20},
        legend={"y": -0.28 if accuracy is None else -0.16, "yanchor": "top"},
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
    figure.add_scatter(
        x=xs, y=ys, mode="lines", line={"color": INK, "width": 1}, hoverinfo="skip",
        showlegend=False, row=row, col=1,
    )  # fmt: skip


def _add_effects(
    figure: go.Figure, middles: Mapping[str, float], table: pd.DataFrame, target: Metric
) -> None:
    xs, rows = [], []
    for row in table.to_dict("records"):
        own = [middles[slot] for slot in row["slots"] if slot in middles]
        if own:
            xs.append(sum(own) / len(own))
            rows.append(row)
    figure.add_scatter(
        x=xs,
        y=[row["value"] for row in rows],
        mode="markers",
        marker={"color": colour_of(target.column), "size": 9},
        error_y=whiskers(
            [row["value"] for row in rows],
            [row["low"] for row in rows],
            [row["high"] for row in rows],
            GREY,
            thickness=2,
            width=5,
        ),
        customdata=[price_words(row, target) for row in rows],
        hovertemplate="%{customdata}<extra></extra>",
        showlegend=False,
        row=1,
        col=1,
    )
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
        f"{KNOWN['macs'].text(piece.macs)} MACs ({_percent(piece.macs, totals['MACs'])}), "
        f"{piece.parameters:,} parameters ({_percent(piece.parameters, totals['parameters'])})",
    ]
    if piece.row is not None and profile is not None:
        lines.append(_share_words(piece.row.ms, profile))
        lines += textwrap.wrap(f"run as {_run_as(piece.row)}", 60)
    if len(piece.layers) > 1:
        lines.append("computed in one, so this is the time of all of them")
    for column, table in effects.items():
        for row in table.to_dict("records"):
            if set(row["slots"]) & set(piece.blocks):
                lines.append(price_words(row, metric_of(column)))
    return "<br>".join(lines)


def price_words(row: Mapping[Any, Any], target: Metric) -> str:
    """A row of `block_prices` in words: "s2b2: +0.57 points [+0.46, +0.68] against off"."""
    number, low, high = (target.text(row[end], signed=True) for end in ("value", "low", "high"))
    return (
        f"{row['block']}: {number} {target.difference_unit} [{low}, {high}] against "
        f"{row['against']}"
    )


def time_text(ms: float) -> str:
    """A time as it is read: in µs below a tenth of a millisecond."""
    number, unit = (1000 * ms, "µs") if abs(ms) < 0.1 else (ms, "ms")
    return f"{KNOWN['latency_ms'].text(number)} {unit}"


def shape_text(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def _share_words(ms: float, profile: LayerProfile) -> str:
    return f"{time_text(ms)}, {_percent(ms, profile.latency_ms)} of the latency"


def _ends_text(low: float, high: float) -> str:
    return f"{time_text(low)}, {time_text(high)}"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.2g} %" if whole else "0 %"


def _role(piece: Piece) -> str:
    heaviest = max(piece.layers, key=lambda layer: layer.macs)
    if not heaviest.parameters:
        return "no weights"
    part = heaviest.part.rpartition(" ")[2]
    if part in _COLOURS:
        return part
    return "depthwise" if heaviest.kind.startswith("depthwise") else "other weights"
