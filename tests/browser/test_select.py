"""A selection by a supernet, from its run on the page to what it rests on."""

import re

from bright_cells import selected_study
from playwright.sync_api import Page, expect
from serving import wait_until_drawn


def test_a_selection_is_run_told_and_replayed(page: Page, demo, unused):
    name = unused("bright")
    selected_study(demo.folder.parent / name)
    page.goto(f"/Select?study={name}&view=perturbation")
    wait_until_drawn(page)
    for label, value in (("Seed", "7"), ("Epochs of fine-tuning a decision", "0")):
        page.get_by_label(label, exact=True).fill(value)
        page.get_by_label(label, exact=True).press("Enter")
        wait_until_drawn(page)
    page.locator(".st-key-select button").click()
    kept = page.locator("[class*='st-key-kept-'] input")
    expect(kept).to_have_value(re.compile("seed 7"), timeout=60_000)
    expect(page.locator(".st-key-says-claim")).to_contain_text("Kendall's τ")

    page.locator(".st-key-replay-start button").click()
    expect(page.locator(".st-key-says-replay")).to_contain_text("mixes all its operations")
    page.locator(".st-key-replay-next button").click()
    expect(page.locator(".st-key-says-replay")).to_contain_text("Decision 1 of 6")
    expect(page.locator(".stMain")).to_contain_text("Seed 1 selected")

    page.get_by_role("radio", name="Magnitude").click()
    expect(page.locator(".st-key-says-course")).to_contain_text("skip_connect took over")
