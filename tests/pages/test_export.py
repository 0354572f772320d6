import io
import json
import shutil
import threading
import time
import zipfile

import numpy as np
import pytest
from conftest import run_page, sentences

from foxnas_core.cards import export
from foxnas_core.errors import InvalidInput
from foxnas_core.progress import Progress
from foxnas_core.study import open_study
from pages.shared import cache, exports

PAGE = "pages/4_Export.py"


def downloads(page) -> list[str]:
    return [button.label for button in page.get("download_button")]


@pytest.fixture
def tiny(measured_study, studies):
    """The tiny study, with weights, images and rows, where the app looks for studies."""
    shutil.copytree(measured_study.folder, studies / "tiny")
    return open_study(studies / "tiny")


def link(study, which: str = "smallest") -> str:
    return json.dumps(study.space.extreme(which).to_dict())


def latest(study):
    """The export that was started last."""
    return [r for r in cache.works().runs(exports.Exporting) if r.study == str(study.folder)][-1]


def bar_text(page) -> str:
    [bar] = page.get("progress")
    return bar.proto.text.replace("\\", "")


def build(page, study, fails: bool | None = False):
    """Press the button, and look again once the export has ended."""
    page.button(key="build").click().run()
    latest(study).wait(120)
    page.run()
    assert not page.exception
    assert fails is None or bool(page.error) == fails, [e.value for e in page.error]
    return page


def test_without_weights_the_architecture_is_offered_and_the_page_says_why(studies):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert "no supernet weights" in sentences(page)
    assert downloads(page) == ["Architecture as JSON", "ONNX with random weights"]
    assert "build" not in {b.key for b in page.button}


def test_without_images_the_page_says_where_they_come_from(tiny):
    tiny.images_file.unlink()
    page = run_page(PAGE, study="tiny")
    assert not page.exception and not page.error
    assert "images" in page.info[0].value
    assert "build" not in {b.key for b in page.button}


def test_without_torch_the_page_says_what_to_install(tiny, monkeypatch):
    find = export.find_spec
    monkeypatch.setattr(export, "find_spec", lambda name: None if name == "torch" else find(name))
    page = run_page(PAGE, study="tiny")
    assert not page.exception
    assert "not installed" in sentences(page)


def test_without_measurements_the_largest_or_the_linked_can_be_taken(tiny):
    tiny.table_file.unlink()
    page = run_page(PAGE, study="tiny")
    assert not page.exception
    assert [e.value for e in page.error if "measure" in e.value]
    assert tiny.space.extreme("largest").id in sentences(page)
    assert "build" in {b.key for b in page.button}
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    assert tiny.space.extreme("smallest").id in sentences(page)


def test_a_link_carries_the_architecture_and_its_predictions(tiny):
    from foxnas_core.regression import fit

    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    assert not page.exception and not page.error
    predicted = fit(tiny.table(), "accuracy").predict([tiny.space.extreme("smallest")])
    assert f"**{predicted['value'].iloc[0]:.2f} %** predicted" in sentences(page)


def test_files_are_built_checked_and_offered_with_their_scripts(tiny, monkeypatch):
    import streamlit as st

    offered = {}
    original = st.delta_generator.DeltaGenerator.download_button

    def record(self, label, data, **options):
        offered[label] = data
        return original(self, label, data, **options)

    monkeypatch.setattr(st.delta_generator.DeltaGenerator, "download_button", record)
    monkeypatch.setattr(st, "download_button", lambda *a, **o: record(st._main, *a, **o))
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    text = sentences(page).replace("\\", "")
    assert "make runtime-executorch" in text and "make runtime-litert" in text
    page = build(page, tiny)
    files = [label for label in downloads(page) if "." in label]
    assert files[:3] == ["model.onnx", "model_int8.onnx", "model.pt2"]
    assert set(files) == {
        "model.onnx", "model_int8.onnx", "model.pt2", "run_onnx.py", "run_torch_export.py",
        "sample.png", "architecture.json", "preprocessing.json", "labels.txt", "model_card.md",
    }  # fmt: skip
    checks = page.dataframe[0].value
    assert checks["file"].tolist() == ["model.onnx", "model_int8.onnx", "model.pt2"]
    assert (checks["same class (%)"] >= [100, 90, 100]).all()
    assert "#### Predicted and measured" in sentences(page)

    import onnxruntime

    side = json.loads(offered["preprocessing.json"])["height"]
    for name in ("model.onnx", "model_int8.onnx"):
        session = onnxruntime.InferenceSession(offered[name])
        image = {session.get_inputs()[0].name: np.zeros((1, 1, side, side), "f4")}
        assert session.run(None, image)[0].shape == (1, 3)
    with zipfile.ZipFile(io.BytesIO(offered["Download all files (ZIP)"]())) as archive:
        assert len(archive.namelist()) == 10
    # Another architecture is not shown the files of the last, which wait for whoever looks again.
    page.button(key="pick-largest").click().run()
    assert not page.exception
    assert not [label for label in downloads(page) if label.endswith(".onnx")]
    assert "model.onnx" in downloads(run_page(PAGE, study="tiny", architecture=link(tiny)))
    # Files of other weights are not shown either.
    tiny.checkpoint_file.touch()
    assert "model.onnx" not in downloads(run_page(PAGE, study="tiny", architecture=link(tiny)))


def test_formats_are_chosen_and_none_is_nothing_to_build(tiny):
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    assert page.multiselect(key="formats").value == ["onnx", "onnx-int8", "torch"]
    page.multiselect(key="formats").set_value([]).run()
    assert page.button(key="build").disabled and "Choose a format" in sentences(page)
    page.multiselect(key="formats").set_value(["onnx"]).run()
    assert page.number_input(key="int8-floor").disabled
    page = build(page, tiny)
    assert page.dataframe[0].value["file"].tolist() == ["model.onnx"]


