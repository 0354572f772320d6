import json
import re
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Browser, Page, expect
from serving import Server, wait_until_drawn

from foxnas_core.regression import fit
from foxnas_core.storage import Study

NUMBERS = '[data-testid="stMetricValue"]'


def test_an_edit_moves_the_numbers_and_can_be_shared(
    page: Page, demo: Study, browser: Browser, server: Server
):
    page.goto("/What_if")
    wait_until_drawn(page)
    page.locator(".st-key-pick-smallest button").click()
    expect(page).to_have_url(re.compile("architecture="))
    wait_until_drawn(page)
    expect(page.get_by_text("Nothing yet").first).to_be_visible()
    before = page.locator(NUMBERS).all_text_contents()

    control = page.locator('[class*="st-key-edit-s1b1_kernel"]')
    control.get_by_role("radio", name="7").click()
    # What the edit costs stands in a chart for accuracy and in one for latency.
    for key in ("edits-accuracy", "edits-latency_ms"):
        expect(page.locator(f".st-key-{key}-figure")).to_contain_text("s1b1_kernel 3 → 7")
    wait_until_drawn(page)
    after = page.locator(NUMBERS).all_text_contents()
    assert all(a != b for a, b in zip(before, after, strict=True))

    # The numbers are the predictors', of the architecture in the address.
    [text] = parse_qs(urlparse(page.url).query)["architecture"]
    edited = demo.space.architecture(json.loads(text))
    assert edited.get("s1b1_kernel") == 7
    value = fit(demo.table(), "accuracy").predict([edited])["value"].iloc[0]
    assert f"{value:.2f}" in after[0]

    # Whoever gets the link sees the same.
    context = browser.new_context(base_url=server.url)
    other = context.new_page()
    other.goto(page.url)
    expect(other.locator(NUMBERS)).to_have_text(after)
    context.close()


def test_more_depth_opens_a_block(page: Page):
    page.goto("/What_if")
    wait_until_drawn(page)
    page.locator(".st-key-pick-smallest button").click()
    wait_until_drawn(page)
    block = page.locator('[class*="st-key-edit-s2b2_kernel"]')
    expect(block).to_have_count(0)
    page.locator('[class*="st-key-edit-s2_depth"]').get_by_role("radio", name="2").click()
    expect(block).to_be_visible()
