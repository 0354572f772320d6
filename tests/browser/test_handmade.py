import os
import re
import shutil

import pytest
from playwright.sync_api import Page, expect
from serving import REPOSITORY, download_by, wait_until_drawn

from foxnas_core.evidence.handmade.claims import compare
from foxnas_core.evidence.handmade.record import HANDMADE
from foxnas_core.study import Study


@pytest.fixture
def compared(own: Study) -> Study:
    """A copy of the demo with the record that ships."""
    shutil.copy(REPOSITORY / "data" / "demo" / own.file(HANDMADE).name, own.file(HANDMADE))
    return own


def test_precision_and_weights_change_the_claims_and_the_table_can_be_taken_away(
    page: Page, compared: Study
):
    record = compared.record(HANDMADE)
    assert record is not None

    def said(way: str, precision: str) -> str:
        return compare(record, way=way, precision=precision, seed=record.seeds[0]).sentence()

    page.goto(f"/Handmade?study={compared.folder.name}")
    wait_until_drawn(page)
    for key in ("networks", "ratios"):
        expect(page.locator(f".st-key-{key}-figure .js-plotly-plot")).to_be_visible()
    expect(page.get_by_text(said("alone", ":int8"))).to_be_visible()
    if os.environ.get("FOXNAS_SCREENSHOTS") == "1":
        picture = REPOSITORY / "docs" / "pictures" / "hand-designed.png"
        page.locator(".st-key-networks-figure").screenshot(path=picture)
    page.locator(".st-key-precision button", has_text=re.compile("^fp32$")).click()
    expect(page.get_by_text(said("alone", ""))).to_be_visible()
    page.locator(".st-key-way button", has_text="with inherited weights").click()
    expect(page.get_by_text(said("inherited", ""))).to_be_visible()
    wait_until_drawn(page)
    page.get_by_text("Table", exact=True).first.click()
    download = download_by(page, ".st-key-networks-download button")
    header, *lines = download.path().read_text().splitlines()
    assert header.startswith("network,family,width,way,")
    searched = sum(c.searched for c in record.contenders)
    assert len(lines) == len(record.contenders) + searched
