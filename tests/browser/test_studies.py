import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from serving import choose, choose_view, download_by, wait_until_drawn

from foxnas_core.study import Study, create_study, open_study


@pytest.fixture
def small(demo: Study, unused: Callable[[str], str]) -> Study:
    """A study of its own, with too few rows to be fitted, so that its pages are quick."""
    table = demo.table()
    few = table.rows(np.arange(len(table)) < 20)
    return create_study(demo.folder.parent / unused("small"), demo.space, name="Small", table=few)


def fill(page: Page, key: str, text: str) -> None:
    page.locator(f".st-key-{key} input").fill(text)
    page.locator(f".st-key-{key} input").press("Enter")


def test_a_study_goes_away_as_a_zip_and_comes_back_under_another_name(
    page: Page, small: Study, unused: Callable[[str], str], tmp_path: Path
):
    studies, name, brought = small.folder.parent, small.folder.name, unused("brought")
    page.goto(f"/Studies?study={name}")
    wait_until_drawn(page)
    download = download_by(page, ".st-key-take button")
    assert download.suggested_filename == f"{name}.zip"
    download.save_as(tmp_path / f"{name}.zip")

    choose_view(page, "Create or bring in")
    page.locator(".st-key-zip-0 input[type=file]").set_input_files(tmp_path / f"{name}.zip")
    expect(page.get_by_text(f"It holds {name}: 3 files")).to_be_visible()
    expect(page.locator(".st-key-import button")).to_be_disabled()  # the name is taken
    fill(page, "import-0", brought)
    expect(page.locator(".st-key-import button")).to_be_enabled()
    page.locator(".st-key-import button").click()
    expect(page.get_by_text(f"{brought} was imported from {name}.zip.")).to_be_visible()
    assert open_study(studies / brought).table().fingerprint == small.table().fingerprint

    choose_view(page, "All studies")
    page.locator(".st-key-open button").click()
    expect(page).to_have_url(re.compile(rf"/\?study={brought}"))
    expect(page.get_by_role("heading", name="Small", exact=True)).to_be_visible()
    expect(page.get_by_text("20 rows with top-1 accuracy are too few")).to_be_visible()
    wait_until_drawn(page)

    page.locator('[data-testid="stPageLink"]', has_text=re.compile("^Studies$")).click()
    expect(page.locator("h1")).to_have_text("Studies")
    wait_until_drawn(page)
    page.get_by_role("tab", name="Delete").click()
    page.locator(".st-key-delete button").click()
    expect(page.get_by_text(f"{brought} is in the trash.")).to_be_visible()
    assert not (studies / brought).exists()
    choose_view(page, "Trash")
    page.locator(".st-key-restore button").click()
    expect(page.get_by_text(f"{brought} is back.")).to_be_visible()
    assert (studies / brought / "space.json").exists()


def test_rows_that_come_while_a_page_stays_open_are_said_and_then_shown(page: Page, small: Study):
    name, before = small.folder.name, len(small.table())
    page.goto(f"/Studies?view=table&study={name}")
    wait_until_drawn(page)
    expect(page.get_by_text(f"has {before:,} measured subnets")).to_be_visible()
    rows = small.space.sample(2, seed=99)
    small.append(rows, [{"accuracy": 80.0, "latency_ms": 0.1}] * 2)
    expect(page.get_by_text(f"{name} has 2 new rows since this page was drawn.")).to_be_visible()
    expect(page.get_by_text(f"has {before:,} measured subnets")).to_be_visible()
    page.locator(".st-key-show-changed button").click()
    expect(page.get_by_text(f"has {before + 2:,} measured subnets")).to_be_visible()
    choose(page, ".st-key-study", "demo")
