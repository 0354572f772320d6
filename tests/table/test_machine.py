"""Whose a column is, by what campaigns recorded."""

from dataclasses import replace

import pandas as pd
import pytest
from conftest import DEMO
from hand import choice_space
from hypothesis import given
from hypothesis import strategies as st

from foxnas_core.measurement.devices import device_of
from foxnas_core.study import open_study
from foxnas_core.table.machine import (
    Machine,
    baselines_of,
    device_columns,
    device_name_of,
    device_names,
    devices_sentence,
    free_name,
    machine_of,
    machines_of,
    own_columns,
    recorded_machine,
    rows_by_machine,
)
from foxnas_core.table.measurements import table_from_frame
from foxnas_core.table.whole import findings

SPACE = choice_space({"edge0": ("a", "b", "c", "d")})
EPYC = Machine("AMD EPYC", "ONNX Runtime", "1.32.0", 1)
XEON = Machine("Intel(R) Xeon(R) Processor", "ONNX Runtime", "1.32.0", 1)


def told(machine: Machine, **more):
    runtime = f"{machine.runtime} {machine.version}"
    return {"device": machine.processor, "runtime": runtime, "threads": machine.threads, **more}


def table(campaigns, **columns):
    frame = pd.DataFrame({"edge0": list("abcd"), **columns})
    record = {} if campaigns is None else {"campaigns": campaigns}
    return table_from_frame(SPACE, frame, record=record, holes=True)


def test_it_is_called_in_short():
    assert XEON.name == "Intel Xeon Processor, ONNX Runtime 1.32, 1 thread, fp32"
    assert Machine("Pixel 3", "LiteRT benchmark_model", "", 4).name == (
        "Pixel 3, LiteRT benchmark_model, 4 threads, fp32"
    )
    assert Machine("Pixel 3").name == "Pixel 3, fp32"
    assert Machine().name == "a machine that the table does not name"


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"processor": "amd  epyc "}, True),
        ({"processor": "AMD EPYC 7763"}, False),
        ({"runtime": "OpenVINO"}, False),
        ({"version": "1.32.9"}, True),
        ({"version": "1.33.0"}, False),
        ({"threads": 2}, False),
        ({"precision": "int8"}, True),
        ({"runtime": "", "version": "", "threads": None}, True),
        ({"processor": ""}, False),
    ],
)
def test_what_makes_it_another_machine(change, same):
    other = replace(EPYC, **change)
    assert EPYC.same_as(other) is same
    assert other.same_as(EPYC) is same
    assert not Machine().same_as(Machine())


def test_the_demo_names_its_machines():
    demo = open_study(DEMO).table()
    assert machine_of(demo, "latency_ms") == XEON
    assert machine_of(demo, "latency_ms:int8") == replace(XEON, precision="int8")
    assert machine_of(demo, "latency_ms:openvino-int8").name == (
        "Intel Xeon Processor, OpenVINO 2026.4, 1 thread, int8"
    )
    # These campaigns timed the reference in fp32 alone.
    assert baselines_of(demo, device_columns(None)) == {"latency_ms": 0.1136875}
    assert baselines_of(demo, device_columns("openvino")) == {"latency_ms:openvino": 0.080642}
    assert machine_of(demo, "accuracy") is machine_of(demo, "macs") is None
    assert own_columns(demo, XEON) == device_columns(None)
    assert own_columns(demo, replace(XEON, runtime="OpenVINO", version="2026.4.1")) == (
        device_columns("openvino")
    )
    assert own_columns(demo, EPYC) is None
    assert free_name(demo, EPYC) == "amd-epyc-onnx-runtime"
    assert list(device_names(demo)) == [
        *device_columns(None), *device_columns("openvino"),
    ]  # fmt: skip
    assert device_names(demo)["latency_ms"] == XEON.name
    told = devices_sentence(demo)
    assert told.startswith("latency_ms and latency_ms:int8 are of Intel Xeon Processor, ONNX ")
    assert told.endswith(
        "and latency_ms:openvino-int8 are of Intel Xeon Processor, OpenVINO 2026.4, 1 thread."
    )
    assert devices_sentence(table(None, accuracy=[1.0] * 4)) == ""


