"""What three ways select for domains that nobody has seen, whether the game they rest on was sane,
and the pictures that it made."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.figures.shapes import ROWS, Trace, drawn, line, markers
from foxnas_core.figures.theme import BLUE, BROWN, GREEN, GREY, ORANGE, PURPLE
from foxnas_core.search.selections import SupernetSelection
from foxnas_core.table.metrics import Metric
from foxnas_core.training.adversary.lamps import RULES, lamps_of

WAYS = {
    "made": "made images", "selection": "a held-out seen domain", "iid": "the domains trained on",
}  # fmt: skip
_REAL_MADE = ("real", "made")
_COLOURS = dict(zip(WAYS, (ORANGE, GREEN, BLUE), strict=True))
_LINES = dict(zip(RULES, (BLUE, ORANGE, GREEN, PURPLE, BROWN), strict=True))


def candidates_table(selection: SupernetSelection) -> pd.DataFrame:
    """One row a candidate: subnet, its score on things of the trained domains (`iid`), in the held-
    out one (`selection`) and on made images (`made`), where they were told, in each unseen domain
    and their mean (`unseen`), and by which of `WAYS` it is selected."""
    course = selection.course
    test, by = course["domains"]["test"], course["by"]
    rows = []
    for own in course["candidates"]:
        scores = own["scores"]
        rows.append(
            {
                "subnet": own["id"],
                **{way: scores[way] for way in reversed(WAYS) if way in scores},
                **{domain: scores[domain] for domain in test},
                "unseen": float(np.mean([scores[domain] for domain in test])),
                "selected by": ", ".join(WAYS[way] for way in WAYS if by.get(way) == own["id"]),
            }
        )
    return pd.DataFrame(rows)


def candidates_figure(table: pd.DataFrame, by: dict[str, str], metric: Metric) -> go.Figure:
    """`candidates_table` as points, those that are selected as rings; `by` is the subnet that each
    of `WAYS` selects."""
    label = metric.bare.label
    traces: list[Trace] = [
        markers(
            table["iid"], table["unseen"], "candidates", marker={"color": GREY, "size": 7},
            customdata=table[["subnet"]].to_numpy(),
            hover="%{customdata[0]}<br>seen %{x:.2f}<br>unseen %{y:.2f}",
        )
    ]  # fmt: skip
    # Rings of one subnet lie inside each other.
    for size, (way, subnet) in zip((13, 19, 25), by.items(), strict=False):
        own = table[table["subnet"] == subnet]
        traces.append(
            markers(
                own["iid"], own["unseen"], f"by {WAYS[way]}",
                marker={"color": _COLOURS[way], "size": size, "symbol": "circle-open",
                        "line": {"width": 3}},
                hover=f"{subnet}, by {WAYS[way]}<br>seen %{{x:.2f}}<br>unseen %{{y:.2f}}",
            )
        )  # fmt: skip
    return drawn(
        traces, height=440, x=f"{label}, trained domains", y=f"{label}, unseen domains",
    )  # fmt: skip


def lamps_table(epochs: Sequence[dict]) -> pd.DataFrame:
    """One row an evaluation and lamp: epoch, lamp, what it watches, value, the least that it must
    be, and whether it is on."""
    return pd.DataFrame(
        {
            "epoch": int(epoch["epoch"]), "lamp": lamp.name, "watches": lamp.rule.title,
            "value": lamp.value, "least": lamp.rule.least, "on": lamp.is_on,
        }
        for epoch in epochs
        for lamp in lamps_of(epoch)
    )  # fmt: skip


def lamps_figure(table: pd.DataFrame) -> go.Figure:
    """`lamps_table`, each value by the least that it must be: a lamp is on from 1 up."""
    traces = [
        line(own["epoch"], own["value"] / own["least"], name, colour=_LINES[name], width=2.5,
             mode="lines+markers", customdata=own[["value", "least"]].to_numpy(),
             hover=f"{name}: %{{customdata[0]:.2f}}, at least %{{customdata[1]}}")
        for name, own in ((name, table[table["lamp"] == name]) for name in RULES)
    ]  # fmt: skip
    ends = [int(table["epoch"].min()), int(table["epoch"].max())]
    traces.append(line(ends, [1, 1], "the least", dash="dash"))
    return drawn(
        traces, height=380, x={"title": "Epoch", "dtick": 1 if ends[1] < 15 else None},
        y={"title": "Value, by the least it must be", "rangemode": "tozero"},
    )  # fmt: skip


def pictures_table(selection: SupernetSelection) -> pd.DataFrame:
    """One row a picture: domain, number of its class, and how much of a pixel (0…1) was changed."""
    return pd.DataFrame(
        {
            "domain": own["domain"], "class": own["label"],
            "mean change": own["change"],
        }
        for own in selection.course["pictures"]
    )  # fmt: skip


def pictures_figure(selection: SupernetSelection) -> go.Figure:
    """The pictures of each domain, each above what was made of it and what other domains drew of
    the same thing."""
    by_domain: dict[str, list[dict[str, Any]]] = {}
    for own in selection.course["pictures"]:
        by_domain.setdefault(own["domain"], []).append(own)
    images: list[dict[str, Any]] = []
    ticks: list[str] = []
    for domain, pictures in by_domain.items():
        rows = {f"{domain}, {which}": [own[which] for own in pictures] for which in _REAL_MADE}
        for other in pictures[0].get("drawn", {}):
            rows[f"by {other}"] = [own["drawn"].get(other) for own in pictures]
        for tick, sources in rows.items():
            ticks.append(tick)
            images += [
                {"source": source, "xref": "x", "yref": "y", "x": column, "y": len(ticks) - 1,
                 "sizex": 0.94, "sizey": 0.94, "xanchor": "center", "yanchor": "middle"}
                for column, source in enumerate(sources) if source
            ]  # fmt: skip
    most = max(map(len, by_domain.values()))
    blank = {"showgrid": False, "zeroline": False}
    return drawn(
        [markers([0], [0], opacity=0)], height=60 + 72 * len(ticks), images=images,
        x={**blank, "range": [-0.5, most - 0.5], "showticklabels": False},
        y={**blank, "range": [len(ticks) - 0.5, -0.5], "tickvals": list(range(len(ticks))),
           "ticktext": ticks, "scaleanchor": "x", "constrain": "domain", "constraintoward": "top"},
    )  # fmt: skip


def counterfactuals_table(selection: SupernetSelection) -> pd.DataFrame:
    """One row a domain and another that drew the same things: pictures, cosine, by chance, gain
    with its standard error, and the share that came nearer; see `counterfactuals.Towards`."""
    return pd.DataFrame(
        {
            "domain": own["domain"], "drawn by": own["drawn by"], "pictures": own["pictures"],
            "cosine": own["cosine"]["value"], "by chance": own["chance"]["value"],
            "gain": own["gain"]["value"], "error": own["gain"]["std_error"],
            "nearer": own["nearer"],
        }
        for own in selection.course["counterfactuals"]
    )  # fmt: skip


def counterfactuals_figure(table: pd.DataFrame) -> go.Figure:
    """The gain of each row of `counterfactuals_table`, with two standard errors."""
    rows = table["domain"] + ", by " + table["drawn by"]
    points = markers(
        table["gain"], rows, "gain", marker={"color": ORANGE, "size": 10},
        error_x={"array": 2 * table["error"], "color": ORANGE, "width": 0},
        customdata=table[["cosine", "by chance"]].to_numpy(),
        hover="cosine %{customdata[0]:.3f}, by chance %{customdata[1]:.3f}",
    )  # fmt: skip
    return drawn(
        [points], height=120 + 40 * len(table), x="Cosine, less that by chance", y=dict(ROWS)
    )
