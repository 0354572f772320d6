import json
import shutil

import pandas as pd
import pytest
from conftest import run_page, sentences

from foxnas_core.families import load_shipped
from foxnas_core.figures.layer_tables import LAYER
from foxnas_core.profiling import profile as profiling
from foxnas_core.study import create_study, open_study

PAGE = "pages/2_What_if.py?view=layers"


@pytest.fixture
def tiny(measured_study, studies, monkeypatch):
    """The tiny study, with weights, images and rows, where the app looks; profiled in few runs."""
    for constant in ("_RUNS", "_PROFILED_RUNS"):
        monkeypatch.setattr(profiling, constant, 12)
    shutil.copytree(measured_study.folder, studies / "tiny")
    return open_study(studies / "tiny")


def titles(page) -> list[str]:
    return [t.value.replace("\\", "") for t in page.header]


def strips(page):
    return page.segmented_control(key="layers-part").set_value("From input to classifier").run()


def with_column(page, name: str) -> pd.DataFrame:
    return next(own.value for own in page.dataframe if name in own.value)


def graph_of(page) -> pd.DataFrame:
    return with_column(page, "row")


def test_a_table_alone_tells_layers_and_effects(studies):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert not page.button(key="profile").disabled
    assert titles(page) == ["s1b1", "What changing it would bring"]
    changes = with_column(page, "change")
    assert (changes["Top-1 accuracy low"] < changes["Top-1 accuracy"]).all()
    strips(page)
    assert titles(page) == ["From input to classifier"]
    table = graph_of(page)
    layers = table[table["row"] == LAYER]
    assert layers["time (ms)"].isna().all() and layers["MACs"].sum() > 0
    assert table["accuracy effect"].notna().any() and table["latency_ms effect"].notna().any()
    assert "the block being off" in sentences(page)


@pytest.mark.parametrize("precision", ["fp32", "int8"])
def test_a_profile_is_made_when_it_is_asked_for(tiny, precision):
    link = json.dumps(tiny.space.extreme("largest").to_dict())
    page = strips(run_page(PAGE, study="tiny", architecture=link))
    assert not page.exception and not page.error
    assert graph_of(page)["time (ms)"].isna().all()
    page.segmented_control(key="precision").set_value(precision).run()
    page.button(key="profile").click().run(timeout=300)
    assert not page.exception and not page.error
    assert titles(page) == ["Two views of a block's time", "Where the time is"]
    assert f"Latency, {precision}" in [m.label for m in page.metric]
    page.segmented_control(key="layers-part").set_value("Operators").run()
    assert page.segmented_control(key="network-by").options == ["time", "MACs", "parameters"]
    table = graph_of(strips(page))
    assert table.loc[table["row"] == LAYER, "time (ms)"].notna().all()
    blocks = set(table["block"]) - {"", "stem", "head"}
    assert blocks == set(tiny.space.slots)
    # Another subnet is not shown the times of the last.
    page.button(key="pick-smallest").click().run()
    assert graph_of(page)["time (ms)"].isna().all()
    assert len(page.segmented_control(key="layers-part").options) == 2


def test_without_measurements_times_stand_alone(tiny):
    tiny.table_file.unlink()
    page = run_page(PAGE, study="tiny")
    assert not page.exception
    [error] = page.error
    assert "no measured latency yet" in error.value
    page.button(key="profile").click().run(timeout=300)
    assert not page.exception
    assert "stand alone" in sentences(page)
    assert not [c for c in graph_of(strips(page)) if "effect" in c]
    page.segmented_control(key="layers-part").set_value("Operators").run()
    assert "nothing can be said" in sentences(page)


def test_what_is_looked_for_is_shown_with_its_block_open(studies):
    page = run_page(PAGE)
    find = page.selectbox(key="network-find")
    place = find.options.index("s2b1 depthwise Conv")
    find.select_index(place).run()
    assert not page.exception and not page.error
    assert "s2b1 depthwise Conv" in titles(page) and "kernel" in sentences(page)
    assert drawn(page)["sought"].startswith("node:")
    assert [e["kind"] for e in drawn(page)["shown"] if e["chosen"]] == ["node"]
    page.button(key="close-all").click().run()
    assert not [e for e in drawn(page)["shown"] if e["kind"] == "node"]
    page.button(key="open-all").click().run()
    assert len([e for e in drawn(page)["shown"] if e["kind"] == "open"]) > 3
    page.button(key="edit-block").click().run()
    assert page.query_params["view"] in ("editor", ["editor"])
    assert page.session_state["remembered-cells"] == ("s2b1",)


