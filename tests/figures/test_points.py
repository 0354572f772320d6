import pytest
from plotly import graph_objects as go
from plotly.subplots import make_subplots

from foxnas_core.figures.points import (
    MANY,
    add_subnets,
    block_ids,
    block_of,
    has_ids,
    highlighted,
    id_at,
)
from foxnas_core.figures.theme import BLUE, new_figure


def cloud(count: int, figure: go.Figure | None = None, **trace) -> go.Figure:
    figure = new_figure() if figure is None else figure
    ids = [f"n{i}" for i in range(count)]
    add_subnets(
        figure, ids, x=list(range(count)), y=[2 * i for i in range(count)],
        marker={"color": BLUE, "size": 7, "line": {"width": 1}}, **trace,
    )  # fmt: skip
    return figure


@pytest.mark.parametrize(
    ("count", "kind"), [(3, "scatter"), (MANY, "scatter"), (MANY + 1, "scattergl")]
)
def test_many_points_are_left_to_the_graphics_card_and_drawn_small(count, kind):
    [trace] = cloud(count).data
    assert trace.type == kind and len(trace.x) == count and trace.marker.color == BLUE
    assert (trace.marker.size < 7) == (count > MANY) == (trace.marker.opacity is not None)


def test_a_subnet_gets_a_ring_wherever_it_stands():
    figure = make_subplots(rows=1, cols=2, figure=new_figure())
    cloud(5, figure, row=1, col=1)
    cloud(MANY + 5, figure, row=1, col=2)
    figure.add_scatter(x=[3], y=[3], name="no subnet")
    shown = highlighted(figure, "n3")
    first, second = shown.data[3:]
    assert (first.type, second.type) == ("scatter", "scattergl")
    assert (first.xaxis, second.xaxis) == ("x", "x2")
    for ring in (first, second):
        assert (list(ring.x), list(ring.y), ring.name) == ([3], [6], "n3")
        assert ring.marker.symbol == "circle-open"
    assert len(figure.data) == 3  # what was given is as it was
    assert shown.layout == figure.layout


@pytest.mark.parametrize("subnet", [None, "", "n9"])
def test_without_it_the_figure_stays_as_it_is(subnet):
    figure = cloud(4)
    assert highlighted(figure, subnet) is figure


def test_a_point_leads_to_its_subnet():
    figure = cloud(4)
    figure.add_scatter(x=[1], y=[1])
    figure.add_bar(x=[1], y=[1], meta=["bar"])
    assert id_at(figure, 0, 2) == "n2"
    for curve, point in ((0, 4), (0, -1), (1, 0), (2, 0), (3, 0), (-1, 0)):
        assert id_at(figure, curve, point) is None
    assert has_ids(figure) and not has_ids(go.Figure(figure.data[1:]))


def test_blocks_that_share_a_slot_are_ringed_together():
    figure = new_figure()
    names = ["s1b1", "s3b1–s3b2", "s3b3", "resolution"]
    figure.add_scatter(x=[1, 2, 3, 4], y=[0, 0, 0, 0], mode="markers", meta=block_ids(names))
    for block, wanted in (
        ("s1b1", [1]), ("s3b2", [2]), ("s3b1–s3b2", [2]), ("s3b2–s3b3", [2, 3]),
        ("input–resolution", [4]), ("s9", []), (None, []),
    ):  # fmt: skip
        shown = highlighted(figure, "s1b1", block)  # a subnet's id is no block's name
        assert [ring.x[0] for ring in shown.data[1:]] == wanted
    assert block_of(id_at(figure, 0, 1)) == "s3b1–s3b2" and block_of("s1b1") is None


def test_a_subnet_measured_twice_is_ringed_twice():
    figure = new_figure()
    add_subnets(figure, ["a", "b", "a"], x=[1, 2, 3], y=[4, 5, 6], marker={"size": 5})
    assert [ring.x[0] for ring in highlighted(figure, "a").data[1:]] == [1, 3]
    assert figure.data[0].ids is None  # of those with one id Plotly would draw the last alone
