"""Whose latencies pages show, and this machine made a device of a study on them."""

import shutil

import pytest
from conftest import run_page, sentences

from foxnas_core.measurement import runner
from foxnas_core.study import open_study
from foxnas_core.table.machine import device_columns
from pages.shared import cache, machine

DEVICES, VERIFY = "pages/7_Devices.py?view=machine", "pages/12_Trust.py?view=verify"


@pytest.fixture
def moved(elsewhere, studies):
    """The study of `elsewhere` where the app looks for studies."""
    shutil.copytree(elsewhere.folder, studies / "moved")
    yield open_study(studies / "moved")
    for run in cache.works().runs(machine.Making):
        run.stop()
        run.wait(300)


def said(page) -> str:
    return sentences(page).replace("\\", "")


def keys(page) -> set[str]:
    return {button.key for button in page.button}


def sound(page):
    assert not page.exception and not page.error, [e.value for e in page.error]
    return page


def made(page, study):
    """The page once the run that it started has ended."""
    job = cache.works().latest(machine.Making, str(study.folder))
    job.wait(120)
    sound(page.run())
    assert job.state == "finished"
    return page


def test_the_first_page_makes_another_machine_a_device_and_takes_its_latencies(moved):
    page = sound(run_page("app.py", study="moved"))
    assert "this is Another processor" in said(page) and "does not hold here" in said(page)
    page.button(key="machine-make").click().run()
    made(page, moved)
    columns = machine.made_columns(moved.table())
    assert columns[0].startswith("latency_ms:another-processor")
    # From here on it is the machine of every page, which asks no more.
    assert page.query_params["latency"] == columns[0]
    assert "which is this machine" in said(page) and "machine-make" not in keys(page)
    search = sound(run_page("pages/3_Search.py", study="moved"))
    [picker] = [box for box in search.selectbox if box.key == "latency"]
    assert any("another-processor" in option for option in picker.options)
    # Whoever comes later is offered it by name.
    later = sound(run_page("app.py", study="moved"))
    assert "does not hold here" in said(later) and "machine-make" not in keys(later)
    sound(later.button(key="machine-take").click().run())
    assert later.query_params["latency"] == columns[0]


def test_the_page_devices_takes_count_and_seed_and_tells_the_errors(moved):
    page = sound(run_page(DEVICES, study="moved"))
    page.number_input(key="machine-count").set_value(12).run()
    page.button(key="machine-make").click().run()
    made(page, moved)
    fp32, int8 = machine.made_columns(moved.table())
    assert moved.table().known(fp32) == moved.table().known(int8) == 12
    assert "This machine is Another processor, and a device of this study" in said(page)
    assert {"Median error in fp32", "Median error in int8"} <= {m.label for m in page.metric}
    assert "is calibrated from 12 rows" in said(page)


def test_verify_says_at_the_top_whose_the_latencies_are(moved, monkeypatch):
    page = sound(run_page(VERIFY, study="moved"))
    assert "this is Another processor" in page.warning[0].value
    assert "does not count" in page.warning[0].value and "machine-make" in keys(page)
    monkeypatch.undo()
    monkeypatch.setenv("FOXNAS_STUDIES", str(moved.folder.parent))
    monkeypatch.setattr(runner, "device_name", runner.device_name)
    page = sound(run_page(VERIFY, study="moved"))
    assert "which is this machine" in said(page) and "machine-make" not in keys(page)


def test_without_weights_nothing_is_offered_but_said(studies, monkeypatch):
    monkeypatch.setattr(runner, "device_name", lambda: "Another processor")
    page = sound(run_page(DEVICES))
    assert "this is Another processor" in said(page) and "no supernet weights" in said(page)
    assert "machine-make" not in keys(page)


def test_columns_are_called_by_their_machines(studies):
    page = sound(run_page("pages/3_Search.py"))
    [picker] = [box for box in page.selectbox if box.key == "latency"]
    assert picker.options[:3] == [
        "fp32, Intel Xeon Processor, ONNX Runtime",
        "int8, Intel Xeon Processor, ONNX Runtime",
        "OpenVINO, Intel Xeon Processor",
    ]
    assert len(picker.options) == 2 * len(device_columns(None))
