"""What a supernet selects: read, compared with another order's, replayed decision by decision."""

import re
import shutil
from pathlib import Path

import pytest
from conftest import DEMO
from playwright.sync_api import Page, expect
from serving import choose, choose_part, choose_view, wait_until_drawn

from foxnas_core.cards import operations
from foxnas_core.cards.given import Given
from foxnas_core.methods import methods
from foxnas_core.study import Study, open_study


def shipped(name: str, demo: Study) -> Path:
    """A copy of a study that ships, beside the demo; a second try finds what the first one
    copied."""
    folder = demo.folder.parent / f"shipped-{name}"
    if not folder.exists():
        shutil.copytree(DEMO.parent / name, folder)
    return folder


def wait_until_it_fits(page: Page) -> None:
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_selection_is_read_and_replayed(page: Page, demo: Study):
    folder = shipped("cells", demo)
    given = Given(open_study(folder))
    page.goto(f"/Select?study={folder.name}&view=perturbation")
    wait_until_drawn(page)

    # What the supernet that is there selects comes first, without a caution.
    [first, *others] = operations.perturbed(given).values()
    claim = page.locator(".st-key-says-claim")
    expect(page.get_by_role("heading", name=f"subnet {first.selected.id}")).to_be_visible()
    expect(claim).to_contain_text("Kendall's τ within edges is")
    expect(page.get_by_text("another one now")).to_have_count(0)
    other = others[0]
    choose(
        page, ".st-key-kept-" + next(iter(operations.perturbed(given))), operations.title_of(other)
    )
    expect(page.get_by_role("heading", name=f"subnet {other.selected.id}")).to_be_visible()
    expect(page.get_by_text("another one now").first).to_be_visible()

    # Its decisions, one after the other.
    choose_part(page, "perturbation-shown", "Decision by decision")
    replay = page.locator(".st-key-says-replay")
    page.locator(".st-key-replay-start button").click()
    expect(replay).to_contain_text("Every edge mixes all its operations")
    page.locator(".st-key-replay-next button").click()
    expect(replay).to_contain_text("Decision 1 of 6")

    # Whoever selects by the weights of the mixture is told what training alone said of both.
    choose_view(page, "Magnitude")
    choose_part(page, "magnitude-shown", "Judged by training alone")
    expect(page.locator(".st-key-says-judged")).to_contain_text("median of 4 paired seeds")
    wait_until_it_fits(page)


@pytest.mark.parametrize(
    ("view", "name"), [("fpnas", "fbnetv2"), ("magnitude", "volumes"), ("ood", "letters")]
)
def test_what_a_method_tells_of_its_study_is_read_and_leads_to_what_if(
    page: Page, demo: Study, view: str, name: str
):
    folder = shipped(name, demo)
    page.goto(f"/Select?study={folder.name}&view={view}")
    wait_until_drawn(page)
    method = next(m for m in methods() if m.name == view)
    chosen = page.locator(".st-key-view").get_by_role("radio", name=method.title, exact=True)
    expect(chosen).to_be_checked()
    # What it selected, in parts where there are several, or that it has not selected yet.
    told = f"h2, .st-key-{view}-shown, [data-testid='stAlertContentInfo']"
    expect(page.locator(told).first).to_be_visible()
    expect(page.locator('[data-testid="stAlertContentError"]')).to_have_count(0)
    wait_until_it_fits(page)

    # What was selected is opened, where anything was, else the study's own first network.
    button = page.locator(".st-key-selected-to-what-if button")
    link = page.locator('[data-testid="stPageLink"]', has_text=re.compile("^What-if"))
    (button if button.count() else link).click()
    expect(page.locator("h1")).to_have_text("What-if")
    wait_until_drawn(page)
    expect(page.locator(".st-key-picture [data-cell]").first).to_be_visible()
    wait_until_it_fits(page)