def test_two_subnets_and_two_devices_stand_beside_each_other(studies):
    smallest = json.dumps(open_study(studies / "demo").space.extreme("smallest").to_dict())
    page = run_page(PAGE, architecture=smallest, against="best")
    assert not page.exception and not page.error
    own, other = all_drawn(page)
    assert own["label"] != other["label"] and len(own["shown"]) < len(other["shown"])
    # What one has and the other has not is marked in the one that has it.
    assert any(entry["differs"] for entry in other["shown"] if "differs" in entry)
    assert "From input to classifier: the best in budget" in titles(strips(page))
    page.segmented_control(key="layers-part").set_value("Operators").run()
    page.selectbox(key="second-device").set_value("latency_ms:openvino").run()
    assert not page.exception and not page.error
    assert "OpenVINO" in str(all_drawn(page)[0]["shown"])
    page.segmented_control(key="layers-part").set_value("Times of blocks").run()
    times = with_column(page, "view")
    assert times["view"].nunique() == 4 and {"s2b2", "the rest"} <= set(times["block"])
    assert "What differs most is" in sentences(page)


def all_drawn(page) -> list[dict]:
    """What each graph's drawing was sent."""
    sent = [json.loads(element.proto.json) for element in page.get("bidi_component")]
    return [own for own in sent if "shown" in own]


def drawn(page) -> dict:
    """What the graph's drawing was sent."""
    [sent] = all_drawn(page)
    return sent


@pytest.mark.parametrize("space", ["nasbench201", "fbnet-cifar100"])
def test_networks_without_a_supernet_have_random_weights_and_say_so(studies, space):
    create_study(studies / "own", load_shipped(space), name="Own")
    page = run_page(PAGE, study="own")
    assert not page.exception
    assert not page.button(key="profile").disabled
    assert "there is no supernet" in sentences(page)


def test_without_images_the_page_says_where_they_come_from(tiny):
    tiny.images_file.unlink()
    page = run_page(PAGE, study="tiny")
    assert not page.exception and not page.error
    assert "no images" in page.info[0].value and page.button(key="profile").disabled


def test_decisions_without_a_network_are_one_sentence(studies, cells):
    page = run_page(PAGE, study="cells")
    assert not page.exception
    [error] = page.error
    assert "without saying what network they make" in error.value


def test_a_supernet_of_somebodys_own_code_is_not_built_here(tiny, tmp_path):
    from foxnas_core.supernet.checkpoint import load_tensors, save_adapted

    ran = tmp_path / "ran"
    code = tmp_path / "code.py"
    code.write_text(f"open({str(ran)!r}, 'w')\n")
    tensors, metadata = load_tensors(tiny.checkpoint_file)
    record = metadata["record"] | {"weights": "w.safetensors"}
    save_adapted(tiny.checkpoint_file, tensors, tiny.space, record, factory=f"{code}:build")
    page = run_page(PAGE, study="tiny")
    assert not page.exception
    [error] = page.error
    assert "profile and export on the command line" in error.value
    assert not ran.exists()


def test_damaged_weights_and_tables_are_one_sentence_each(tiny):
    tiny.checkpoint_file.write_bytes(b"nonsense")
    page = run_page(PAGE, study="tiny")
    assert not page.exception
    assert len(page.error) == 1 and "damaged" in page.error[0].value
    tiny.table_file.write_bytes(b"PAR1 nonsense")
    page = run_page(PAGE, study="tiny")
    assert not page.exception
    assert all("Traceback" not in e.value for e in page.error) and len(page.error) == 2


def test_many_decisions_are_told_too(studies):
    """The largest shipped space, at its own size, without a table."""
    create_study(studies / "large", load_shipped("foxnas-cpu"), name="Large")
    link = json.dumps(load_shipped("foxnas-cpu").extreme("smallest").to_dict())
    page = run_page(PAGE, study="large", architecture=link)
    assert not page.exception
    table = graph_of(strips(page))
    assert {"s1b1", "s5b2"} <= set(table["block"])
