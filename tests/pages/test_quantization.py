import numpy as np
import pytest
from conftest import run_page, sentences

from foxnas_core.families import space_from_dict
from foxnas_core.study import create_study, open_study
from foxnas_core.table.measurements import table_from_frame

PAGE = "pages/7_Devices.py?view=int8"


def with_int8_accuracy(table, lost: float):
    """The table with a simulated accuracy in int8, for want of a measured one."""
    noise = np.random.default_rng(0).normal(0, 0.1, len(table))
    drop = lost + noise
    return table.frame.assign(
        **{"accuracy:int8": table.frame["accuracy"] - drop, "accuracy_drop:int8": drop}
    )


@pytest.fixture
def variant(studies):
    """A study of the demo's rows under another activation, scored in both precisions."""
    demo = open_study(studies / "demo")
    document = demo.space.to_dict() | {"name": "h-swish", "activation": "h_swish"}
    space = space_from_dict(document)
    table = table_from_frame(space, with_int8_accuracy(demo.table(), 0.4))
    return create_study(studies / "variant", space, name="Variant", table=table)


def titles(page) -> list[str]:
    return [t.value for t in page.header]


def test_one_study_says_how_to_get_the_second(studies):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    said = sentences(page).replace("\\", "")
    assert "demo: int8 takes" in said and "longer than fp32 on ONNX Runtime" in said
    assert "--space foxnas-mini-cpu" in page.code[0].value
    assert "int8 takes" in said and "longer than fp32 on OpenVINO" in said
    assert titles(page) == ["In numbers", "Which blocks make a subnet fragile"]
    page.segmented_control(key="quantized-shown").set_value("Subnet by subnet").run()
    assert titles(page) == ["Accuracy of each subnet", "Latency of each subnet on ONNX Runtime"]
    assert page.selectbox(key="runtime").options == ["ONNX Runtime", "OpenVINO"]


def test_a_study_that_has_latencies_alone_says_how_to_get_its_accuracy(studies):
    table = open_study(studies / "demo").table()
    old = table.frame.drop(
        columns=[c for c in table.frame if c.startswith("accuracy") and "int8" in c]
    )
    create_study(studies / "old", table.space, name="Old", table=table_from_frame(table.space, old))
    page = run_page(PAGE, study="old")
    assert not page.exception and not page.error
    assert "No subnet of this study has its accuracy in int8 yet" in sentences(page)


def test_two_variants_are_compared_and_the_choice_holds(studies, variant):
    page = run_page(PAGE, study="variant")
    assert not page.exception and not page.error
    assert page.selectbox(key="quantized-partner").value == "demo"
    assert "Both variants side by side" in titles(page)
    assert not page.code
    said = sentences(page).replace("\\", "")
    assert "loses 0.40 points of accuracy" in said
    assert "Between variant and demo, what int8 saves of the latency" in said
    assert len(page.get("plotly_chart")) == 1 and len(page.get("download_button")) == 2
    page.selectbox(key="quantized-partner").select("").run()
    assert not page.exception and not page.error
    assert "In numbers" in titles(page)


def test_the_loss_is_explained_and_fitted_like_any_target(studies, variant):
    page = run_page(PAGE, study="variant")
    page.button(key="explain-drop").click().run()
    assert not page.exception
    page = run_page("pages/1_Coefficients.py?view=explanations", study="variant")
    picker = page.selectbox(key="explained-target")
    assert "Accuracy lost by int8" in picker.options
    picker.select("accuracy_drop:int8").run()
    assert not page.exception and not page.error
    page = run_page("pages/1_Coefficients.py", study="variant")
    page.selectbox(key="quality").select("accuracy_drop:int8").run()
    page.segmented_control(key="effects-shown").set_value("Fit and tests").run()
    assert not page.exception and not page.error
    assert "Accuracy lost by int8" in titles(page)


def test_no_measurements_are_one_sentence(studies):
    create_study(studies / "empty", open_study(studies / "demo").space, name="Empty")
    page = run_page(PAGE, study="empty")
    assert not page.exception
    [info] = page.info
    assert "nothing measured in both precisions" in info.value


def test_one_precision_alone_is_one_sentence(studies, cells):
    page = run_page(PAGE, study="cells")
    assert not page.exception
    [info] = page.info
    assert "latency\\_ms:NAME\\-int8" in info.value.replace("\\:", ":")


def test_a_damaged_neighbour_leaves_the_rest(studies, variant):
    (studies / "demo" / "measurements.parquet").write_bytes(b"PAR1 nonsense")
    page = run_page(PAGE, study="variant")
    assert not page.exception and not page.error
    assert "demo is left out" in sentences(page) and page.code
    page = run_page(PAGE)
    assert not page.exception
    [error] = page.error
    assert "parquet" in error.value
