"""Model files on images, in their own runtimes where those are installed."""

import json

import numpy as np
import pytest
import torch
from conftest import REPOSITORY

from foxnas_core.measurement import answer
from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.environments import RUNTIMES
from foxnas_core.measurement.runtimes import answers_of, write_models


def test_every_image_is_answered_by_itself_and_the_version_told(tmp_path, monkeypatch):
    shapes = []

    def load(path):
        assert path.read_bytes() == b"model"

        def logits(image):
            shapes.append(image.shape)
            return np.array([[image.sum(), 1.0]])

        return logits

    monkeypatch.setitem(answer.RUNTIMES, "litert", ("numpy", load))
    (tmp_path / "m.tflite").write_bytes(b"model")
    images = np.arange(24, dtype=np.float32).reshape(3, 1, 2, 4)
    np.save(tmp_path / "images.npy", images)
    question = {"runtime": "litert", "file": "m.tflite", "images": "images.npy"}
    (tmp_path / "question.json").write_text(json.dumps(question))
    answer.answer(tmp_path)
    assert np.load(tmp_path / "logits.npy").tolist() == [[s, 1] for s in images.sum((1, 2, 3))]
    assert shapes == [(1, 1, 2, 4)] * 3
    assert json.loads((tmp_path / "answer.json").read_text()) == {"version": np.__version__}


@pytest.mark.parametrize("name", ["executorch", "litert"])
def test_an_installed_runtime_answers_as_the_subnet_does(
    name, tiny_checkpoint, tiny_dataset, tmp_path, monkeypatch
):
    monkeypatch.setenv("FOXNAS_RUNTIMES", str(REPOSITORY))
    if not (REPOSITORY / f".venv-{name}" / "installed").exists():
        pytest.skip(f"'make runtime-{name}' was not run here")
    architecture = tiny_checkpoint.supernet.space.extreme("smallest")
    prepared = prepare(tiny_checkpoint, architecture, tiny_dataset.training)
    task = tiny_checkpoint.task
    options = {"calibration": tiny_dataset.training, "task": task}
    [entry] = write_models(
        RUNTIMES[name], {"a": prepared}, folder=tmp_path, precisions=("fp32",), **options
    )
    images = task.batch(tiny_dataset.held_out.images[:20], prepared.subnet.input_shape)
    model = (tmp_path / entry["file"]).read_bytes()
    logits, version = answers_of(RUNTIMES[name], model, images.numpy())
    with torch.no_grad():
        expected = prepared.subnet(images).numpy()
    assert logits.shape == (20, 3) and np.abs(logits - expected).max() < 1e-4
    assert version[0].isdigit()
