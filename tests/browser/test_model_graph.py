import io
import json
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
from playwright.sync_api import Page, expect
from serving import download_by, wait_until_drawn

from foxnas_core.study import Study


def test_a_subnet_is_profiled_and_its_table_taken_away(page: Page, demo: Study, tmp_path: Path):
    smallest = demo.space.extreme("smallest")
    page.goto(f"/Model_graph?{urlencode({'architecture': json.dumps(smallest.to_dict())})}")
    wait_until_drawn(page)
    figure = page.locator(".st-key-graph-figure")
    expect(figure.get_by_text("Parameters", exact=True)).to_be_visible()
    page.locator(".st-key-profile button").click()
    expect(page.get_by_text("Where the time is")).to_be_visible(timeout=90_000)
    wait_until_drawn(page)
    expect(figure.get_by_text("Time", exact=True)).to_be_visible()
    expect(page.locator(".st-key-views-figure .js-plotly-plot")).to_be_visible()
    page.locator("summary", has_text="Table").first.click()
    started = download_by(page, ".st-key-graph-download button")
    file = tmp_path / "graph.csv"
    started.save_as(file)
    table = pd.read_csv(io.BytesIO(file.read_bytes()))
    layers = table[table["row"] == "layer"]
    assert layers["block"].drop_duplicates().tolist() == ["stem", "s1b1", "s2b1", "s3b1", "head"]
    assert layers["time (ms)"].notna().all()
