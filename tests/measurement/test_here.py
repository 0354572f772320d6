"""This machine, as campaigns record it."""

from importlib import metadata

import pytest

from foxnas_core.measurement import runner
from foxnas_core.measurement.here import machine_here


def test_it_is_named_by_the_system_and_its_runtime(monkeypatch):
    monkeypatch.setattr(runner, "device_name", lambda: "A Processor(TM) of ours")
    here = machine_here()
    release = ".".join(metadata.version("onnxruntime").split(".")[:2])
    assert here.name == f"A Processor of ours, ONNX Runtime {release}, 1 thread, fp32"


@pytest.mark.parametrize("versions", [(), ("7.8.9",)])
def test_a_runtime_is_looked_for_in_its_own_environment(tmp_path, monkeypatch, versions):
    environment = tmp_path / ".venv-openvino"
    for version in versions:
        told = environment / f"lib/python3.11/site-packages/openvino-{version}.dist-info/METADATA"
        told.parent.mkdir(parents=True)
        told.write_text(f"Metadata-Version: 2.1\nName: openvino\nVersion: {version}\n")
        (environment / "bin").mkdir()
        (environment / "bin/python").touch()
    monkeypatch.setenv("FOXNAS_RUNTIMES", str(tmp_path))
    here = machine_here("openvino")
    assert (here.runtime, here.version) == ("OpenVINO", "".join(versions))
