import json
import re
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Page, expect
from serving import wait_until_drawn

from foxnas_core.study import Study


def test_a_goal_is_reached_and_applied_and_a_choice_explained(page: Page, demo: Study):
    page.goto("/What_if?view=counterfactuals")
    wait_until_drawn(page)
    page.get_by_text("What each edit changes", exact=True).click()
    for key in ("reached", "answer-edits-accuracy", "answer-edits-latency_ms"):
        expect(page.locator(f".st-key-{key}-figure .js-plotly-plot")).to_be_visible()
    words = page.locator(".st-key-says-reached")
    expect(words).to_contain_text("this is exact")

    # More is asked for, and the answer follows.
    before = words.inner_text()
    thumb = page.locator(".st-key-percent-save").get_by_role("slider")
    thumb.focus()
    for _ in range(3):
        thumb.press("ArrowRight")
    expect(words).not_to_have_text(before, use_inner_text=True)
    expect(page).to_have_url(re.compile(rf"percent={thumb.input_value()}\b"))
    wait_until_drawn(page)
    page.locator(".st-key-edits").get_by_text("fewest").click()
    expect(page).to_have_url(re.compile("edits="))
    wait_until_drawn(page)

    # A choice is asked for, and why it is not taken stands there; an address leads to it.
    page.get_by_role("radio", name="Why not").click()
    expect(page).to_have_url(re.compile("counterfactual=Why"))
    wait_until_drawn(page)
    page.locator('[class*="st-key-asked-s1b1_kernel"]').get_by_role("radio").first.click()
    expect(page).to_have_url(re.compile("asked=s1b1_kernel"))
    wait_until_drawn(page)
    why = page.locator(".st-key-says-why-not")
    expect(why).to_contain_text("points of top-1 accuracy")
    expect(why).to_contain_text("The budget of")
    page.reload()
    wait_until_drawn(page)
    expect(why).to_contain_text("The budget of")
    expect(page.locator(".st-key-choices-figure .js-plotly-plot")).to_be_visible()
    page.get_by_role("radio", name="Reach a goal").click()

    # Applied, it is what the editor edits, held against the one before.
    page.locator(".st-key-answer-what-if button").click()
    expect(page.locator(".st-key-picture")).to_be_visible()
    expect(page).to_have_url(re.compile("view=editor"))
    wait_until_drawn(page)
    [text] = parse_qs(urlparse(page.url).query)["architecture"]
    assert demo.space.is_member(demo.space.architecture(json.loads(text)))
    expect(page.get_by_text("Nothing yet")).to_have_count(0)
