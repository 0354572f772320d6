"""Files for a runtime: what its own environment is given, and what is told where it fails."""

import ast
import json
import sys

import numpy as np
import pytest
import torch

from foxnas_core.measurement import convert as converter
from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.environments import RUNTIMES
from foxnas_core.measurement.kept_models import KeptModels
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
        python.parent.mkdir(parents=True, exist_ok=True)
        python.write_text(f"#!/bin/sh\n{script}\n")
        python.chmod(0o755)
        monkeypatch.setenv("FOXNAS_RUNTIMES", str(tmp_path))

    return make


WRITES = "for file in $(grep -o '/[^\"]*tflite' $2/subnets.json); do echo $$ > $file; done"


def written(prepared, folder, **how):
    folder.mkdir(exist_ok=True)
    images = ImageSet(np.zeros((2, 12, 12), np.uint8), np.zeros(2, np.int64))
    return write_models(
        RUNTIMES["litert"], {"a": prepared}, calibration=images, folder=folder,
        task=Classification(0.5, 0.25), **how,
    )  # fmt: skip


def test_an_environment_is_given_programs_that_give_the_subnets_logits(
    prepared, environment, tmp_path
):
    environment(WRITES)
    entries = written(prepared, tmp_path)
    assert [e["file"] for e in entries] == ["a-fp32.tflite", "a-int8.tflite"]
    job = json.loads((tmp_path / "subnets.json").read_text())
    [own] = job["subnets"]
    assert job["runtime"] == "litert" and list(own["files"]) == ["fp32", "int8"]
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


def test_what_is_kept_is_not_converted_again(prepared, environment, tmp_path):
    environment(WRITES)
    kept = KeptModels(tmp_path / "kept")
    [first, _] = written(prepared, tmp_path / "a", kept=kept)
    model = (tmp_path / "a" / first["file"]).read_text()
    environment("exit 1")
    written(prepared, tmp_path / "b", kept=kept)
    assert (tmp_path / "b" / first["file"]).read_text() == model
    # What they are made of is their name.
    own, image = prepared, np.zeros((2, *prepared.subnet.input_shape), np.float32)
    paths = {kept.path(RUNTIMES[r], own, p, image + i) for r, p, i in [
        ("litert", "fp32", 0), ("litert", "fp32", 1), ("litert", "int8", 0), ("litert", "int8", 1),
        ("executorch", "fp32", 0),
    ]}  # fmt: skip
    assert len(paths) == 4


def test_what_can_not_be_converted_costs_only_itself(prepared, environment, tmp_path):
    # As where native code ends the process at the first model, and then at none.
    crash = "echo x >> $2/../calls; echo 'Fatal: no.' >&2; exit 134"
    environment(f"test -e $2/../calls || {{ {crash}; }}; echo x >> $2/../calls; {WRITES}")
    kept, refused = KeptModels(tmp_path / "kept"), {}
    [entry] = written(prepared, tmp_path / "a", kept=kept, refused=refused)
    assert entry["name"] == "a-int8" and refused == {"a-fp32": "Fatal: no"}
    again: dict[str, str] = {}
    written(prepared, tmp_path / "b", kept=kept, refused=again)
    assert again == refused and (tmp_path / "calls").read_text().count("x") == 2
    kept.forget_failures()
    assert len(written(prepared, tmp_path / "c", kept=kept, refused={})) == 2


def test_who_ends_the_process_is_no_fault_of_the_models(prepared, environment, tmp_path):
    environment("kill -9 $$")
    with pytest.raises(ConversionFailed, match="ended from outside"):
        written(prepared, tmp_path / "a", refused={})


def test_the_converter_goes_on_where_it_may(prepared, tmp_path, monkeypatch):
    def convert(program, images):
        if images is None:
            raise ValueError("no such operator\nmore")
        return b"model"

    monkeypatch.setitem(converter.CONVERTERS, "litert", convert)
    network = torch.nn.ReLU()
    torch.export.save(torch.export.export(network, (torch.ones(1),)), tmp_path / "a.pt2")
    np.save(tmp_path / "i.npy", np.ones(1))
    own = {"program": "a.pt2", "calibration": "i.npy", "files": {"fp32": "f", "int8": "i"}}
    for lenient in (True, False):
        job = {"runtime": "litert", "lenient": lenient, "subnets": [own]}
        (tmp_path / "subnets.json").write_text(json.dumps(job))
        if not lenient:
            with pytest.raises(ValueError):
                converter.convert(tmp_path)
        else:
            converter.convert(tmp_path)
    assert (tmp_path / "f.failed").read_text() == "ValueError: no such operator"
    assert (tmp_path / "i").read_bytes() == b"model" and not (tmp_path / "f").exists()


def test_the_converter_blames_no_model_where_who_asked_is_gone(tmp_path, monkeypatch):
    def convert(program, images):
        raise BrokenPipeError

    monkeypatch.setitem(converter.CONVERTERS, "litert", convert)
    torch.export.save(torch.export.export(torch.nn.ReLU(), (torch.ones(1),)), tmp_path / "a.pt2")
    own = {"program": "a.pt2", "files": {"fp32": "f"}}
    job = {"runtime": "litert", "lenient": True, "subnets": [own]}
    (tmp_path / "subnets.json").write_text(json.dumps(job))
    with pytest.raises(BrokenPipeError):
        converter.convert(tmp_path)
    assert not (tmp_path / "f.failed").exists()


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
