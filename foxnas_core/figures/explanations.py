"""Four lenses on the same blocks: their values, Shapley values of all subnets, agreement."""

import functools
from collections.abc import Mapping

import numpy as np
import pandas as pd
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from foxnas_core.explanation.agreement import Agreement
from foxnas_core.explanation.blocks import blocks_of
from foxnas_core.explanation.shapley import BlockShapley
from foxnas_core.figures.points import block_ids
from foxnas_core.figures.shapes import ROWS, bars, cells, drawn, markers
from foxnas_core.figures.theme import (
    BLUE,
    BROWN,
    DIVERGING,
    GREEN,
    GREY,
    GRID,
    HIGH,
    LOW,
    MIDDLE,
    ORANGE,
    PALE,
    PURPLE,
    SKY,
    difference_axis,
    new_figure,
    whiskers,
    wide,
)
from foxnas_core.regression.features import Form
from foxnas_core.table.metrics import Metric

LENSES: Mapping[str, tuple[str, str]] = {
    "coefficients": (BLUE, "circle"),
    "Shapley values": (ORANGE, "diamond"),
    "permutation": (GREEN, "square"),
    "partial dependence": (GREEN, "square"),
    "second opinion": (PURPLE, "triangle-up"),
}
PLACES = {
    "within one block": SKY,
    "within one stage": BLUE,
    "with the input": GREEN,
    "across stages": BROWN,
}
# On a logarithmic axis what is smaller than this share of the largest stands at the edge.
_LEAST_SHARE = 1e-3
_BINS = 90


