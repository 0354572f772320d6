from pathlib import Path

from playwright.sync_api import Page, expect
from serving import download_by, wait_until_drawn

from foxnas_core.explanation.blocks import blocks_of
from foxnas_core.regression import fit
from foxnas_core.study import Study


def test_lenses_on_the_space_and_on_one_subnet(page: Page, demo: Study, tmp_path: Path):
    page.goto("/Coefficients?view=explanations")
    wait_until_drawn(page)
    agreement = page.get_by_text("Not computed yet: permutation importance and the second opinion")
    expect(agreement).to_be_visible()
    # Dots of all measured subnets, drawn by WebGL.
    expect(page.locator(".st-key-beeswarm-figure .gl-canvas").first).to_be_visible()

    page.locator(".st-key-lens-permutation label").first.click()
    page.get_by_role("radio", name="Coefficients and permutation").click()
    expect(page.locator(".st-key-permutation-figure")).to_contain_text("resolution")
    wait_until_drawn(page)
    lenses = page.locator(".st-key-lenses-figure")
    for name in ("coefficients", "Shapley values", "permutation"):
        expect(lenses).to_contain_text(name)
    expect(page.get_by_text("Not computed yet: the second opinion.")).to_be_visible()

    page.locator(".st-key-explained-scope").get_by_role("radio", name="One subnet").click()
    waterfall = page.locator(".st-key-waterfall-figure")
    expect(waterfall).to_contain_text("this subnet")
    wait_until_drawn(page)
    before = waterfall.inner_text()
    page.locator(".st-key-pick-smallest button").click()
    expect(waterfall).not_to_have_text(before)
    wait_until_drawn(page)

    page.locator(".stExpander summary").first.click()
    download = download_by(page, ".st-key-lenses-download button")
    target = tmp_path / "lenses.csv"
    download.save_as(target)
    header, *rows = target.read_text().splitlines()
    assert header == "block,lens,value,low,high,rank"
    assert len(rows) == 3 * len(blocks_of(fit(demo.table(), "accuracy").form))
