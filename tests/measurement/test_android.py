"""Android over adb, against a server that speaks adb's protocol but has no Android behind it."""

import json
from pathlib import Path

import pytest

from foxnas_core.errors import InvalidInput, MissingPart
from foxnas_core.measurement import runner
from foxnas_core.measurement.android import AdbHost, parse_timing
from foxnas_core.measurement.hosts import DeviceFailed, checked_result

from . import fake_adb

PRINTED = """\
INFO: STARTING!
INFO: Running benchmark for at least 5 iterations and at least 0 seconds
INFO: count=5 first=900 curr=305 min=301 max=900 avg=420.5 std=20 p5=301 median=305 p95=900
INFO: Running benchmark for at least 50 iterations and at least 0 seconds
INFO: count=50 first=310 curr=300 min=290 max=400 avg=305.1 std=9 p5=295 median=303 p95=330
INFO: Inference timings in us: Init: 855, First inference: 900, Warmup (avg): 420.5
"""
# What a benchmark_model would do with the model that it is given: the larger, the longer.
PROGRAM = """\
#!/bin/sh
for option in "$@"; do case "$option" in
  --graph=*) size=$(wc -c < "${option#--graph=}") ;;
  --num_runs=*) runs="${option#--num_runs=}" ;;
esac; done
echo "INFO: count=3 first=9 curr=9 min=9 max=9 avg=9 std=0 p5=9 median=9 p95=9"
echo "INFO: count=$runs first=9 curr=9 min=$size max=9 avg=9 std=0 p5=$((size * 2)) median=9 p95=9"
"""


@pytest.fixture
def device(tmp_path, monkeypatch):
    folder = tmp_path / "device"
    (folder / "bin").mkdir(parents=True)
    getprop = folder / "bin" / "getprop"
    getprop.write_text('#!/bin/sh\n[ "$1" = ro.product.model ] && echo "Model X" || echo 15\n')
    getprop.chmod(0o755)
    with fake_adb.serve(folder) as (server, port):
        monkeypatch.setenv("ANDROID_ADB_SERVER_HOST", "127.0.0.1")
        monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(port))
        yield server


def job_in(folder: Path, program: str = PROGRAM) -> tuple[Path, dict]:
    binary = folder / "benchmark_model"
    binary.write_text(program)
    entries = []
    for name, size in (("small", 100), ("large", 300), ("reference", 200)):
        (folder / f"{name}.tflite").write_bytes(bytes(size))
        entries.append(
            {"name": name, "file": f"{name}.tflite", "shape": [1, 1, 8, 8], "precision": "fp32"}
        )
    return binary, {
        "models": entries[:2], "references": {"fp32": entries[2]}, "runs": 40,
        "warm_up_runs": 4, "rounds": 3, "seed": 0, "threads": 1, "settle": 2,
    }  # fmt: skip


def test_models_are_pushed_timed_and_removed(device, tmp_path):
    binary, job = job_in(tmp_path)
    result = AdbHost(fake_adb.SERIAL, program=binary).run(tmp_path, job)
    assert checked_result(json.dumps(result), job, "it") == result
    levels = {(r["model"], r["tenth_ms"], r["minimum_ms"], r["count"]) for r in result["rows"]}
    assert levels == {("small", 0.2, 0.1, 40), ("large", 0.6, 0.3, 40)}
    assert {r["reference_ms"] for r in result["rows"]} == {0.4}
    assert result["settled_ms"] == {"fp32": 0.4}
    assert result["circumstances"]["device"] == "Model X"
    assert result["circumstances"]["system"] == "Android 15"
    # Nothing stays on the device but its own programs.
    assert [path.name for path in device.folder.iterdir()] == ["bin"]
    visits = [c for c in device.commands if "--graph=" in c]
    assert len(visits) == 2 * runner.LOOKS_ALIKE + 3 * (2 + 3)
    assert all(c.startswith("taskset 1 /data/local/tmp/foxnas.") for c in visits)


def test_a_program_that_does_not_run_is_told_and_cleaned_up(device, tmp_path):
    binary, job = job_in(tmp_path, "#!/bin/sh\necho not for this processor\n")
    with pytest.raises(DeviceFailed, match="printed no statistics .*not for this processor"):
        AdbHost(fake_adb.SERIAL, program=binary).run(tmp_path, job)
    assert [path.name for path in device.folder.iterdir()] == ["bin"]


def test_a_device_that_is_not_there_is_told(device, tmp_path):
    binary, job = job_in(tmp_path)
    with pytest.raises(DeviceFailed, match="adb can't reach other .*not found"):
        AdbHost("other", program=binary).run(tmp_path, job)


def test_the_last_statistics_count():
    assert parse_timing(PRINTED, "it") == (0.295, 0.29, 50)
    older = PRINTED.replace("p5=", "P=")
    with pytest.raises(DeviceFailed, match="5th percentile"):
        parse_timing(older, "it")
    with pytest.raises(DeviceFailed, match="too coarse"):
        parse_timing(PRINTED.replace("p5=295", "p5=0"), "it")


@pytest.mark.parametrize("serial", ["", "-s", "a b", "a;b", "$(a)", "a\nb"])
def test_a_serial_is_a_name_and_nothing_more(serial, tmp_path):
    with pytest.raises(InvalidInput, match="is no serial"):
        AdbHost(serial, program=tmp_path)


def test_the_program_must_be_there(tmp_path):
    for program in (None, tmp_path / "none"):
        with pytest.raises(MissingPart, match="--device-program"):
            AdbHost("a", program=program)
