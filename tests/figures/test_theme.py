import itertools
import re
import tomllib

import numpy as np
import pytest
from conftest import REPOSITORY
from hypothesis import given
from hypothesis import strategies as st
from plotly import graph_objects as go
from plotly.subplots import make_subplots
from readable import lacks

from foxnas_core.figures import theme
from foxnas_core.figures.theme import as_text, contrast, faint, in_dark, is_wide, new_figure, wide

SERIES = ("BLUE", "ORANGE", "GREEN", "RED", "PURPLE", "SKY", "GREY")
MARKS = (*SERIES, "CLOUD", "BROWN", "SILVER", "LOW", "MIDDLE", "HIGH")
# What numbers are written on in a heatmap: anywhere between two of these.
SCALES = (theme.DIVERGING, theme.SEQUENTIAL)
HEXADECIMAL = re.compile(r"#[0-9A-Fa-f]{6}\b")
# How much of each light (linear red, green, blue) is seen without one kind of cone: Machado,
# Oliveira and Fernandes 2009, severity 1.
CONES = {
    "all": np.eye(3),
    "no red": [[0.1523, 1.0526, -0.2049], [0.1145, 0.7863, 0.0992], [-0.0039, -0.0481, 1.0520]],
    "no green": [[0.3673, 0.8606, -0.2280], [0.2801, 0.6725, 0.0474], [-0.0118, 0.0429, 0.9689]],
    "no blue": [[1.2555, -0.0767, -0.1788], [-0.0784, 0.9308, 0.1476], [0.0047, 0.6914, 0.3039]],
}
LEAST_APART = 13.0  # CIE 1976; 2.3 is just noticeable side by side


def shown(name: str, is_dark: bool) -> str:
    colour = getattr(theme, name)
    return in_dark({"color": colour})["color"] if is_dark else colour


