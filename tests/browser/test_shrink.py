"""From Coefficients to the answer of "save 20 %" in two clicks, and back out of it."""

import json
import re
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Page, expect
from serving import wait_until_drawn

from foxnas_core.study import Study


def wait_until_it_fits(page: Page) -> None:
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")


def test_which_block_should_be_smaller_to_save_20_percent(page: Page, demo: Study):
    page.goto("/Coefficients")
    wait_until_drawn(page)
    # The intervals come first, and the question is one click away.
    expect(page.locator("h2").first).to_have_text("Every choice with its interval")
    page.locator(".st-key-view").get_by_role("radio", name="Save and shrink").click()
    words = page.locator(".st-key-says-reached")
    expect(words).to_contain_text("For 20 % less latency")
    wait_until_drawn(page)
    expect(words).to_contain_text("kept in 9 of 10 measurements")
    expect(page.locator(".st-key-says-answer")).to_contain_text("with a chance of 9")
    expect(page.locator(".st-key-shrink-figure")).to_contain_text("one step")
    [before] = parse_qs(urlparse(page.url).query)["architecture"]

    for width, height in ((820, 1100), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        wait_until_it_fits(page)

    # The second click applies it: what is asked about is another subnet then.
    page.locator(".st-key-answer-apply button").click()
    expect(page).not_to_have_url(re.compile(re.escape(before[:20]) + "$"))
    wait_until_drawn(page)
    [text] = parse_qs(urlparse(page.url).query)["architecture"]
    after = demo.space.architecture(json.loads(text))
    assert after != demo.space.architecture(json.loads(before))
    expect(page.locator(".st-key-says-shrink")).to_contain_text(after.id)
    wait_until_it_fits(page)
