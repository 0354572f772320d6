import re
import time

from playwright.sync_api import Page, expect
from serving import PATIENCE, wait_until_drawn

from foxnas_core.evidence.verification.claims import CLAIMS
from foxnas_core.study import Study
from pages.shared.registry import MEASURING

# A real measurement of the shipped supernet, beside whatever else the machine does.
MEASURED = 120_000


def measure(page: Page) -> None:
    """Press the button, again where the server still measures what a first try began."""
    last = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < last:
        page.locator(".st-key-measure-now button").click()
        wait_until_drawn(page)
        if page.locator(".st-key-verification").is_visible():
            return
    raise AssertionError("It was not begun.")


def test_an_edit_is_measured_and_outlives_a_reload(page: Page, own: Study):
    page.goto(f"/Trust?view=verify&study={own.folder.name}")
    wait_until_drawn(page)
    page.locator(".st-key-pick-smallest button").click()
    wait_until_drawn(page)
    thumb = page.locator(".st-key-images").get_by_role("slider")
    thumb.focus()
    thumb.press("Home")
    expect(page.locator(".st-key-images")).to_contain_text("500")
    wait_until_drawn(page)
    with MEASURING:  # so that it can't end before it is looked for
        measure(page)
        page.reload()
        expect(page.locator(".st-key-verification-stop button")).to_be_visible()

    verdicts = page.get_by_text("Top-1 accuracy: predicted").first
    expect(verdicts).to_be_visible(timeout=MEASURED)
    expect(page.locator(".st-key-verdict-figure .js-plotly-plot")).to_be_visible()
    expect(page.locator(".st-key-says-board")).to_contain_text("tested claims held")
    # What is shown is what was kept.
    [trial] = own.record(CLAIMS).trials
    assert trial.done and trial.subnets[0] == own.space.extreme("smallest")
    assert trial.circumstances is not None and trial.circumstances.images == 500
    measured = trial.verdicts[0].measured
    expect(verdicts).to_contain_text(re.compile(rf"measured {measured:.2f} %"))
