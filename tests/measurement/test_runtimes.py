"""Files for a runtime: what its own environment is given, and what it rebuilds from that."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from conftest import REPOSITORY

from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.convert import subnet_of
from foxnas_core.measurement.runtimes import RUNTIMES, ConversionFailed, last_line, write_models


@pytest.fixture(scope="module")
def prepared(tiny_checkpoint, tiny_dataset):
    space = tiny_checkpoint.supernet.space
    return prepare(tiny_checkpoint, space.sample(1, seed=3)[0], tiny_dataset.training)


@pytest.fixture
def environment(tmp_path, monkeypatch):
    """A runtime's environment whose Python is a shell script."""

    def make(script: str) -> None:
        python = tmp_path / ".venv-litert" / "bin" / "python"
        python.parent.mkdir(parents=True)
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        monkeypatch.setenv("FOXNAS_RUNTIMES", str(tmp_path))

    return make


def written(prepared, space, folder):
    size = prepared.subnet.resolution
    images = np.zeros((2, 1, size, size), np.float32)
    return write_models(
        RUNTIMES["litert"], {"a": prepared}, space=space, calibration={size: images}, folder=folder
    )


def test_a_subnet_is_rebuilt_from_what_its_environment_is_given(
    prepared, tiny_space, environment, tmp_path
):
    environment("exit 0")
    entries = written(prepared, tiny_space, tmp_path)
    assert [e["file"] for e in entries] == ["a-fp32.tflite", "a-int8.tflite"]
    job = json.loads((tmp_path / "subnets.json").read_text())
    [own] = job["subnets"]
    assert job["runtime"] == "litert" and own["precisions"] == ["fp32", "int8"]
    rebuilt = subnet_of(job["space"], own["architecture"], tmp_path / own["weights"])
    size = prepared.subnet.resolution
    image = torch.randn(3, 1, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(rebuilt(image), prepared.subnet(image))
    assert np.load(tmp_path / own["calibration"]).shape == (2, 1, size, size)


def test_a_failed_conversion_is_one_sentence(prepared, tiny_space, environment, tmp_path):
    environment("echo Traceback >&2; echo 'ValueError: no such operator.' >&2; exit 1")
    with pytest.raises(ConversionFailed, match=r"\(ValueError: no such operator\); run 'make"):
        written(prepared, tiny_space, tmp_path)


def test_converting_asks_for_little():
    """A runtime's environment has torch, numpy and safetensors, but not the app's packages."""
    code = (
        "import sys, foxnas_core.measurement.convert\n"
        "ours = {'pandas', 'pyarrow', 'onnxruntime', 'streamlit', 'scipy'} & set(sys.modules)\n"
        "assert not ours, ours"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, env=os.environ, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_last_line_is_what_is_told():
    assert last_line("a\nb.\n\n") == "b"
    assert last_line(" \n") == "it said nothing"
