import json

import numpy as np
import pytest
from conftest import run_page, sentences

from foxnas_core.study import create_study, open_study
from foxnas_core.table.measurements import table_from_frame

PAGE = "pages/7_Devices.py"
COMPARE, ORDER, CALIBRATE = (f"{PAGE}?view={view}" for view in ("compare", "order", "calibrate"))
INT8 = "latency_ms:int8"


def study_with(studies, int8: int):
    """A study of the demo's rows, of which only so many, as rows of their own, have int8; with
    none, it lacks the column."""
    demo = open_study(studies / "demo")
    table = demo.table()
    new = create_study(studies / "new", demo.space, name="New")
    frame = table.frame.drop(columns=[c for c in table.frame if "int8" in c or "openvino" in c])
    new.add_table(table_from_frame(demo.space, frame))
    if int8:
        rows = np.linspace(0, len(table) - 1, int8).astype(int)
        added = table.frame.iloc[rows][["id", *demo.space.by_name, INT8]]
        new.add_table(table_from_frame(demo.space, added))
    return new


def titles(page) -> list[str]:
    return [t.value.replace("\\", "") for t in page.header if not t.divider]


def metrics(page) -> dict[str, str]:
    return {m.label: m.value for m in page.metric}


def test_a_new_device_is_calibrated(studies):
    page = run_page(CALIBRATE)
    assert not page.exception and not page.error
    assert titles(page) == [
        "Predicted and measured", "Error by the number of rows", "Bring in a device of your own",
    ]  # fmt: skip
    said = sentences(page).replace("\\", "")
    assert "With 15 rows the scaled predictor of int8 errs by" in said


def test_subnets_that_swap_their_order_are_shown(studies):
    page = run_page(ORDER)
    assert not page.exception and not page.error
    assert titles(page) == [
        "Measured subnets on both devices", "Rank-reversal map", "How far apart is far enough",
    ]  # fmt: skip
    said = sentences(page).replace("\\", "")
    assert "of 800 measured subnets" in said and "swap their order between fp32 and int8" in said


def test_effects_are_compared_in_every_panel_and_unit(studies):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert titles(page) == ["Which blocks differ"]
    page.segmented_control(key="compared").set_value("Every choice").run()
    assert titles(page) == ["Every choice on both devices"]
    assert "expand 4 instead of 1 in s1b1 saves" in sentences(page).replace("\\", "")
    [unit] = [w for w in page.get("button_group") if w.key == "unit"]
    unit.set_value("own").run()
    assert not page.exception and not page.error
    assert "ms on int8 but" in sentences(page).replace("\\", "")


def test_devices_can_be_exchanged_and_hold_on_the_way_back(studies):
    page = run_page(PAGE)
    page.selectbox(key="device-first").select(INT8).run()
    assert not page.exception and not page.error
    assert page.selectbox(key="device-second").value == "latency_ms"
    page.switch_page("pages/1_Coefficients.py").run()
    page.switch_page(PAGE).run()
    assert page.selectbox(key="device-first").value == INT8


def test_a_pair_opens_in_what_if(studies):
    page = run_page(ORDER, reversals="Which pairs")
    shown = next(d.value for d in page.dataframe if "mostly because of" in d.value)
    page.button(key="pair-what-if").click().run()
    page.switch_page("pages/2_What_if.py").run()
    assert not page.exception and not page.error
    assert page.title[0].value == "What-if"
    space = open_study(studies / "demo").space
    opened = space.architecture(json.loads(page.query_params["architecture"]))
    assert opened.id == shown["faster on int8"].iloc[0]
    assert page.query_params["latency"] == INT8
    for key in ("edits", "predictions"):
        page.session_state[f"{key}-open"] = True
    page.run()
    # The other of the pair is the start, so that the edits are what differs between them.
    [edits] = [d.value for d in page.dataframe if "edit" in d.value]
    assert len(edits) > 1 and edits["edit"].iloc[-1] == "together"
    [told] = [d.value.set_index("target") for d in page.dataframe if "start" in d.value]
    assert told.loc["Latency (int8)", "now"] < told.loc["Latency (int8)", "start"]


def test_rows_and_source_move_the_result(studies):
    page = run_page(CALIBRATE)
    before = metrics(page)
    assert before["Judged by"] == "115 rows"
    page.slider(key="shown-rows").set_value(30).run()
    assert not page.exception
    assert metrics(page)["Judged by"] == "100 rows" and metrics(page) != before
    assert "calibrated from 30 rows" in sentences(page)
    page.selectbox(key="device-new").select("latency_ms").run()
    assert not page.exception and not page.error
    assert page.selectbox(key="device-source").value == INT8
    assert "The latency on fp32 is calibrated from" in sentences(page)


def test_a_new_device_of_few_rows_is_calibrated(studies):
    study_with(studies, 15)
    page = run_page(CALIBRATE, study="new")
    assert not page.exception and not page.error
    assert page.selectbox(key="device-new").value == INT8
    assert metrics(page)["Judged by"] == "15 rows"
    said = sentences(page) + sentences(run_page(PAGE, study="new"))
    said = said.replace("\\", "")
    assert "15 rows are too few for a fit" in said
    assert "Both devices need a fit of their own" in said


@pytest.mark.parametrize("name", ["app.py", "pages/2_What_if.py", "pages/3_Search.py"])
def test_the_other_pages_use_the_calibration_and_say_so(studies, name):
    study_with(studies, 15)
    page = run_page(name, study="new", latency=INT8)
    assert not page.exception and not page.error
    [warning] = page.warning
    assert "calibrated from 15 rows" in warning.value


@pytest.mark.parametrize("rows", [4, 5])
def test_as_few_rows_as_can_be(studies, rows):
    study_with(studies, rows)
    page = run_page(CALIBRATE, study="new")
    assert not page.exception
    said = sentences(page).replace("\\", "")
    if rows < 5:
        assert "needs at least 5; measure 1 more subnets" in said
    else:
        assert "calibrated from 5 rows" in said and "5 to judge by" in said


def test_one_device_alone_says_what_to_do(studies):
    study_with(studies, 0)
    page = run_page(PAGE, study="new")
    assert not page.exception and not page.error
    *_, info = page.info
    assert "nothing to compare" in info.value.replace("\\", "")
    page = run_page(CALIBRATE, study="new")
    assert not page.exception and not page.error
    assert titles(page) == ["Bring in a device of your own"]
    assert len(page.get("download_button")) == 1


def test_no_measurements_are_one_sentence(studies):
    create_study(studies / "empty", open_study(studies / "demo").space, name="Empty")
    page = run_page(PAGE, study="empty")
    assert not page.exception
    *_, info = page.info
    assert not page.error and "no measured latency" in info.value


def test_a_constant_device_leaves_the_rest(studies):
    study = study_with(studies, 0)
    table = study.table()
    rows = table.frame.assign(**{"latency_ms:broken": 1.0})
    study.table_file.unlink()
    study.add_table(table_from_frame(study.space, rows))
    page = run_page(CALIBRATE, study="new")
    assert not page.exception
    assert any("same latency" in e.value.replace("\\", "") for e in [*page.error, *page.info])
    assert "Bring in a device of your own" in titles(page)


def test_a_damaged_table_is_one_sentence(studies):
    (studies / "demo" / "measurements.parquet").write_bytes(b"PAR1 nonsense")
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "parquet" in error.value
