"""The runner: its protocol on made-up clocks, and a job of real models in its own process."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from foxnas_core.measurement import runner
from foxnas_core.measurement.campaign import prepare
from foxnas_core.measurement.runner import (
    Timing,
    clock_mhz,
    governor,
    interleaved,
    one_core,
    settled,
    timed,
)

LINUX = pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no such call here")


def silent():
    return {"clock_mhz": None, "temperature_c": None}


def test_it_stands_alone_and_suits_an_older_python():
    source = Path(runner.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 9))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    runtimes = {"onnxruntime", "openvino", "executorch", "torch", "ai_edge_litert"}
    assert modules - runtimes - {"numpy"} <= sys.stdlib_module_names
    # Runtimes are loaded by the job that names them.
    top = {n.names[0].name for n in tree.body if isinstance(n, ast.Import)}
    assert not top & runtimes


def test_warm_up_runs_are_not_counted():
    calls = []
    timing = timed(lambda: calls.append(None), runs=30, warm_up=7)
    assert len(calls) == 37 and timing.runs == 30
    assert 0 < timing.minimum <= timing.tenth


def told(level):
    return lambda: Timing(level, level / 2, 10)


def test_each_round_visits_all_models_in_another_order_each_between_two_looks():
    visits = []

    def visit(name, level):
        return lambda: visits.append(name) or Timing(level, level / 2, 10)

    models = {name: visit(name, level) for name, level in zip("abcdef", range(1, 7), strict=True)}
    options = {"precisions": dict.fromkeys(models, "fp32"), "rounds": 4, "sense": silent}
    references = {"fp32": visit("reference", 1)}
    rows = interleaved(models, references, rng=np.random.default_rng(0), **options)
    assert [row["round"] for row in rows] == [r for r in range(4) for _ in range(6)]
    orders = []
    for number in range(4):
        own = [row["model"] for row in rows if row["round"] == number]
        assert sorted(own) == list("abcdef")
        orders.append("".join(own))
        # A look after one model is the look before the next.
        part = visits[13 * number : 13 * (number + 1)]
        assert part[::2] == ["reference"] * 7 and part[1::2] == own
    assert len(set(orders)) > 1
    assert {row["model"]: row["tenth_ms"] for row in rows} == dict(
        zip("abcdef", range(1, 7), strict=True)
    )
    again = interleaved(models, references, rng=np.random.default_rng(0), **options)
    assert [row["model"] for row in again] == [row["model"] for row in rows]


def test_each_precision_has_its_own_reference():
    """A look at the other one in between has gone stale."""
    looks = {"fp32": iter([1.0, 1.04] * 4), "int8": iter([2.0, 2.02] * 4)}
    references = {name: lambda own=own: told(next(own))() for name, own in looks.items()}
    models = {"a": told(3.0), "b": told(4.0)}
    rows = interleaved(
        models,
        references,
        precisions={"a": "fp32", "b": "int8"},
        rounds=2,
        rng=np.random.default_rng(0),
        sense=silent,
    )
    found = {
        (r["model"], r["reference_low_ms"], r["reference_ms"], r["reference_high_ms"]) for r in rows
    }
    assert found == {("a", 1.0, 1.02, 1.04), ("b", 2.0, 2.01, 2.02)}


@pytest.mark.parametrize(
    ("looks", "kept"),
    [
        # It gets slower while the model is timed, which is timed again, and is steady then.
        ([1.0, 1.6, 1.6], (6.0, 1.6, 1.6)),
        # It never is: the visit that it differed least in.
        ([1.0, 1.6, 1.1, 1.3], (7.0, 1.1, 1.3)),
    ],
)
def test_a_visit_that_the_clock_changed_in_is_made_again(looks, kept):
    levels, marks = iter([5.0, 6.0, 7.0]), iter(looks)
    (row,) = interleaved(
        {"a": lambda: told(next(levels))()},
        {"fp32": lambda: told(next(marks))()},
        precisions={"a": "fp32"},
        rounds=1,
        rng=np.random.default_rng(0),
        sense=silent,
    )
    assert (row["tenth_ms"], row["reference_low_ms"], row["reference_high_ms"]) == kept
    assert row["minimum_ms"] == kept[0] / 2 and not list(marks)


def test_a_share_of_the_runs_is_timed():
    calls = []
    timing = timed(lambda: calls.append(None), runs=40, warm_up=8, share=runner.BRIEF)
    assert timing.runs == 10 and len(calls) == 12


def test_a_visit_of_a_slow_model_ends_after_its_time_but_not_before_the_least_runs(monkeypatch):
    monkeypatch.setattr(runner, "MOST_SECONDS", 1e-9)
    assert timed(lambda: None, runs=400, warm_up=80).runs == runner.LEAST_RUNS
    assert timed(lambda: None, runs=40, warm_up=8, seconds=3600).runs == 40


def test_the_reference_settles_once_looks_in_a_row_agree():
    fast, steady = [1.0] * 3 * (runner.LOOKS_ALIKE - 1), [1.9, 2.0, 2.1] * runner.LOOKS_ALIKE
    levels = iter(fast + steady)
    assert settled(lambda: Timing(next(levels), 0, 1), 3, pause=0) == 2.0
    assert next(levels, None) is None


def test_a_reference_that_never_settles_is_taken_at_the_median_of_all_looks():
    levels = iter([1.0, 5.0] * (runner.MOST_LOOKS // 2))
    assert settled(lambda: Timing(next(levels), 0, 1), 1, pause=0) == 3.0
    # Whoever waits for it may ask for fewer looks.
    levels = iter(range(100))
    assert settled(lambda: Timing(next(levels), 0, 1), 1, looks=3, pause=0) == 1.0


@LINUX
def test_a_thread_is_held_to_one_core_and_let_go():
    before = os.sched_getaffinity(0)
    with pytest.raises(KeyError), one_core() as held:
        assert held is True and len(os.sched_getaffinity(0)) == 1
        assert os.sched_getaffinity(0) <= before
        raise KeyError
    assert os.sched_getaffinity(0) == before


@LINUX
def test_a_refusal_is_said_and_nothing_is_changed(monkeypatch):
    def refuse(*_):
        raise PermissionError

    before = os.sched_getaffinity(0)
    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    with one_core() as held:
        assert held is False
    assert os.sched_getaffinity(0) == before


def test_a_system_without_the_call_says_nothing(monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    with one_core() as held:
        assert held is None


def test_governor_and_clock_are_read_where_the_system_tells_them(tmp_path):
    assert governor(tmp_path) is None and clock_mhz(tmp_path) is None
    for core in range(os.cpu_count() or 1):
        folder = tmp_path / f"cpu{core}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text("performance\n")
        (folder / "scaling_cur_freq").write_text("2400000\n")
    assert governor(tmp_path) == "performance" and clock_mhz(tmp_path) == 2400.0
    for path in tmp_path.glob("*/cpufreq/scaling_cur_freq"):
        path.write_text("<unknown>\n")
    assert clock_mhz(tmp_path) is None


@pytest.fixture(scope="module")
def folder(tiny_checkpoint, tiny_dataset, tmp_path_factory):
    """A folder of two real models, and a job that names them."""
    folder = tmp_path_factory.mktemp("job")
    entries = []
    for which in ("largest", "smallest"):
        p = prepare(
            tiny_checkpoint, tiny_checkpoint.supernet.space.extreme(which), tiny_dataset.training
        )
        (folder / f"{which}.onnx").write_bytes(p.onnx)
        shape = [1, 1, p.subnet.input_shape[-1], p.subnet.input_shape[-1]]
        entries.append(
            {"name": which, "file": f"{which}.onnx", "shape": shape, "precision": "fp32"}
        )
    job = {
        "runtime": "onnxruntime", "models": entries, "references": {"fp32": entries[0]}, "runs": 40,
        "warm_up_runs": 4, "rounds": 3, "seed": 1, "threads": 1, "settle": 2,
        "looks": 2,
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    return folder


def run(folder):
    return subprocess.run(
        [sys.executable, runner.__file__, str(folder)], capture_output=True, text=True
    )


def test_a_job_is_run_in_a_process_of_its_own(folder):
    done = run(folder)
    assert done.returncode == 0, done.stderr
    result = json.loads((folder / "rows.json").read_text())
    assert {(r["model"], r["round"]) for r in result["rows"]} == {
        (name, number) for name in ("largest", "smallest") for number in range(3)
    }
    for row in result["rows"]:
        assert 0 < row["minimum_ms"] <= row["tenth_ms"]
        assert row["count"] == 40
        assert 0 < row["reference_low_ms"] <= row["reference_ms"] <= row["reference_high_ms"]
    assert result["settled_ms"]["fp32"] > 0
    assert result["circumstances"]["runtime"].startswith("ONNX Runtime ")
    assert result["circumstances"]["pinned"] in (True, None)


def test_a_missing_runtime_is_one_sentence(folder, tmp_path):
    job = json.loads((folder / "job.json").read_text()) | {"runtime": "openvino"}
    (tmp_path / "job.json").write_text(json.dumps(job))
    done = run(tmp_path)
    assert done.returncode == 3
    assert done.stderr.strip().splitlines() == [
        f"openvino is not installed for {sys.executable}; run '{sys.executable} -m pip install "
        "openvino' on that device."
    ]
