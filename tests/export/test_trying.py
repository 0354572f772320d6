"""A network of volumes goes out as one of images does, and marks the same as it did here."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from volumes import volumetric_space

from foxnas_core.export.exporter import export_subnet
from foxnas_core.export.formats import FORMATS, formats_of
from foxnas_core.export.trying import Volumes
from foxnas_core.export.written import write_export
from foxnas_core.families import family_of
from foxnas_core.measurement.meter import Prepared
from foxnas_core.supernet.adapter import supernet_of
from foxnas_core.tasks.segmentation import Segmentation

SIDES = (8, 8, 8)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The largest network of small cells, of random weights, and its held-out phantoms."""
    space = volumetric_space(input_shape=list(SIDES))
    torch.manual_seed(0)
    dataset = Segmentation.load(None, (1, *SIDES))
    task, architecture = Segmentation.of(dataset), family_of(space).reference(space)
    record = {
        "task": "segmentation", **task.record(), "dataset": dataset.name, "images": 256,
        "steps": 0, "recipe": {"seed": 0}, "licence": dataset.licence,
    }  # fmt: skip
    prepared = Prepared(architecture, supernet_of(space).extract(architecture))
    files = export_subnet(
        prepared, space=space, record=record, calibration=dataset.training,
        held_out=dataset.held_out, estimates=[], parents={},
        formats=formats_of(["onnx"])[0],
        images=8,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("volumes") / "out"
    write_export(files, folder)
    return folder, files, prepared, task, dataset


def test_the_files_score_what_torch_scores(exported):
    _, files, prepared, task, dataset = exported
    with torch.no_grad():
        outputs = prepared.subnet(task.batch(dataset.held_out.images, (1, *SIDES))).numpy()
    expected = task.cases(outputs, dataset.held_out.labels)["dice"].mean()
    [onnx] = [check for check in files.checks if check.file == "model.onnx"]
    assert onnx.score == pytest.approx(expected, abs=1e-6)
    card = files.files["model_card.md"].decode()
    assert f"| 100.00 % | {expected:.4g} |" in card and "Dice is what the files here score" in card


def test_its_script_marks_what_the_network_marks(exported):
    folder, _, prepared, task, _ = exported
    done = subprocess.run(
        [sys.executable, folder / "run_onnx.py", folder / "sample.npy"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    sample = np.load(folder / "sample.npy")
    with torch.no_grad():
        logits = prepared.subnet(task.batch(sample[None], (1, *SIDES))).numpy()[0]
    mask = np.load(folder / "mask.npy")
    assert np.array_equal(mask, logits.argmax(0))
    said = Volumes().answer(logits, ["background", "structure"])
    assert done.stdout.strip() == said and said in (folder / "model_card.md").read_text()
    assert json.loads((folder / "preprocessing.json").read_text())["sides"] == list(SIDES)


def test_scripts_of_volumes_need_no_pictures():
    for own in FORMATS.values():
        assert b"PIL" not in Volumes().script(own.runner)
