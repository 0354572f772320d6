"""Every figure that a page draws in a test has what a reader needs."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import copy_of_demo
from plotly import graph_objects as go
from readable import lacks

from foxnas_core.study import Study, open_study
from pages.shared import panel


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One copy of the demo's table for all tests of a page that only read it."""
    folder = tmp_path_factory.mktemp("copied")
    copy_of_demo(folder / "demo")
    return folder


@pytest.fixture
def shipped(copied: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("FOXNAS_STUDIES", str(copied))
    return open_study(copied / "demo")


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
