import itertools
import re
import time

import pytest
from accessibility import DRAWING, OPEN_ALL, violations
from places import PAGES, address_of, views_of
from playwright.sync_api import Page, expect
from serving import choose, choose_view, wait_until_drawn

# Each view of each page by its address, with the page's title.
PLACES = {
    f"{address_of(title)}?view={view}" if view else address_of(title): title
    for title in PAGES
    for view in views_of(title) or [""]
}
ERRORS = '[data-testid="stException"], [data-testid="stAlertContentError"]'

# With another study than the shipped one: of all its rows each line is drawn by WebGL, which takes
# long without a graphics card and is seen on Explanations.
STUDIES = {"Measurements?view=explore": "table-only"}

# Texts that end in an ellipsis for want of room; the input of an upload is never seen.
CUT = """
main => [...main.querySelectorAll('*')]
  .filter(node => getComputedStyle(node).textOverflow === 'ellipsis')
  .filter(node => node.scrollWidth > node.clientWidth && node.type !== 'file')
  .map(node => node.innerText)
"""
TOO_WIDE = "main => main.scrollWidth > main.clientWidth"


# Half of them light and half dark, as an operating system asks for it: all colours are the theme's,
# whose own journeys go from the one to the other.
SCHEMES = dict(zip(PLACES, itertools.cycle(("light", "dark")), strict=False))


@pytest.mark.parametrize("path", PLACES)
def test_each_page_stands_alone_on_a_deep_link_is_accessible_and_fits_a_small_screen(
    page: Page, path: str
):
    page.set_viewport_size({"width": 1024, "height": 900})
    page.emulate_media(color_scheme=SCHEMES[path])
    study = STUDIES.get(path, "demo")
    address, _, view = path.partition("?")
    page.goto(f"/{address}?study={study}&{view}" if path in STUDIES else f"/{path}")
    wait_until_drawn(page)
    expect(page.locator("h1")).to_have_text(PLACES[path])
    expect(page).to_have_title(f"{PLACES[path]} · FOX-NAS Studio")
    expect(page.locator(ERRORS)).to_have_count(0)
    # Our own menu, not the one that Streamlit would draw from the files' names.
    expect(page.locator('[data-testid="stSidebarNav"]')).to_have_count(0)
    expect(page.locator('[data-testid="stPageLink"]')).to_have_count(len(PAGES))
    # The address alone must lead here again.
    expect(page).to_have_url(re.compile(rf"/{address}\?study={study}.*{view}"))
    page.evaluate(OPEN_ALL)
    wait_until_drawn(page)
    expect(page.locator('[data-testid="stApp"]')).to_have_css("color-scheme", SCHEMES[path])
    assert violations(page) == []

    main = page.locator('[data-testid="stMain"]')
    # While a page is still laid out, its columns may be narrower than they come to be.
    last = time.monotonic() + DRAWING
    while (main.evaluate(CUT) or main.evaluate(TOO_WIDE)) and time.monotonic() < last:
        page.wait_for_timeout(100)
    assert main.evaluate(CUT) == []
    assert not main.evaluate(TOO_WIDE)


def test_the_menu_leads_to_pages_and_keeps_the_study(page: Page):
    page.goto("/?study=table-only")
    wait_until_drawn(page)
    for title in list(PAGES)[::2]:
        link = re.compile(f"^{title}( needs .*)?$")
        page.locator('[data-testid="stPageLink"]', has_text=link).click()
        expect(page.locator("h1")).to_have_text(title)
        wait_until_drawn(page)
        expect(page).to_have_url(re.compile(rf"/{address_of(title)}\?.*study=table-only"))


def test_a_view_is_chosen_left_and_gone_back_to(page: Page):
    page.goto("/Quantization?study=table-only")
    expect(page).to_have_url(re.compile(r"/Devices\?study=table-only.*view=int8"))
    wait_until_drawn(page)
    choose_view(page, "Order of subnets")
    expect(page).to_have_url(re.compile("view=order"))
    expect(page.locator(".st-key-device-first")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(re.compile("view=int8"))
    wait_until_drawn(page)
    expect(page.locator(".st-key-device-first")).to_have_count(0)
    page.locator('[data-testid="stPageLink"]', has_text="Export").click()
    expect(page.locator("h1")).to_have_text("Export")
    wait_until_drawn(page)
    assert "view=int8" not in page.url  # which is of the page that was left


def test_another_study_is_chosen_in_the_sidebar(page: Page):
    page.goto("/Export")
    wait_until_drawn(page)
    expect(page.locator(".st-key-build")).to_be_visible()
    choose(page, ".st-key-study", "table-only")
    expect(page).to_have_url(re.compile("study=table-only"))
    expect(page.get_by_text("no supernet weights")).to_be_visible()
    expect(page.locator(".st-key-build")).to_have_count(0)


def test_a_highlighted_block_leaves_every_point_in_place_and_maps_follow_the_form(page: Page):
    drawn = page.locator(".st-key-choices-figure .scatterlayer .point")
    page.goto("/Coefficients")
    wait_until_drawn(page)
    expect(drawn.first).to_be_visible()
    points = drawn.count()
    rings = 10  # five choices of a block instead of its first ones, for both targets
    choose(page, ".st-key-highlighted-block", "s2b1")
    expect(drawn).to_have_count(points + rings)
    expect(page).to_have_url(re.compile("block=s2b1"))
    wait_until_drawn(page)

    page.get_by_role("radio", name="Maps").click()
    cells = page.locator(".st-key-heatmap-kernel-figure .js-plotly-plot text")
    expect(cells.first).to_be_visible()
    before = page.locator(".st-key-heatmap-kernel-figure").inner_text()
    choose(page, ".st-key-form", "FOX-NAS, as published")
    expect(page.locator(".st-key-heatmap-kernel-figure")).not_to_have_text(before)
