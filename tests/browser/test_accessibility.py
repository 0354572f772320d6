"""The main path without a mouse. What axe-core finds is asked of each page in `test_pages`."""

import json
from pathlib import Path

from accessibility import tab_to, violations
from playwright.sync_api import Page, expect
from serving import PATIENCE, wait_until_drawn

from foxnas_core.space.called import called
from foxnas_core.study import Study


def go_to(page: Page, title: str) -> None:
    """Open a page from the menu."""
    tab_to(page, f"{title}$", back=page.locator("h1").inner_text() != "Study")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text(title)
    wait_until_drawn(page)


def test_from_the_menu_to_an_export_without_a_mouse(page: Page, own: Study):
    page.goto(f"/?study={own.folder.name}")
    wait_until_drawn(page)
    go_to(page, "What-if")

    # The picture is one stop; in it, arrows move and letters edit.
    tab_to(page, "s1b1: kernel")
    page.keyboard.press("ArrowDown")
    cell = page.locator('.st-key-picture [data-cell="s2b1"]')
    expect(cell).to_be_focused()
    before = cell.get_attribute("aria-label")
    page.keyboard.press("k")
    expect(cell).not_to_have_attribute("aria-label", before or "")
    expect(page.locator(".st-key-edits-figure")).to_contain_text("s2b1 kernel")
    wait_until_drawn(page)

    go_to(page, "Search")
    tab_to(page, "Start$")
    page.keyboard.press("Enter")
    expect(page.locator(".st-key-trace-download")).to_be_visible(timeout=2 * PATIENCE)
    wait_until_drawn(page)
    assert violations(page) == []

    # The edited subnet is still the one that was chosen.
    go_to(page, "Export")
    tab_to(page, "Architecture as JSON")
    with page.expect_download() as started:
        page.keyboard.press("Enter")
    chosen = own.space.architecture(json.loads(Path(started.value.path()).read_text()))
    expect(page.get_by_text(f"Subnet {called(chosen.id)}")).to_be_visible()
