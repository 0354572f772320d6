import json
import re
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Page, expect
from serving import choose, wait_until_drawn

from foxnas_core.diagnostics.diagnosis import diagnose
from foxnas_core.diagnostics.residuals import offending_rows
from foxnas_core.regression import fit
from foxnas_core.study import Study

PICKER = ".st-key-row input"


def test_what_is_warned_of_follows_the_target_and_a_clicked_point_leads_to_what_if(
    page: Page, demo: Study
):
    page.goto("/Diagnostics")
    wait_until_drawn(page)
    page.get_by_role("radio", name="More rows").click()
    expect(page.locator(".st-key-learning-figure")).to_contain_text("Kendall's tau")
    expect(page.get_by_text("would halve the intervals")).to_be_visible()
    page.get_by_role("radio", name="Row by row").click()
    residuals = page.locator(".st-key-residuals-figure")
    expect(residuals).to_contain_text("Residual (points)")
    for target, unit in (("Latency", "ms"), ("Top-1 accuracy", "points")):
        choose(page, ".st-key-target", target)
        expect(residuals).to_contain_text(f"Residual ({unit})")
    table = demo.table()
    worst = offending_rows(diagnose(fit(table, "accuracy"), table).residuals).iloc[0]
    expect(page.locator(PICKER)).to_have_value(re.compile(rf"^row {worst['row']}, .*outlier"))

    points = page.locator(".st-key-predicted-figure .scatterlayer .points path")
    expect(points.first).to_be_visible()
    points.nth(3).click(force=True)
    # Those drawn first are of rows that nothing is flagged for.
    expect(page.locator(PICKER)).to_have_value(re.compile("not flagged"))
    wait_until_drawn(page)
    [row] = re.findall(r"^row (\d+)", page.locator(PICKER).input_value())

    page.locator(".st-key-open-row button").click()
    expect(page.locator("h1")).to_have_text("What-if")
    wait_until_drawn(page)
    [text] = parse_qs(urlparse(page.url).query)["architecture"]
    opened = demo.space.architecture(json.loads(text))
    assert opened.id == table.frame["id"].iloc[int(row) - 1]
