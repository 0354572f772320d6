import re

from playwright.sync_api import Page, expect
from serving import choose, choose_part, wait_until_drawn

from foxnas_core.study import Study

PARTS = {"Whether budgets hold": ("chances", "budgets"), "As good as the optimum": ("ties",)}


def test_the_front_is_read_and_leads_to_what_if(page: Page, few: Study):
    page.goto(f"/Search?view=front&study={few.folder.name}&budget=0.06")
    wait_until_drawn(page)
    for part, figures in {"": ("curve", "prices"), **PARTS}.items():
        if part:
            choose_part(page, "front-shown", part)
        for key in figures:
            expect(page.locator(f".st-key-{key}-figure .js-plotly-plot")).to_be_visible()
    page.locator(".st-key-resample button").click()
    expect(page.locator(".st-key-resampling")).to_contain_text("draws solved")
    expect(page.locator(".st-key-says-certainty")).to_contain_text("drawn 20 times")
    expect(page.locator(".st-key-certainty-figure .js-plotly-plot")).to_be_visible()
    expect(page.locator(".st-key-says-prices")).to_contain_text("points per ms")
    expect(page.locator(".st-key-says-ties")).to_contain_text("cannot be told from the optimum")

    optimum = page.locator(".st-key-says-optimum")
    before = optimum.inner_text()
    thumb = page.locator(".st-key-budget").get_by_role("slider")
    thumb.focus()
    thumb.press("ArrowLeft")
    expect(optimum).not_to_have_text(before, use_inner_text=True)
    expect(page).to_have_url(re.compile("budget="))
    wait_until_drawn(page)

    choose_part(page, "front-shown", "Step by step")
    page.locator(".st-key-steps").get_by_text("Every step").click()
    wait_until_drawn(page)
    page.locator(".st-key-front-cost").get_by_text("Parameters").click()
    expect(page.locator(".st-key-says-prices")).to_contain_text("points per k parameters")
    wait_until_drawn(page)
    choose(page, ".st-key-front-unit-parameters", "MB of fp32 weights")
    expect(page.locator(".st-key-says-prices")).to_contain_text("points per MB")
    wait_until_drawn(page)

    choose_part(page, "front-shown", "As good as the optimum")
    page.locator(".st-key-tied-what-if button").click()
    expect(page.locator("h1")).to_have_text("What-if")
    expect(page).to_have_url(re.compile("architecture="))
