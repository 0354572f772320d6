"""The tutorial's clicks, in its order; with FOXNAS_SCREENSHOTS=1 they make its pictures."""

import io
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mdblocks import links_of
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from serving import PATIENCE, REPOSITORY, serve, visit, wait_until_drawn

RENEWED = os.environ.get("FOXNAS_SCREENSHOTS") == "1"
TUTORIAL = REPOSITORY / "docs" / "tutorial.md"
PICTURES = REPOSITORY / "docs" / "pictures"
NUMBERS = '[data-testid="stMetricValue"]'


@pytest.fixture
def page(request: pytest.FixtureRequest, browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """For pictures on a server of its own, where the study that this journey changes is the
    reader's, also by its name."""
    if not RENEWED:
        with request.getfixturevalue("tab").visit() as page:
            yield page
        return
    shutil.copytree(REPOSITORY / "data" / "demo", tmp_path / "studies" / "demo")
    with (
        serve(REPOSITORY / "app.py", tmp_path / "log.txt", tmp_path / "studies") as server,
        visit(browser, server) as page,
    ):
        yield page


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """The study's, in addresses."""
    return "demo" if RENEWED else request.getfixturevalue("own").folder.name


@pytest.fixture
def picture(page: Page):
    """Takes a picture of what is in view, of few colours so that it is small."""
    taken = set()

    def take(name: str) -> None:
        wait_until_drawn(page)
        taken.add(f"pictures/{name}.png")
        if not RENEWED:
            return
        page.mouse.move(5, 5)
        page.wait_for_timeout(500)  # what fades or grows has done so
        shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        few = shot.quantize(128, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        few.save(PICTURES / f"{name}.png", optimize=True)

    yield take
    shown = {link for link in links_of(TUTORIAL) if link.endswith(".png")}
    assert taken == shown if RENEWED else taken <= shown


def menu(page: Page, label: str) -> None:
    page.locator('[data-testid="stPageLink"]', has_text=re.compile(f"^{label}$")).click()
    expect(page.locator("h1")).to_have_text(label)
    wait_until_drawn(page)


def test_from_the_first_page_to_the_exported_files(page: Page, picture, name: str):
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"/?study={name}")
    wait_until_drawn(page)
    picture("study")

    menu(page, "Coefficients")
    expect(page.locator(".st-key-choices-figure .js-plotly-plot")).to_be_visible()
    if RENEWED:
        page.locator(".st-key-effects-shown").evaluate("node => node.scrollIntoView()")
    picture("coefficients")

    menu(page, "What-if")
    before = page.locator(NUMBERS).all_text_contents()
    page.locator('.st-key-picture [data-cell="s2b1"]').click()
    kernel = page.locator('[class*="st-key-set-kernel"]:visible')
    kernel.get_by_role("radio", name="3").click()
    expect(page.locator(NUMBERS).first).not_to_have_text(before[0])
    picture("what-if")

    page.goto(f"/Search?study={name}&budget=0.07")
    wait_until_drawn(page)
    page.locator(".st-key-start button").click()
    progress = page.locator(".st-key-progress")
    # A picture wants it under way; otherwise it may have ended before it was drawn.
    expect(progress).to_contain_text("Running" if RENEWED else "Finished", timeout=5 * PATIENCE)
    if RENEWED:
        page.locator(".st-key-progress").evaluate("node => node.scrollIntoView()")
        page.wait_for_timeout(2000)
        picture("search")
    expect(progress).to_contain_text("Finished and kept")

    page.locator(".st-key-to-what-if button").click()
    expect(page.locator("h1")).to_have_text("What-if")
    wait_until_drawn(page)
    architecture = page.url.partition("architecture=")[2]
    page.goto(f"/Search?view=front&study={name}&budget=0.07")
    wait_until_drawn(page)
    expect(page.locator(".st-key-says-optimum")).to_contain_text("Optimum under 0.07 ms")
    picture("front")
    page.goto(f"/What_if?study={name}&budget=0.07&architecture={architecture}")
    wait_until_drawn(page)
    page.locator(".st-key-to-export button").click()
    expect(page.locator("h1")).to_have_text("Export")
    wait_until_drawn(page)
    expect(page.locator(".st-key-build")).to_be_visible()
    if RENEWED:  # the journey of the page Export builds the files
        page.locator(".st-key-build button").first.click()
        expect(page.locator(".st-key-file-zip")).to_be_visible(timeout=10 * PATIENCE)
        page.locator(".st-key-file-zip").evaluate("node => node.scrollIntoView()")
        picture("export")
