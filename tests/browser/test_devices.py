import json
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Page, expect
from serving import choose_view, wait_until_drawn

from foxnas_core.devices.reversals import rank_reversals
from foxnas_core.study import Study


def drawn(page: Page, *keys: str) -> None:
    for key in keys:
        expect(page.locator(f".st-key-{key}-figure .js-plotly-plot")).to_be_visible()


def test_devices_are_compared_and_a_reversed_pair_leads_to_what_if(page: Page, demo: Study):
    page.goto("/Devices")
    wait_until_drawn(page)
    drawn(page, "difference")
    page.get_by_role("radio", name="Every choice").click()
    drawn(page, "effects")
    difference = page.locator(".st-key-difference-figure")
    before = difference.inner_text()
    page.locator(".st-key-unit").get_by_role("radio", name="ms", exact=True).click()
    expect(page.get_by_text("ms on int8 but").first).to_be_visible()
    wait_until_drawn(page)
    # The old drawing may stand beside the new one for a moment.
    expect(difference).to_have_count(1)
    expect(difference).to_contain_text("(ms)")
    expect(difference).not_to_have_text(before)

    choose_view(page, "A new device")
    drawn(page, "curve", "calibrated")
    judged = page.locator('[data-testid="stMetric"]', has_text="Judged by")
    expect(judged).to_contain_text("115 rows")
    page.locator(".st-key-shown-rows").get_by_role("slider").press("ArrowRight")
    expect(judged).to_contain_text("114 rows")
    wait_until_drawn(page)

    choose_view(page, "Order of subnets")
    drawn(page, "subnets", "map", "gaps")
    page.get_by_role("radio", name="Which pairs").click()
    page.locator(".st-key-pair-what-if button").click()
    expect(page.locator("h1")).to_have_text("What-if")
    wait_until_drawn(page)
    [text] = parse_qs(urlparse(page.url).query)["architecture"]
    found = rank_reversals(demo.table(), "latency_ms", "latency_ms:int8").pairs.iloc[0]
    assert demo.space.architecture(json.loads(text)).id == found["quick_second"]
    # What the pair differs in stands there as edits.
    expect(page.get_by_text("What the edits change")).to_be_visible()
    expect(page.get_by_text("From the start to now: together")).to_be_visible()
