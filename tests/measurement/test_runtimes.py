"""Files for a runtime: what its own environment is given, and what is told where it fails."""

import ast
import json
import sys

import numpy as np
import pytest
import torch

from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.environments import RUNTIMES
from foxnas_core.measurement.runtimes import (
    ANSWERER,
    CONVERTER,
    ConversionFailed,
    last_line,
    write_models,
)
from foxnas_core.tasks.classification import Classification
from foxnas_core.tasks.dataset import ImageSet


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


def written(prepared, folder):
    images = ImageSet(np.zeros((2, 12, 12), np.uint8), np.zeros(2, np.int64))
    subnets = {"a": prepared}
    task = Classification(0.5, 0.25)
    return write_models(RUNTIMES["litert"], subnets, calibration=images, task=task, folder=folder)


def test_an_environment_is_given_programs_that_give_the_subnets_logits(
    prepared, environment, tmp_path
):
    environment("exit 0")
    entries = written(prepared, tmp_path)
    assert [e["file"] for e in entries] == ["a-fp32.tflite", "a-int8.tflite"]
    job = json.loads((tmp_path / "subnets.json").read_text())
    [own] = job["subnets"]
    assert job["runtime"] == "litert" and own["precisions"] == ["fp32", "int8"]
    program = torch.export.load(tmp_path / own["program"]).module()
    size = prepared.subnet.input_shape[-1]
    image = torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(program(image), prepared.subnet(image), atol=1e-6)
    assert np.load(tmp_path / own["calibration"]).shape == (2, 1, size, size)


def test_a_failed_conversion_is_one_sentence(prepared, environment, tmp_path):
    environment("echo Traceback >&2; echo 'ValueError: no such operator.' >&2; exit 1")
    with pytest.raises(ConversionFailed, match=r"\(ValueError: no such operator\); run 'make"):
        written(prepared, tmp_path)


@pytest.mark.parametrize("script", [CONVERTER, ANSWERER])
def test_what_runs_there_asks_for_none_of_the_apps_packages(script):
    tree = ast.parse(script.read_text())
    modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    modules |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    roots = {module.split(".")[0] for module in modules} - set(sys.stdlib_module_names)
    runtimes = {"executorch", "torchao", "litert_torch", "ai_edge_litert", "ai_edge_quantizer"}
    assert roots <= runtimes | {"torch", "numpy"}


def test_the_last_line_is_what_is_told():
    assert last_line("a\nb.\n\n") == "b"
    assert last_line(" \n") == "it said nothing"
