import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly import graph_objects as go

from foxnas_core.figures.theme import GREY
from foxnas_core.reporting.drawing import drawing_of
from foxnas_core.reporting.scales import round_numbers, scale_of, tick_texts
from foxnas_core.reporting.traces import MOST_POINTS, bare

SVG = "{http://www.w3.org/2000/svg}"
EVIL = "<script>&\"'"


def drawn(figure: go.Figure) -> ElementTree.Element:
    markup = str(drawing_of(figure, "What it shows.", key="k"))
    return ElementTree.fromstring(
        markup.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    )


def texts(root: ElementTree.Element) -> list[str]:
    return [node.text or "" for node in root.iter(f"{SVG}text")]


def places(root: ElementTree.Element) -> list[tuple[float, float]]:
    return [(float(c.get("cx")), float(c.get("cy"))) for c in root.iter(f"{SVG}circle")]


def test_points_lie_where_the_axes_say():
    root = drawn(go.Figure(go.Scatter(x=[0, 5, 10], y=[10, 30, 20], mode="markers")))
    left, top, right, bottom = map(float, root.get("data-box").split())
    (x0, x1), (y0, y1) = (map(float, root.get(f"data-{way}").split()) for way in "xy")
    for (px, py), x, y in zip(places(root), (0, 5, 10), (10, 30, 20), strict=True):
        assert px == pytest.approx(left + (x - x0) / (x1 - x0) * (right - left), abs=0.02)
        assert py == pytest.approx(bottom - (y - y0) / (y1 - y0) * (bottom - top), abs=0.02)


def test_it_is_named_and_described():
    root = drawn(go.Figure(go.Scatter(x=[1], y=[1])))
    assert root.get("role") == "img"
    [described] = root.iter(f"{SVG}desc")
    assert described.text == "What it shows." and root.get("aria-labelledby") == described.get("id")


@pytest.mark.parametrize(
    "figure",
    [
        go.Figure(go.Scatter(x=[1, 2], y=["a", EVIL], mode="markers", name=EVIL)),
        go.Figure(go.Bar(x=[EVIL], y=[1], text=[EVIL]), {"xaxis": {"title": {"text": EVIL}}}),
        go.Figure(go.Heatmap(z=[[1.0]], x=[EVIL], y=["r"], text=[[EVIL]])),
    ],
)
def test_what_it_says_is_text(figure):
    markup = drawing_of(figure, EVIL, key="k")
    assert "<script" not in markup and not re.search(r'\son\w+="', markup)
    drawn(figure)


def test_bars_begin_at_nothing_and_stand_on_each_other():
    figure = go.Figure(
        [
            go.Bar(x=[2, 1], y=["a", "b"], orientation="h"),
            go.Bar(x=[1, 3], y=["a", "b"], orientation="h"),
        ],
        {"barmode": "stack"},
    )
    first, second, third, fourth = (
        (float(r.get("x")), float(r.get("width"))) for r in drawn(figure).iter(f"{SVG}rect")
    )
    assert first[0] == second[0] and first[1] == pytest.approx(2 * second[1], abs=0.05)
    assert third[0] == pytest.approx(sum(first), abs=0.05)
    assert fourth[1] == pytest.approx(3 * third[1], abs=0.05)


def test_intervals_lines_and_bands_are_drawn():
    figure = go.Figure(
        go.Scatter(
            x=[1.0], y=["row"], mode="markers",
            error_x={"array": [0.5], "arrayminus": [1.0], "color": "#123456"},
        )
    )  # fmt: skip
    figure.add_vline(x=9, line={"color": "#654321", "dash": "dash"}, annotation_text="limit")
    figure.add_hrect(y0=-0.5, y1=0.5, fillcolor="#abcdef")
    root = drawn(figure)
    [bar] = [node for node in root.iter(f"{SVG}line") if node.get("stroke") == "#123456"]
    [(x, _)] = places(root)
    assert x - float(bar.get("x1")) == pytest.approx(2 * (float(bar.get("x2")) - x), abs=0.05)
    [limit] = [node for node in root.iter(f"{SVG}line") if node.get("stroke") == "#654321"]
    assert limit.get("stroke-dasharray") and "limit" in texts(root)
    # A line beyond the points makes room for itself.
    assert float(limit.get("x1")) <= float(root.get("data-box").split()[2])
    [band] = [node for node in root.iter(f"{SVG}rect") if node.get("fill") == "#abcdef"]
    assert float(band.get("width")) > 0 < float(band.get("height"))


def test_panels_stand_beside_each_other_and_nothing_is_marked():
    from plotly.subplots import make_subplots

    figure = make_subplots(rows=1, cols=2, subplot_titles=["One", "Two"])
    for column in (1, 2):
        figure.add_scatter(x=[-1, 1], y=[-1, 1], mode="markers", row=1, col=column)
    root = drawn(figure)
    a, b, c, d = places(root)
    assert max(a[0], b[0]) < min(c[0], d[0]) and {"One", "Two"} <= set(texts(root))
    assert sum(node.get("stroke") == GREY for node in root.iter(f"{SVG}line")) == 4


def test_a_cloud_is_thinned_and_alike_each_time():
    figure = go.Figure(
        go.Scatter(x=np.arange(3.0 * MOST_POINTS), y=np.zeros(3 * MOST_POINTS), mode="markers")
    )
    assert len(places(drawn(figure))) == MOST_POINTS
    assert drawing_of(figure, "", key="k") == drawing_of(figure, "", key="k")


def test_points_say_what_they_say_under_the_pointer():
    figure = go.Figure(
        go.Scatter(
            x=[1.234], y=[2], mode="markers", customdata=[["id", 0.5]],
            hovertemplate="%{customdata[0]}<br>%{x:.1f} of %{customdata[1]}<extra>no</extra>",
        )
    )  # fmt: skip
    assert [node.text for node in drawn(figure).iter(f"{SVG}title")] == ["id, 1.2 of 0.5"]


def test_what_it_cannot_draw_is_nothing():
    assert drawing_of(go.Figure(go.Pie(values=[1])), "", key="k") == ""
    assert drawing_of(go.Figure(), "", key="k") == ""


def test_what_is_missing_is_left_out():
    line = go.Scatter(x=[1, 2, 3, 4], y=[1, None, 3, 4], mode="lines+markers")
    root = drawn(go.Figure(line))
    assert len(places(root)) == 3
    assert len(list(root.iter(f"{SVG}polyline"))) == 2


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 9))
def test_ticks_are_few_round_and_within(low, wide, most):
    found = round_numbers(low, low + wide, most)
    assert len(found) <= most + 1 and found == sorted(set(found))
    assert all(low - 1e-6 * wide <= tick <= low + wide * (1 + 1e-6) for tick in found)
    said = tick_texts(found)
    assert len(set(said)) == len(said)


@given(st.lists(st.floats(0.01, 1e5), min_size=1, max_size=9), st.booleans())
def test_a_scale_shows_all_and_is_undone(values, log):
    traces = [{"type": "scatter", "x": values, "y": values}]
    layout = {"xaxis": {"type": "log"}} if log else {}
    scale = scale_of("x", "x", traces, layout).over(10, 500)
    for value in values:
        assert 10 <= scale.at(value) <= 500
        assert scale.value(scale.at(value)) == pytest.approx(value, rel=1e-6, abs=1e-6)


def test_marks_of_plotly_are_taken_away():
    assert bare("<b>a</b><br>b") == "a, b"
