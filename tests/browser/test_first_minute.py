import re

from playwright.sync_api import Page, expect
from serving import wait_until_drawn


def test_the_answer_stands_there_before_any_click(page: Page):
    page.goto("/")
    wait_until_drawn(page)
    expect(page.get_by_role("heading", name="The best subnet within")).to_be_visible()
    expect(page.locator('.st-key-best-picture [data-cell="s1b1"]')).to_be_visible()
    for column in ("accuracy", "latency_ms"):
        expect(page.locator(f".st-key-reasons-{column}-figure .js-plotly-plot")).to_be_visible()
    expect(page.get_by_text("Most top-1 accuracy comes from")).to_be_visible()
    # It keeps its budget, says at what price, and the guard stands beside the budget.
    promise = page.get_by_text(re.compile(r"It keeps [\d.]+ ms in 9\d? of 100? measurements; "))
    expect(promise).to_contain_text("the unguarded best")
    guard = page.locator(".st-key-budget-and-guard .st-key-guard")
    expect(guard).to_contain_text("90 %")


def test_the_tour_is_taken_by_the_keyboard_alone(page: Page):
    page.goto("/?study=table-only")
    wait_until_drawn(page)
    page.locator(".st-key-tour-start button").focus()
    page.keyboard.press("Enter")
    for number, title in enumerate(
        ("Coefficients", "Diagnostics", "Search", "What-if", "Export"), start=1
    ):
        expect(page.locator("h1")).to_have_text(title)
        wait_until_drawn(page)
        expect(page.locator(".st-key-tour")).to_contain_text(f"step {number} of 5: {title}")
        expect(page).to_have_url(re.compile(f"tour={number}"))
        onwards = page.locator(".st-key-tour-next button, .st-key-tour-finish button")
        onwards.focus()
        page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Study")
    wait_until_drawn(page)
    expect(page.locator(".st-key-tour-start")).to_be_visible()
    expect(page).not_to_have_url(re.compile("tour="))

    # Left on its way, it is gone from the address too.
    page.locator(".st-key-tour-start button").click()
    expect(page.locator("h1")).to_have_text("Coefficients")
    wait_until_drawn(page)
    page.locator(".st-key-tour-leave button").click()
    expect(page.locator(".st-key-tour")).to_have_count(0)
    expect(page).not_to_have_url(re.compile("tour="))
    expect(page.locator("h1")).to_have_text("Coefficients")
