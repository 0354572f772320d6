import io
import json
import re
from pathlib import Path
from urllib.parse import urlencode

import pandas as pd
from playwright.sync_api import Page, expect
from serving import download_by, wait_until_drawn

from foxnas_core.study import Study


def find(page: Page, name: str) -> None:
    """Type a name into the list of all that can be found, and choose it."""
    page.locator(".st-key-network-find input").fill(name)
    page.get_by_role("option", name=name, exact=True).click()
    wait_until_drawn(page)


def test_an_operator_is_found_read_and_edited(page: Page, demo: Study):
    largest = demo.space.extreme("largest")
    page.goto(f"/What_if?view=layers&{urlencode({'architecture': json.dumps(largest.to_dict())})}")
    wait_until_drawn(page)
    graph = page.locator(".network svg")
    block = graph.locator('[data-id="block:s2b1"]')
    expect(block).to_have_attribute("aria-expanded", "false")
    expect(block).to_contain_text(re.compile(r"points \(\+?[\d.]+ to \+?[\d.]+\)"))
    block.locator(".knob").click()
    expect(block).to_have_attribute("aria-expanded", "true")
    node = graph.get_by_role("button", name="s2b1 depthwise Conv")
    node.click()
    expect(node).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("heading", name="s2b1 depthwise Conv")).to_be_visible()
    # By the keyboard to the operator below, and the block closed again.
    node.press("ArrowDown")
    below = graph.locator("g:focus")
    below.press("Enter")
    expect(page.get_by_role("heading", name="s2b1 depthwise Clip")).to_be_visible()
    block.press(" ")
    expect(block).to_have_attribute("aria-expanded", "false")
    wait_until_drawn(page)
    level = page.locator(".network .level")
    before = int(level.inner_text().split()[0])
    width = graph.bounding_box()["width"]
    page.locator(".network").get_by_role("button", name="Zoom out").click()
    assert int(level.inner_text().split()[0]) < before
    assert graph.bounding_box()["width"] < width
    find(page, "head classifier Gemm")
    found = graph.get_by_role("button", name="head classifier Gemm")
    expect(found).to_be_in_viewport()
    expect(page.get_by_text("alike in all subnets")).to_be_visible()
    find(page, "s2b1")
    page.get_by_role("button", name="Edit s2b1").click()
    expect(page).to_have_url(re.compile("view=editor"))
    wait_until_drawn(page)
    expect(page.locator('[data-cell="s2b1"]')).to_have_attribute("aria-selected", "true")


def test_a_subnet_is_profiled_and_its_table_taken_away(page: Page, demo: Study, tmp_path: Path):
    smallest = demo.space.extreme("smallest")
    page.goto(f"/What_if?view=layers&{urlencode({'architecture': json.dumps(smallest.to_dict())})}")
    wait_until_drawn(page)
    page.locator(".st-key-profile button").click()
    views = page.locator(".st-key-views-figure .js-plotly-plot")
    expect(views).to_be_visible(timeout=90_000)
    page.get_by_role("radio", name="From input to classifier").click()
    figure = page.locator(".st-key-graph-figure")
    wait_until_drawn(page)
    expect(figure.get_by_text("Time", exact=True)).to_be_visible()
    page.locator("summary").get_by_text("Table", exact=True).first.click()
    started = download_by(page, ".st-key-graph-download button")
    file = tmp_path / "graph.csv"
    started.save_as(file)
    table = pd.read_csv(io.BytesIO(file.read_bytes()))
    layers = table[table["row"] == "layer"]
    assert layers["block"].drop_duplicates().tolist() == ["stem", "s1b1", "s2b1", "s3b1", "head"]
    assert layers["time (ms)"].notna().all()
