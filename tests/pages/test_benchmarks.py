"""Studies of published benchmarks' spaces: cells on several devices, and layers without any
accuracy, whose costs are sums."""

import numpy as np
import onnx
import pytest
from conftest import run_page, sentences
from device_cells import device_study, device_values

from foxnas_core.families import load_shipped
from foxnas_core.families.fbnet.space import LAYERS, OPERATIONS
from foxnas_core.study import Study, create_study

WHAT_IF, ALL = "pages/2_What_if.py", "pages/7_Devices.py?view=all"
PLACES = (
    "app.py", WHAT_IF, f"{WHAT_IF}?view=counterfactuals", f"{WHAT_IF}?view=explained", ALL,
    "pages/1_Coefficients.py", "pages/4_Export.py?view=report", "pages/14_Measurements.py",
    "pages/14_Measurements.py?view=next",
)  # fmt: skip


def layer_study(folder) -> Study:
    space = load_shipped("fbnet-cifar100")
    study = create_study(folder, space, name="Layers")
    networks = space.sample(220, seed=0)
    costs = np.random.default_rng(0).uniform(0.1, 2, (2, LAYERS, len(OPERATIONS)))
    sums = 3 + costs[:, np.arange(LAYERS), space.encode(networks)].sum(axis=2)
    study.append(
        networks,
        [
            {"latency_ms:one": float(one), "latency_ms:two": float(two)}
            for one, two in zip(*sums, strict=True)
        ],
    )
    return study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    found = tmp_path_factory.mktemp("benchmarks")
    device_study(found / "cells")
    layer_study(found / "layers")
    return found


@pytest.fixture(autouse=True)
def studies_there(folder, monkeypatch):
    monkeypatch.setenv("FOXNAS_STUDIES", str(folder))


def told(page) -> dict[str, tuple[float, str]]:
    """The value of each number beside the picture, and where it is from."""
    [table] = [d.value for d in page.dataframe if "from" in d.value]
    return {row["of"]: (row["value"], row["from"]) for row in table.to_dict("records")}


def test_a_network_without_a_supernet_is_exported_with_random_weights(monkeypatch):
    given = {}

    def button(label, data, **how):
        given[label] = data, how["file_name"]

    monkeypatch.setattr("streamlit.download_button", button)
    page = run_page("pages/4_Export.py?view=files", study="cells")
    assert not page.exception and "random" in page.info[0].value
    data, name = given["ONNX with random weights"]
    assert name.endswith("-random-weights.onnx")
    told = {own.key: own.value for own in onnx.load_from_string(data()).metadata_props}
    assert told["weights"].startswith("random") and told["architecture"] in name


def test_a_search_says_what_is_summed_and_what_is_counted():
    page = run_page("pages/3_Search.py?view=live", study="layers")
    assert not page.exception and not page.error
    text = sentences(page).replace("\\", "")
    assert "which is summed" in text and "ms (summed)" in text and "MACs (counted)" in text
    assert "size in MACs" not in text and "overrates" not in text


@pytest.mark.parametrize("study", ["cells", "layers"])
@pytest.mark.parametrize("place", PLACES)
def test_pages_open(place, study):
    page = run_page(place, study=study)
    assert not page.exception and not page.error


def test_a_cell_that_is_asked_for_has_every_device_s_numbers(folder):
    page = run_page(WHAT_IF, study="cells")
    page.text_input(key="asked").set_value("6111").run()
    assert "number 6,111 of the benchmark" in sentences(page)
    found = told(page)
    assert found["board (ms)"][1] == "summed" and found["server (ms)"][1] == "predicted"
    assert found["MACs"][1] == "counted"
    from foxnas_core.families import family_of

    space = load_shipped("nasbench201")
    truth = device_values([family_of(space).read(space, "6111")])
    assert found["board (ms)"][0] == pytest.approx(truth["latency_ms:board"][0], rel=1e-3)


def test_networks_without_an_accuracy_are_summed():
    page = run_page(WHAT_IF, study="layers")
    page.text_input(key="asked").set_value(",".join(["0"] * LAYERS)).run()
    assert not page.error
    assert {name: own[1] for name, own in told(page).items()} == {
        "one (ms)": "summed", "two (ms)": "summed", "Parameters": "counted", "MACs": "counted",
    }  # fmt: skip


def test_all_devices_answer_a_slider():
    page = run_page(ALL, study="cells")
    [part] = [w for w in page.get("button_group") if w.key == "devices-part"]
    part.set_value("best").run()
    before = sentences(page)
    page.slider(key="moved-share").set_value(20).run()
    assert not page.error and not page.exception
    assert "20 % of the networks" in sentences(page) and sentences(page) != before
    for name in ("operations", "table"):
        [part] = [w for w in page.get("button_group") if w.key == "devices-part"]
        part.set_value(name).run()
        assert not page.error and not page.exception
    assert "is 7 times latency_ms:board" in sentences(page).replace("\\", "")
