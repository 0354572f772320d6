"""Names that are code: a browser shows them and runs none."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from playwright.sync_api import Browser, expect
from serving import REPOSITORY, Server, Tab, serve, wait_until_drawn

from tests.fuzz.test_pages import hostile_study


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hostile")
    hostile_study(folder)
    with serve(REPOSITORY / "app.py", folder / "log.txt", folder) as running:
        yield running
    assert "Traceback" not in (folder / "log.txt").read_text()


@pytest.fixture(scope="module")
def tab(browser: Browser, hostile: Server) -> Iterator[Tab]:
    with closing(Tab(browser, hostile)) as tab:
        yield tab


@pytest.mark.parametrize("path", ["What_if", "Front", "Studies"])
def test_names_that_are_code_are_text(tab: Tab, path: str):
    with tab.visit() as page:
        page.goto(f"/{path}?study=hostile")
        wait_until_drawn(page)
        expect(page.locator('[data-testid="stAlertContentError"]')).to_have_count(0)
        assert page.locator('img[src="x"]').count() == 0
        assert page.locator('a[href^="http"][href*="owned"], svg a').count() == 0
        assert page.locator("script:not([src])", has_text="owned").count() == 0
        assert "owned" not in page.title()
