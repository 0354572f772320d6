import itertools
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from foxnas_core.reporting import svg

numbers = st.floats(-1e9, 1e9, allow_nan=False)


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e9), st.integers(2, 12))
def test_ticks_are_round_within_the_range_and_not_too_many(low: float, width: float, most: int):
    high = low + width
    found = svg.ticks(low, high, most)
    assert len(found) <= most + 1
    room = 1e-6 * max(abs(low), abs(high), width)
    assert all(low - room <= tick <= high + room for tick in found)
    steps = [b - a for a, b in itertools.pairwise(found)]
    assert steps == pytest.approx(steps[:1] * len(steps), rel=1e-3)


def test_ticks_are_told_apart_when_written():
    assert svg.tick_texts(svg.ticks(0.0155, 0.0163)) == [
        "0.0156", "0.0158", "0.0160", "0.0162",
    ]  # fmt: skip
    assert svg.tick_texts([0.0, 500.0, 1000.0]) == ["0", "500", "1,000"]
    assert svg.ticks(3.0, 3.0) == [3.0]


@given(st.lists(numbers, max_size=9))
def test_a_span_shows_all_values_with_room(values: list[float]):
    low, high = svg.span_of(values)
    assert low < high
    assert all(low < value < high for value in values)


def test_what_is_drawn_is_well_formed_and_escaped():
    evil = '"><script>alert(1)</script>&'
    axes = svg.Axes((0, 1), (0, 1), evil, evil)
    drawn = axes.draw(
        evil,
        evil,
        axes.dots([(0.5, 0.5)], "measured", 2, [evil]),
        axes.diamond(0, 1, "chosen", evil),
        axes.path([(0, 0), (1, 1)], "front", steps=True),
        axes.upright(0.5, "budget"),
        key="a-key",
    )
    tree = ElementTree.fromstring(drawn)
    texts = [node.text for node in tree.iter() if node.text]
    assert texts.count(evil) == 6 and not list(tree.iter("script"))
    assert isinstance(drawn, Markup)


def test_points_lie_where_their_values_say():
    axes = svg.Axes((10, 20), (0, 4), "x", "y", width=200, height=100)
    left, top, right, bottom = axes.box
    assert axes.at(10, 0) == (left, bottom)
    assert axes.at(20, 4) == (right, top)
    assert axes.at(15, 2) == ((left + right) / 2, (top + bottom) / 2)
    steps = ElementTree.fromstring(axes.path([(10, 0), (20, 4)], "front", steps=True))
    corners = [tuple(map(float, pair.split(","))) for pair in steps.get("points").split()]
    assert corners == [(left, bottom), (right, bottom), (right, top)]


def shapes(cell: str) -> dict[str, list[ElementTree.Element]]:
    tree = ElementTree.fromstring(cell)
    names = ("circle", "polygon", "line")
    return {name: list(tree.iter(name)) for name in names} | {"classes": tree.get("class")}


def test_an_interval_is_hollow_where_it_spans_0_and_an_arrow_beyond_the_scale():
    span = (-1.0, 1.0)
    clear, open_ = (shapes(svg.interval_cell(0.5, low, 0.9, span)) for low in (0.1, -0.1))
    assert clear["classes"] == "interval clear" and open_["classes"] == "interval"
    assert len(clear["circle"]) == 1 and not clear["polygon"]
    beyond = shapes(svg.interval_cell(5.0, 4.0, 6.0, span))
    assert not beyond["circle"] and len(beyond["polygon"]) == 1
    assert svg.interval_cell(float("nan"), 0, 1, span) == ""


def test_every_interval_is_on_the_scale_with_0():
    low, high = svg.interval_span([0.2, 0.3], [0.4, 0.9])
    assert low < 0 and high > 0.9
