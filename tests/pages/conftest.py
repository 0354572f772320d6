"""Every figure that a page draws in a test has what a reader needs."""

from collections.abc import Iterator

import pytest
from plotly import graph_objects as go
from readable import lacks

from pages.shared import panel


@pytest.fixture(autouse=True)
def figures_say_what_they_show(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    lacking: list[str] = []
    draw = panel.themed

    def checked(figure: go.Figure) -> go.Figure:
        lacking.extend(lacks(figure))
        return draw(figure)

    monkeypatch.setattr(panel, "themed", checked)
    yield
    assert not lacking