def linear(colour: str) -> np.ndarray:
    parts = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def wcag(one: str, other: str) -> float:
    """The contrast of two colours, by the formula of WCAG 2."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def between(one: str, other: str, share: float) -> str:
    """A colour on the way from one to the other, as a browser mixes them."""
    ends = ([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (one, other))
    return "#" + "".join(f"{round(a + share * (b - a)):02X}" for a, b in zip(*ends, strict=True))


def lab(colour: str, cones: str) -> np.ndarray:
    """CIE L*a*b* of what is seen of a colour."""
    seen = np.clip(np.asarray(CONES[cones]) @ linear(colour), 0, 1)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    xyz = to_xyz @ seen / np.array([0.9505, 1, 1.089])
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("is_dark", [False, True])
def test_words_can_be_read_and_marks_seen_on_both_papers(is_dark):
    paper = shown("PAPER", is_dark)
    for ground in (paper, shown("PALE", is_dark)):
        assert wcag(shown("INK", is_dark), ground) >= 7
    for name in MARKS:
        assert wcag(shown(name, is_dark), paper) >= 3, name
    # A grid is there to be looked past.
    assert wcag(shown("GRID", is_dark), paper) < 1.5


@pytest.mark.parametrize("is_dark", [False, True])
@pytest.mark.parametrize("cones", CONES)
def test_series_are_told_apart_whichever_cones_one_has(is_dark, cones):
    seen = {name: lab(shown(name, is_dark), cones) for name in (*SERIES, "INK")}
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > LEAST_APART, (one, other)


@pytest.mark.parametrize("is_dark", [False, True])
def test_numbers_can_be_read_anywhere_on_a_scale(is_dark):
    ink = shown("INK", is_dark)
    for scale in SCALES:
        ends = [c for _, c in (in_dark({"": scale})[""] if is_dark else scale)]
        for one, other in itertools.pairwise(ends):
            for share in np.linspace(0, 1, 21):
                mixed = between(one, other, share)
                assert wcag(ink, mixed) >= 4.5, (one, other, share)


@pytest.mark.parametrize("is_dark", [False, True])
def test_the_pages_around_have_the_same_colours(is_dark):
    config = tomllib.loads((REPOSITORY / ".streamlit" / "config.toml").read_text())["theme"]
    own = config["dark" if is_dark else "light"]
    for key, name in (
        ("primaryColor", "BLUE"), ("backgroundColor", "PAPER"), ("textColor", "INK"),
        ("secondaryBackgroundColor", "PALE"), ("orangeColor", "ORANGE"),
    ):  # fmt: skip
        assert own[key] == shown(name, is_dark), key
    for ground in ("backgroundColor", "secondaryBackgroundColor"):
        for words in ("textColor", "grayTextColor"):
            assert wcag(own[words], own[ground]) >= 4.5


def test_no_colour_stands_anywhere_else():
    """One that did would have no counterpart in the dark theme."""
    pages = [REPOSITORY / "app.py", *(REPOSITORY / "pages").rglob("*.*")]
    figures = [
        f for f in (REPOSITORY / "foxnas_core" / "figures").glob("*.py")
        if f.name not in ("theme.py", "picture.py")  # its cells are the same in both
    ]  # fmt: skip
    for file in (*pages, *figures):
        if file.suffix in (".py", ".css", ".js"):
            text = file.read_text()
            assert not HEXADECIMAL.findall(text), file
            assert not re.search(r"""["': ](white|black)["';]""", text), file


def test_a_figure_in_the_dark_has_the_same_data_in_other_colours():
    figure = new_figure()
    figure.add_scatter(
        x=[1, 2], y=np.array([3.0, 4.0]), text=[theme.RED, "b"],
        marker={"color": np.array([theme.RED, theme.BLUE], dtype=object), "size": [5, 6]},
        line={"color": theme.INK}, fillcolor=faint(theme.BLUE, 0.2),
    )  # fmt: skip
    figure.add_heatmap(z=[[1, 2]], colorscale=theme.DIVERGING)
    figure.add_hline(y=1, line={"color": theme.GREY}, annotation={"font": {"color": theme.INK}})
    dark = in_dark(figure)
    assert isinstance(dark, go.Figure)
    points, cells = dark.data
    assert list(points.x) == [1, 2] and list(points.y) == [3, 4]
    assert list(points.text) == [theme.RED, "b"] and list(points.marker.size) == [5, 6]
    assert list(points.marker.color) == [shown("RED", True), shown("BLUE", True)]
    assert points.fillcolor == faint(shown("BLUE", True), 0.2)
    assert [colour for _, colour in cells.colorscale] == [
        shown(name, True) for name in ("WARM", "NEUTRAL", "COOL")
    ]
    assert dark.layout.shapes[0].line.color == shown("GREY", True)
    assert dark.layout.template.layout.paper_bgcolor == shown("PAPER", True)
    assert dark.layout.template.layout.font.color == shown("INK", True)
    # What was drawn in the light stays so.
    assert figure.data[0].line.color == theme.INK
    assert figure.layout.template.layout.paper_bgcolor == theme.PAPER


def test_names_in_a_figure_are_text_and_what_marks_figures_up_is_kept():
    plain, named = new_figure(), new_figure()
    plain.add_scatter(x=[1], y=[2], hovertemplate="<b>%{x}</b><br>a < b &amp<extra></extra>")
    link = '<a href="https://example.org">one</a>'
    named.add_scatter(x=[1], y=[link], name=link, customdata=np.array([[link, 3]], dtype=object))
    named.add_annotation(text="&lt;a&gt; <b>two</b>")
    trace = as_text(named).data[0]
    for text in (trace.name, trace.y[0], trace.customdata[0][0]):
        assert "<a" not in text and text.replace("\u200b", "") == link
    assert trace.customdata[0][1] == 3
    note = as_text(named).layout.annotations[0].text
    assert "<b>two</b>" in note and "&lt;" not in note
    assert as_text(plain).data[0].hovertemplate.replace("\u200b", "") == plain.data[0].hovertemplate
    assert "<b>%{x}</b><br>" in as_text(plain).data[0].hovertemplate


def test_a_figure_without_titles_or_hovers_is_told():
    figure = new_figure()
    figure.add_scatter(x=[1, 2], y=["a", "b"])
    assert [sentence.split(": ")[1] for sentence in lacks(figure)] == [
        "no title on its x axis", "plotly's own hover",
    ]  # fmt: skip
    figure.update_xaxes(title="Latency (ms)")
    figure.update_traces(hovertemplate="%{x} ms")
    assert not list(lacks(figure))


def test_panels_beside_each_other_are_wide_and_those_below_are_not():
    beside = make_subplots(rows=1, cols=2, figure=new_figure())
    below = make_subplots(rows=2, cols=1, figure=new_figure())
    assert is_wide(beside) and not is_wide(below) and not is_wide(new_figure())
    assert is_wide(wide(new_figure())) and is_wide(in_dark(wide(below)))


def test_each_colour_has_one_of_its_own_in_the_dark():
    dark = [
        shown(name, True) for name in dir(theme) if HEXADECIMAL.fullmatch(str(getattr(theme, name)))
    ]
    names = {c for n in dir(theme) if HEXADECIMAL.fullmatch(c := str(getattr(theme, n)))}
    assert len(set(dark)) == len(names) and not set(dark) & names


COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06X}")


@given(COLOURS, COLOURS)
def test_contrast_is_wcags(one, other):
    assert contrast(one, other) == pytest.approx(wcag(one, other))
    assert contrast(one, other) == contrast(other, one)
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast(one, one) == 1
