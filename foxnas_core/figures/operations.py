"""What operations of edges are worth: maps, how far they agree, decisions one by one, and what
mixtures came to prefer."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.evidence.operations import NONE, SKIP, WAYS, kept_options
from foxnas_core.evidence.trust.agreement import RankAgreement
from foxnas_core.families import family_of
from foxnas_core.figures.cell_graph import bends, edge_title, edge_titles
from foxnas_core.figures.shapes import ROWS, cells, drawn, line, markers, panels, ruled
from foxnas_core.figures.theme import (
    BELOW,
    BLUE,
    DIVERGING,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RED,
    SEQUENTIAL,
    SKY,
    whiskers,
    wide,
)
from foxnas_core.search.selections import EdgeDecision, SupernetSelection
from foxnas_core.space.mixture import Mixture
from foxnas_core.space.search_space import SearchSpace

WHOLE = "the whole edge"
_HUES = (BLUE, GREEN, PURPLE, SKY, GREY, INK)


# Maps


def map_table(space: SearchSpace, worth: pd.DataFrame, way: str) -> pd.DataFrame:
    """One row an operation of an edge, or a whole edge that a node may do without: edge (its
    title), operation, value and std error (of a way of `evidence.operations`; NaN where there is
    none), within noise, kept, by chance. Weights are in percent."""
    titles = edge_titles(space)
    whole = ~worth["of_edge"]
    edge = worth["decision"].where(~whole, worth["option"])
    errors = worth.get(f"{way}_error", np.nan)
    scale = 100 if way == "weight" else 1
    table = pd.DataFrame(
        {
            "edge": edge.map(lambda name: titles.get(name, name)),
            "operation": worth["option"].where(~whole, WHOLE),
            "value": scale * worth[way], "std error": errors,
            "within noise": ~(worth[way].abs() > 2 * errors) if way != "weight" else False,
            "kept": worth["kept"], "by chance": worth["chance"],
        }
    )  # fmt: skip
    order = {name: place for place, name in enumerate(titles.values())}
    place = table["edge"].map(lambda name: order.get(name, len(order)))
    return table.assign(place=place).sort_values("place", kind="stable", ignore_index=True).drop(
        columns="place"
    )  # fmt: skip


def map_figure(table: pd.DataFrame, way: str) -> go.Figure:
    """`map_table`: what is within noise is hollow, what was kept is outlined, and edges that chance
    decided are marked."""
    edges = list(dict.fromkeys(table["edge"]))
    operations = list(dict.fromkeys(table["operation"]))
    chance = set(table.loc[table["by chance"] & (table["operation"] != WHOLE), "edge"])
    names = [f"{edge} · by chance" if edge in chance else edge for edge in edges]
    grid = table.pivot(index="edge", columns="operation", values="value")
    grid = grid.reindex(index=edges, columns=operations)
    hollow = table.pivot(index="edge", columns="operation", values="within noise")
    hollow = hollow.reindex(index=edges, columns=operations).astype("boolean").fillna(True)
    signed = way != "weight"
    most = float(np.nanmax(np.abs(grid.to_numpy()))) or 1.0
    texts = table.apply(lambda row: _number(row["value"], row["std error"], signed), axis=1)
    spots = [
        (operations.index(o), edges.index(e))
        for o, e in zip(table["operation"], table["edge"], strict=True)
    ]
    words = markers(
        [x for x, _ in spots], [y for _, y in spots], mode="text",
        text=[f"<b>{t}</b>" if kept else t for t, kept in zip(texts, table["kept"], strict=True)],
        textfont={"color": INK, "size": 12},
    )  # fmt: skip
    ground = cells(
        grid.mask(hollow.to_numpy(dtype=bool)).to_numpy(), list(range(len(operations))),
        list(range(len(edges))), None, scale=DIVERGING if signed else SEQUENTIAL,
        least=-most if signed else 0, most=most, hover="", texttemplate="",
    )  # fmt: skip
    figure = drawn(
        [ground, words],
        height=110 + 38 * len(edges),
        x={"tickvals": list(range(len(operations))), "side": "top", "tickangle": 0,
           "ticktext": ["<br>".join(own.rsplit("_", 1)) for own in operations],
           "showgrid": False, "zeroline": False, "range": [-0.5, len(operations) - 0.5]},
        y={"tickvals": list(range(len(edges))), "ticktext": names, "showgrid": False,
           "zeroline": False, "range": [len(edges) - 0.5, -0.5]},
        shapes=[_outline(x, y, kept) for (x, y), kept in zip(spots, table["kept"], strict=True)],
        margin={"l": 10, "r": 10, "t": 60, "b": 10},
    )  # fmt: skip
    return wide(figure)


def _number(value: float, error: float, signed: bool) -> str:
    if not np.isfinite(value):
        return ""
    told = f"{value:{'+' if signed else ''}.1f}"
    return f"{told} ± {error:.1f}" if np.isfinite(error) and error > 0 else told


def _outline(x: int, y: int, kept: bool) -> dict[str, object]:
    line_ = {"color": INK if kept else GREY, "width": 2.5 if kept else 0.5}
    return {
        "type": "rect", "x0": x - 0.48, "x1": x + 0.48, "y0": y - 0.46, "y1": y + 0.46,
        "line": line_, "layer": "above",
    }  # fmt: skip


# Agreement


def agreement_table(found: Sequence[RankAgreement]) -> pd.DataFrame:
    """One row a pair of ways: first, second, operations, tau, low, high and the share of pairs of
    one edge in the same order (percent)."""
    return pd.DataFrame(
        [
            {
                "first": WAYS[own.inherited], "second": WAYS[own.trained],
                "operations": own.subnets, "tau": own.tau, "low": own.low, "high": own.high,
                "same order (%)": 100 * own.same_order,
            }
            for own in found
        ]
    )  # fmt: skip


def agreement_figure(table: pd.DataFrame) -> go.Figure:
    """`agreement_table`: τ of each pair of ways, with its interval."""
    known = table.dropna(subset="tau")
    names = [
        f"{a}<br>and {b[:1].lower()}{b[1:]}"
        for a, b in zip(known["first"], known["second"], strict=True)
    ]
    points = markers(
        known["tau"], names, marker={"color": BLUE, "size": 10},
        error_x=whiskers(known["tau"], known["low"], known["high"], BLUE, thickness=2, width=0),
        customdata=known[["low", "high", "same order (%)"]].to_numpy(),
        hover="τ %{x:.2f} [%{customdata[0]:.2f}, %{customdata[1]:.2f}]<br>%{customdata[2]:.0f} % "
        "of the pairs in the same order",
    )  # fmt: skip
    figure = drawn(
        [points], height=120 + 58 * len(known),
        x={"title": "Kendall's τ within edges", "range": [-1.05, 1.05]}, y=ROWS,
    )  # fmt: skip
    return wide(ruled(figure, x=0, dash="dot"))


# Decisions one by one


def replay_table(
    space: SearchSpace, mixture: Mixture, selection: SupernetSelection, step: int
) -> pd.DataFrame:
    """As `cell_graph.graph_table`, of the cells after the first `step` decisions: edges that were
    not decided yet mix so many operations and are not live; those of the last decision are `now`.
    Edges that a node did without are gone."""
    made = {decision.edge: decision for decision in selection.decisions[:step]}
    last = selection.decisions[step - 1] if step else None
    gone = _without(mixture, made)
    rows = []
    for graph in family_of(space).graphs(space, None):
        left = [edge for edge in graph.edges if edge.cell not in gone]
        for edge, bend in zip(left, bends(left), strict=True):
            decided = made.get(edge.cell)
            mixed = f"mixes {len(mixture.by_name[edge.cell].operations)}"
            rows.append(
                {
                    "graph": graph.title, "edge": edge_title(graph, edge), "cell": edge.cell,
                    "operation": decided.kept if decided else mixed,
                    "live": decided is not None and decided.kept != NONE,
                    "source": edge.source, "target": edge.target, "bend": bend,
                    "now": last is not None and edge.cell in _concerned(mixture, last),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)


def _without(mixture: Mixture, made: Mapping[str, EdgeDecision]) -> set[str]:
    return {
        edge
        for junction in mixture.junctions
        if junction.name in made
        for edge in set(junction.edges) - set(kept_options(made[junction.name], mixture))
    }


def _concerned(mixture: Mixture, decision: EdgeDecision) -> tuple[str, ...]:
    """The edges that a decision was about and that are left."""
    return (decision.edge,) if decision.edge in mixture.by_name else kept_options(decision, mixture)


def decision_table(space: SearchSpace, selection: SupernetSelection) -> pd.DataFrame:
    """One row a decision: edge (its title), kept, margin to the next with its standard error, by
    chance, and the supernet's objective before and after."""
    titles = edge_titles(space)
    return pd.DataFrame(
        [
            {
                "edge": titles.get(own.edge, own.edge), "kept": own.kept, "margin": own.margin,
                "margin std error": own.margin_error, "by chance": own.by_chance,
                "before": own.base, "after": own.after,
            }
            for own in selection.decisions
        ]
    )  # fmt: skip


