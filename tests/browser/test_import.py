import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect
from serving import choose, wait_until_drawn

from foxnas_core.study import Study, open_study


def tell_unit(page: Page, name: str, unit: str) -> None:
    # Streamlit hides the input of a radio under its label.
    page.locator(f'[class*="st-key-unit-{name}-"]').get_by_text(unit, exact=True).click()
    wait_until_drawn(page)


def test_a_table_in_other_words_becomes_a_study_that_is_fitted(
    page: Page, demo: Study, unused: Callable[[str], str], tmp_path: Path
):
    name, table = unused("theirs"), demo.table()
    frame = table.frame[[*table.space.by_name, "accuracy", "latency_ms"]]
    frame = frame.assign(accuracy=frame["accuracy"] / 100, latency_ms=frame["latency_ms"] / 1000)
    names = {"s1_depth": "blocks", "accuracy": "Top-1", "latency_ms": "time"}
    frame.rename(columns=names).to_csv(tmp_path / "theirs.csv", index=False)

    page.goto("/Studies?view=table")
    wait_until_drawn(page)
    page.locator(".st-key-upload input[type=file]").set_input_files(tmp_path / "theirs.csv")
    button = page.locator(".st-key-import button")
    expect(button).to_be_disabled()
    wait_until_drawn(page)
    choose(page, '[class*="st-key-map-s1_depth-"]', "blocks")
    choose(page, '[class*="st-key-map-latency_ms-"]', "time")
    tell_unit(page, "accuracy", "fraction (0.713)")
    expect(page.get_by_text("Say the unit of 'time'.")).to_be_visible()
    expect(button).to_be_disabled()
    tell_unit(page, "latency_ms", "milliseconds")
    tell_unit(page, "latency_ms", "seconds")
    expect(page.get_by_text("The first 5 of 800 rows.")).to_be_visible()
    page.locator(".st-key-destination").get_by_text("a new study").click()
    wait_until_drawn(page)
    page.locator(".st-key-new-study input").fill(name)
    page.locator(".st-key-new-study input").press("Enter")
    expect(button).to_be_enabled()
    page.screenshot(path=tmp_path / "import.png", full_page=True)
    button.click()
    expect(page.get_by_text(f"Added 800 rows to {name}, which now has 800.")).to_be_visible()

    found = open_study(demo.folder.parent / name).table()
    assert found.frame["id"].tolist() == table.frame["id"].tolist()
    for target in ("accuracy", "latency_ms"):
        np.testing.assert_allclose(found.values(target), table.values(target), rtol=1e-12)

    page.locator(".st-key-open-imported button").click()
    expect(page).to_have_url(re.compile(rf"/\?study={name}"))
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    expect(page.get_by_text("it is the exact optimum")).to_be_visible()
