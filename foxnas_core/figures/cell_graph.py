"""A cell as a graph: its nodes in a row, its edges as arcs, each with what it computes."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from foxnas_core.families import family_of
from foxnas_core.families.family import Edge, Graph
from foxnas_core.figures.theme import GREY, INK, PAPER, new_figure
from foxnas_core.space.architecture import Architecture
from foxnas_core.space.search_space import SearchSpace

# Points that a drawn arc goes through.
_POINTS = 25


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


def graph_table(space: SearchSpace, architecture: Architecture) -> pd.DataFrame | None:
    """One row an edge of the architecture's graph: edge ("in → 1"), cell, operation, live (on a
    path from the input to the output), source and target (positions of nodes), bend (of `bends`).

    None where the space's family draws no graph.
    """
    graph = family_of(space).graph(space, architecture)
    if graph is None:
        return None
    return pd.DataFrame(
        [
            {
                "edge": edge_title(graph, edge), "cell": edge.cell, "operation": edge.operation,
                "live": edge.live, "source": edge.source, "target": edge.target, "bend": bend,
            }
            for edge, bend in zip(graph.edges, bends(graph.edges), strict=True)
        ]
    )  # fmt: skip


def graph_figure(table: pd.DataFrame) -> go.Figure:
    """Draws `graph_table`: edges that reach the output in ink, all others dotted."""
    figure = new_figure()
    share = np.linspace(0, 1, _POINTS)
    edges = table.to_dict("records")
    names: dict[int, str] = {}
    for edge in edges:
        source, target, bend = edge["source"], edge["target"], edge["bend"]
        names |= zip((source, target), edge["edge"].split(" → "), strict=True)
        ink = INK if edge["live"] else GREY
        figure.add_scatter(
            x=source + share * (target - source), y=bend * 4 * share * (1 - share), mode="lines",
            line={"color": ink, "dash": "solid" if edge["live"] else "dot"}, hoverinfo="skip",
            showlegend=False,
        )  # fmt: skip
        figure.add_annotation(
            x=(source + target) / 2, y=bend, text=edge["operation"], showarrow=False,
            bgcolor=PAPER, borderpad=3, font={"color": ink, "size": 12},
        )  # fmt: skip
    figure.add_scatter(
        x=list(names), y=[0] * len(names), text=list(names.values()), mode="markers+text",
        marker={"color": PAPER, "size": 34, "line": {"color": INK, "width": 2}},
        hoverinfo="skip", showlegend=False,
    )  # fmt: skip
    height = np.ptp([0, *table["bend"]])
    figure.update_layout(height=140 + 70 * int(height))
    figure.update_xaxes(visible=False)
    return figure.update_yaxes(visible=False)