# What mixtures came to prefer


def course_figure(table: pd.DataFrame) -> go.Figure:
    """`evidence.operations.course`: the share of edges on which each operation leads; skips and
    `none` in the colours of what one should beware of."""
    hues = {SKIP: RED, NONE: ORANGE}
    others = [own for own in dict.fromkeys(table["operation"]) if own not in hues]
    hues |= {own: _HUES[place % len(_HUES)] for place, own in enumerate(others)}
    traces = [
        line(
            own["epoch"], own["edges"], str(name), colour=hues[str(name)],
            width=3 if name in (SKIP, NONE) else 1.5, customdata=own[["weight"]].to_numpy(),
            hover=f"{name}: leads on %{{y:.0f}} % of the edges after epoch %{{x}}; mean weight "
            "%{customdata[0]:.1f} %",
        )
        for name, own in table.groupby("operation", sort=False)
    ]  # fmt: skip
    figure = drawn(
        traces, height=380, x="Epoch of training",
        y={"title": "Edges on which it leads (%)", "range": [-3, 103]},
    )  # fmt: skip
    return ruled(figure, y=50, dash="dot")


_BESIDE = 4  # edges


def edges_figure(table: pd.DataFrame, words: Mapping[str, str]) -> go.Figure:
    """`evidence.operations.by_edge`: a panel an edge, called by its title in `words`, a line an
    operation; above the dotted line one weighs more than all others together."""
    edges = list(dict.fromkeys(table["edge"]))
    names = list(dict.fromkeys(table["operation"]))
    columns = min(_BESIDE, len(edges))
    rows = -(-len(edges) // columns)
    figure = panels(
        columns, rows, subplot_titles=[words[edge].replace(": ", "<br>", 1) for edge in edges],
        shared_xaxes=True, shared_yaxes=True, vertical_spacing=0.3 / rows,
    )  # fmt: skip
    for place, edge in enumerate(edges):
        row, column = divmod(place, columns)
        own = table[table["edge"] == edge]
        for number, name in enumerate(names):
            told = own[own["operation"] == name]
            trace = line(
                told["epoch"], told["weight"], name, colour=_HUES[number % len(_HUES)], width=2,
                hover=f"{name}: %{{y:.3f}} after epoch %{{x}}",
            )  # fmt: skip
            trace |= {"showlegend": not place, "legendgroup": name}
            figure.add_trace(trace, row=row + 1, col=column + 1)
    ends = table["weight"].min(), table["weight"].max()
    figure.update_yaxes(range=[ends[0] - 0.02, ends[1] + 0.02])
    figure.update_xaxes(title_text="Epoch", row=rows)
    figure.add_hline(y=0.5, line={"color": GREY, "dash": "dot", "width": 1})
    look = {"height": 150 + 190 * rows, "margin": {"t": 60}, "legend": BELOW}
    return wide(figure.update_layout(look))
