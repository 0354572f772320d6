from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from serving import BRIEFLY, FEW, REPOSITORY, open_list, serve, visit, wait_until_drawn

from foxnas_core.steps.make_device import made_columns
from foxnas_core.study import Study
from foxnas_core.table.measurements import MeasurementTable
from pages.shared.registry import MEASURING

MEASURED = 600_000  # ms; on a machine that does much else


@pytest.fixture
def page(browser: Browser, demo: Study, tmp_path: Path) -> Iterator[Page]:
    """Of a server in whose eyes no row fails for how busy this machine is: a calibration needs five
    that did not."""
    lenient = BRIEFLY | {"FOXNAS_PLUGINS": "timed_briefly,judged_leniently"}
    with (
        serve(REPOSITORY / "app.py", tmp_path / "log", demo.folder.parent, **lenient) as server,
        visit(browser, server) as page,
    ):
        yield page


def of_another(table: MeasurementTable) -> MeasurementTable:
    """The first rows, which are fitted sooner than all, as a machine measured them that this can't
    be."""
    few = table.rows(np.arange(len(table)) < FEW)
    campaigns = few.record["campaigns"]
    named = {name: how | {"device": "A machine of paper"} for name, how in campaigns.items()}
    return replace(few, record={**few.record, "campaigns": named})


def test_this_machine_is_made_a_device_and_offered_by_its_name(page: Page, own: Study):
    own.amend(of_another)
    page.goto(f"/?study={own.folder.name}")
    wait_until_drawn(page)
    expect(page.get_by_text("is of A machine of paper")).to_be_visible()
    expect(page.locator(".st-key-machine-make button")).to_be_visible()

    page.goto(f"/Devices?view=machine&study={own.folder.name}")
    wait_until_drawn(page)
    count = page.locator(".st-key-machine-count input")
    count.fill("5")
    count.press("Enter")
    wait_until_drawn(page)
    with MEASURING:  # so that it can't end before it is looked for
        page.locator(".st-key-machine-make button").click()
        expect(page.locator(".st-key-device-stop button")).to_be_visible()
        page.reload()
        expect(page.locator(".st-key-device-stop button")).to_be_visible()
        expect(page.locator(".st-key-device")).to_contain_text("of 5 done")
    expect(page.get_by_text("and a device of this study")).to_be_visible(timeout=MEASURED)
    columns = made_columns(own.table())
    assert columns is not None and own.table().known(columns[1]) == 5
    page.goto(f"/Search?study={own.folder.name}")
    wait_until_drawn(page)
    page.locator("summary", has_text="What is looked for").click()
    name = columns[0].partition(":")[2]
    open_list(page, ".st-key-latency", page.get_by_role("option").filter(has_text=name).first)