def lens_table(lenses: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One row a block and lens: block, lens, value, low, high, rank; intervals missing where the
    lens has none.

    `lenses` are tables of block, value and perhaps low and high, over the same blocks. Blocks
    stand in the order of their mean rank by size.
    """
    parts = []
    for lens, own in lenses.items():
        part = own.reindex(columns=["block", "value", "low", "high"]).assign(lens=lens)
        parts.append(part.assign(rank=part["value"].abs().rank(ascending=False)))
    table = pd.concat(parts, ignore_index=True)
    order = table.groupby("block", sort=False)["rank"].mean().sort_values(kind="stable").index
    position = {block: number for number, block in enumerate(order)}
    table = table.sort_values("block", key=lambda c: c.map(position), kind="stable")
    return table[["block", "lens", "value", "low", "high", "rank"]].reset_index(drop=True)


def lens_figure(table: pd.DataFrame, target: Metric, *, signed: bool) -> go.Figure:
    """A row a block, a dot with its interval for each lens.

    `signed` values are contributions, drawn about 0; others are importances, on a logarithmic
    axis.
    """
    blocks = list(dict.fromkeys(table["block"]))
    lenses = list(dict.fromkeys(table["lens"]))
    floor = 0.0 if signed else float(table["value"].max()) * _LEAST_SHARE or 1e-9
    number = functools.partial(target.text, signed=signed)
    traces = []
    for place, lens in enumerate(lenses):
        own = table[table["lens"] == lens]
        colour, symbol = LENSES[lens]
        offset = (place - (len(lenses) - 1) / 2) * 0.17
        value, low, high = (own[c].to_numpy() for c in ("value", "low", "high"))
        texts = [
            f"{number(v)} {target.difference_unit}"
            + ("" if np.isnan(a) else f" ({number(a)} to {number(b)})")
            for v, a, b in zip(value, low, high, strict=True)
        ]
        if not signed:
            value, low, high = (np.maximum(part, floor) for part in (value, low, high))
        traces.append(
            markers(
                value, [blocks.index(block) + offset for block in own["block"]], lens,
                marker={"color": colour, "symbol": symbol, "size": 9},
                meta=block_ids(own["block"]), error_x=whiskers(value, low, high, colour),
                customdata=np.stack([own["block"], texts, own["rank"].map("{:g}".format)], axis=1),
                hover="%{customdata[0]}, " + lens + "<br>%{customdata[1]}, rank %{customdata[2]}",
            )
        )  # fmt: skip
    title = difference_axis(target) if signed else f"Importance{_unit(target)}, logarithmic"
    several = len(lenses) > 1
    return drawn(
        traces,
        height=(130 + 44 * len(blocks)) if several else (100 + 27 * len(blocks)),
        x={"title": title} | ({} if signed else _logarithmic(table, floor)),
        y=_block_axis(blocks),
        margin={"t": 40 if several else 10},
        showlegend=several,
        shapes=_bands(len(blocks)),
    )


def _unit(target: Metric) -> str:
    return f" ({target.difference_unit})" if target.difference_unit else ""


def _logarithmic(table: pd.DataFrame, floor: float) -> dict[str, object]:
    """A logarithmic axis with enough numbers: 1, 2 and 5 of each decade where those are few."""
    ends = table[["value", "low", "high"]].clip(lower=floor).to_numpy()
    few = np.nanmax(ends) < 100 * np.nanmin(ends)
    return {"type": "log", "dtick": "D2" if few else 1}


def swarm_table(
    shapley: BlockShapley, codes: np.ndarray, form: Form, role: str = ""
) -> pd.DataFrame:
    """One row a subnet and block: id, block, value, state, level, jitter.

    `codes` (subnets, decisions) belong to the rows of `shapley`. `state` says what the block's
    decision of `role` has chosen, or its first decision without one of that role; `level` runs
    from 0 for the first choice to 1 for the last, and is missing where the block is off. `jitter`
    (-0.5 to 0.5) spreads subnets of nearly equal value apart. The block with the largest mean
    absolute value comes first.
    """
    decisions = form.space.decisions
    order = shapley.importance().sort_values(ascending=False, kind="stable").index
    blocks = {block.name: block for block in blocks_of(form)}
    parts = []
    for name in order:
        own = [decisions[p] for p in blocks[name].decisions]
        decision = next((d for d in own if d.role == role), own[0])
        picked = codes[:, decisions.index(decision)]
        labels = np.array([f"{decision.role} {choice}" for choice in decision.choices] + ["off"])
        level = picked / max(len(decision.choices) - 1, 1)
        values = shapley.values[name].to_numpy()
        parts.append(
            pd.DataFrame(
                {
                    "id": shapley.values.index,
                    "block": name,
                    "value": values,
                    "state": labels[picked],
                    "level": np.where(picked < 0, np.nan, level),
                    "jitter": _jitter(values),
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def swarm_figure(table: pd.DataFrame, target: Metric, role: str = "") -> go.Figure:
    """A row a block, a dot a subnet; the colour runs from the first choice to the last."""
    blocks = list(dict.fromkeys(table["block"]))
    row = table["block"].map({block: number for number, block in enumerate(blocks)})
    off = table["level"].isna()
    texts = np.array(
        [
            f"{block}: {state}<br>{target.text(value, signed=True)} {target.difference_unit}"
            for block, state, value in zip(
                table["block"], table["state"], table["value"], strict=True
            )
        ]
    )
    scale = {
        "color": table["level"][~off], "colorscale": _SEQUENCE, "cmin": 0, "cmax": 1,
        "colorbar": {
            "title": {"text": role.capitalize() or "Choice", "side": "right"},
            "tickvals": [0, 1], "ticktext": ["first", "last"], "thickness": 10, "len": 0.6,
            "outlinewidth": 0,
        },
    }  # fmt: skip
    traces = [
        markers(
            table["value"][own], row[own] + 0.9 * table["jitter"][own], type="scattergl",
            name=name, showlegend=False, marker={"size": 4, "opacity": 0.8} | marker,
            meta=table["id"][own].tolist(), text=texts[own], hover="%{text}",
        )
        for own, name, marker in ((off, "off", {"color": GREY}), (~off, role or "choice", scale))
    ]  # fmt: skip
    figure = drawn(
        traces, height=80 + 56 * len(blocks),
        x={"title": difference_axis(target), "zeroline": True}, y=_block_axis(blocks),
        margin={"t": 10}, shapes=_bands(len(blocks)),
    )  # fmt: skip
    return wide(figure)


# From light to dark, readable on white at both ends.
_SEQUENCE = [[0.0, LOW], [0.5, MIDDLE], [1.0, HIGH]]


def dependence_figure(table: pd.DataFrame, target: Metric) -> go.Figure:
    """Mean predictions with their intervals, a point a choice; one panel a stage.

    `table` is one of `partial_dependences`. Groups of one decision share the first panel, which
    has a vertical axis of its own.
    """
    several = table.groupby("group")["decision"].nunique()
    panel_of = table["group"].map(lambda group: group if several[group] > 1 else "")
    panels = list(dict.fromkeys(panel_of))
    figure = make_subplots(
        rows=len(panels), cols=1, vertical_spacing=0.26 / len(panels), figure=new_figure()
    )
    for number, panel in enumerate(panels, start=1):
        own = table[panel_of == panel]
        for decision, part in own.groupby("decision", sort=False):
            texts = [
                f"{target.text(v)} {target.unit} ({target.text(a)} to {target.text(b)}), "
                f"{n} subnets"
                for v, a, b, n in zip(
                    part["value"], part["low"], part["high"], part["rows"], strict=True
                )
            ]
            figure.add_scatter(
                x=[[_named(decision)] * len(part), part["choice"].astype(str).tolist()],
                y=part["value"],
                mode="lines+markers",
                line={"color": GREY, "width": 1},
                marker={"color": BLUE, "size": 7},
                error_y=whiskers(part["value"], part["low"], part["high"], BLUE),
                customdata=texts,
                hovertemplate="%{x}<br>%{customdata}<extra></extra>",
                showlegend=False,
                row=number,
                col=1,
            )
        # Stages are read against each other; the input would flatten them all.
        first = 1 + (panels[0] == "" and len(panels) > 1)
        matched = {"matches": f"y{first}" if first > 1 else "y"} if number > first else {}
        figure.update_yaxes(title={"text": target.named}, row=number, col=1, **matched)
    figure.update_xaxes(showgrid=False, dividercolor=GRID, tickangle=0)
    figure.update_layout(height=60 + 215 * len(panels))
    return wide(figure)


def _named(decision: object) -> str:
    """A decision's name on two lines, as there is little room below a panel."""
    return str(decision).replace("_", "<br>")


def agreement_figure(agreement: Agreement) -> go.Figure:
    """Kendall's tau of each pair of lenses; Spearman's rho when one points at it."""
    tau, rho = agreement.matrix("kendall"), agreement.matrix("spearman")
    names = [name.replace(" ", "<br>") for name in tau.columns]
    below = np.tril(np.ones(tau.shape, dtype=bool))
    text = [
        ["" if np.isnan(v) or not keep else f"{v:.2f}" for v, keep in zip(*row, strict=True)]
        for row in zip(tau.to_numpy(), below, strict=True)
    ]
    heat = cells(
        np.where(below, tau, np.nan), names, names, text, scale=DIVERGING, least=-1, most=1,
        customdata=rho.to_numpy(),
        hover="%{y} and %{x}<br>Kendall's tau %{z:.3f}<br>Spearman's rho %{customdata:.3f}",
    )  # fmt: skip
    return drawn(
        [heat], height=120 + 62 * len(names), x={"type": "category", "showgrid": False}, y=ROWS
    )


def interaction_table(interactions: pd.DataFrame) -> pd.DataFrame:
    """One row a pair, of a table of `SecondOpinion.interactions`: pair, where, strength, and
    whether a sum over stages could hold it."""
    pair = interactions["first"] + " × " + interactions["second"]
    found = interactions.assign(pair=pair)[["pair", "where", "strength", "additive"]]
    return found.rename(columns={"additive": "in a sum over stages"})


def interaction_figure(table: pd.DataFrame, target: Metric) -> go.Figure:
    """A bar a pair of `interaction_table`, coloured by where it is."""
    traces = []
    for where, colour in PLACES.items():
        own = table[table["where"] == where]
        words = [f"{target.text(v)} {target.difference_unit}" for v in own["strength"]]
        if len(own):
            traces.append(
                bars(own["pair"], own["strength"], colour, where, hover="%{y}: %{customdata}",
                     customdata=words)
            )  # fmt: skip
    return drawn(
        traces,
        height=130 + 28 * len(table),
        x=f"Mean absolute contribution{_unit(target)}",
        y={
            "categoryorder": "array", "categoryarray": list(table["pair"])[::-1],
            "type": "category", "showgrid": False,
        },
        showlegend=True,
    )  # fmt: skip


def _jitter(values: np.ndarray) -> np.ndarray:
    """Offsets (n,) that fan out what falls into one of `_BINS` bins, the fuller the wider."""
    low, width = values.min(), np.ptp(values) or 1.0
    bins = np.minimum(((values - low) / width * _BINS).astype(int), _BINS - 1)
    order = np.argsort(bins, kind="stable")
    starts = np.searchsorted(bins[order], np.arange(_BINS))
    place = np.empty(len(values), dtype=int)
    place[order] = np.arange(len(values)) - starts[bins[order]]
    # Alternately to both sides: 0, 1, -1, 2, -2, …
    steps = (place + 1) // 2 * np.where(place % 2, 1, -1)
    fullest = np.bincount(bins).max()
    return steps / max(fullest, 12)


def _block_axis(blocks: list[str]) -> dict[str, object]:
    return {
        "tickvals": list(range(len(blocks))),
        "ticktext": blocks,
        "range": [len(blocks) - 0.5, -0.5],
        "showgrid": False,
        "zeroline": False,
    }


def _bands(rows: int) -> list[dict[str, object]]:
    """A pale band behind every second row."""
    return [
        {
            "type": "rect", "layer": "below", "line": {"width": 0}, "fillcolor": PALE,
            "xref": "x domain", "x0": 0, "x1": 1, "yref": "y", "y0": row - 0.5, "y1": row + 0.5,
        }
        for row in range(1, rows, 2)
    ]  # fmt: skip
