import re

from playwright.sync_api import Page, expect
from serving import wait_until_drawn

from foxnas_core.study import Study, open_study

PARALLEL = ".st-key-parallel-figure"
PLANE = ".st-key-accuracy-latency_ms-figure"


def rings(page: Page, figure: str):
    """The points of a figure that are ringed: the traces after its clouds."""
    return page.locator(f"{figure} .scatterlayer .trace").last.locator(".point")


def test_a_box_keeps_some_and_a_click_highlights_one_everywhere(page: Page, demo: Study):
    few = open_study(demo.folder.parent / "table-only").table()
    page.goto("/Measurements?study=table-only")
    wait_until_drawn(page)
    kept = page.get_by_text("are kept. Draw a box")
    expect(kept).to_contain_text(f"{len(few)} of {len(few)}")

    # A box over the upper half of the first axis, which is the resolution's.
    figure = page.locator(f"{PARALLEL} .nsewdrag").first
    figure.scroll_into_view_if_needed()
    box = figure.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 2, box["y"] + 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 10, box["y"] + box["height"] / 2, steps=6)
    page.mouse.up()
    highest = int((few.frame["resolution"] == 28).sum())
    expect(kept).to_contain_text(f"{highest} of {len(few)}")
    wait_until_drawn(page)

    # A click on a point rings it in both planes, and on other pages.
    point = page.locator(f"{PLANE} .scatterlayer .trace").last.locator(".point").first
    point.scroll_into_view_if_needed()
    at = point.bounding_box()
    assert at is not None
    page.mouse.move(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    page.mouse.click(at["x"] + at["width"] / 2, at["y"] + at["height"] / 2)
    expect(page.get_by_text("Highlighted here and on the other pages")).to_be_visible()
    expect(rings(page, PLANE)).to_have_count(1)
    expect(page).to_have_url(re.compile("subnet="))
    page.locator('[data-testid="stPageLink"]', has_text="Diagnostics").click()
    wait_until_drawn(page)
    expect(rings(page, ".st-key-predicted-figure")).to_have_count(1)
    expect(page).to_have_url(re.compile("subnet="))
