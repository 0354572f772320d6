import io
import json
import shutil
import zipfile

import numpy as np
import pytest
from conftest import run_page, sentences

from foxnas_core.storage import open_study

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


def test_without_weights_the_architecture_is_offered_and_the_page_says_why(studies):
    page = run_page(PAGE)
    assert not page.exception and not page.error
    assert "no supernet weights" in sentences(page)
    assert downloads(page) == ["Architecture as JSON"]
    assert "build" not in {b.key for b in page.button}


def test_without_images_the_page_says_where_they_come_from(tiny):
    tiny.images_file.unlink()
    page = run_page(PAGE, study="tiny")
    assert not page.exception and not page.error
    assert "images" in page.info[0].value
    assert "build" not in {b.key for b in page.button}


def test_without_torch_the_page_says_what_to_install(tiny, monkeypatch):
    import importlib.util

    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else find(name)
    )
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


def test_files_are_built_checked_and_offered_onnx_first(tiny, monkeypatch):
    import streamlit as st

    offered = {}
    original = st.delta_generator.DeltaGenerator.download_button

    def record(self, label, data, **options):
        offered[label] = data
        return original(self, label, data, **options)

    monkeypatch.setattr(st.delta_generator.DeltaGenerator, "download_button", record)
    monkeypatch.setattr(st, "download_button", lambda *a, **o: record(st._main, *a, **o))
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    page.button(key="build").click().run(timeout=120)
    assert not page.exception and not page.error
    files = [label for label in downloads(page) if "." in label]
    assert files[0] == "model.onnx"
    assert set(files) == {
        "model.onnx", "model.pt2", "architecture.json", "preprocessing.json", "labels.txt",
        "model_card.md",
    }  # fmt: skip
    checks = page.dataframe[0].value
    assert checks["file"].tolist() == ["model.onnx", "model.pt2"]
    assert (checks["same class (%)"] == 100).all()
    assert "#### Predicted and measured" in sentences(page)

    import onnxruntime

    session = onnxruntime.InferenceSession(offered["model.onnx"])
    side = json.loads(offered["preprocessing.json"])["height"]
    [logits] = session.run(None, {session.get_inputs()[0].name: np.zeros((1, 1, side, side), "f4")})
    assert logits.shape == (1, 3)
    with zipfile.ZipFile(io.BytesIO(offered["Download all files (ZIP)"])) as archive:
        assert len(archive.namelist()) == 6


def test_another_architecture_is_not_shown_the_files_of_the_last(tiny):
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    page.button(key="build").click().run(timeout=120)
    page.button(key="pick-largest").click().run()
    assert not page.exception
    assert not [label for label in downloads(page) if label.endswith(".onnx")]


def test_weights_of_another_space_are_one_sentence(tiny, studies):
    from conftest import DEMO

    shutil.copy(DEMO / "supernet.safetensors", tiny.checkpoint_file)
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    page.button(key="build").click().run(timeout=120)
    assert not page.exception
    assert len(page.error) == 1 and "Traceback" not in page.error[0].value


def test_the_cards_words_fetch_no_pictures(tiny, monkeypatch):
    from foxnas_core.export import exporter
    from foxnas_core.export.model_card import model_card

    monkeypatch.setattr(
        exporter, "model_card", lambda *rest: model_card(*rest) + "\n![x](http://elsewhere/x.png)\n"
    )
    page = run_page(PAGE, study="tiny", architecture=link(tiny))
    page.button(key="build").click().run(timeout=120)
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
    page.button(key="build").click().run()
    assert not page.exception
    assert "everything that reads the measured table works without" in sentences(page)
    assert not ran.exists()
