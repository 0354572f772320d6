"""What a supernet selects: read, compared with another order's, replayed decision by decision."""

import shutil

from conftest import DEMO
from playwright.sync_api import Page, expect
from serving import choose, choose_view, wait_until_drawn

from foxnas_core.cards import operations
from foxnas_core.cards.given import Given
from foxnas_core.study import Study, open_study


def test_a_selection_is_read_and_replayed(page: Page, demo: Study):
    folder = demo.folder.parent / "trained"
    if not folder.exists():  # a second try finds what the first one copied
        shutil.copytree(DEMO.parent / "cells", folder)
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
    replay = page.locator(".st-key-says-replay")
    page.locator(".st-key-replay-start button").click()
    expect(replay).to_contain_text("Every edge mixes all its operations")
    page.locator(".st-key-replay-next button").click()
    expect(replay).to_contain_text("Decision 1 of 6")

    # Whoever selects by the weights of the mixture is told what training alone said of both.
    choose_view(page, "Magnitude")
    expect(page.locator(".st-key-says-judged")).to_contain_text("median of 4 paired seeds")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
