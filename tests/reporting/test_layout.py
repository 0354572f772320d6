import json

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup
from plotly import graph_objects as go

from foxnas_core.reporting.layout import facts, figure_of, number, table_of


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"), (np.nan, "–"), (pd.NA, "–"), (True, "yes"), (np.bool_(False), "no"),
        (1234, "1,234"), (np.int64(7), "7"), (0.123456, "0.1235"), (np.float32(2), "2"),
        (123456.7, "123,457"), ("<b>", "<b>"), (float("inf"), "inf"),
    ],
)  # fmt: skip
def test_cells_are_written_as_they_are_read(value, text):
    assert number(value) == text


def test_a_frame_becomes_a_table_with_its_numbers_to_the_right():
    frame = pd.DataFrame({"name": ["a", "b" * 40], "x": [1.5, np.nan], "n": [1, 2]})
    table = table_of(frame, "Caption", titles={"x": "X (ms)"}, formats={"n": lambda n: f"#{n}"})
    assert [column.title for column in table.columns] == ["name", "X (ms)", "n"]
    assert [column.kind for column in table.columns] == ["wide", "number", "number"]
    assert table.rows == (("a", "1.5", "#1"), ("b" * 40, "–", "#2"))


def test_text_stays_text_until_it_is_written():
    table = facts("Facts", [("<i>", "<script>")])
    assert table.rows == (("<i>", "<script>"),)
    assert not any(isinstance(cell, Markup) for cell in table.rows[0])


def test_a_frame_without_rows_is_a_table_without_rows():
    assert table_of(pd.DataFrame({"a": [], "b": []}), "None").rows == ()


def test_a_figure_needs_no_webgl_and_links_to_nothing():
    figure = go.Figure()
    figure.add_scattergl(
        x=[1, 2], y=[3, 4], name='<a href="https://example.org">one</a>', text="&lt;a&gt;"
    )
    figure.add_heatmap(z=[[1, 2]], hovertemplate="%{z}<br><b>two</b><extra></extra>")
    points, cells = json.loads(figure_of(figure, "Caption").drawn)["data"]
    assert (points["type"], cells["type"]) == ("scatter", "heatmap")
    # What would be markup is not any more, and is read alike.
    for text in (points["name"], points["text"]):
        assert "<a" not in text and "&lt;" not in text
    assert points["name"].replace("\u200b", "") == figure.data[0].name
    assert cells["hovertemplate"] == figure.data[1].hovertemplate
