"""The command line as a user types it, and its JSON documents, which are a public contract."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from conftest import REPOSITORY, stripes, tiny_document

from foxnas_core.__main__ import main
from foxnas_core.storage import create_study, open_study

PUBLISHED = REPOSITORY.parent / "shared" / "data" / "foxnas_cpu_256.csv"
ESTIMATE = {"value", "low", "high"}


def ask(capsys, *arguments) -> dict:
    """The JSON document of a command that succeeds."""
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys, *arguments) -> str:
    """The one sentence of a command that is refused."""
    assert main([*map(str, arguments), "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1 and "Traceback" not in captured.err
    return lines[0]


def budget_of(study) -> float:
    return float(np.median(study.table().values("latency_ms")))


def test_fit_document(measured_study, capsys):
    document = ask(capsys, "fit", "--study", measured_study.folder)
    assert list(document) == ["targets"]
    assert set(document["targets"]) >= {"accuracy", "latency_ms", "latency_ms:int8"}
    for target in document["targets"].values():
        assert set(target) == {
            "form", "rows", "left_out", "parameters", "r2", "r2_adjusted", "cv", "coefficients",
            "ceiling",
        }  # fmt: skip
        assert target["rows"] + target["left_out"] == 40
        assert set(target["cv"]) == {"r2", "rmse", "tau"}
        assert len(target["coefficients"]) == target["parameters"]
        for coefficient in target["coefficients"]:
            assert set(coefficient) == {"term", "estimate", "std_error", "low", "high", "p"}
            assert coefficient["low"] <= coefficient["estimate"] <= coefficient["high"]


def test_energy_and_memory_are_measured_where_the_device_tells_them(tiny_study, capsys):
    command = ["measure", "--study", str(tiny_study.folder), "--count", "1", "--energy", "--memory"]
    assert main([*command, "--json"]) == 0
    said = capsys.readouterr().err
    frame = tiny_study.table().frame
    for quantity, column in (("Energy", "energy_mj"), ("Memory", "memory_kib")):
        assert (column in frame) != (f"{quantity} is not available" in said)


def test_measured_optima_judge_and_guard_later_searches(measured_study, capsys):
    search = ("search", "--study", measured_study.folder, "--steps", 500)
    budget = budget_of(measured_study)
    asked = (*search, "--latency-budget", budget)
    assert "calibrate" in refused(capsys, *asked, "--guard", 0.9)
    before = len(measured_study.table())
    document = ask(capsys, "calibrate", "--study", measured_study.folder, "--count", 6)
    found = document["targets"]
    assert set(found) == {"accuracy", "latency_ms"} and found["accuracy"]["optima"] >= 5
    assert len(measured_study.table()) == before  # kept out of the fit
    optima = measured_study.optima()
    assert document["optima"] == len(optima)
    assert set(optima.frame["searched_latency"]) == {"latency_ms"}
    # The plan depends on the seed, so that nothing is measured twice.
    again = ask(capsys, "calibrate", "--study", measured_study.folder, "--count", 6)
    assert again["optima"] == document["optima"]
    guarded = ask(capsys, *asked, "--guard", 0.9)
    promised = guarded["best"]["as_searched"]["accuracy"]
    assert promised["low"] < promised["value"] < promised["high"]
    assert guarded["budget"]["asked"] == pytest.approx(budget)
    assert guarded["best"]["latency_ms"]["value"] <= guarded["budget"]["searched"]


def test_trust_document(tiny_study, tiny_dataset, capsys, monkeypatch):
    monkeypatch.setattr("foxnas_core.trusting.load_dataset", lambda path, **shape: tiny_dataset)
    trust = ("trust", "--study", tiny_study.folder, "--count", 3, "--fine-tune-epochs", 1)
    document = ask(capsys, *trust, "--epochs", 1)
    assert set(document) == {
        "study", "pairs", "parents", "settings", "verdict", "sentence", "advice", "kendall_tau",
        "recalibration_gain", "offset", "reversed", "reversed_beyond_noise", "regret", "reversals",
        "seed",
    }  # fmt: skip
    assert document["pairs"] == 3 and document["verdict"] == "few"
    assert document["settings"] == {"epochs": 1, "fine_tune_epochs": 1, "fine_tune_rate": 0.1}
    for trained in ("alone", "fine_tuned"):
        assert set(document["offset"][trained]["all"]) == ESTIMATE
        for inherited in ("inherited", "unrecalibrated"):
            assert set(document["kendall_tau"][trained][inherited]["all"]) == ESTIMATE
    assert ask(capsys, *trust, "--epochs", 1) == document
    assert "move trust.json away" in refused(capsys, *trust, "--epochs", 2)


def test_handmade_document(measured_study, tiny_dataset, capsys, monkeypatch):
    monkeypatch.setattr("foxnas_core.trusting.load_dataset", lambda path, **shape: tiny_dataset)
    monkeypatch.setattr("foxnas_core.handmade.bench.ROUNDS", 1)
    command = ("handmade", "--study", measured_study.folder, "--widths", 0.1)
    document = ask(capsys, *command, "--epochs", 1, "--searched", 2, "--seed", 3)
    assert set(document) == {
        "study", "parents", "recipe", "seeds", "seed_spread", "comparisons",
    }  # fmt: skip
    assert document["seeds"] == [3] and document["recipe"]["epochs"] == 1
    assert document["seed_spread"] == {"fp32": None, "int8": None}
    assert len(document["comparisons"]) == 4
    for comparison in document["comparisons"]:
        assert set(comparison) == {"way", "precision", "sentence", "networks", "published"}
        for network in comparison["networks"]:
            assert network["ratio_low"] <= network["ratio_high"]
    assert ask(capsys, *command, "--epochs", 1, "--seed", 3) == document
    assert "move handmade.json away" in refused(capsys, *command, "--epochs", 2)
    assert "above 0, not -1" in refused(capsys, "handmade", "--study", measured_study.folder,
                                        "--widths=-1")  # fmt: skip


def test_a_search_takes_a_schedule_a_mode_and_restarts(measured_study, capsys):
    budget = budget_of(measured_study)
    search = ["search", "--study", measured_study.folder, "--latency-budget", budget]
    search += ["--steps", 300, "--schedule", "adaptive", "--restarts", 1, "--mode", "teaching"]
    found = ask(capsys, *search)
    assert found["best"]["latency_ms"]["value"] <= budget
    assert found["proposals"] % (2 * 300) == 0
    assert "full, teaching" in refused(capsys, *search[:-1], "greedy")


def test_search_document_and_the_same_bytes_for_the_same_seed(measured_study, capsys):
    command = [
        "search", "--study", str(measured_study.folder), "--latency-budget",
        str(budget_of(measured_study)), "--steps", "2000", "--json",
    ]  # fmt: skip
    outputs = []
    for seed in ("1", "1", "2"):
        assert main([*command, "--seed", seed]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]
    document = json.loads(outputs[0])
    assert set(document) == {
        "best", "exact", "gap", "bound", "certificate", "objective", "limits", "allowed", "seed",
        "proposals", "budget",
    }  # fmt: skip
    for found in (document["best"], document["exact"]):
        assert set(found) == {"id", "architecture", "accuracy", "latency_ms", "as_searched"}
        assert set(found["accuracy"]) == set(found["latency_ms"]) == ESTIMATE
        assert found["latency_ms"]["value"] <= budget_of(measured_study)
        assert measured_study.space.architecture(found["architecture"]).id == found["id"]
    assert document["gap"] >= 0 and document["seed"] == 1
    assert json.loads(outputs[2])["seed"] == 2


def test_many_limits_pins_and_a_floor(measured_study, capsys):
    table = measured_study.table()
    bounds = {c: float(np.median(table.values(c))) for c in ("parameters", "latency_ms:int8")}
    command = (
        "search", "--study", measured_study.folder, "--steps", 2000,
        "--allow", "s1*_kernel=3", "--limit", f"parameters={bounds['parameters']}",
    )  # fmt: skip
    document = ask(capsys, *command, "--limit", f"latency_ms:int8={bounds['latency_ms:int8']}")
    assert document["objective"] == "accuracy" and document["budget"] is None
    assert {x["column"]: x["at_most"] for x in document["limits"]} == bounds
    for limit in document["limits"]:
        for found in ("best", "exact"):
            assert set(limit[found]) == ESTIMATE and limit[found]["value"] <= limit["at_most"]
    assert document["exact"]["accuracy"]["value"] >= document["best"]["accuracy"]["value"]
    pinned = {k: v for k, v in document["best"]["architecture"].items() if "kernel" in k}
    assert {v for k, v in pinned.items() if k.startswith("s1")} == {3}
    assert document["allowed"]["s1b1_kernel"] == [3]
    # Turned round: the least latency that has the accuracy just found.
    floor = document["exact"]["accuracy"]["value"] - 1e-6
    turned = ask(capsys, *command, "--accuracy-floor", floor)
    assert turned["objective"] == "latency_ms"
    assert turned["limits"][0]["at_least"] == floor
    assert turned["exact"]["accuracy"]["value"] >= floor
    assert turned["exact"]["latency_ms"]["value"] <= document["exact"]["latency_ms"]["value"] + 1e-9


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["--latency-budget", "--limit"]),
        (["--limit", "parameters=1"], ["parameters", "smallest", "at most 1;"]),
        (["--limit", "parameters=1e9", "--limit", "macs=1"], ["MACs", "beside parameters"]),
        (["--limit", "parameters=1", "--limit", "parameters=2"], ["parameters", "twice"]),
        (["--limit", "size=1"], ["'size'", "accuracy"]),
        (["--accuracy-floor", "1000"], ["accuracy", "greatest", "lower the floor"]),
        (["--limit", "macs=1e9", "--allow", "s1b1_kernel=4"], ["'s1b1_kernel'", "4", "3, 5"]),
        (["--limit", "macs=1e9", "--allow", "s9*=4"], ["'s9*'", "s1b1_kernel"]),
        (["--limit", "macs=1e9", "--forbid", "s1b1_kernel=3,5"], ["s1b1_kernel", "3, 5"]),
        (["--limit", "macs=1e9", "--guard", "0.9"], ["calibrate"]),
    ],
)
def test_a_search_that_cannot_be_says_why(measured_study, capsys, options, words):
    sentence = refused(capsys, "search", "--study", measured_study.folder, *options)
    for word in words:
        assert word in sentence


def test_what_a_library_prints_stays_out_of_the_document(measured_study):
    code = (
        "import os, sys\nfrom foxnas_core import commands\nfrom foxnas_core.__main__ import main\n"
        "fit = commands.COMMANDS['fit']\n"
        "commands.COMMANDS['fit'] = lambda options: (os.write(1, b'stray'), fit(options))[1]\n"
        f"sys.exit(main(['fit', '--study', {str(measured_study.folder)!r}, '--json']))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True)
    assert json.loads(done.stdout)["targets"] and b"stray" in done.stderr


def test_measure_document_and_resumption(measured_study, capsys):
    document = ask(capsys, "measure", "--study", measured_study.folder, "--count", 41)
    assert document["rows"] == 41 and len(document["measured"]) == 1
    [measured] = document["measured"]
    columns = {"accuracy", "accuracy:int8", "accuracy_drop:int8", "latency_ms", "latency_ms:int8"}
    assert set(measured) == {"id", "architecture", *columns}
    for column in columns:
        estimate = measured[column]
        assert set(estimate) == ESTIMATE
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
    again = ask(capsys, "measure", "--study", measured_study.folder, "--count", 41)
    assert again == document | {"measured": []}


def test_a_devices_latencies_are_joined_and_measured_for_the_rest(
    measured_study, capsys, monkeypatch, tmp_path
):
    from foxnas_core.measurement.elsewhere import DeviceMeter

    monkeypatch.setitem(DeviceMeter.__init__.__kwdefaults__, "runs", 20)
    study = ["--study", measured_study.folder]
    table = measured_study.table()
    ids = list(dict.fromkeys(table.frame["id"]))
    path = tmp_path / "board.csv"
    path.write_text("id,t\n" + "".join(f"{name},0.02\n" for name in ids[1:]))
    mapping = ["--map", "id=id", "--map", "latency_ms:board=t", "--latency-unit", "s"]
    document = ask(capsys, "import", path, *study, "--join", *mapping)
    assert document["joined"] == len(ids) - 1 and document["targets"] == ["latency_ms:board"]
    assert document["rows"] == len(table)
    device = ["--device", "onnxruntime", "--device-name", "board"]
    document = ask(capsys, "measure", *study, *device)
    assert document["columns"] == ["latency_ms:board", "latency_ms:board-int8"]
    assert [row["id"] for row in document["measured"]] == ids[:1]
    assert document["lacking"] == 0 and document["rows"] == len(table)
    value = document["measured"][0]["latency_ms:board"]
    assert 0 < value["low"] <= value["value"] <= value["high"]
    assert "leave --next" in refused(capsys, "measure", *study, *device, "--next", 2)
    assert "is no device" in refused(capsys, "measure", *study, "--device", "toaster")
    assert "no study" in refused(capsys, "import", path, "--study", tmp_path / "new", "--join")


def test_the_next_batch_is_measured_with_what_was_expected_of_it(measured_study, capsys):
    command = ("measure", "--study", measured_study.folder, "--next", 2, "--target", "latency_ms")
    document = ask(capsys, *command)
    assert set(document) == {"study", "rows", "target", "expected", "measured"}
    assert document["rows"] == 42 and document["target"] == "latency_ms"
    assert 0 < document["expected"]["narrower"] < 1
    assert document["expected"]["d_efficiency_of_random"] <= 1
    table = measured_study.table()
    assert [m["id"] for m in document["measured"]] == table.frame["id"].iloc[40:].tolist()
    assert table.of_origin("design").tolist() == [False] * 40 + [True] * 2
    # The next one knows how long a row takes.
    assert ask(capsys, *command)["expected"]["narrower_a_minute"] > 0
    assert "leave --architecture out" in refused(capsys, *command, "--architecture", "a.json")
    assert "'speed' is no target" in refused(capsys, *command[:-1], "speed")


def test_search_rounds_document(measured_study, capsys):
    command = ("search", "--study", measured_study.folder, "--rounds", 1, "--per-round", 2)
    document = ask(capsys, *command, "--latency-budget", budget_of(measured_study))
    assert set(document) == {"study", "rows", "latency", "budgets", "rounds"}
    assert document["rows"] == 42 and len(document["budgets"]) == 2
    [found] = document["rounds"]
    assert set(found) == {
        "round", "finds", "alternatives", "errors", "fit", "moved", "best_before", "best",
    }  # fmt: skip
    for column in ("accuracy", "latency_ms"):
        assert set(found["errors"][column]) == {"finds", "bias", "rmse", "inside"}
        assert found["fit"][column]["rows"] == 42
    for before, best in zip(found["best_before"], found["best"], strict=True):
        assert best["latency"] <= best["budget"] and best["accuracy"] >= before["accuracy"]
    assert "leave it out with --rounds" in refused(capsys, *command, "--guard", 0.9)
    assert "--latency-budget" in refused(capsys, *command[:3])


def test_a_killed_campaign_goes_on_without_losing_or_doubling_a_row(tiny_study, capsys):
    command = [
        sys.executable, "-m", "foxnas_core", "measure", "--study", str(tiny_study.folder),
        "--count", "30",
    ]  # fmt: skip
    running = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 90
    while not tiny_study.table_file.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = tiny_study.table()
    assert 0 < len(before) < 30
    ask(capsys, "measure", "--study", tiny_study.folder, "--count", 30)
    after = tiny_study.table()
    assert after.architectures() == tiny_study.space.sample(30, seed=0)
    assert (after.values("accuracy")[: len(before)] == before.values("accuracy")).all()


def test_export_document_and_files(measured_study, capsys, tmp_path):
    architecture = measured_study.space.sample(1, seed=5)[0]
    (tmp_path / "a.json").write_text(json.dumps(architecture.to_dict()))
    options = ["--architecture", tmp_path / "a.json", "--out", tmp_path / "out"]
    document = ask(capsys, "export", "--study", measured_study.folder, *options)
    assert document["id"] == architecture.id
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == document["files"]
    assert {c["file"] for c in document["checks"]} == {"model.onnx", "model.pt2"}
    sentence = refused(capsys, "export", "--study", measured_study.folder, *options)
    assert "not empty" in sentence


def write_images(folder, count=60):
    from PIL import Image

    images = stripes(count, 1)
    for index, (image, label) in enumerate(zip(images.images, images.labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / str(label) / f"{index}.png")


def test_train_on_an_image_folder_then_measure(tmp_path, capsys):
    write_images(tmp_path / "images")
    (tmp_path / "space.json").write_text(json.dumps(tiny_document(input_channels=3)))
    options = ["--study", tmp_path / "study", "--space", tmp_path / "space.json"]
    training = ["--data", tmp_path / "images", "--epochs", 1, "--batch", 8]
    document = ask(capsys, "train", *options, *training)
    assert document["steps"] > 0 and set(document["accuracy"]) == {"largest", "smallest"}
    study = open_study(tmp_path / "study")
    assert study.load_checkpoint().record["classes"] == ["0", "1", "2"]
    assert not study.training_state_file.exists()
    ask(capsys, "measure", "--study", tmp_path / "study", "--count", 1)
    assert len(study.table()) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"classes": 4}, "3 classes, but space 'tiny' is for 4"),
        ({"input_channels": 2}, "3 channels"),
    ],
)
def test_images_that_do_not_suit_the_space_are_refused_before_anything_is_written(
    tmp_path, capsys, change, words
):
    write_images(tmp_path / "images")
    (tmp_path / "space.json").write_text(json.dumps(tiny_document(**change)))
    options = ["--space", tmp_path / "space.json", "--data", tmp_path / "images"]
    assert words in refused(capsys, "train", "--study", tmp_path / "study", *options)
    assert not (tmp_path / "study").exists()


def test_missing_images_leave_no_study_behind(tmp_path, capsys):
    sentence = refused(capsys, "train", "--study", tmp_path / "study", "--data", tmp_path / "none")
    assert "--data" in sentence
    assert not (tmp_path / "study").exists()


def test_two_processes_train_a_new_study_together(tmp_path):
    write_images(tmp_path / "images")
    (tmp_path / "space.json").write_text(json.dumps(tiny_document()))
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2",
        "-m", "foxnas_core", "train", "--study", str(tmp_path / "study"),
        "--space", str(tmp_path / "space.json"), "--data", str(tmp_path / "images"),
        "--epochs", "1", "--batch", "8", "--json",
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["steps"] > 0
    assert open_study(tmp_path / "study").load_checkpoint().record["processes"] == 2


def test_a_killed_training_resumes(tmp_path, capsys):
    write_images(tmp_path / "images", 300)
    (tmp_path / "space.json").write_text(json.dumps(tiny_document(input_channels=3)))
    options = [
        "--study", str(tmp_path / "study"), "--space", str(tmp_path / "space.json"),
        "--data", str(tmp_path / "images"), "--epochs", "30", "--batch", "8",
    ]  # fmt: skip
    command = [sys.executable, "-m", "foxnas_core", "train", *options]
    running = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    state = tmp_path / "study" / "training-state.safetensors"
    deadline = time.monotonic() + 90
    while not state.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    assert state.exists()
    document = ask(capsys, "train", *options, "--resume")
    record = open_study(tmp_path / "study").load_checkpoint().record
    assert document["steps"] == 30 * (record["images"] // 8)
    reported = [row[0] for row in record["history"]["rows"]]
    assert reported == [*range(50, document["steps"], 50), document["steps"]]


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"{PUBLISHED} is not here")
def test_the_published_table_gives_the_published_fit(tmp_path, capsys):
    study = tmp_path / "published"
    document = ask(capsys, "import", PUBLISHED, "--study", study)
    assert document["rows"] == 300 and document["ordered"] is False
    fit = ("fit", "--study", study, "--form", "foxnas")
    targets = ask(capsys, *fit, "--link", "none")["targets"]
    assert targets["latency_ms"]["r2"] == pytest.approx(0.99007, abs=5e-6)
    assert targets["accuracy"]["r2"] == pytest.approx(0.94722, abs=5e-6)
    ceiling = ask(capsys, *fit)["targets"]["accuracy"]["ceiling"]
    assert 77 < ceiling["low"] < ceiling["value"] < ceiling["high"] < 78.5
    assert "stage_counts" in refused(capsys, "fit", "--study", study, "--form", "per_layer")
    found = ask(capsys, "search", "--study", study, "--latency-budget", 100, "--steps", 5000)
    assert found["best"]["latency_ms"]["value"] <= 100
    assert found["exact"]["accuracy"]["value"] >= found["best"]["accuracy"]["value"]
    sentence = refused(capsys, "measure", "--study", study, "--count", 1)
    assert "no supernet weights" in sentence


def test_an_own_table_is_imported_fitted_and_searched(measured_study, tmp_path, capsys):
    table = measured_study.table()
    columns = [*table.space.by_name, "accuracy", "latency_ms"]
    table.frame[columns].to_csv(tmp_path / "own.csv", index=False)
    (tmp_path / "space.json").write_text(json.dumps(table.space.to_dict()))
    options = ["--study", tmp_path / "own", "--space", tmp_path / "space.json"]
    document = ask(capsys, "import", tmp_path / "own.csv", *options)
    assert document["rows"] == 40 and document["targets"] == ["accuracy", "latency_ms"]
    assert set(ask(capsys, "fit", "--study", tmp_path / "own")["targets"]) == {
        "accuracy", "latency_ms",
    }  # fmt: skip
    search = ["search", "--study", tmp_path / "own", "--latency-budget", budget_of(measured_study)]
    assert ask(capsys, *search, "--steps", 1000)["gap"] >= 0
    # Importing once more appends; it overwrites nothing.
    assert ask(capsys, "import", tmp_path / "own.csv", "--study", tmp_path / "own")["rows"] == 80


@pytest.fixture
def foreign(measured_study, tmp_path):
    """The measured table in other words, accuracy as fractions and latency in seconds."""
    table = measured_study.table()
    frame = table.frame[[*table.space.by_name, "accuracy", "latency_ms", "latency_ms:int8"]]
    frame = frame.assign(
        accuracy=frame["accuracy"] / 100,
        **{c: frame[c] / 1000 for c in ("latency_ms", "latency_ms:int8")},
    )
    names = {"s1_depth": "D1", "accuracy": "top1", "latency_ms": "t", "latency_ms:int8": "t=8"}
    frame.rename(columns=names).to_csv(tmp_path / "foreign.csv", index=False)
    maps = [option for name, column in names.items() for option in ("--map", f"{name}={column}")]
    (tmp_path / "space.json").write_text(json.dumps(table.space.to_dict()))
    return [tmp_path / "foreign.csv", "--space", tmp_path / "space.json", *maps]


def test_columns_of_other_names_and_units_are_imported(foreign, measured_study, tmp_path, capsys):
    units = ["--accuracy-unit", "fraction", "--latency-unit", "s"]
    document = ask(capsys, "import", *foreign, *units, "--study", tmp_path / "new")
    assert document["targets"] == ["accuracy", "latency_ms", "latency_ms:int8"]
    found, table = open_study(tmp_path / "new").table(), measured_study.table()
    assert found.frame["id"].tolist() == table.frame["id"].tolist()
    for column in document["targets"]:
        np.testing.assert_allclose(found.values(column), table.values(column), rtol=1e-12)
    appended = ask(capsys, "import", *foreign, *units, "--study", tmp_path / "new")
    assert (appended["added"], appended["rows"]) == (40, 80)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "say whether it is in percent or fraction (--accuracy-unit)"),
        (["--accuracy-unit", "fraction"], "say whether it is in ms, s or us (--latency-unit)"),
        (["--accuracy-unit", "%"], "accuracy can't be in '%'; allowed: percent, fraction."),
        (["--accuracy-unit", "percent", "--latency-unit", "s"], "looks like fractions"),
        (["--map", "s9_depth=D1"], "'s9_depth' can't be mapped"),
        (["--map", "macs=M"], "has no column 'M', which 'macs' is mapped to; it has resolution"),
        (["--map", "accuracy=t"], "'accuracy' is mapped to two columns; keep one --map of it."),
    ],
)
def test_a_mapping_without_units_or_sense_is_refused(foreign, tmp_path, capsys, options, words):
    sentence = refused(capsys, "import", *foreign, *options, "--study", tmp_path / "new")
    assert words in sentence
    assert not (tmp_path / "new").exists()


def test_a_map_without_a_column_exits_with_2(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["import", "t.csv", "--study", str(tmp_path), "--map", "accuracy"])
    assert stopped.value.code == 2 and "is not NAME=COLUMN" in capsys.readouterr().err


def test_json_architectures_are_imported(measured_study, tmp_path, capsys):
    table = measured_study.table()
    rows = zip(table.architectures(), table.values("accuracy"), strict=True)
    lines = [json.dumps({"architecture": a.to_dict(), "accuracy": y}) for a, y in rows]
    (tmp_path / "t.jsonl").write_text("\n".join(lines) + "\n")
    document = ask(capsys, "import", tmp_path / "t.jsonl", "--study", measured_study.folder)
    assert (document["added"], document["rows"]) == (40, 80)
    after = measured_study.table()
    np.testing.assert_array_equal(after.codes[40:], table.codes)
    np.testing.assert_array_equal(after.values("accuracy")[40:], table.values("accuracy"))


def test_another_space_than_the_studys_is_refused(measured_study, foreign, capsys):
    options = ["--space", "foxnas-mini", "--study", measured_study.folder]
    assert "is of space 'tiny', not 'foxnas-mini'" in refused(
        capsys, "import", foreign[0], *options
    )


def test_a_folder_that_cannot_be_written_is_one_sentence(foreign, capsys):
    # The system's own folder, which not even root may write to.
    options = ["--accuracy-unit", "fraction", "--latency-unit", "s", "--study", "/proc/study"]
    assert "/proc/study can't be written" in refused(capsys, "import", *foreign, *options)


def test_an_infeasible_budget_names_the_smallest_latency(measured_study, capsys):
    sentence = refused(
        capsys, "search", "--study", measured_study.folder, "--latency-budget", "0.000001"
    )
    assert "smallest" in sentence and "ms" in sentence


def test_an_empty_study_says_what_to_do(tiny_space, tmp_path, capsys):
    create_study(tmp_path / "a", tiny_space, name="A")
    for command in (["fit"], ["search", "--latency-budget", 1]):
        assert "measure" in refused(capsys, command[0], "--study", tmp_path / "a", *command[1:])


def test_no_study_says_so(tmp_path, capsys):
    assert "no study at" in refused(capsys, "fit", "--study", tmp_path / "none")


def test_a_truncated_table_is_named(measured_study, capsys):
    content = measured_study.table_file.read_bytes()
    measured_study.table_file.write_bytes(content[: len(content) // 2])
    assert "measurements.parquet" in refused(capsys, "fit", "--study", measured_study.folder)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("s1b1_kernel", 4, ["s1b1_kernel", "4", "3, 5", "line 3"]),
        ("latency_ms", "nan", ["latency_ms", "line 3"]),
        ("latency_ms", -1, ["latency_ms", "-1", "line 3"]),
        ("accuracy", 170, ["accuracy", "170", "line 3"]),
        ("s1b1_expand", "two", ["s1b1_expand", "two", "line 3"]),
    ],
)
def test_a_wrong_cell_is_named_and_nothing_is_written(
    measured_study, tmp_path, capsys, column, value, words
):
    table = measured_study.table()
    frame = table.frame[[*table.space.by_name, "accuracy", "latency_ms"]].astype(object)
    frame.loc[1, column] = value
    frame.to_csv(tmp_path / "own.csv", index=False, na_rep="")
    before = measured_study.table_file.read_bytes()
    sentence = refused(capsys, "import", tmp_path / "own.csv", "--study", measured_study.folder)
    assert "own.csv" in sentence
    for word in words:
        assert word in sentence
    assert measured_study.table_file.read_bytes() == before
    # A new study is not left half-made either.
    (tmp_path / "space.json").write_text(json.dumps(table.space.to_dict()))
    new = ["--study", tmp_path / "new", "--space", tmp_path / "space.json"]
    refused(capsys, "import", tmp_path / "own.csv", *new)
    assert not (tmp_path / "new").exists()


def test_weights_of_another_space_are_named(tiny_study, tmp_path, capsys):
    from foxnas_core.families import space_from_dict

    other = space_from_dict(tiny_document(classes=4, name="other"))
    study = create_study(tmp_path / "b", other, name="B")
    study.checkpoint_file.write_bytes(tiny_study.checkpoint_file.read_bytes())
    study.images_file.write_bytes(tiny_study.images_file.read_bytes())
    assert "trained on space 'tiny'" in refused(
        capsys, "measure", "--study", study.folder, "--count", 1
    )
    assert not study.table_file.exists()


@pytest.mark.parametrize("wrong", [["--seed", "-1"], ["--count", "0"], ["--count", "x"]])
def test_options_out_of_range_exit_with_2(tmp_path, capsys, wrong):
    with pytest.raises(SystemExit) as stopped:
        main(["measure", "--study", str(tmp_path), *wrong])
    assert stopped.value.code == 2


def test_progress_goes_to_stderr(measured_study):
    command = [
        sys.executable, "-m", "foxnas_core", "fit", "--study", str(measured_study.folder), "--json",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    json.loads(done.stdout)


def test_help_answers_without_loading_a_heavy_package():
    code = (
        "import sys\nfrom foxnas_core.__main__ import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'statsmodels', 'pandas', 'numba'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, check=True, capture_output=True)


def test_frames_of_the_fit_agree_with_the_core(measured_study, capsys):
    from foxnas_core.regression import fit

    table = measured_study.table()
    shown = ask(capsys, "fit", "--study", measured_study.folder)["targets"]["accuracy"]
    own = fit(table, "accuracy").coefficients()
    assert pd.DataFrame(shown["coefficients"])["estimate"].tolist() == own["estimate"].tolist()


@pytest.fixture
def pictures(tmp_path, tiny_dataset):
    """The tiny images as a folder of pictures, one sub-folder a class."""
    from PIL import Image

    folder = tmp_path / "stripes"
    for number, image in enumerate(tiny_dataset.training.images):
        own = folder / tiny_dataset.classes[tiny_dataset.training.labels[number]]
        own.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(own / f"{number}.png")
    return folder


def test_fine_tune_writes_a_subnet_scored_before_and_after(tiny_study, pictures, tmp_path, capsys):
    architecture, out = tmp_path / "a.json", tmp_path / "tuned"
    architecture.write_text(json.dumps(tiny_study.space.extreme("largest").to_dict()))
    command = (
        "fine-tune", "--study", tiny_study.folder, "--architecture", architecture, "--out", out,
        "--data", pictures, "--epochs", 1, "--batch", 40, "--quantization-aware",
    )  # fmt: skip
    document = ask(capsys, *command)
    assert document["steps"] == document["planned_steps"] > 5
    assert sorted(p.name for p in out.iterdir()) == document["files"]
    for scores in (document["before"], document["after"], document["gain"]):
        assert set(scores) == {"accuracy", "accuracy:int8", "accuracy_drop:int8"}
        assert all(set(interval) == ESTIMATE for interval in scores.values())
    written = json.loads((out / "fine_tuning.json").read_text())
    assert written["after"] == document["after"] and written["images"] == document["images"]
    parents = written["parents"]
    assert parents["space"] == tiny_study.space.fingerprint and len(parents) == 3
    assert "not empty" in refused(capsys, *command)
    renamed = pictures.rename(pictures.with_name("others"))
    elsewhere = (*command[:6], tmp_path / "again", "--data", renamed)
    assert "was trained on stripes, not on others" in refused(capsys, *elsewhere)


def test_fine_tuning_stops_at_the_first_interrupt_and_keeps_what_it_learnt(
    tiny_study, pictures, tmp_path, capsys, monkeypatch
):
    from foxnas_core.quantization import finetuning

    plain = finetuning.fine_tune

    def interrupted(*arguments, report, **options):
        def told(progress):
            report(progress)
            os.kill(os.getpid(), signal.SIGINT)

        return plain(*arguments, report=told, report_every=2, **options)

    monkeypatch.setattr(finetuning, "fine_tune", interrupted)
    usual = signal.getsignal(signal.SIGINT)
    architecture = tmp_path / "a.json"
    architecture.write_text(json.dumps(tiny_study.space.extreme("smallest").to_dict()))
    document = ask(
        capsys, "fine-tune", "--study", tiny_study.folder, "--architecture", architecture,
        "--out", tmp_path / "tuned", "--data", pictures, "--epochs", 5, "--batch", 40,
    )  # fmt: skip
    assert document["steps"] == 2 and document["planned_steps"] > 25
    assert (tmp_path / "tuned" / "subnet.safetensors").exists()
    assert signal.getsignal(signal.SIGINT) == usual
