"""Devices by their specifications, and rows that get their columns."""

import sys

import numpy as np
import pytest

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.measurement.devices import device_of
from foxnas_core.measurement.elsewhere import DeviceMeter
from foxnas_core.measurement.here import machine_here
from foxnas_core.steps.measure import measure_on_device
from foxnas_core.table.latency_verdicts import judge
from foxnas_core.table.machine import baselines_of, device_columns


@pytest.mark.parametrize(
    ("spec", "name", "scheme", "runtime", "column"),
    [
        ("onnxruntime", None, "local", "onnxruntime", "latency_ms"),
        ("onnxruntime", "apart", "local", "onnxruntime", "latency_ms:apart"),
        ("openvino", None, "local", "openvino", "latency_ms:openvino"),
        ("ssh:pi@board.local", None, "ssh", "onnxruntime", "latency_ms:board.local"),
        ("ssh:board/executorch", None, "ssh", "executorch", "latency_ms:board-executorch"),
        ("ssh:board/litert", "pi", "ssh", "litert", "latency_ms:pi"),
        ("adb:192.168.0.9:5555", None, "adb", "litert", "latency_ms:192.168.0.9-5555"),
    ],
)
def test_specifications(spec, name, scheme, runtime, column):
    device = device_of(spec, name)
    assert (device.scheme, device.runtime.name) == (scheme, runtime)
    assert device.columns[0] == column
    assert device.columns[1] == (f"{column}-int8" if ":" in column else "latency_ms:int8")


@pytest.mark.parametrize("spec", ["", "tpu", "ssh:", "adb:", "openvino:x", "ssh:board/tpu"])
def test_what_is_no_device_is_told(spec):
    with pytest.raises(InvalidInput, match="is no (device|runtime)"):
        device_of(spec)


@pytest.mark.parametrize("name", ["int8", "a-int8", "a b", "-a", "a:b", "x" * 65])
def test_names_are_plain(name):
    with pytest.raises(InvalidInput, match="can't name a device's columns"):
        device_of("openvino", name)


@pytest.fixture
def rows_study(tiny_study):
    """A study of four rows of this machine."""
    architectures = tiny_study.space.sample(4, seed=0)
    values = {"accuracy": 50.0, "latency_ms": 1.0, "latency_ms:int8": 2.0, "campaign": "first"}
    here = {"device": machine_here().processor, "runtime": "ONNX Runtime"}
    record = {"first": {"reference_baseline_ms": 1.5, **here}}
    tiny_study.append(architectures, [values] * 4, record)
    return tiny_study


@pytest.mark.parametrize("spec", ["openvino", "executorch", "litert", "ssh:board/litert"])
def test_a_runtime_that_is_not_installed_is_told(spec, tmp_path, monkeypatch, rows_study):
    monkeypatch.setenv("FOXNAS_RUNTIMES", str(tmp_path))
    with pytest.raises(MissingPart, match=r"run 'make runtime-\w+'"):
        measure_on_device(rows_study, spec, seed=0, report=lambda p: None)


def test_rows_that_lack_a_devices_latency_get_it_and_nothing_else(rows_study, monkeypatch):
    """ONNX Runtime in a process of its own stands for any device."""
    before = rows_study.table()
    # Fewer runs, as this is no measurement.
    defaults = DeviceMeter.__init__.__kwdefaults__
    monkeypatch.setitem(defaults, "runs", 20)
    monkeypatch.setitem(defaults, "rounds", 2)
    column = "latency_ms:apart"

    def measure(count):
        return measure_on_device(
            rows_study,
            "onnxruntime",
            name="apart",
            count=count,
            seed=0,
            report=lambda p: None,
        )

    assert len(measure(2)) == 2
    table = rows_study.table()
    assert len(table) == len(before)
    assert table.known(column) == table.known(f"{column}-int8") == 2
    first = table.frame.loc[:1]
    assert (first[f"low_{column}"] <= first[column]).all()
    assert (first[column] <= first[f"high_{column}"]).all()
    assert (first[f"drift_{column}"] > 0).all() and (first[f"drift_range_{column}"] >= 0).all()
    # What was there is as it was.
    assert table.frame[list(before.frame.columns)].equals(before.frame)
    campaign = table.record["campaigns"][first[f"campaign_{column}"].iloc[0]]
    assert campaign["latency_columns"] == [column, f"{column}-int8"]
    assert campaign["pinned"] is True and campaign["runs"] == 20 and campaign["warm_up_runs"] == 10
    baseline = campaign["reference_baseline_ms"]
    # Judged by its own campaign, though the row's own tells nothing of runs.
    assert set(judge(table, column).verdicts["repeats"]) == {"failed"}
    assert set(judge(table, "latency_ms").verdicts["repeats"]) == {"unknown"}
    # Later ones go on where it was, and are held to the same reference.
    assert len(measure(1)) == 1
    table = rows_study.table()
    assert np.flatnonzero(table.frame[column].notna()).tolist() == [0, 1, 2]
    names = table.frame[f"campaign_{column}"].dropna().unique()
    assert {table.record["campaigns"][n]["reference_baseline_ms"] for n in names} == {baseline}
    # The study's own latencies stay held to their own.
    assert baselines_of(table, device_columns(None)) == {"latency_ms": 1.5}
    # Nothing lacks the columns that were measured in the first place.
    assert measure_on_device(rows_study, "onnxruntime", seed=0, report=lambda p: None) == []


def test_an_empty_study_says_what_to_measure_first(tiny_study):
    with pytest.raises(MissingPart, match="without --device"):
        measure_on_device(tiny_study, "onnxruntime", seed=0, report=lambda p: None)


def test_a_local_runtime_runs_in_its_own_python(tmp_path, monkeypatch):
    python = tmp_path / ".venv-openvino" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    monkeypatch.setenv("FOXNAS_RUNTIMES", str(tmp_path))
    assert device_of("openvino").runtime.python() == python