@pytest.fixture
def let_go():
    event = threading.Event()
    yield event
    event.set()  # lest the next export wait for its turn


def test_an_export_is_of_what_was_chosen_right_before_its_start(tiny):
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    page.multiselect(key="formats").set_value(["onnx", "onnx-int8"])
    page.number_input(key="int8-floor").set_value(0.0)
    build(page, tiny)
    settings = latest(tiny).settings
    assert settings.formats == ("onnx", "onnx-int8") and settings.int8_floor == 0


def test_an_export_is_watched_and_stopped_from_another_tab(tiny, monkeypatch, let_go):
    def held(study, architecture, predictors, *, report, **options):
        report(Progress(20.0, 40.0, 20.0, "Step 3 of 4: LiteRT, fp32"))
        while not let_go.wait(0.01):
            report(Progress(20.0, 40.0, 20.0, "Step 3 of 4: LiteRT, fp32"))
        raise InvalidInput("It was not stopped.")

    monkeypatch.setattr(exports, "export", held)
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    page.button(key="build").click().run()
    assert not page.exception and not page.error
    assert "build" not in {b.key for b in page.button}
    run = latest(tiny)
    end = time.monotonic() + 300
    while run.progress is None:
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
    other = run_page(PAGE, study="tiny", architecture=link(tiny))
    assert "Step 3 of 4: LiteRT, fp32, about 20 s to go" in bar_text(other)
    other.button(key="export-stop").click().run()
    assert not other.exception and not other.error
    assert run.state == "stopped" and "nothing of it is kept" in sentences(other)
    assert not [label for label in downloads(other) if label.endswith(".onnx")]


def test_what_fails_is_one_sentence_and_offers_nothing(tiny, monkeypatch):
    from foxnas_core.export import exporter

    plain = exporter.run_onnx
    monkeypatch.setattr(exporter, "run_onnx", lambda model, batch: plain(model, batch) + 0.01)
    page = build(run_page(PAGE, study="tiny", architecture=link(tiny)), tiny, fails=True)
    assert len(page.error) == 1
    assert "model.onnx differs from the subnet by up to" in page.error[0].value.replace("\\", "")
    assert not [label for label in downloads(page) if label.endswith(".onnx")]


def test_fine_tuning_is_offered_where_the_images_are(tiny, monkeypatch):
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    assert page.toggle(key="fine-tune").disabled
    assert "trained on (stripes); they are named on the command line" in sentences(page)
    from foxnas_core.study import Study

    monkeypatch.setattr(Study, "trained_on", lambda study: "Fashion-MNIST")
    monkeypatch.setattr("foxnas_core.tasks.dataset.has_fashion_mnist", lambda: False)
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    assert page.toggle(key="fine-tune").disabled and "run 'make data'" in sentences(page)
    monkeypatch.setattr("foxnas_core.tasks.dataset.has_fashion_mnist", lambda: True)
    given = {}

    def record(*arguments, **options):
        given.update(options)
        raise InvalidInput("No further.")

    monkeypatch.setattr(exports, "export", record)
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    page.number_input(key="int8-floor").set_value(70.0).run()
    page.toggle(key="fine-tune").set_value(True).run()
    page.number_input(key="epochs").set_value(5).run()
    page.checkbox(key="quantization-aware").check().run()
    assert "minutes for a small supernet" in sentences(page)
    build(page, tiny, fails=True)
    assert given["tuning"].epochs == 5 and given["tuning"].quantization_aware
    assert given["int8_floor"] == 70 and given["formats"] == ("onnx", "onnx-int8", "torch")


def test_weights_of_another_space_are_one_sentence(tiny, studies):
    from conftest import DEMO

    shutil.copy(DEMO / "supernet.safetensors", tiny.checkpoint_file)
    page = build(run_page(PAGE, study="tiny", architecture=link(tiny)), tiny, fails=True)
    assert len(page.error) == 1 and "Traceback" not in page.error[0].value


def test_damaged_weights_are_one_sentence(tiny):
    tiny.checkpoint_file.write_bytes(b"not weights")
    page = build(run_page(PAGE, study="tiny", architecture=link(tiny)), tiny, fails=True)
    assert len(page.error) == 1 and "is damaged" in page.error[0].value


def test_the_cards_words_fetch_no_pictures(tiny, monkeypatch):
    from foxnas_core.export import exporter

    write = exporter.model_card
    monkeypatch.setattr(
        exporter, "model_card",
        lambda *rest, **named: write(*rest, **named) + "\n![x](http://elsewhere/x.png)\n",
    )  # fmt: skip
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    page.multiselect(key="formats").set_value(["onnx"]).run()
    page = build(page, tiny)
    assert r"!\[x](http" in sentences(page) and "![x]" not in sentences(page)


def test_a_supernet_of_somebodys_own_code_is_not_built_here(tiny, tmp_path):
    """A study names code as a note; the page says where that is run, and runs nothing."""
    from foxnas_core.supernet.checkpoint import load_tensors, save_adapted

    ran = tmp_path / "ran"
    code = tmp_path / "code.py"
    code.write_text(f"open({str(ran)!r}, 'w')\n")
    tensors, metadata = load_tensors(tiny.checkpoint_file)
    record = metadata["record"] | {"weights": "w.safetensors"}
    save_adapted(tiny.checkpoint_file, tensors, tiny.space, record, factory=f"{code}:build")
    page = run_page(PAGE, study="tiny")
    page = build(page, tiny, fails=True)
    assert "everything that reads the measured table works without" in sentences(page)
    assert not ran.exists()
