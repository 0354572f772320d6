"""Light and dark: the system's choice, the menu's, and figures that follow either at once."""

import pytest
from playwright.sync_api import Page, expect
from serving import wait_until_drawn

from foxnas_core.figures.theme import BLUE, INK, PAPER, in_dark

LIGHT = {"paper": PAPER, "ink": INK, "marks": BLUE}
DARK = in_dark(LIGHT)
FIGURE = ".st-key-choices-figure"
# Where the colours are seen that a figure is really drawn in: of its paper, its words and its first
# points.
DRAWN = {
    "paper": (".main-svg", "background-color"),
    "ink": (".xtitle", "fill"),
    "marks": (".point", "fill"),
}


def shown(colours: dict[str, str]) -> dict[str, str]:
    """As a browser writes them."""
    return {
        part: "rgb({}, {}, {})".format(*(int(c[i : i + 2], 16) for i in (1, 3, 5)))
        for part, c in colours.items()
    }


@pytest.fixture
def at_night(page: Page) -> Page:
    """A page of a visitor whose system is dark."""
    page.emulate_media(color_scheme="dark")
    return page


def wait_for(page: Page, wanted: dict[str, str]) -> None:
    for part, (name, style) in DRAWN.items():
        drawn = page.locator(f"{FIGURE} .js-plotly-plot {name}").first
        expect(drawn).to_have_css(style, shown(wanted)[part])


def test_figures_follow_the_system_and_the_menu(at_night: Page):
    page = at_night
    page.goto("/Coefficients")
    wait_until_drawn(page)
    wait_for(page, DARK)
    ground = page.locator('[data-testid="stApp"]')
    expect(ground).to_have_css("background-color", shown(DARK)["paper"])

    page.locator('[data-testid="stMainMenu"] button').click()
    page.get_by_role("menuitemradio", name="Light").click()
    expect(ground).to_have_css("background-color", shown(LIGHT)["paper"])
    wait_for(page, LIGHT)


def test_the_picture_and_what_stays_in_view_follow_too(at_night: Page):
    page = at_night
    page.goto("/What_if")
    wait_until_drawn(page)
    pinned = page.locator("div:has(> .st-key-predictions)")
    plain = page.locator('.st-key-picture [data-cell="input"]')
    for wanted in (DARK, LIGHT):
        expect(pinned).to_have_css("background-color", shown(wanted)["paper"])
        expect(plain).to_have_css("color", shown(wanted)["ink"])
        page.emulate_media(color_scheme="light")
