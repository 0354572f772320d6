from playwright.sync_api import Page, expect
from serving import download_by, wait_until_drawn

from foxnas_core.steps.plan import plan_measurements
from foxnas_core.study import Study


def test_the_batch_can_be_taken_away_and_is_the_one_the_command_measures(page: Page, demo: Study):
    page.goto("/Measurements?view=next")
    wait_until_drawn(page)
    for key in ("gain", "blocks"):
        expect(page.locator(f".st-key-{key}-figure .js-plotly-plot")).to_be_visible()
    expect(page.get_by_text(f"measure --study {demo.folder} --next 24")).to_be_visible()
    download = download_by(page, ".st-key-batch-download button")
    header, *lines = download.path().read_text().splitlines()
    assert header.startswith("id,") and header.endswith(",accuracy")
    planned = demo.space.ids(plan_measurements(demo, "accuracy", 24).batch.codes)
    assert [line.partition(",")[0] for line in lines] == planned
