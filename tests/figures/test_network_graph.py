"""The drawn graph of networks: chains with residuals, cells, and blocks that others interrupt."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.figures import operators as figures
from foxnas_core.figures.network_graph import graph_data
from foxnas_core.profiling.result import IMAGE, LayerProfile, NetworkGraph, Node, NodeTime
from tests.figures.test_model_graph import PRICES

BLOCKS = ("stem", "s1b1", "s1b2", "head")


@st.composite
def graphs(draw):
    """Up to twenty nodes, each of a block and reading some before it, the image where none."""
    count = draw(st.integers(1, 20))
    nodes = []
    for place in range(count):
        reads = draw(st.sets(st.integers(max(IMAGE, place - 6), place - 1), max_size=3))
        block = draw(st.sampled_from(BLOCKS))
        nodes.append(node(place, block, sorted(reads) or [IMAGE]))
    return NetworkGraph(tuple(nodes), (3, 8, 8), "random")


def node(place: int, block: str, reads: list[int], kind: str = "Conv") -> Node:
    attributes = (("group", "1"), ("kernel_shape", "3, 3"), ("strides", "2, 2"))
    return Node(
        place, kind, block, "part", tuple(reads), (4, 4, 4), 10 + place, 100.0 * place,
        attributes if kind == "Conv" else (),
    )  # fmt: skip


# A block with a residual between two others.
GRAPH = NetworkGraph(
    (
        node(0, "stem", [IMAGE]), node(1, "stem", [0], "Relu"), node(2, "s1b2", [1]),
        node(3, "s1b2", [2], "Clip"), node(4, "s1b2", [3, 1], "Add"), node(5, "head", [4], "Gemm"),
    ),
    (3, 8, 8), "random",
)  # fmt: skip
TIMES = LayerProfile(
    "fp32", (), 0.1, 0.09, 0.11,
    nodes=(
        NodeTime(0.02), NodeTime(None, 0), NodeTime(0.03), NodeTime(None, 2), NodeTime(0.01),
        NodeTime(0.005),
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(graphs(), st.sets(st.sampled_from(BLOCKS)))
def test_nothing_overlaps_and_every_edge_runs_downward_whatever_is_open(graph, opened):
    data = graph_data(graph, opened=opened)
    boxes = figures.boxes_of(graph)
    assert [place for box in boxes for place in box.nodes] == list(range(len(graph.nodes)))
    for kinds in (("end", "box", "open"), ("node",)):
        shown = [entry for entry in data["shown"] if entry["kind"] in kinds]
        for one, other in itertools.combinations(shown, 2):
            apart = [
                max(one[at] - other[at] - other[side], other[at] - one[at] - one[side])
                for at, side in (("x", "w"), ("y", "h"))
            ]
            assert max(apart) > 0
    frames = {e["id"]: e for e in data["shown"] if e["kind"] == "open"}
    for entry in data["shown"]:
        assert entry["x"] >= -1e-6 and entry["x"] + entry["w"] <= data["width"] + 1e-6
        assert entry["y"] >= -1e-6 and entry["y"] + entry["h"] <= data["height"] + 1e-6
        assert 0 <= entry["share"] <= 1
        if entry["kind"] == "node":
            place = int(entry["id"].removeprefix(figures.NODE))
            home = next(box for box in boxes if place in box.nodes)
            frame = frames[figures.BLOCK + home.name]
            assert frame["x"] < entry["x"] and frame["y"] < entry["y"]
            assert entry["x"] + entry["w"] < frame["x"] + frame["w"]
            assert entry["y"] + entry["h"] < frame["y"] + frame["h"]
    for edge in data["edges"]:
        assert (np.diff(np.array(edge["points"])[:, 1]) >= 0).all()
    json.dumps(data, allow_nan=False)


@given(graphs())
def test_measures_of_blocks_and_of_nodes_add_up(graph):
    table = figures.operators_table(graph)
    assert table["MACs"].sum() == sum(n.macs for n in graph.nodes)
    assert table["parameters"].sum() == sum(n.parameters for n in graph.nodes)
    assert table["name"].is_unique and len(table) == len(graph.nodes)


def shown(**options) -> dict[str, dict]:
    data = graph_data(GRAPH, **options)
    return {entry["id"] or entry["label"]: entry for entry in data["shown"]}


def texts(entry: dict) -> list[str]:
    return [line["text"] for line in entry["lines"]]


def test_a_closed_block_says_what_it_is_and_what_it_brings():
    found = shown(effects={"accuracy": PRICES}, words={"s1b2": "kernel 3"}, chosen="block:s1b2")
    block = found["block:s1b2"]
    assert texts(block) == [
        "s1b2", "kernel 3", "3 operators, 900 MACs", "+0.03 points (+0.02 to +0.04)",
    ]  # fmt: skip
    assert block["chosen"] and block["share"] == 1 and block["lines"][-1]["colour"]
    assert not found["block:stem"]["chosen"]
    assert "image 3×8×8" in found and "output 4×4×4" in found


def test_an_open_block_shows_its_operators_and_what_is_computed_in_another():
    found = shown(by=figures.TIME, profile=TIMES, opened={"s1b2"}, differing={"s1b2"})
    assert texts(found["node:2"]) == ["Conv 3×3 / 2", "0.0300 ms"]
    assert texts(found["node:3"]) == ["Clip", "in Conv"]
    assert found["node:2"]["share"] == 1 and found["node:3"]["share"] == 0
    assert found["block:s1b2"]["differs"] and "differs" in found["block:s1b2"]["label"]
    assert "node:0" not in found
    table = figures.operators_table(GRAPH, TIMES, {"accuracy": PRICES}).set_index("name")
    assert table.loc["s1b2 part Clip", "computed in"] == "s1b2 part Conv"
    assert np.isnan(table.loc["s1b2 part Clip", "time (ms)"])
    assert table.loc["s1b2 part Add", "reads"] == "s1b2 part Clip, stem part Relu"
    assert table.loc["s1b2 part Add", "accuracy effect"] == 0.03


def test_edges_carry_their_shape_once():
    data = graph_data(GRAPH, opened={"s1b2"})
    labels = [edge["label"] for edge in data["edges"]]
    # Between the five boxes, and within the open one from its Conv and its Clip.
    assert labels.count("4×4×4") == 5 and labels.count("3×8×8") == 1


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"kernel_shape": "5, 5", "group": "4", "strides": "1, 1"}, "Conv 5×5, depthwise"),
        ({"kernel_shape": "1, 1", "group": "2"}, "Conv 1×1, 2 groups"),
        ({}, "Conv"),
    ],
)
def test_operators_are_told_in_few_words(attributes, words):
    one = Node(0, "Conv", "b", "", (IMAGE,), (4, 2, 2), attributes=tuple(attributes.items()))
    assert figures.operator_words(one) == words
