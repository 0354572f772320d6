"""A cell as a graph: its nodes in a row, its edges as arcs, each with what it computes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.families import family_of
from foxnas_core.families.family import Edge, Graph
from foxnas_core.figures.theme import BLUE, GREY, INK, PAPER, new_figure, wide
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

# Points that a drawn arc goes through.
_POINTS = 25
# Rows of arcs from which on they stand closer.
_MANY = 6


def edge_title(graph: Graph, edge: Edge) -> str:
    return f"{graph.nodes[edge.source]} → {graph.nodes[edge.target]}"


def bends(edges: Sequence[Edge]) -> list[int]:
    """How far each edge bows out of the row of nodes: 0 from a node to the next, else at least 1,
    above, or at most −1, below, so that no two that run beside each other have the same bend."""
    found = [0] * len(edges)
    taken: dict[int, list[Edge]] = {}
    for place in sorted(range(len(edges)), key=lambda p: edges[p].target - edges[p].source):
        edge = edges[place]
        if edge.target - edge.source > 1:
            level = 1
            while any(
                edge.source < other.target and other.source < edge.target
                for other in taken.get(level, ())
            ):
                level = -level if level > 0 else 1 - level
            taken.setdefault(level, []).append(edge)
            found[place] = level
    return found


def graph_table(space: SearchSpace, architecture: Architecture | None) -> pd.DataFrame:
    """One row an edge of the architecture's graphs, or without one of the mixture's: graph (its
    title, "" where there is but one), edge ("in → 1"), cell, operation, live (on a path from the
    input to the output), source and target (positions of nodes), bend (of `bends`).

    Empty where the space's family draws no graph.
    """
    return table_of(family_of(space).graphs(space, architecture))


def table_of(graphs: Sequence[Graph]) -> pd.DataFrame:
    """`graph_table` of graphs."""
    return pd.DataFrame(
        [
            {
                "graph": graph.title, "edge": edge_title(graph, edge), "cell": edge.cell,
                "operation": edge.operation, "live": edge.live, "source": edge.source,
                "target": edge.target, "bend": bend,
            }
            for graph in graphs
            for edge, bend in zip(graph.edges, bends(graph.edges), strict=True)
        ]
    )  # fmt: skip


def edge_titles(space: SearchSpace) -> dict[str, str]:
    """What each edge of the family's mixture is called, by its cell: "in → 1", of several cells
    "normal cell: in 0 → 2"; empty where it draws no graph."""
    return {
        edge.cell: (f"{graph.title}: " if graph.title else "") + edge_title(graph, edge)
        for graph in family_of(space).graphs(space, None)
        for edge in graph.edges
    }


def graph_figure(table: pd.DataFrame) -> go.Figure:
    """Draws `graph_table`, graphs below each other: edges that reach the output in ink, all others
    dotted, and those that are `now` looked at, where the table has that column, stand out."""
    figure = new_figure()
    floor = height = 0
    for title, own in table.groupby("graph", sort=False):
        floor -= int(max(0, *own["bend"])) + bool(height)
        if title:
            figure.add_annotation(
                x=0, xref="paper", xanchor="left", y=floor + max(0.6, *own["bend"]),
                text=title, showarrow=False, font={"color": INK, "size": 13},
            )  # fmt: skip
        _add_graph(figure, own, floor)
        floor += int(min(0, *own["bend"]))
        height = -floor
    figure.update_layout(height=140 + (70 if height < _MANY else 46) * height)
    figure.update_xaxes(visible=False)
    return wide(figure.update_yaxes(visible=False))


def _add_graph(figure: go.Figure, table: pd.DataFrame, floor: float) -> None:
    """One graph, whose nodes stand at the height `floor`."""
    share = np.linspace(0, 1, _POINTS)
    names: dict[int, str] = {}
    for edge in table.to_dict("records"):
        source, target, bend = edge["source"], edge["target"], edge["bend"]
        names |= zip((source, target), edge["edge"].split(" → "), strict=True)
        ink = BLUE if edge.get("now") else INK if edge["live"] else GREY
        figure.add_scatter(
            x=source + share * (target - source), y=floor + bend * 4 * share * (1 - share),
            mode="lines", hoverinfo="skip", showlegend=False,
            line={
                "color": ink, "dash": "solid" if edge["live"] else "dot",
                "width": 4 if edge.get("now") else 2,
            },
        )  # fmt: skip
        figure.add_annotation(
            x=(source + target) / 2, y=floor + bend, text=edge["operation"], showarrow=False,
            bgcolor=PAPER, borderpad=3, font={"color": ink, "size": 12},
        )  # fmt: skip
    figure.add_scatter(
        x=list(names), y=[floor] * len(names), text=list(names.values()), mode="markers+text",
        marker={"color": PAPER, "size": 34, "line": {"color": INK, "width": 2}},
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