def test_a_column_is_its_rows_campaigns_in_order():
    names = ["first", "first", "second", None]
    found = table({"first": told(XEON), "second": told(EPYC)}, latency_ms=[1.0] * 4, campaign=names)
    assert machines_of(found, "latency_ms") == (XEON, EPYC, Machine())
    assert machine_of(found, "latency_ms") == XEON
    rows = {machine: own.tolist() for machine, own in rows_by_machine(found, "latency_ms").items()}
    assert rows == {XEON: [0, 1], EPYC: [2], Machine(): [3]}
    [finding] = [f for f in findings(found) if f.code == "machines"]
    assert finding.rows == (2, 3) and finding.columns == ("latency_ms",)
    assert f"3 machines: 2 of {XEON.name} and 1 of {EPYC.name} and 1 of" in finding.sentence
    # A campaign whose row has none of it does not count.
    found = table(
        {"first": told(XEON), "second": told(EPYC)},
        latency_ms=[1.0, 1.0, None, None],
        campaign=names,
    )
    assert machines_of(found, "latency_ms") == (XEON,)
    assert not [f for f in findings(found) if f.code == "machines"]


def test_what_was_added_later_has_a_campaign_of_its_own():
    columns = device_columns("board")
    found = table(
        {"first": told(XEON), "later": told(EPYC, latency_columns=[*columns])},
        latency_ms=[1.0] * 4,
        campaign=["first"] * 4,
        **{columns[0]: [2.0] * 4, f"campaign_{columns[0]}": ["later"] * 3 + [None]},
    )
    assert machines_of(found, columns[0]) == (EPYC, Machine())
    assert machines_of(found, columns[1]) == ()
    assert own_columns(found, EPYC) == columns
    assert free_name(found, replace(EPYC, processor="board", runtime="")) == "board-1.32"


def test_a_rows_campaign_tells_only_of_what_it_measured():
    """An imported latency stands beside what a campaign measured."""
    names = {"campaign": ["first"] * 4}
    found = table({"first": told(XEON)}, **{"latency_ms:phone": [1.0] * 4}, **names)
    assert machines_of(found, "latency_ms:phone") == (Machine(),)
    # Energy and memory come from where the latency beside them does.
    own = told(EPYC, latency_columns=[*device_columns("board")])
    found = table({"first": own}, **{"energy_mj:board": [1.0] * 4, "energy_mj": [1.0] * 4}, **names)
    assert machine_of(found, "energy_mj:board") == EPYC
    assert machine_of(found, "energy_mj") is None


@pytest.mark.parametrize("campaigns", [None, {}, {"first": None}, {"first": {}}, {"first": "x"}])
def test_what_nobody_recorded_is_no_known_machine(campaigns):
    found = table(campaigns, latency_ms=[1.0] * 4, campaign=["first"] * 4)
    assert machines_of(found, "latency_ms") == (Machine(),)
    assert machine_of(found, "latency_ms") is None
    assert baselines_of(found, device_columns(None)) == {}
    assert own_columns(found, EPYC) is None


def test_columns_that_nobody_measured_are_nobodys():
    assert own_columns(table(None, accuracy=[1.0] * 4), EPYC) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=9) | st.integers(),
    lambda own: st.lists(own, max_size=2) | st.dictionaries(st.text(max_size=9), own, max_size=2),
    max_leaves=5,
)
NAMES = ("device", "runtime", "threads", "latency_columns", "reference_baselines_ms",
         "reference_baseline_ms")  # fmt: skip


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, JSON)))
def test_whatever_was_recorded_is_read(circumstances):
    found = table({"first": circumstances}, latency_ms=[1.0] * 4, campaign=["first"] * 4)
    [machine] = machines_of(found, "latency_ms")
    assert machine.name and machine.same_as(machine) is machine.known
    assert set(baselines_of(found, device_columns(None))) <= {"latency_ms"}
    assert device_of("onnxruntime", free_name(found, recorded_machine(circumstances)))


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,20}", fullmatch=True))
def test_a_column_names_its_device(name):
    if name != "int8" and not name.endswith("-int8"):
        assert {device_name_of(column) for column in device_columns(name)} == {name}
    assert {device_name_of(column) for column in device_columns(None)} == {None}


@given(st.text(max_size=99), st.text(max_size=20))
def test_a_free_name_may_name_columns(processor, runtime):
    found = table(None, **{"latency_ms:device": [1.0] * 4})
    name = free_name(found, Machine(processor, runtime, "1.0"))
    assert device_of("onnxruntime", name).columns == device_columns(name)
    assert name != "device"
