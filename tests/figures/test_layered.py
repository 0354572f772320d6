import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxnas_core.figures.layered import layered


@st.composite
def graphs(draw):
    """Sizes and edges: chains with residuals, small cells and whatever else may come."""
    count = draw(st.integers(1, 14))
    sides = st.floats(2, 300)
    sizes = np.array(draw(st.lists(st.tuples(sides, sides), min_size=count, max_size=count)))
    chain = [(i, i + 1) for i in range(count - 1) if draw(st.booleans())]
    pairs = list(itertools.combinations(range(count), 2))
    further = draw(st.lists(st.sampled_from(pairs), max_size=20)) if pairs else []
    return sizes, [*chain, *further]


@settings(max_examples=80, deadline=None)
@given(graphs())
def test_no_boxes_overlap_and_every_edge_runs_downward(graph):
    sizes, edges = graph
    placed = layered(sizes, edges, gap=(20, 30))
    low, high = placed.centres - sizes / 2, placed.centres + sizes / 2
    assert low.min() >= -1e-6 and (high <= [placed.width + 1e-6, placed.height + 1e-6]).all()
    for one, other in itertools.combinations(range(len(sizes)), 2):
        apart = np.maximum(low[one] - high[other], low[other] - high[one])
        assert apart[0] >= 20 - 1e-6 or apart[1] >= 30 - 1e-6
    for (source, target), route in zip(edges, placed.routes, strict=True):
        assert (np.diff(route[:, 1]) >= 0).all() and route[-1, 1] > route[0, 1]
        assert route[0] == pytest.approx((placed.centres[source][0], high[source][1]))
        assert route[-1] == pytest.approx((placed.centres[target][0], low[target][1]))


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_edges_that_pass_a_box_do_not_cross_it(graph):
    sizes, edges = graph
    placed = layered(sizes, edges, gap=(20, 30))
    low, high = placed.centres - sizes / 2, placed.centres + sizes / 2
    for (source, target), route in zip(edges, placed.routes, strict=True):
        for x, upper in route[1:-1]:
            for box in set(range(len(sizes))) - {source, target}:
                inside = low[box] + 1e-6 < (x, upper)
                assert not (inside.all() and ((x, upper) < high[box] - 1e-6).all())


def test_a_chain_is_straight_and_what_jumps_it_passes_beside_it_in_one_line():
    sizes = np.array([[100, 30], [60, 30], [160, 30], [80, 30], [100, 30]], dtype=float)
    placed = layered(sizes, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4)])
    assert np.ptp(placed.centres[:, 0]) < 1
    jump = placed.routes[-1][1:-1]
    assert np.ptp(jump[:, 0]) < 1
    assert abs(jump[0, 0] - placed.centres[0, 0]) >= 80


def test_the_last_stand_in_the_lowest_layer():
    placed = layered(np.full((4, 2), 10.0), [(0, 1), (0, 2), (2, 3)], last=[1])
    assert placed.centres[1, 1] == placed.centres[3, 1]


def test_nothing_is_placed_of_nothing():
    placed = layered(np.zeros((0, 2)), [])
    assert placed.centres.shape == (0, 2) and placed.width == placed.height == 0


def test_an_edge_upward_is_refused():
    with pytest.raises(ValueError, match="higher number"):
        layered(np.ones((2, 2)), [(1, 0)])
