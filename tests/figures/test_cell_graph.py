import itertools

import pytest
from hand import hand_space
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.families import family_of, load_shipped
from foxnas_core.families.family import Edge
from foxnas_core.figures.cell_graph import bends, edge_titles, graph_figure, graph_table
from foxnas_core.figures.picture import picture_data, picture_table

SPACE = load_shipped("nasbench201")
HALF = "|nor_conv_3x3~0|+|none~0|none~1|+|skip_connect~0|none~1|avg_pool_3x3~2|"


def read(text: str):
    return family_of(SPACE).read(SPACE, text)


def test_the_table_says_of_each_edge_what_it_computes_and_whether_it_counts():
    table = graph_table(SPACE, read(HALF))
    assert table[["edge", "operation", "live"]].values.tolist() == [
        ["in → 1", "nor_conv_3x3", False],  # ends in node 1, which nobody reads
        ["in → 2", "none", False],
        ["1 → 2", "none", False],
        ["in → out", "skip_connect", True],
        ["1 → out", "none", False],
        ["2 → out", "avg_pool_3x3", False],
    ]


def test_a_space_without_a_graph_has_no_table():
    space = hand_space()
    assert graph_table(space, space.extreme("largest")).empty


def test_the_figure_shows_every_edge_and_node():
    figure = graph_figure(graph_table(SPACE, read(HALF)))
    *lines, nodes = figure.data
    assert [line.line.dash for line in lines] == ["dot", "dot", "dot", "solid", "dot", "dot"]
    assert nodes.text == ("in", "1", "2", "out") and nodes.x == (0, 1, 2, 3)
    words = [note.text for note in figure.layout.annotations]
    assert words == graph_table(SPACE, read(HALF))["operation"].tolist()


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(1, 4)), max_size=14))
def test_no_two_arcs_beside_each_other_bend_alike(pairs):
    edges = [Edge(a, a + span, f"{a}-{i}", "op", True, False) for i, (a, span) in enumerate(pairs)]
    found = bends(edges)
    for (one, bend), (other, same) in itertools.combinations(zip(edges, found, strict=True), 2):
        beside = one.source < other.target and other.source < one.target
        assert bend == 0 or bend != same or not beside
    assert all(
        (bend == 0) == (e.target - e.source == 1) for e, bend in zip(edges, found, strict=True)
    )


def test_the_picture_has_a_place_for_each_edge_and_tells_the_dead():
    data = picture_data(SPACE, read(HALF))
    [graph] = data["graphs"]
    assert [node["text"] for node in graph["nodes"]] == ["in", "1", "2", "out"]
    assert [edge["cell"] for edge in graph["edges"]] == list(SPACE.by_name)
    assert [edge["bend"] for edge in graph["edges"]] == [0, 1, 0, 2, -1, 0]
    table = picture_table(SPACE, read(HALF)).set_index("cell")
    assert table.loc["edge_0_1", "words"] == "operation nor_conv_3x3, on no path to the output"
    assert table.loc["edge_0_1", "colour"] == "" != table.loc["edge_0_3", "colour"]
    assert table.loc["edge_1_3", "column"] == "1 → out"


@pytest.mark.parametrize("name", ["foxnas-mini", "ofa-mobilenetv3"])
def test_blocks_are_no_graph(name):
    space = load_shipped(name)
    assert picture_data(space, space.extreme("largest"))["graphs"] == []


def test_cells_of_darts_are_two_graphs_of_the_edges_that_are_read():
    space = load_shipped("darts")
    architecture = family_of(space).reference(space)
    table = graph_table(space, architecture)
    assert table["graph"].unique().tolist() == ["normal cell", "reduce cell"]
    assert len(table) == 16 and table["live"].all()
    figure = graph_figure(table)
    assert len(figure.data) == 16 + 2
    data = picture_data(space, architecture)
    names = {cell["name"] for group in data["groups"] for cell in group["cells"]}
    assert {edge["cell"] for graph in data["graphs"] for edge in graph["edges"]} <= names
    assert {"normal_3", "reduce_5"} < names and "normal_2_3" not in names
    titles = edge_titles(space)
    assert len(titles) == 28 and titles["normal_0_3"] == "normal cell: in 0 → 3"
